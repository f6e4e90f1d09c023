"""`fsoc attack`: a bundle comes in whole or not at all; two versions and one id are told."""

import json
import shutil

import pytest
from click.testing import CliRunner

from fsoc.attack import check
from fsoc.cli.attack import command
from fsoc.errors import RefusedToStart
from fsoc.runtime.content import shipped

STAMPS = {"spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"}


def run(*arguments):
    return CliRunner().invoke(command, [str(each) for each in arguments], catch_exceptions=False)


def bundle_of(path, *techniques: tuple[str, str]) -> None:
    """A bundle of version 20.0 with these techniques, of the tactic impact."""

    def stix(kind, number, external_id, **fields):
        references = [{"source_name": "mitre-attack", "external_id": external_id}]
        identity = f"{kind}--00000000-0000-4000-8000-{number:012d}"
        return {"type": kind, "id": identity, "external_references": references, **STAMPS, **fields}

    impact = stix("x-mitre-tactic", 1, "TA0040", name="Impact", x_mitre_shortname="impact")
    phases = [{"kill_chain_name": "mitre-attack", "phase_name": "impact"}]
    several = [
        impact,
        stix("x-mitre-matrix", 2, "enterprise-attack", name="Enterprise ATT&CK", tactic_refs=[impact["id"]]),
        stix("x-mitre-collection", 3, "", name="Enterprise ATT&CK", x_mitre_version="20.0", x_mitre_contents=[]),
        stix("course-of-action", 4, "M1053", name="Data Backup"),
    ]
    several += [
        stix("attack-pattern", 10 + number, technique, name=name, kill_chain_phases=phases)
        for number, (technique, name) in enumerate(techniques)
    ]
    path.write_text(json.dumps({"type": "bundle", "id": f"bundle--{impact['id'][-36:]}", "objects": several}))


@pytest.fixture
def folder(tmp_path):
    """Tables of 19 with two techniques; nothing else."""
    tables = tmp_path / "tables"
    tables.mkdir()
    rows = "T1490\tInhibit System Recovery\timpact\t\nT1491\tDefacement\timpact\t\n"
    (tables / "enterprise-19.tsv").write_text(f"# attack\t19\n# tactic\tTA0040\timpact\tImpact\n{rows}")
    return tables


def texts(folder) -> list[tuple[str, str]]:
    return [(str(path), path.read_text("utf-8")) for path in sorted(folder.rglob("*.tsv"))]


def test_a_bundle_is_imported_with_the_crosswalk_that_it_needs(tmp_path, folder):
    bundle_of(tmp_path / "b.json", ("T1490", "Inhibit System Recovery"), ("T1999", "Defacement"))

    result = run("import", tmp_path / "b.json", "--into", folder, "--json")

    told = json.loads(result.stdout)
    assert (told["version"], told["techniques"], told["mitigations"]) == ("20.0", 2, 1)
    assert sorted(path.name for path in folder.rglob("*.*")) == [
        "crosswalk-19-20.0.tsv",
        "defenses-20.0",
        "enterprise-19.tsv",
        "enterprise-20.0.tsv",
        "mitigations.tsv",
    ]
    assert "MITRE Corporation" in (folder / "NOTICE").read_text("utf-8")
    assert "T1491\tT1999\tsame name" in (folder / "crosswalk-19-20.0.tsv").read_text("utf-8")
    assert check(texts(folder)) == []


def test_an_id_without_a_successor_is_asked_for_and_nothing_is_written(tmp_path, folder):
    bundle_of(tmp_path / "b.json", ("T1490", "Inhibit System Recovery"), ("T1999", "Something Else"))

    with pytest.raises(RefusedToStart, match="T1491 Defacement: no successor by name"):
        run("import", tmp_path / "b.json", "--into", folder)
    assert [path.name for path in folder.iterdir()] == ["enterprise-19.tsv"]

    (tmp_path / "kept.tsv").write_text("# crosswalk\t19\t20.0\nT1491\tT1999\tlooked up\n")
    assert run("import", tmp_path / "b.json", "--into", folder, "--crosswalk", tmp_path / "kept.tsv").exit_code == 0
    assert "T1491\tT1999\tDefacement → Something Else" in (folder / "crosswalk-19-20.0.tsv").read_text("utf-8")


def test_a_crosswalk_to_nowhere_is_refused(tmp_path, folder):
    bundle_of(tmp_path / "b.json", ("T1490", "Inhibit System Recovery"))
    (tmp_path / "kept.tsv").write_text("# crosswalk\t19\t20.0\nT1491\tT1777\tlooked up\n")

    with pytest.raises(RefusedToStart, match=r"T1777 is not in ATT&CK 20\.0"):
        run("import", tmp_path / "b.json", "--into", folder, "--crosswalk", tmp_path / "kept.tsv")


def test_a_version_that_is_there_is_written_over_only_if_asked(tmp_path, folder):
    bundle_of(tmp_path / "b.json", ("T1490", "Inhibit System Recovery"), ("T1491", "Defacement"))
    run("import", tmp_path / "b.json", "--into", folder)
    bundle_of(tmp_path / "b.json", ("T1490", "Inhibited"), ("T1491", "Defacement"))

    with pytest.raises(RefusedToStart, match=r"has ATT&CK 20\.0; this writes over it"):
        run("import", tmp_path / "b.json", "--into", folder)
    result = run("import", tmp_path / "b.json", "--into", folder, "--force")

    assert "2 techniques" in result.stdout
    assert "Inhibited" in (folder / "enterprise-20.0.tsv").read_text("utf-8")


def test_two_versions_are_compared_in_three_forms():
    table, markdown, as_json = (run("diff", "18.1", "19", "--format", form) for form in ("table", "markdown", "json"))

    assert "  T1070.001  Clear Windows Event Logs → T1685.005 Clear Windows Event Logs" in table.stdout
    assert "| T1070.001 | Clear Windows Event Logs | Clear Windows Event Logs | T1685.005 Clear" in markdown.stdout
    told = json.loads(as_json.stdout)
    assert told["counts"] == {"added": 8, "renamed": 4, "revoked": 16, "split": 1, "deprecated": 0, "moved": 72}
    assert len(told["techniques"]) == sum(told["counts"].values())
    assert run("diff", "18.1", "19", "--json").stdout == as_json.stdout


def test_a_version_compared_with_itself_tells_that_nothing_changed():
    assert "nothing changed" in run("diff", "19", "19").stdout


def test_an_id_of_any_version_is_told_with_its_past_and_what_shows_it():
    result = run("show", "t1070.001")

    assert result.exit_code == 0
    assert result.stdout.startswith("T1685.005 Clear Windows Event Logs\n")
    assert "in 17.0        T1070.001 Clear Windows Event Logs  (defense-evasion)" in result.stdout
    assert "DC0032 Process Creation" in result.stdout


def test_an_id_is_told_as_json():
    facts = json.loads(run("show", "T1059", "--json").stdout)

    assert facts["id"] == "T1059"
    assert "T1059.001" in facts["sub_techniques"]
    assert {"id": "M1038", "name": "Execution Prevention"} in facts["mitigations"]


def test_an_unknown_id_is_told_with_a_hint_and_exit_code_1():
    result = run("show", "T1562.099", "T1490\x1b[2J")

    assert result.exit_code == 1
    assert "T1562.099: in no version; its parent is known: T1685" in result.stdout
    assert "\x1b[2J" not in result.stdout


def test_tables_of_another_folder_need_no_defenses(tmp_path):
    for name in ("enterprise-18.1.tsv", "enterprise-19.tsv", "crosswalk-18.1-19.tsv"):
        shutil.copy(shipped("attack_mappings") / name, tmp_path / name)

    assert json.loads(run("show", "T1490", "--json", "--tables", tmp_path).stdout)["mitigations"] == []
