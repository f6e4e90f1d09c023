"""Mistakes in the tables are found with file and line; the shipped tables have none."""

from pathlib import Path

import pytest

from fsoc.attack import check

MAPPINGS = Path(__file__).parents[2] / "attack_mappings"


def test_the_shipped_tables_have_no_problem(shipped):
    assert len(shipped) >= 3
    assert check(shipped) == []


def test_mitres_copyright_and_licence_stand_beside_the_shipped_tables(shipped):
    notice = (MAPPINGS / "NOTICE").read_text("utf-8")

    assert "The MITRE Corporation" in notice
    assert "hereby grants you a non-exclusive, royalty-free license" in notice
    theirs = [text for name, text in shipped if name != "categories.tsv"]  # what is expected is our own
    assert all("The MITRE Corporation" in text.splitlines()[0] for text in theirs)


def test_the_shipped_tables_are_small(shipped):
    assert sum(len(text.encode()) for _, text in shipped) < 300_000


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("T1490", "found 'T1490', expected four cells"),
        ("T14900\tName\timpact\t", "expected four cells: id"),
        ("T1490\tName\timapct\t", "tactic 'imapct' is not in this table's header (stealth, impact)"),
        ("T1490\tName\timpact\tT1999", "T1490 leads to 'T1999', which is not in this table"),
        ("T1490\tName\timpact\tT1490", "T1490 comes back to itself"),
        ("T1490.001\tName\timpact\t", "T1490.001 has no parent T1490 in this table"),
    ],
)
def test_a_wrong_row_is_named_with_file_and_line(table, row, text):
    [problem] = check([table("19", row)])

    assert problem.where == "enterprise-19.tsv:4"
    assert text in problem.text


def test_two_revoked_ids_that_replace_each_other_are_both_named(table):
    problems = check([table("19", "T1490\tA\timpact\tT1491", "T1491\tB\timpact\tT1490")])

    assert [str(problem) for problem in problems] == [
        "enterprise-19.tsv:4: T1490 comes back to itself",
        "enterprise-19.tsv:5: T1491 comes back to itself",
    ]


def test_an_id_that_vanishes_without_a_crosswalk_is_named_at_its_old_row(table):
    old = table("18", "T1490\tA\timpact\t", "T1491\tB\timpact\t")
    new = table("19", "T1491\tB\timpact\t", "T1500\tA\timpact\t")
    walk = ("crosswalk.tsv", "# crosswalk\t18\t19\nT1490\tT1500\tsame name\n")

    assert [problem.where for problem in check([old, new])] == ["enterprise-18.tsv:4"]
    assert check([old, new, walk]) == []


def test_a_crosswalk_is_checked_at_both_ends(table):
    old, new = table("18", "T1490\tA\timpact\t"), table("19", "T1490\tA\timpact\t")
    walk = ("crosswalk.tsv", "# crosswalk\t18\t19\nT1600\tT1490\tx\nT1490\tT1700\tx\nT1490\tT1490\tx\nnonsense\n")

    assert [str(problem) for problem in check([old, new, walk])] == [
        "crosswalk.tsv:4: T1490 is already at crosswalk.tsv:3",
        "crosswalk.tsv:5: found 'nonsense', expected an old id, a new id and a reason",
        "crosswalk.tsv:2: T1600 is not in ATT&CK 18",
        "crosswalk.tsv:3: T1700 is not in ATT&CK 19",
    ]


def test_a_crosswalk_between_unknown_versions_names_those_there_are(table):
    [problem] = check([table("19"), ("crosswalk.tsv", "# crosswalk\t19\t20\n")])

    assert str(problem) == "crosswalk.tsv:1: crosswalk 19 → 20, but the tables are: 19"


@pytest.mark.parametrize("text", ["", "id,name\n", "# attack\tnineteen\n"])
def test_a_file_of_another_kind_is_refused_with_what_was_expected(table, text):
    [problem] = check([table("19"), ("odd.tsv", text)])

    assert problem.where == "odd.tsv:1"
    assert "expected '# attack<TAB>VERSION'" in problem.text


def test_no_table_at_all_is_a_problem():
    assert [problem.where for problem in check([])] == ["attack tables"]
