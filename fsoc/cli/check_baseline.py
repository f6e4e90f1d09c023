"""`fsoc check baseline`: items against rules, ATT&CK and the tests that prove them."""

from __future__ import annotations

from pathlib import Path

import click

from fsoc.baseline.check import Against, check
from fsoc.cli.checked import as_json_option, tell
from fsoc.detection.engine import make_detector
from fsoc.runtime.attack_files import read_defenses
from fsoc.runtime.baseline.load import load_baseline

_path = click.Path(path_type=Path)


@click.command("baseline")
@click.argument("folder", type=_path, required=False, metavar="[FOLDER]")
@click.option("--rules", type=_path, multiple=True, metavar="DIR", help="Detections it rests on. Default: ours.")
@click.option("--strict", is_flag=True, help="Warnings are problems too.")
@as_json_option
def command(folder: Path | None, rules: tuple[Path, ...], strict: bool, as_json: bool) -> None:
    """Check the monitoring baseline: every item with its rules, its words in both languages, and its tests.

    Problems: what an item lacks or has too much; ids used twice; techniques, tactics, data components and rules that
    are none; a technique that ATT&CK has moved; a test whose event its rule does not match, or whose script does not
    expect the item's rules. Warnings, which leave the exit code alone: tactics without an item, detections that no item
    has, rules that are not tagged with the item's technique.

    \b
    Examples:
      fsoc check baseline
      fsoc check baseline my-baseline --rules my-rules --strict
      fsoc check baseline --json | jq -r '.problems[].where'
    """
    loaded = load_baseline(folder, rules)
    detector = make_detector(loaded.rules.rules, loaded.logsources)
    components = [component.name for component in read_defenses().components.values()]
    against = Against(loaded.rules.rules, detector, loaded.techniques, components=components)
    found, warnings = check(loaded.baseline, against)
    problems = [*loaded.problems, *loaded.rules.problems, *found, *(warnings if strict else ())]
    counts = {"items": len(loaded.baseline.items), "rules": len(loaded.baseline.rules)}
    tell(counts, problems, as_json, () if strict else warnings)
