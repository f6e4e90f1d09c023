"""Tables and crosswalks as they are written; a successor that nobody named is asked for."""

import pytest

from fsoc.attack.release import Entry, Tactic, in_kill_chain, render, walk
from fsoc.attack.tables import read
from fsoc.errors import RefusedToStart


def rendered(version: str, *entries: Entry) -> tuple[str, str]:
    return f"{version}.tsv", render(version, [Tactic("TA0040", "impact", "Impact")], entries)


OLD = rendered("18", Entry("T1001", "Same", ("impact",), ""), Entry("T1002", "Renamed", ("impact",), ""))
NEW = rendered("19", Entry("T1801", "Same", ("impact",), ""), Entry("T1802", "Another", ("impact",), ""))


def test_a_crosswalk_follows_equal_names_and_keeps_what_a_person_wrote():
    kept = ("kept.tsv", "# crosswalk\t18\t19\nT1002\tT1802\n")

    lines = walk(read([OLD, NEW, kept])).splitlines()

    assert lines[1:] == ["T1001\tT1801\tsame name", "T1002\tT1802\tRenamed → Another"]


def test_a_crosswalk_with_an_unexplained_id_is_refused_by_name():
    with pytest.raises(RefusedToStart, match="T1002 Renamed: no successor by name"):
        walk(read([OLD, NEW]))


def test_a_table_lists_tactics_in_kill_chain_order_and_techniques_by_id():
    tactics = [Tactic("TA0040", "impact", "Impact"), Tactic("TA0001", "initial-access", "Initial Access")]
    entries = [Entry("T1499", "B", ("impact", "initial-access"), ""), Entry("T1002", "A", ("impact",), "T1499")]

    _, first, second, *rows = render("19", in_kill_chain(tactics), entries).splitlines()

    assert (first.split("\t")[1], second.split("\t")[1]) == ("TA0001", "TA0040")
    assert rows == ["T1002\tA\timpact\tT1499", "T1499\tB\tinitial-access,impact\t"]
