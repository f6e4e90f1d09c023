"""`fsoc baseline`: what is listed, built and verified, and the exit codes."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from fsoc.cli.baseline import command
from fsoc.cli.institution_key import command as key_command
from fsoc.errors import RefusedToStart
from fsoc.runtime.content import shipped


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(folder, public key) of a bundle that was built and signed, with an institution's mapping."""
    folder = tmp_path_factory.mktemp("built")
    public = CliRunner().invoke(key_command, ["make", str(folder / "key")], catch_exceptions=False).output
    (folder / "key.pub").write_text(public)
    (folder / "siems.yml").write_text("institutions: {fi-001: {target: splunk, mapping: splunk_windows}}\n")
    options = ("--sign-with", folder / "key", "--mappings", folder / "siems.yml", "--json")
    done = run("build", "2026.4", "--out", folder / "out", *options)
    assert done.exit_code == 0
    told = json.loads(done.output)
    assert told["institutions"] == {"fi-001": "splunk+splunk_windows"}
    assert told["signed"]
    return folder / "out", folder / "key.pub"


def test_items_are_listed_by_tier_and_theme():
    listed = run("list", "--tier", 3, "--theme", "ransomware")
    as_json = json.loads(run("list", "--theme", "swift", "--json").output)

    assert "FB-0801" in listed.output
    assert "FB-0303" not in listed.output  # not of tier 3
    assert {"FB-1407", "FB-0505"} <= {item["id"] for item in as_json["items"]}


def test_a_bundle_names_no_institution(built):
    folder, _ = built

    assert (folder / "queries" / "splunk+splunk_windows").is_dir()
    assert [path for path in folder.rglob("*") if path.is_file() and b"fi-001" in path.read_bytes()] == []


def test_a_bundle_is_verified_with_sigma_cli_and_without_a_network(built):
    folder, key = built

    done = run("verify", folder, "--key", key, "--sigma")

    assert done.exit_code == 0, done.output
    assert "已驗證簽章" in done.output


def test_a_rule_that_sigma_cli_refuses_is_told(built, tmp_path):
    from fsoc.runtime.baseline.sigma_cli import check

    text = (built[0] / "rules" / "sam_hive_saved.yml").read_text("utf-8")
    (tmp_path / "bad.yml").write_text(text.replace("condition: reg", "condition: other"), "utf-8")

    assert check(built[0] / "rules").code == 0
    assert check(tmp_path).code != 0


def test_what_was_changed_is_told_and_the_exit_code_is_1(built, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(built[0], copy)
    (copy / "rules" / "sam_hive_saved.yml").write_text("title: other\n")

    done = run("verify", copy, "--key", built[1], "--json")

    assert done.exit_code == 1
    assert json.loads(done.output)["problems"] == [
        {"where": "rules/sam_hive_saved.yml", "text": "is not as the manifest says: it was changed"}
    ]


def test_a_version_is_never_written_over(built):
    with pytest.raises(RefusedToStart, match="is there already"):
        run("build", "2026.4", "--out", built[0])


@pytest.mark.parametrize("version", ["4", "latest", "2026"])
def test_a_version_is_a_year_and_a_number(version, tmp_path):
    with pytest.raises(RefusedToStart, match=r"such as 2026\.4"):
        run("build", version, "--out", tmp_path / "x")


def test_the_matrix_that_is_written_down_is_compared(tmp_path):
    written = (shipped("baseline") / "matrix.csv").read_text("utf-8")
    (tmp_path / "other.csv").write_text(written.replace("converted", "hand-written", 1), "utf-8")

    assert run("matrix", "--check", shipped("baseline") / "matrix.csv").exit_code == 0
    done = run("matrix", "--check", tmp_path / "other.csv")
    assert done.exit_code == 1
    assert "was 'hand-written', is 'converted'" in done.output


def test_a_query_written_by_hand_stands_instead_of_the_backends(tmp_path):
    import shutil

    shutil.copytree(shipped("baseline"), tmp_path / "baseline")
    by_hand = tmp_path / "baseline" / "queries" / "qradar" / "sam_hive_saved.aql"
    by_hand.parent.mkdir(parents=True)
    by_hand.write_text("SELECT 1\n")

    asked = ("matrix", "--baseline", tmp_path / "baseline", "--target", "qradar", "--format", "json")

    told = json.loads(run(*asked).output)

    cells = {rule["name"]: rule["cells"] for rule in told["rules"]}
    assert cells["sam_hive_saved"] == {"qradar": {"status": "hand-written"}}
    assert cells["ntds_database_copied"]["qradar"]["status"] == "converted"
    by_hand.rename(by_hand.with_name("sam_hive.aql"))
    with pytest.raises(RefusedToStart, match="queries/qradar/sam_hive: is for no rule"):
        run(*asked)


def test_sigma_clis_cache_is_seeded_below_the_home_that_is_named(tmp_path):
    done = run("seed", "--home", tmp_path)

    assert done.exit_code == 0
    assert (tmp_path / ".cache" / "pysigma" / "mitre_attack").is_dir()
