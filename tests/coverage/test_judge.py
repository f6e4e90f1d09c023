"""Covered, declared only, silent, outdated, missing: each at its edge."""

from __future__ import annotations

import pytest

from fsoc.coverage.gaps import gaps, used_in
from fsoc.coverage.groups import covered_share, groups_of, status_of
from fsoc.coverage.judge import SILENT_AFTER_MS, WINDOW_MS, judge_all, order_of
from fsoc.institutions.registry import Institution
from tests.coverage.conftest import DAY_MS, HOUR_MS, NOW_MS, heartbeat_body, ticket_body


def statuses(found) -> dict[str, str]:
    return {name: state.status for name, state in found.items.items()}


def test_an_institution_is_asked_for_the_items_of_its_tier_alone(member):
    assert set(member(tier=1).items) == {"FB-0001", "FB-0002", "FB-0003", "FB-0004"}
    assert set(member(tier=3).items) == {"FB-0001", "FB-0002", "FB-0004"}


def test_what_is_declared_and_shown_is_covered_and_what_is_only_declared_is_not(member):
    found = member(heartbeat_body(NOW_MS), ticket_body(1, NOW_MS - DAY_MS, "FB-0001"))

    assert statuses(found) == {
        "FB-0001": "covered",
        "FB-0002": "declared-only",
        "FB-0003": "declared-only",
        "FB-0004": "declared-only",
    }
    assert found.items["FB-0001"].tickets == 1
    assert found.items["FB-0001"].newest_ms == NOW_MS - DAY_MS
    assert found.share == 0.25


@pytest.mark.parametrize(("age_ms", "status"), [(WINDOW_MS, "covered"), (WINDOW_MS + 1, "declared-only")])
def test_a_ticket_shows_an_item_as_long_as_it_lies_within_the_window(member, age_ms, status):
    found = member(heartbeat_body(NOW_MS), ticket_body(1, NOW_MS - age_ms, "FB-0001"))

    assert statuses(found)["FB-0001"] == status


@pytest.mark.parametrize(("age_ms", "status"), [(SILENT_AFTER_MS, "covered"), (SILENT_AFTER_MS + 1, "silent")])
def test_who_has_fallen_silent_is_relied_upon_no_more(member, age_ms, status):
    found = member(heartbeat_body(NOW_MS - age_ms), ticket_body(1, NOW_MS - 2 * DAY_MS, "FB-0001"))

    assert statuses(found)["FB-0001"] == status
    assert found.is_silent == (status == "silent")


def test_who_declares_nothing_lacks_everything(member):
    assert set(statuses(member()).values()) == {"missing"}
    assert set(statuses(member(heartbeat_body(NOW_MS, None))).values()) == {"missing"}
    assert set(statuses(member(heartbeat_body(NOW_MS, "newest"))).values()) == {"missing"}


def test_a_ticket_of_the_baseline_declares_its_version_where_no_heartbeat_does(member):
    found = member(ticket_body(1, NOW_MS, "FB-0001"))

    assert found.version == "2026.4"
    assert statuses(found)["FB-0001"] == "covered"


def test_an_earlier_version_is_outdated_though_tickets_name_the_item(member):
    found = member(heartbeat_body(NOW_MS, "2026.3"), ticket_body(1, NOW_MS, "FB-0001", version="2026.3"))

    assert set(statuses(found).values()) == {"outdated"}
    assert found.items["FB-0001"].tickets == 1


def test_of_an_earlier_version_that_is_at_hand_what_came_since_is_missing(member):
    """2026.2 had the first two items."""
    assert statuses(member(heartbeat_body(NOW_MS, "2026.2"))) == {
        "FB-0001": "outdated",
        "FB-0002": "outdated",
        "FB-0003": "missing",
        "FB-0004": "missing",
    }


def test_a_later_version_than_ours_is_not_outdated(member):
    assert statuses(member(heartbeat_body(NOW_MS, "2027.1")))["FB-0001"] == "declared-only"


def test_of_several_feeds_the_oldest_version_counts(member):
    found = member(heartbeat_body(NOW_MS, "2026.4"), heartbeat_body(NOW_MS, "2026.3", feed="edr"))

    assert found.version == "2026.3"


def test_versions_are_numbers_and_no_words():
    assert order_of("2026.4") < order_of("2026.10") < order_of("2027.1")
    assert [order_of(text) for text in ("", "v4", "2026.", "2026.4-rc1")] == [None] * 4


def test_an_item_makes_seen_what_its_rules_are_tagged_with_in_the_newest_words(norm):
    assert norm.sees["FB-0004"] == ("T1685", "T1486")


def test_of_two_items_that_see_a_technique_the_better_counts(member, norm):
    """FB-0003 asks for T1059 alone; of T1059.001 there is FB-0002."""
    found = member(heartbeat_body(NOW_MS), ticket_body(1, NOW_MS, "FB-0002"))

    assert found.techniques(norm) == {
        "T1490": "declared-only",
        "T1059.001": "covered",
        "T1059": "declared-only",
        "T1685": "declared-only",
        "T1486": "declared-only",
    }


def test_own_rules_are_told_and_change_no_status(member):
    attack = [{"tactic": "impact", "technique": "T1490", "confidence": 50}]
    found = member(ticket_body(1, NOW_MS, attack=attack), ticket_body(2, NOW_MS - WINDOW_MS - 1, attack=attack))

    assert found.own == {"T1490": 1}
    assert statuses(found)["FB-0001"] == "missing"


def test_who_is_suspended_takes_no_part(norm):
    one = Institution("fi-001", "One", "一", "bank", 1, None, ("siem",))
    gone = Institution("fi-002", "Two", "二", "bank", 1, None, ("siem",), suspended=True)

    assert [found.institution.id for found in judge_all([one, gone], {}, norm, now_ms=NOW_MS)] == ["fi-001"]


@pytest.fixture
def members(member):
    """fi-a of tier 1 covers T1490; fi-b of tier 1 declares only; fi-c of tier 3 has nothing."""
    return [
        member(heartbeat_body(NOW_MS, institution="fi-a"), ticket_body(1, NOW_MS, "FB-0001", "fi-a"), name="fi-a"),
        member(heartbeat_body(NOW_MS, institution="fi-b"), name="fi-b", sector="insurance"),
        member(name="fi-c", tier=3),
    ]


def test_groups_count_whoever_must_see_a_technique(members, norm):
    groups = {group.name: group for group in groups_of(members, norm, ["all", "tier", "sector", "institution"])}

    assert list(groups) == ["all", "tier-1", "tier-3", "sector-bank", "sector-insurance", "fi-a", "fi-b", "fi-c"]
    assert groups["all"].techniques["T1490"] == {"covered": 1, "declared-only": 1, "missing": 1}
    assert groups["all"].techniques["T1059"] == {"declared-only": 2}  # none of tier 3's
    assert groups["tier-1"].counts == {"covered": 1, "declared-only": 7, "silent": 0, "outdated": 0, "missing": 0}
    assert groups["tier-1"].share == 1 / 8
    assert status_of(groups["all"].techniques["T1490"]) == "missing"
    assert covered_share(groups["all"].techniques["T1490"]) == 1 / 3


class Alert:
    """What is asked of an alert."""

    kind, status, environment = "joint", "final", "production"

    def __init__(self, name, *techniques, age_ms=HOUR_MS, **changes):
        self.alert_id, self.techniques, self.raised_ms = name, techniques, NOW_MS - age_ms
        self.__dict__.update(changes)


def ranked(members, norm, *alerts):
    used = used_in(alerts, "production", NOW_MS - WINDOW_MS, norm)
    return [(gap.item, gap.alerts, gap.institutions) for gap in gaps(members, norm, used)]


def test_gaps_are_ranked_by_what_joint_alerts_used_then_by_who_lacks_it(members, norm):
    assert ranked(members, norm) == [("FB-0002", 0, 3), ("FB-0004", 0, 3), ("FB-0001", 0, 2), ("FB-0003", 0, 2)]
    assert ranked(members, norm, Alert("a", "T1486"), Alert("b", "T1490"), Alert("c", "T1490")) == [
        ("FB-0001", 2, 2),
        ("FB-0004", 1, 3),
        ("FB-0002", 0, 3),
        ("FB-0003", 0, 2),
    ]


def test_an_alert_about_a_sub_technique_is_one_about_its_technique_and_the_other_way_round(members, norm):
    assert ranked(members, norm, Alert("a", "T1059.003")) == [
        ("FB-0003", 1, 2),
        ("FB-0002", 0, 3),
        ("FB-0004", 0, 3),
        ("FB-0001", 0, 2),
    ]
    assert ranked(members, norm, Alert("a", "T1059"))[:2] == [("FB-0002", 1, 3), ("FB-0003", 1, 2)]


def test_an_alert_of_an_older_attack_version_counts_for_what_it_is_called_now(members, norm):
    assert ranked(members, norm, Alert("a", "T1562.001"))[0] == ("FB-0004", 1, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "local"},
        {"kind": "rule"},
        {"status": "retracted"},
        {"status": "merged"},
        {"environment": "exercise"},
        {"age_ms": WINDOW_MS + 1},
        {"age_ms": WINDOW_MS, "techniques": ("T9999",)},
    ],
)
def test_what_is_no_joint_alert_of_the_window_ranks_nothing(members, norm, changes):
    assert {alerts for _, alerts, _ in ranked(members, norm, Alert("a", "T1490", **changes))} == {0}


def test_one_alert_counts_once_for_an_item_however_many_of_its_techniques_it_names(members, norm):
    assert ranked(members, norm, Alert("a", "T1486", "T1685"))[0] == ("FB-0004", 1, 3)


def test_a_gap_tells_who_lacks_it_and_how(members, norm):
    [gap] = [gap for gap in gaps(members, norm, {}) if gap.item == "FB-0001"]

    assert gap.lacking == {"declared-only": ("fi-b",), "missing": ("fi-c",)}
    assert gap.asked == 3


def test_what_all_cover_is_no_gap(member, norm):
    found = member(heartbeat_body(NOW_MS), *(ticket_body(n, NOW_MS, f"FB-000{n}") for n in range(1, 5)))

    assert gaps([found], norm, {}) == []
