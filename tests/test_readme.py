"""What the manuals promise exists: commands, options, make targets, files. The two READMEs say the same."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from fsoc.cli.main import COMMANDS, cli
from tests.manuals import READMES, ROOT, block

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def manuals() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def code(text: str) -> list[str]:
    """Every line of fenced blocks, then every inline span of the rest; Mermaid pictures are not code."""
    lines: list[str] = []

    def take(block: re.Match[str]) -> str:
        if block[1] != "mermaid":
            lines.extend(block[2].splitlines())
        return ""

    rest = re.sub(r"^```(\w*)\n(.*?)^```$", take, text, flags=re.MULTILINE | re.DOTALL)
    return lines + re.findall(r"`([^`\n]+)`", rest)


def commands(text: str) -> list[str]:
    """The lines and spans that call fsoc or make: `fsoc replay --tickets x`, `… | fsoc detect`."""
    found = (re.search(r"(?:^|[|;&] *|/)((?:fsoc|make) .*)$", line.strip()) for line in code(text))
    return [match[1] for match in found if match]


def words(command: str) -> list[str]:
    """The words of a call of fsoc, up to a pipe, a redirection or a comment."""
    kept: list[str] = []
    for word in shlex.split(command, comments=True):
        if word in {"|", "&&", ";", ">", "2>", "<"}:
            break
        kept.append(word)
    return kept


def test_both_readmes_name_the_same_commands():
    english, chinese = (commands((ROOT / name).read_text(encoding="utf-8")) for name in READMES)

    assert english == chinese
    assert "make demo" in english
    assert "make test" in english


def test_both_readmes_have_the_same_parts_and_links():
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in READMES)

    assert english.count("\n## ") == chinese.count("\n## ")
    assert set(_LINK.findall(english)) ^ set(_LINK.findall(chinese)) == set(READMES)


def test_the_readme_names_every_command():
    named = {words(command)[1] for command in commands((ROOT / "README.md").read_text()) if command.startswith("fsoc ")}

    assert named >= set(COMMANDS)


@pytest.mark.parametrize("readme", READMES)
def test_the_tickets_that_are_shown_raise_the_alert_that_is_shown(readme, tmp_path):
    text = (ROOT / readme).read_text(encoding="utf-8")
    subprocess.run(["bash", "-euc", block(text, "now=")], cwd=tmp_path, check=True)
    fsoc = Path(sys.executable).with_name("fsoc")
    command = [fsoc, "replay", "--tickets", tmp_path / "tickets.ndjson", "--rules", "rules"]
    replayed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    (alert,) = map(json.loads, replayed.stdout.splitlines())
    shown_fields = re.findall(
        r'^ +"(\w+)": (".*?"|[\[{].*[\]}])(?:,|$)', text[text.index("--no-ensure-ascii") :], flags=re.MULTILINE
    )
    assert len(shown_fields) == 4
    for name, value in shown_fields:
        told = (alert | alert["explanation"])[name]
        assert told == json.loads(value) or told.startswith(json.loads(value).removesuffix("…"))
    shown = re.search(r'^\{"received".*\}$', text, flags=re.MULTILINE)
    assert shown
    assert json.loads(replayed.stderr) | {"seconds": 0} == json.loads(shown[0]) | {"seconds": 0}


@pytest.mark.parametrize("manual", manuals())
def test_every_command_that_is_shown_exists_with_its_options(manual):
    wrong = []
    for command in commands((ROOT / manual).read_text(encoding="utf-8")):
        program, *arguments = words(command)
        if program == "make":
            targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
            wrong += [command for target in arguments[:1] if target not in targets]
            continue
        try:
            known = options(arguments)
        except LookupError:
            wrong.append(command)
            continue
        wrong += [f"{command}: no {word}" for word in arguments if word.startswith("--") and word not in known]

    assert not wrong


def options(arguments: list[str]) -> set[str]:
    """The long options of the subcommand that `arguments` begin with; of a group's part, that part's; `a|b` are two."""
    known = {"--help", "--version"}
    command: click.Command = cli
    for word in arguments:
        if not isinstance(command, click.Group) or not re.fullmatch("[a-z|]+", word):
            break
        parts = [command.get_command(click.Context(command), name) for name in word.split("|")]
        if None in parts:
            raise LookupError(word)
        command = parts[0]
    return known | {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


@pytest.mark.parametrize("manual", manuals())
def test_every_relative_link_leads_somewhere(manual):
    text = re.sub(r"^```.*?^```$", "", (ROOT / manual).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    relative = [link for link in _LINK.findall(text) if not re.match(r"[a-z]+:", link)]
    broken = [link for link in relative if not ((ROOT / manual).parent / link).exists()]

    assert not broken
