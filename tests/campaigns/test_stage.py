"""Campaigns by hand: what ties, what does not, what analysts decide, and what is left when all is over."""

from __future__ import annotations

import msgspec
import orjson
import pytest

from fsoc.campaigns import nodes, stage
from fsoc.campaigns.compose import campaign_id
from fsoc.feeds.ledger import END_MS
from fsoc.feeds.record import Record
from tests.campaign_stage import record_of

DAY = 86_400_000
NOON = 20_000 * DAY


def ring(make, *names):
    """Links on tickets of three institutions each, every one of which shares a ticket with the next."""
    return [
        make(name, f"a{place}-{names[0]} b{place}-{names[0]} c{place + 1}-{names[0]} c{place}-{names[0]}")
        for place, name in enumerate(names)
    ]


def test_two_links_that_share_tickets_at_three_institutions_are_a_campaign(topics, link, alert):
    """
    link-1   a1  b1
    link-2       b1  c1
    alert    a1      c1
    """
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"), alert("alert-1", "a1 c1", severity=5, level="high"))

    campaign = topics.only()
    assert campaign["campaign_id"] == campaign_id("link-1")
    assert topics.members() == ["alert-1 link-1 link-2"]
    assert (campaign["institution_count"], campaign["ticket_count"]) == (3, 3)
    assert (campaign["severity"], campaign["level"], campaign["status"]) == (5, "high", "open")
    assert topics.named() == {"alert-1": campaign["campaign_id"]}


@pytest.mark.parametrize("kind", ["local", "feed", "rule"])
def test_an_alert_whose_rule_says_now_that_it_is_about_something_else_leaves_its_story(topics, link, alert, kind):
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"), alert("alert-1", "a1 c1"))
    assert topics.members() == ["alert-1 link-1 link-2"]

    topics.take(alert("alert-1", "a1 c1", told=2, kind=kind))

    assert topics.members() == ["link-1 link-2"]
    assert topics.named() == {}


def test_the_explanation_names_the_links_so_that_they_can_be_taken_out(topics, link):
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1 c2"))

    said = topics.only()["explanation"]
    assert (
        "tied together by 2 links: indicator = link-2.example (3 tickets of 2 institutions); indicator = link-1"
        in (said["text"])
    )
    assert "由 2 項共同線索相連：indicator = link-2.example（2 家機構、3 張事件單）" in said["text_zh"]


def test_tactics_stand_along_the_kill_chain_with_their_first_and_last_times(topics, link):
    topics.take(
        link("link-1", "a1 b1", attack=(("impact", "T1486", NOON, NOON + 5_000),)),
        link("link-2", "b1 c1", attack=(("impact", "T1490", NOON - 1_000, NOON), ("initial_access", "T1078", 0, 1))),
    )

    first, second = topics.only()["tactics"]
    assert (first["tactic"], first["techniques"]) == ("initial_access", ["T1078"])
    assert (second["tactic"], second["techniques"]) == ("impact", ["T1486", "T1490"])
    assert (second["first_seen"], second["last_seen"]) == ("2024-10-03T23:59:59.000Z", "2024-10-04T00:00:05.000Z")


@pytest.mark.parametrize(
    "why",
    ["two institutions", "one link", "one value", "affiliates", "names of one thing", "nothing shared", "exercise"],
)
def test_what_is_no_campaign(topics, link, alert, why):
    links = {
        "two institutions": [link("link-1", "a1 b1"), link("link-2", "b1 a2")],
        "one link": [link("link-1", "a1 b1 c1"), alert("alert-1", "a1 b1 c1")],
        "one value": [link("link-1", "a1 b1"), link("link-2", "b1 c1", group={"indicator": "link-1.example"})],
        "affiliates": [
            link("link-1", "a1 b1", members={"fi-a": "holding", "fi-b": "fi-b"}),
            link("link-2", "b1 c1", members={"fi-b": "fi-b", "fi-c": "holding"}),
        ],
        # Two institutions name two values in the same tickets; the third knows one of them.
        "names of one thing": [link("link-1", "a1 b1"), link("link-2", "a1 b1 c1")],
        "nothing shared": [link("link-1", "a1 b1 c1"), link("link-2", "a2 b2 c2")],
        "exercise": [link("link-1", "a1 b1"), link("link-2", "b1 c1", environment="exercise")],
    }
    topics.take(*links[why])

    assert topics.campaigns == {}


def test_values_that_three_institutions_name_together_are_two_links(topics, link):
    topics.take(link("link-1", "a1 b1 c1"), link("link-2", "a1 b1 c1"))

    assert topics.members() == ["link-1 link-2"]


def test_a_bridge_joins_two_rings_and_the_younger_says_which_it_is_merged_into(topics, link):
    """
    ring one   one-1 ─ one-2          since noon
    ring two   two-1 ─ two-2          since an hour later
    bridge     shares a ticket with each
    """
    hour = 3_600_000
    topics.take(*ring(link, "one-1", "one-2"))
    topics.take(*ring(lambda *of: link(*of, at=NOON + hour), "two-1", "two-2"))
    one, two = campaign_id("one-1"), campaign_id("two-1")
    assert set(topics.standing()) == {one, two}

    topics.take(link("bridge", "a0-one-1 b0-two-1", at=NOON + 2 * hour))

    assert topics.members() == ["bridge one-1 one-2 two-1 two-2"]
    assert set(topics.standing()) == {one}
    assert (topics.campaigns[two]["status"], topics.campaigns[two]["merged_into"]) == ("merged", one)
    assert [each["id"] for each in topics.campaigns[two]["links"]] == ["two-1", "two-2"]


def test_a_split_bridge_leaves_two_campaigns_and_undone_joins_them_again(topics, link, alert, decision):
    hour = 3_600_000
    topics.take(*ring(link, "one-1", "one-2"), link("bridge", "a0-one-1 b0-two-1", at=NOON + hour))
    topics.take(*ring(lambda *of: link(*of, at=NOON + hour), "two-1", "two-2"), alert("alert", "a0-two-1 b0-two-1"))
    one, two = campaign_id("one-1"), campaign_id("two-1")
    assert topics.named() == {"alert": one}

    topics.take(decision("split", "d-1", "bridge"))
    assert topics.members() == ["alert two-1 two-2", "one-1 one-2"]
    assert topics.named() == {"alert": two}

    topics.take(decision("undo", "d-2", undoes="d-1"))
    assert topics.members() == ["alert bridge one-1 one-2 two-1 two-2"]
    assert topics.named() == {"alert": one}
    assert topics.campaigns[two]["merged_into"] == one


def test_a_split_value_stays_split_whatever_becomes_of_it(topics, link, decision):
    """More tickets, a restart, and its link of the next episode."""
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"))
    value = ("rule-of-links", '["link-2.example"]')
    topics.take(decision("split", "d-1", values=(value,)))
    assert topics.standing() == {}

    topics.start()
    topics.take(link("link-2", "b1 c1 c2", told=2))
    topics.take(link("link-9", "b1 c1", at=NOON + DAY, group={"indicator": "link-2.example"}))

    assert topics.standing() == {}
    assert topics.campaigns[campaign_id("link-1")]["status"] == "retracted"


def test_merged_campaigns_are_one_for_as_long_as_that_holds(topics, link, decision):
    topics.take(*ring(link, "one-1", "one-2"), *ring(link, "two-1", "two-2"))
    topics.take(decision("merge", "d-1", "one-1 one-2 two-1 two-2"))
    assert topics.members() == ["one-1 one-2 two-1 two-2"]

    topics.start()
    topics.take(link("two-3", "a0-two-1 b7"))
    assert topics.members() == ["one-1 one-2 two-1 two-2 two-3"]

    topics.take(decision("undo", "d-2", undoes="d-1"))
    assert topics.members() == ["one-1 one-2", "two-1 two-2 two-3"]


def test_an_undo_that_comes_before_what_it_undoes_undoes_it(topics, link, decision):
    topics.take(decision("undo", "d-2", undoes="d-1"), decision("split", "d-1", "link-1"))
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"))

    assert topics.members() == ["link-1 link-2"]


def test_two_splits_of_one_link_are_undone_one_by_one(topics, link, decision):
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"))
    topics.take(decision("split", "d-1", "link-1"), decision("split", "d-2", "link-1"))

    topics.take(decision("undo", "d-3", undoes="d-1"))
    assert topics.members() == []
    topics.take(decision("undo", "d-4", undoes="d-2"))
    assert topics.members() == ["link-1 link-2"]


def test_a_decision_that_is_told_again_is_one(topics, link, decision):
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"))
    topics.take(decision("split", "d-1", "link-1"), decision("split", "d-1", "link-1"))
    topics.take(decision("undo", "d-2", undoes="d-1"), decision("undo", "d-2", undoes="d-1"))

    assert topics.members() == ["link-1 link-2"]


def test_a_hub_joins_nothing_and_is_counted(topics, link):
    """Twenty of forty may have a rare value in common; one more, and it is not rare."""
    rare = [link("one-1", "a1 b1"), link("one-2", "b1 c1"), link("two-1", "a2 b2"), link("two-2", "b2 c2")]
    most = {f"fi-{number}": f"fi-{number}" for number in range(20)}
    topics.take(*rare, link("hub", "a1 a2", members=most))
    assert topics.members() == ["hub one-1 one-2 two-1 two-2"]

    topics.take(link("hub", "a1 a2", told=2, members={**most, "fi-20": "fi-20"}))

    assert topics.members() == ["one-1 one-2", "two-1 two-2"]
    assert orjson.loads(topics.state[b"header"])["hubs"] == 1


def test_a_sector_that_grows_makes_a_rare_value_of_a_hub(topics, link):
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1", members={f"fi-{n}": f"fi-{n}" for n in range(30)}))
    assert topics.standing() == {}

    topics.setting.registry.institutions = range(60)
    topics.write(topics.stage.idle())

    assert topics.members() == ["link-1 link-2"]
    assert topics.stage.idle().published == []


def test_a_rare_value_that_is_seen_again_within_thirty_days_is_the_same_story(new_topics, link):
    """
    link-1    a1 b1 at day 0, and then c9 d9 at day 30   |------------------------------)
    """
    for later, campaigns in ((30 * DAY, ["again link-1 link-2"]), (30 * DAY + 1, ["link-1 link-2"])):
        topics = new_topics()
        topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"))
        topics.take(link("again", "c9 d9", at=NOON + later, group={"indicator": "link-1.example"}))

        assert topics.members() == campaigns


def test_a_retracted_link_takes_its_campaign_back_and_comes_back_under_the_same_id(topics, link, alert):
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"), alert("alert", "a1"))
    name = campaign_id("link-1")

    topics.take(link("link-2", "b1 c1", told=2, status="retracted"))
    assert (topics.campaigns[name]["status"], topics.campaigns[name]["revision"]) == ("retracted", 2)
    assert topics.words["alert"].campaign is None

    topics.start()
    topics.take(link("link-2", "b1 c1", told=3))
    assert (topics.campaigns[name]["status"], topics.campaigns[name]["revision"]) == ("open", 3)
    assert topics.named() == {"alert": name}


def test_where_the_oldest_link_is_taken_back_the_story_goes_on_under_another_name(topics, link):
    topics.take(*ring(link, "one-1", "one-2", "one-3"))

    topics.take(link("one-1", "a1", told=2, status="retracted"))

    old, new = campaign_id("one-1"), campaign_id("one-2")
    assert set(topics.standing()) == {new}
    assert (topics.campaigns[old]["status"], topics.campaigns[old]["merged_into"]) == ("merged", new)


def test_what_is_told_late_or_twice_changes_nothing(topics, link):
    topics.take(link("link-1", "a1 b1", told=2), link("link-2", "b1 c1"))
    before = topics.standing()

    outputs = topics.take(link("link-1", "a9 b9", told=1), link("link-2", "b1 c1"))

    assert topics.standing() == before
    assert outputs.published == []


def test_nothing_is_let_go_before_every_partition_is_past_it_and_a_link_has_lived(new_topics, link, alert, reach):
    """
    last ticket at noon   |------- 30 days ------)
    partition 0                                    ^ past it
    partition 1                                  ^       then past it, too
    """
    topics = new_topics(partitions=2)
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"), alert("alert-1", "a1"))
    topics.take(reach(NOON + 30 * DAY + 1, 0), reach(NOON + 30 * DAY, 1))
    assert topics.only()["status"] == "open"
    assert topics.let_go == set()

    topics.take(reach(NOON + 30 * DAY + 1, 1))

    assert topics.only()["status"] == "final"
    assert topics.let_go == {"link-1", "link-2", "alert-1"}
    assert topics.named() == {"alert-1": campaign_id("link-1")}
    assert list(topics.state) == [b"header"]


def test_what_was_let_go_and_is_told_again_is_let_go_again(topics, link, alert, reach):
    told = link("link-1", "a1 b1"), link("link-2", "b1 c1"), alert("alert-1", "a1")
    topics.take(*told, reach(NOON + 31 * DAY))
    topics.let_go.clear()

    topics.take(*told)

    assert topics.let_go == {"link-1", "link-2", "alert-1"}
    assert topics.named() == {"alert-1": campaign_id("link-1")}
    assert topics.only()["revision"] == 0
    assert list(topics.state) == [b"header"]


def test_an_exercise_that_is_over_keeps_what_it_was(topics, link, reach, decision):
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"), reach(END_MS))

    assert topics.only()["status"] == "final"
    assert b"node/link-1" in topics.state
    assert topics.let_go == set()

    topics.take(decision("split", "d-1", "link-1"))
    assert topics.standing() == {}


@pytest.mark.parametrize("kept", range(7))
def test_a_crash_while_forgetting_leaves_nothing_behind_and_the_record_as_it_was(topics, link, alert, reach, kept):
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"), alert("alert-1", "a1"))
    outputs = topics.stage.work([Record(9, 0, b"reach/0", b'{"partition": 0, "reach_ms": 9999999999999}')])
    assert len(outputs.forgotten) == 7
    topics.write_state(outputs.state)
    topics.publish(outputs.published)
    topics.write_state((key, None) for key in outputs.forgotten[:kept])
    said = dict(topics.campaigns)

    topics.start()

    assert topics.campaigns == said
    assert list(topics.state) == [b"header"]


def test_past_the_bound_the_oldest_leave_and_are_counted(topics, link, monkeypatch):
    monkeypatch.setattr(nodes, "NODES_MAX", 20)
    many = [link(f"link-{place:02}", "a1 b1 c1", at=NOON + place) for place in range(21)]

    topics.take(*many)

    assert topics.let_go == {"link-00", "link-01", "link-02"}
    assert orjson.loads(topics.state[b"header"])["evicted_total"] == 3
    assert topics.only()["link_count"] == 18
    assert not any(key in topics.state for key in (b"node/link-00", b"node/link-02"))


def test_tickets_are_bounded_too(topics, link, monkeypatch):
    monkeypatch.setattr(nodes, "TICKETS_MAX", 20)
    topics.take(*(link(f"link-{place}", "a1 b1 c1", at=NOON + place) for place in range(7)))

    assert topics.let_go == {"link-0"}


def test_garbage_is_counted_and_the_rest_goes_on(topics, link):
    wrong = [
        Record(0, 0, None, b"{}"),
        Record(1, 0, b"link-1", b"[]"),
        Record(2, 0, b"link-7", msgspec.json.encode(link("link-1", "a1 b1"))),
        Record(3, 0, b"decision/d", b'{"decision_id": "d", "op": "forge"}'),
        Record(4, 0, b"link-1", None),
    ]
    topics.write(topics.stage.work(wrong))
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"))

    assert topics.members() == ["link-1 link-2"]
    assert orjson.loads(topics.state[b"header"])["malformed_total"] == 5


def test_decisions_are_bounded(topics, link, decision, monkeypatch):
    monkeypatch.setattr(stage, "DECISIONS_MAX", 1)
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"))

    topics.take(decision("merge", "d-1", "link-1 link-2"), decision("split", "d-2", "link-1"))

    assert topics.members() == ["link-1 link-2"]
    assert orjson.loads(topics.state[b"header"])["refused_total"] == 1


def test_a_story_goes_on_from_its_last_ticket_not_from_that_of_its_last_link(topics, link):
    """
    long    |──────────|            to day 5
    short     |──|                  to day 2, and begins later
    again                     |     30 days after day 5
    """
    value = {"group": {"indicator": "one.example"}}
    topics.take(link("long", "a1 b1", last_ms=NOON + 5 * DAY, **value), link("other", "b1 c1"))
    topics.take(link("short", "d2 e2", at=NOON + DAY, last_ms=NOON + 2 * DAY, **value))
    topics.take(link("again", "f3 g3", at=NOON + 35 * DAY, **value))

    assert topics.members() == ["again long other short"]


def test_a_split_that_is_all_that_a_crash_has_kept_holds_after_the_restart(topics, link, decision):
    topics.take(link("link-1", "a1 b1"), link("link-2", "b1 c1"))
    outputs = topics.stage.work([record_of(decision("split", "d-1", "link-1"), 9)])
    topics.write_state(outputs.state[:1])

    topics.start()

    assert topics.campaigns[campaign_id("link-1")]["status"] == "retracted"
