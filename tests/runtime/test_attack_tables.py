"""The compact tables are made from what the sources say, and a successor that nobody named is asked for."""

import json

import pytest
from click.testing import CliRunner

from fsoc.attack import Techniques, check
from fsoc.attack.tables import read
from fsoc.errors import RefusedToStart
from fsoc.runtime.attack_tables import Entry, Tactic, main, render, walk

STAMPS = {"spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"}


def stix(kind: str, number: int, external_id: str = "", **fields) -> dict:
    references = [{"source_name": "mitre-attack", "external_id": external_id}] if external_id else []
    identity = f"{kind}--00000000-0000-4000-8000-{number:012d}"
    return {"type": kind, "id": identity, "external_references": references, **STAMPS, **fields}


@pytest.fixture
def bundle(tmp_path):
    """One tactic; T1490 in use, T1066 revoked for it, T1064 deprecated."""
    impact = stix("x-mitre-tactic", 1, "TA0040", name="Impact", x_mitre_shortname="impact")
    phases = [{"kill_chain_name": "mitre-attack", "phase_name": "impact"}]
    inhibit = stix("attack-pattern", 2, "T1490", name="Inhibit System Recovery", kill_chain_phases=phases)
    revoked = stix("attack-pattern", 3, "T1066", name="Older Name", kill_chain_phases=phases, revoked=True)
    dropped = stix("attack-pattern", 4, "T1064", name="Scripting", kill_chain_phases=phases, x_mitre_deprecated=True)
    by = stix("relationship", 5, relationship_type="revoked-by", source_ref=revoked["id"], target_ref=inhibit["id"])
    matrix = stix("x-mitre-matrix", 6, "enterprise-attack", name="Enterprise ATT&CK", tactic_refs=[impact["id"]])
    path = tmp_path / "bundle.json"
    objects = [impact, inhibit, revoked, dropped, by, matrix]
    path.write_text(json.dumps({"type": "bundle", "id": f"bundle--{impact['id'][16:]}", "objects": objects}))
    return path


def test_a_stix_bundle_becomes_a_table_that_resolves_its_revocations(bundle):
    written = CliRunner().invoke(main, ["bundle", str(bundle), "20.0"], catch_exceptions=False).output

    assert check([("20.tsv", written)]) == []
    techniques = Techniques.parse([("20.tsv", written)])
    assert techniques.version == "20.0"
    assert techniques.resolve("T1066").id == "T1490"
    assert techniques.resolve("T1490").tactics == ("impact",)
    assert not techniques.resolve("T1064").in_use


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

    _, first, second, *rows = render("19", tactics, entries).splitlines()

    assert (first.split("\t")[1], second.split("\t")[1]) == ("TA0001", "TA0040")
    assert rows == ["T1002\tA\timpact\tT1499", "T1499\tB\tinitial-access,impact\t"]
