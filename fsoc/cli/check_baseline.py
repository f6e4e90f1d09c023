"""`fsoc check baseline`: items against rules, ATT&CK and the tests that prove them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from fsoc.baseline.assess.check import check_scripts
from fsoc.baseline.assess.script import Script
from fsoc.baseline.check import Against, check
from fsoc.cli.checked import as_json_option, tell
from fsoc.detection.engine import make_detector
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.attack_files import read_defenses
from fsoc.runtime.baseline.assessing import read_scripts
from fsoc.runtime.baseline.load import SCRIPTS, load_baseline
from fsoc.runtime.rules import load_ruleset

_path = click.Path(path_type=Path)


@click.command("baseline")
@click.argument("folder", type=_path, required=False, metavar="[FOLDER]")
@click.option("--rules", type=_path, multiple=True, metavar="DIR", help="Detections it rests on. Default: ours.")
@click.option("--joint-rules", type=_path, multiple=True, metavar="DIR", help="The joint SOC's rules. Default: ours.")
@click.option("--strict", is_flag=True, help="Warnings are problems too.")
@as_json_option
def command(
    folder: Path | None, rules: tuple[Path, ...], joint_rules: tuple[Path, ...], strict: bool, as_json: bool
) -> None:
    """Check the monitoring baseline: every item with its rules, words in both languages and tests; attack scripts.

    Problems: what an item lacks or has too much; ids used twice; techniques, tactics, data components and rules that
    are none; a technique that ATT&CK has moved; a test whose event its rule does not match, or whose script does not
    expect the item's rules; scripts that expect what there is not. Warnings, which leave the exit code alone: tactics
    without an item, detections that no item has, rules that are not tagged with the item's technique, categories that
    do not fit it.

    \b
    Examples:
      fsoc check baseline
      fsoc check baseline my-baseline --rules my-rules --strict
      fsoc check baseline --json | jq -r '.problems[].where'
    """
    loaded = load_baseline(folder, rules)
    detector = make_detector(loaded.rules.rules, loaded.logsources)
    components = [component.name for component in read_defenses().components.values()]
    scripts, unread = _scripts(loaded.folder)
    names = {rule.name: rule.id for rule in loaded.rules.rules if rule.name}
    expected = {script.id: {step.id: {names.get(step.rule, step.rule)} for step in script.steps} for script in scripts}
    against = Against(loaded.rules.rules, detector, loaded.techniques, expected, components)
    found, warnings = check(loaded.baseline, against)
    joint = {rule.name for rule in load_ruleset(joint_rules).correlations.values() if rule.name}
    wrong = check_scripts(scripts, loaded.baseline, names, joint)
    problems = [*loaded.problems, *loaded.rules.problems, *unread, *found, *wrong, *(warnings if strict else ())]
    counts = {"items": len(loaded.baseline.items), "rules": len(loaded.baseline.rules), "scripts": len(scripts)}
    tell(counts, problems, as_json, () if strict else warnings)


def _scripts(folder: Path) -> tuple[list[Script], Sequence[Problem]]:
    """Those of the baseline's folder, which may have none; and what is wrong with what cannot be read."""
    if not (folder / SCRIPTS).is_dir():
        return [], ()
    try:
        return read_scripts([folder / SCRIPTS]), ()
    except RefusedToStart as refused:
        return [], refused.problems
