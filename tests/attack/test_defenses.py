"""What counters and shows techniques: the shipped tables, and small ones with one thing wrong."""

import pytest

from fsoc.attack import check
from fsoc.attack.defenses import Defenses, LogSource, is_defenses, read, render
from fsoc.errors import RefusedToStart
from fsoc.runtime.attack_files import read_defenses, read_tables, technique_files
from fsoc.runtime.content import shipped

HEADS = {
    "mitigations": "M1053\tData Backup\tT1490,T1485",
    "data-components": "DC0032\tProcess Creation",
    "log-sources": "WinEventLog:Sysmon\tEventCode=1\tDC0032",
    "strategies": "DET0001\tSeeing recovery inhibited\tT1490",
    "analytics": "AN0001\tDET0001\tWindows; Linux\tDC0032\tWinEventLog:Sysmon; auditd:SYSCALL",
}


def tables(version: str = "19", **rows: str) -> list[tuple[str, str]]:
    """One table of each kind, of one row each; rows: of a kind by its word, instead."""
    told = {**HEADS, **{word.replace("_", "-"): text for word, text in rows.items()}}
    return [(f"{word}.tsv", f"# {word}\t{version}\n{text}\n") for word, text in told.items()]


@pytest.fixture(scope="module")
def defenses() -> Defenses:
    return read_defenses()


def test_the_shipped_tables_have_no_problem_and_name_only_techniques_of_their_version():
    sources = [(str(path), path.read_text("utf-8")) for path in sorted(shipped("attack_mappings").rglob("*.tsv"))]

    assert sum(is_defenses(text) for _, text in sources) == 5
    assert check(sources) == []


def test_every_technique_in_use_has_a_strategy_and_what_shows_it_once_an_intruder_is_in(defenses):
    rows = (shipped("attack_mappings") / f"enterprise-{defenses.version}.tsv").read_text("utf-8").splitlines()
    cells = [row.split("\t") for row in rows if not row.startswith("#")]
    tactics = {technique: tactics.split(",") for technique, _, tactics, now in cells if not now}
    unseen = [technique for technique in tactics if not defenses.components_of(technique)]

    assert len(tactics) == 691
    assert [technique for technique in tactics if not defenses.strategies_of(technique)] == []
    assert {*tactics["T1583.002"]} == {"resource-development"}
    # What an intruder does before it comes is out of sight of any sensor.
    assert {tactic for technique in unseen for tactic in tactics[technique]} == {
        "reconnaissance",
        "resource-development",
    }


def test_mitigations_and_components_of_a_technique_are_told(defenses):
    assert [each.id for each in defenses.mitigations_of("T1490")] == ["M1018", "M1028", "M1038", "M1053"]
    assert "Process Creation" in [each.name for each in defenses.components_of("T1490")]
    assert LogSource("WinEventLog:Sysmon", "EventCode=1", ("DC0032",)) in defenses.sources_of("DC0032")


@pytest.mark.parametrize("written", ["DC0032", "dc0032", "Process Creation", " process creation "])
def test_a_data_component_is_found_by_id_and_by_name(defenses, written):
    assert defenses.component(written).id == "DC0032"


def test_an_unknown_data_component_is_none(defenses):
    assert defenses.component("Process Imagination") is None


def test_workers_read_none_of_these_tables():
    read_by_workers = [source.text for source in read_tables()]

    assert len(read_by_workers) == len(technique_files()) >= 4
    assert not any(map(is_defenses, read_by_workers))


def test_what_is_written_is_read_as_it_was():
    made = Defenses.parse(tables())

    again = Defenses.parse((f"{word}.tsv", text) for word, text in render(made, "© somebody").items())

    assert again == made
    assert made.analytics["AN0001"].platforms == ("Windows", "Linux")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({"mitigations": "M1053\tBackup"}, "mitigations.tsv:2: found 'M1053\\tBackup', expected 3 cells: id, name"),
        ({"mitigations": "M1053\tB\tT14"}, "mitigations.tsv:2: found 'T14', expected a technique, as T1490"),
        ({"data_components": "32\tProcess"}, "data-components.tsv:2: found '32\\tProcess', expected 2 cells: id, name"),
        ({"log_sources": "Sysmon\t\tDC0099"}, "log-sources.tsv:2: data components that are in no table: DC0099"),
        ({"analytics": "AN0001\tDET0009\t\t\t"}, "analytics.tsv:2: strategy 'DET0009' is in no table"),
        ({"strategies": HEADS["strategies"] + "\n" + HEADS["strategies"]}, "DET0001 is already at strategies.tsv:2"),
    ],
)
def test_a_wrong_row_is_named_with_file_and_line(rows, told):
    assert any(told in str(problem) for problem in check(tables(**rows)))


def test_a_table_of_another_kind_is_refused_with_what_was_expected():
    _, problems = read([("odd.tsv", "# groups\t19\nG0016\tAPT29\n")])

    assert problems[0].where == "odd.tsv:1"
    assert "expected one of '# mitigations<TAB>VERSION'" in problems[0].text


def test_techniques_that_the_version_does_not_have_are_named(table):
    problems = check([table("19", "T1490\tInhibit\timpact\t"), *tables()])

    assert [str(problem) for problem in problems] == ["defenses 19: T1485 is not in ATT&CK 19"]


def test_tables_of_two_versions_are_no_one_version():
    with pytest.raises(RefusedToStart, match="found tables of 19, 20, expected those of one"):
        Defenses.parse([*tables("19"), *tables("20")])


def test_a_version_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(RefusedToStart, match=r"no defenses of ATT&CK 3; there are: 18.1"):
        read_defenses("3")
