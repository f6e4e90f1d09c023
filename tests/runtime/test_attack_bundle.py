"""A STIX bundle as MITRE publishes it becomes tables; one that cannot is refused with what is wrong with it."""

import json

import pytest

from fsoc.attack import Techniques, check
from fsoc.attack.defenses import Analytic, LogSource
from fsoc.attack.release import render
from fsoc.errors import RefusedToStart
from fsoc.runtime.attack_bundle import read_bundle

STAMPS = {"spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"}


def stix(kind: str, number: int, external_id: str = "", **fields) -> dict:
    references = [{"source_name": "mitre-attack", "external_id": external_id}] if external_id else []
    identity = f"{kind}--00000000-0000-4000-8000-{number:012d}"
    return {"type": kind, "id": identity, "external_references": references, **STAMPS, **fields}


def objects() -> list[dict]:
    """One tactic; T1490 in use, T1066 revoked for it, T1064 deprecated; one of each thing that counters and shows."""
    impact = stix("x-mitre-tactic", 1, "TA0040", name="Impact", x_mitre_shortname="impact")
    phases = [{"kill_chain_name": "mitre-attack", "phase_name": "impact"}]
    inhibit = stix("attack-pattern", 2, "T1490", name="Inhibit System Recovery", kill_chain_phases=phases)
    revoked = stix("attack-pattern", 3, "T1066", name="Older Name", kill_chain_phases=phases, revoked=True)
    dropped = stix("attack-pattern", 4, "T1064", name="Scripting", kill_chain_phases=phases, x_mitre_deprecated=True)
    by = stix("relationship", 5, relationship_type="revoked-by", source_ref=revoked["id"], target_ref=inhibit["id"])
    matrix = stix("x-mitre-matrix", 6, "enterprise-attack", name="Enterprise ATT&CK", tactic_refs=[impact["id"]])
    backup = stix("course-of-action", 7, "M1053", name="Data Backup")
    older = stix("course-of-action", 8, "T1490", name="Older Advice", x_mitre_deprecated=True)
    counters = stix("relationship", 9, relationship_type="mitigates", source_ref=backup["id"], target_ref=inhibit["id"])
    logs = [{"name": "WinEventLog:Sysmon", "channel": "EventCode=1"}, {"name": "auditd:SYSCALL", "channel": "None"}]
    process = stix("x-mitre-data-component", 10, "DC0032", name="Process Creation", x_mitre_log_sources=logs)
    seen = [{"x_mitre_data_component_ref": process["id"], "name": "WinEventLog:Sysmon", "channel": "EventCode=1"}]
    analytic = stix(
        "x-mitre-analytic",
        11,
        "AN0001",
        name="Analytic 1",
        x_mitre_platforms=["Windows"],
        x_mitre_log_source_references=seen,
    )
    strategy = stix("x-mitre-detection-strategy", 12, "DET0001", name="Seeing", x_mitre_analytic_refs=[analytic["id"]])
    shows = stix("relationship", 13, relationship_type="detects", source_ref=strategy["id"], target_ref=inhibit["id"])
    stale = stix("relationship", 14, relationship_type="mitigates", source_ref=backup["id"], target_ref=dropped["id"])
    collection = stix("x-mitre-collection", 15, name="Enterprise ATT&CK", x_mitre_version="20.0", x_mitre_contents=[])
    return [
        *(impact, inhibit, revoked, dropped, by, matrix, backup, older, counters),
        *(process, analytic, strategy, shows, stale, collection),
    ]


def written(path, several: list[dict]):
    path.write_text(json.dumps({"type": "bundle", "id": f"bundle--{several[0]['id'][-36:]}", "objects": several}))
    return path


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return read_bundle(written(tmp_path_factory.mktemp("bundle") / "enterprise-attack.json", objects()))


def test_a_bundle_becomes_a_table_that_resolves_its_revocations(release):
    table = render(release.version, release.tactics, release.entries)

    assert check([("20.tsv", table)]) == []
    techniques = Techniques.parse([("20.tsv", table)])
    assert techniques.version == "20.0"
    assert techniques.resolve("T1066").id == "T1490"
    assert techniques.resolve("T1490").tactics == ("impact",)
    assert not techniques.resolve("T1064").in_use


def test_a_bundles_defenses_are_those_in_use(release):
    defenses = release.defenses

    assert [(each.id, each.techniques) for each in defenses.mitigations.values()] == [("M1053", ("T1490",))]
    assert defenses.sources == (
        LogSource("WinEventLog:Sysmon", "EventCode=1", ("DC0032",)),
        LogSource("auditd:SYSCALL", "", ("DC0032",)),
    )
    assert defenses.strategies_of("T1490")[0].name == "Seeing"
    assert defenses.analytics_of("T1490") == (
        Analytic("AN0001", "DET0001", ("Windows",), ("DC0032",), ("WinEventLog:Sysmon",)),
    )


def test_what_is_read_is_told_on_the_way(tmp_path):
    told: list[str] = []

    read_bundle(written(tmp_path / "b.json", objects()), tell=told.append)

    assert "techniques: 3 of 3" in told
    assert told[0].startswith("loading mitreattack-python")


@pytest.mark.parametrize(
    ("content", "where", "text"),
    [
        ("{\n oops", ":2", "not JSON: Expecting property name"),
        ('{"objects": []}', "", "is JSON, and no STIX bundle"),
        ('{"type": "bundle", "objects": [3]}', "", "is JSON, and no STIX bundle"),
        ('{"type": "bundle", "objects": []}', "", "holds no Enterprise matrix (matrices: none)"),
        ('{"type": "bundle", "objects": [{"type": "x-mitre-matrix", "name": "Mobile ATT&CK"}]}', "", "'Mobile ATT&CK'"),
    ],
)
def test_what_is_no_bundle_of_the_enterprise_matrix_is_refused(tmp_path, content, where, text):
    path = tmp_path / "bad.json"
    path.write_text(content)

    with pytest.raises(RefusedToStart) as refused:
        read_bundle(path)

    [problem] = refused.value.problems
    assert problem.where == f"{path}{where}"
    assert text in problem.text


def test_a_bundle_with_an_object_that_stix_does_not_take_is_refused_and_no_traceback(tmp_path):
    several = objects()
    several[1]["id"] = "attack-pattern--not-a-uuid"

    with pytest.raises(RefusedToStart, match="an object in it is not as STIX"):
        read_bundle(written(tmp_path / "b.json", several))


def test_a_bundle_whose_matrix_names_what_it_does_not_hold_is_refused(tmp_path):
    several = objects()
    several[0]["id"] = "x-mitre-tactic--00000000-0000-4000-8000-000000000099"

    with pytest.raises(RefusedToStart, match="its matrix names tactics that it does not hold"):
        read_bundle(written(tmp_path / "b.json", several))


def test_a_bundle_that_says_no_version_asks_for_one(tmp_path):
    path = written(tmp_path / "b.json", objects()[:-1])

    with pytest.raises(RefusedToStart, match="give one with --version"):
        read_bundle(path)
    with pytest.raises(RefusedToStart, match="--version: found 'twenty'"):
        read_bundle(path, "twenty")
    assert read_bundle(path, "20.1").version == "20.1"


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RefusedToStart, match="No such file"):
        read_bundle(tmp_path / "nowhere.json")
