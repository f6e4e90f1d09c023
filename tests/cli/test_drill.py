"""`fsoc drill`: what would be posed, and on a real cluster a drill from its start to its end, without workers."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner

from fsoc.cli.drill import command
from fsoc.drills.script import DrillSpec, script
from tests.command_line import command_line

THREE = ["fi-001", "fi-002", "fi-003"]
ENTRY = "- {{id: {}, name: Bank, sector: bank, tier: 1, feeds: [siem]}}\n"


@pytest.fixture
def registry(tmp_path):
    path = tmp_path / "institutions.yml"
    path.write_text("institutions:\n" + "".join(map(ENTRY.format, THREE)))
    return path


@pytest.fixture
def fsoc(monkeypatch, capfd):
    run = command_line(monkeypatch, capfd)
    return lambda *arguments: run("drill", *arguments)


def test_a_dry_run_tells_what_would_be_posed_to_whom_and_when(fsoc, registry):
    done = fsoc("start", "try", "--dry-run", "--json", "--minutes", "60", "--institutions", registry)

    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["inject_id"] for one in told] == [one.inject_id for one in script(DrillSpec("try"), THREE)]
    assert 0 <= told[0]["after_minutes"] < told[-1]["after_minutes"] < 60
    people = fsoc("start", "try", "--dry-run", "--only", "fi-002", "--institutions", registry).stdout
    assert "fi-002" in people
    assert "fi-001" not in people


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["start", "Bad.Name", "--dry-run"], "expected 1 to 24"),
        (["start", "x", "--dry-run", "--only", "fi-009"], '"fi-009" is not in the registry'),
        (["start", "x"], "--brokers: is needed"),
        (["score", "x"], "--brokers: is needed"),
        (["score", "x", "--report", "x.pdf"], ".html or .md"),
    ],
)
def test_what_is_missing_or_wrong_is_named(fsoc, registry, arguments, said):
    done = fsoc(*arguments, "--institutions", registry)

    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.kafka
async def test_a_drill_from_start_to_end(kafka, registry, tmp_path, topic_prefix):
    name = f"d{topic_prefix.strip('.').lower()}"[:24].strip("-")

    async def drill(*arguments):
        given = [*map(str, arguments), "--brokers", kafka]
        if arguments[0] in {"start", "stop", "score"}:
            given += ["--institutions", str(registry)]
        return await asyncio.to_thread(CliRunner().invoke, command, given)

    begun = await drill("start", name, "--rehearse")
    assert begun.exit_code == 0, begun.output
    assert f"--exercise-id {name}" in begun.output
    again = await drill("start", name, "--rehearse", "--json")
    assert (again.exit_code, again.stdout) == (0, ""), "all was posed"
    assert (await drill("start", name, "--seed", "8")).exception is not None

    listed = [json.loads(line) for line in (await drill("list", "--json")).stdout.splitlines()]
    (mine,) = [one for one in listed if one["name"] == name]
    injects = script(DrillSpec(name), THREE)
    assert (mine["institutions"], mine["posed"], mine["stopped_at"]) == (THREE, len(injects), None)
    posed = (await drill("injects", name, "--institution", injects[0].institution)).output
    assert "【演練】" in posed
    assert injects[0].inject_id in posed

    scored = await drill("score", name, "--json", "--report", tmp_path / "score.html")
    assert scored.exit_code == 0, "everybody answered, and nobody was told anything: no worker runs"
    assert json.loads(scored.stdout)["injects"] == len(injects)
    assert "演練成績" in (tmp_path / "score.html").read_text()
    assert (await drill("stop", name)).exit_code == 0
    assert (await drill("stop", name)).exception is not None
    assert json.loads((await drill("score", name, "--json")).stdout)["stopped"] is True
