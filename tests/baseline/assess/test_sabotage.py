"""Scripts on the shipped baseline; and on one that was sabotaged, which scores lower at exactly those steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsoc.baseline.assess.report import as_data, compare
from fsoc.errors import RefusedToStart
from fsoc.institutions.registry import Registry
from fsoc.runtime.baseline.assessing import members_of


def lower(before, after) -> set[str]:
    """The steps that score lower; none scores higher, comes or goes."""
    against = compare(after, as_data(before))
    assert not against.better
    assert not against.new
    assert not against.gone
    return set(against.worse)


def steps(scripts, is_one) -> set[str]:
    return {f"{script.id}/{step.id}" for script in scripts for step in script.steps if is_one(step)}


def test_there_are_twelve_scripts_and_more_and_four_strike_several(scripts):
    assert len(scripts) >= 12
    assert sum(script.institutions > 1 for script in scripts) >= 4


def test_all_that_the_scripts_ask_for_is_reached(whole):
    assert [one for one in whole.judged if one.score < 1] == []
    assert whole.total == 1.0
    assert whole.passes


def test_every_script_that_strikes_several_asks_for_a_joint_alert(scripts):
    asking = {script.id for script in scripts if any(step.joined for step in script.steps)}

    assert asking == {script.id for script in scripts if script.institutions > 1}


@pytest.mark.parametrize(
    "rule",
    ["lsass_memory_dumped", "shadow_copies_deleted", "swift_large_payment_to_new_beneficiary", "volumetric_flood_seen"],
)
def test_without_a_rule_exactly_its_steps_score_lower(rule, scripts, whole, played, without_rules):
    after = played(without_rules(rule))

    sabotaged = steps(scripts, lambda step: step.rule == rule)
    assert lower(whole, after) == sabotaged
    assert sabotaged
    assert all(after.steps()[step] == 0 for step in sabotaged)


def test_with_a_broken_mapping_exactly_the_steps_whose_events_it_mapped_score_lower(
    scripts, whole, played, without_sysmon
):
    sabotaged = steps(
        scripts,
        lambda step: any(
            event.fields.get("EventID") == 1 and "Sysmon" in event.fields["Channel"] for event in step.events
        ),
    )

    assert lower(whole, played(without_sysmon)) == sabotaged
    assert len(sabotaged) > 20


def test_with_a_raised_trigger_exactly_the_items_steps_are_ticketed_no_more(scripts, whole, played, with_trigger):
    after = played(with_trigger("FB-0801", count=5))

    (one,) = {step for step in after.judged if step.item == "FB-0801" and step.institution == "fi-001"}
    assert lower(whole, after) == steps(scripts, lambda step: step.item == "FB-0801")
    assert one.detected.reached
    assert one.ticketed.why == "no ticket of the item"


def test_with_a_trigger_that_holds_tickets_for_less_they_join_no_more(scripts, whole, played, with_trigger):
    """Severity 3 is no ransomware to the joint rule; detection and ticket are as they were."""
    after = played(with_trigger("FB-1402", severity=3))

    worse = [step for step in after.judged if step.score < 1]
    assert lower(whole, after) == {"ransomware-night/note"}
    assert {(step.detected.reached, step.ticketed.reached, step.joined.reached) for step in worse} == {
        (True, True, False)
    }


def test_with_a_trigger_that_carries_less_what_joins_by_it_joins_no_more(whole, played, with_trigger):
    after = played(with_trigger("FB-1404", carries=("evidence", "assets")))

    assert lower(whole, after) == {"ddos-extortion/flood"}


def test_several_sabotages_are_the_sum_of_each(scripts, whole, played, without_rules):
    names = {"lsass_memory_dumped", "reverse_shell_on_linux", "ransom_note_written"}

    after = played(without_rules(*names))

    assert lower(whole, after) == steps(scripts, lambda step: step.rule in names)


def test_one_institution_alone_raises_nothing_joint(scripts, stage, played):
    """What strikes three, struck at one: all is detected and ticketed, nothing joined."""
    script = next(script for script in scripts if script.id == "ransomware-night")

    after = played(stage, [replace(script, institutions=1)])

    assert all(one.detected.reached and one.ticketed.reached for one in after.judged)
    assert not any(one.joined.reached for one in after.judged)


def test_what_an_institutions_tier_need_not_see_is_passed_over(scripts, stage, played):
    registry = Registry.parse(
        "institutions:\n- {id: fi-009, name: a, sector: bank, tier: 3, feeds: [siem]}\n", "institutions.yml"
    )
    alone = [script for script in scripts if script.institutions == 1]

    of_tier_3 = played(stage, alone, "fi-009", registry)

    assert of_tier_3.total == 1.0
    assert {one.item for one in of_tier_3.judged} == {
        step.item for script in alone for step in script.steps if 3 in stage.baseline.items[step.item].tiers
    }


def test_others_that_are_struck_are_independent_of_the_one_assessed(stage):
    entries = [("fi-001", "h1"), ("fi-002", "h1"), ("fi-003", None), ("fi-004", "h2")]
    text = "institutions:\n" + "".join(
        f"- {{id: {name}, name: a, sector: bank, tier: 2, group: {group or 'null'}, feeds: [siem]}}\n"
        for name, group in entries
    )
    registry = Registry.parse(text, "institutions.yml")

    assert [member.id for member in members_of("fi-002", registry, 3)] == ["fi-002", "fi-003", "fi-004"]
    with pytest.raises(RefusedToStart, match="4 institutions; the registry has 3"):
        members_of("fi-001", registry, 4)
    with pytest.raises(RefusedToStart, match="not in the registry"):
        members_of("fi-777", registry, 1)
