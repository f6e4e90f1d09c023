"""What became of techniques between two versions."""

import pytest

from fsoc.attack.changes import changes, version_of
from fsoc.attack.tables import read
from fsoc.errors import RefusedToStart

OLD_TACTICS = ("TA0005 defense-evasion Defense_Evasion", "TA0040 impact Impact")
NEW_TACTICS = ("TA0005 stealth Stealth", "TA0112 impairment Impairment", "TA0040 impact Impact")


@pytest.fixture
def told(table):
    """Of rows of 18 and of 19 and of a crosswalk: what changed, as (what, id, before, now)."""

    def tell(old: list[str], new: list[str], *moves: str) -> list[tuple[str, str, str, str]]:
        sources = [table("18", *old, tactics=OLD_TACTICS), table("19", *new, tactics=NEW_TACTICS)]
        if moves:
            sources.append(("walk.tsv", "\n".join(["# crosswalk\t18\t19", *moves])))
        tables = read(sources)
        assert tables.problems == []
        found = changes(tables, version_of(tables, "18"), version_of(tables, "19"))
        return [(change.what, change.id, change.before, change.now) for change in found.techniques]

    return tell


def test_nothing_changed_where_only_the_tactic_was_renamed(told):
    assert told(["T1001\tA\tdefense-evasion\t"], ["T1001\tA\tstealth\t"]) == []


def test_a_technique_that_replaces_nothing_is_added(told):
    assert told([], ["T1001\tA\tstealth\t"]) == [("added", "T1001", "", "stealth")]


def test_another_name_is_a_rename_and_other_tactics_are_a_move(told):
    assert told(["T1001\tA\tdefense-evasion\t"], ["T1001\tB\timpairment\t"]) == [
        ("renamed", "T1001", "A", "B"),
        ("moved", "T1001", "defense-evasion", "impairment"),
    ]


@pytest.mark.parametrize("says", ["the later table", "the crosswalk"])
def test_an_id_that_another_stands_for_is_revoked_and_that_one_is_not_added(told, says):
    new = ["T1002\tB\tstealth\t"]
    if says == "the later table":
        found = told(["T1001\tA\tdefense-evasion\t"], ["T1001\tA\tstealth\tT1002", *new])
    else:
        found = told(["T1001\tA\tdefense-evasion\t"], new, "T1001\tT1002\tx")

    assert found == [("revoked", "T1001", "A", "T1002 B")]


def test_a_technique_whose_parts_went_to_several_is_split(told):
    old = ["T1001\tA\timpact\t", "T1001.001\tA1\timpact\t", "T1001.002\tA2\timpact\t"]
    new = ["T1002\tB\timpact\t", "T1003\tC\timpact\t"]

    found = told(old, new, "T1001\tT1002\tx", "T1001.001\tT1002\tx", "T1001.002\tT1003\tx")

    assert found == [
        ("revoked", "T1001.001", "A1", "T1002 B"),
        ("revoked", "T1001.002", "A2", "T1003 C"),
        ("split", "T1001", "A", "T1002, T1003"),
    ]


def test_one_that_nothing_stands_for_is_deprecated(told):
    assert told(["T1001\tA\timpact\t"], ["T1001\tA\timpact\tdeprecated"]) == [("deprecated", "T1001", "A", "")]


def test_the_shipped_versions_tell_what_19_is_known_to_have_done(shipped):
    tables = read(shipped)

    found = changes(tables, version_of(tables, "17"), version_of(tables, "19"))

    assert found.tactics == (("TA0005", "Defense Evasion", "Stealth"), ("TA0112", "", "Defense Impairment"))
    assert [change.id for change in found.of("split")] == ["T1562"]
    assert "T1070.001" in [change.id for change in found.of("revoked")]
    assert ("T1112", "persistence, defense-impairment") in [(each.id, each.now) for each in found.of("moved")]


def test_changes_are_told_forwards_whichever_version_is_given_first(shipped):
    tables = read(shipped)
    old, new = version_of(tables, "18.1"), version_of(tables, "19")

    assert changes(tables, new, old) == changes(tables, old, new)


@pytest.mark.parametrize(("written", "version"), [("17", "17.0"), ("17.0", "17.0"), ("18", "18.1"), ("19", "19")])
def test_a_version_may_be_named_by_its_first_number(shipped, written, version):
    assert version_of(read(shipped), written).version == version


@pytest.mark.parametrize("written", ["", "3", "18.2", "nineteen"])
def test_a_version_that_is_not_there_is_refused_with_those_that_are(shipped, written):
    with pytest.raises(RefusedToStart, match=r"expected one of 17\.0, 18\.1, 19"):
        version_of(read(shipped), written)
