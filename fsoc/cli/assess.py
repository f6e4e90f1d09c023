"""`fsoc assess`: does the baseline work? Attack scripts played from the events to the joint alerts, and scored."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
import orjson

from fsoc.baseline.assess.judge import Judged
from fsoc.baseline.assess.markdown import markdown_of
from fsoc.baseline.assess.report import Against, Assessment, as_data, compare
from fsoc.baseline.assess.script import Script
from fsoc.cli.assess_shown import shown
from fsoc.cli.printable import printable
from fsoc.cli.progress import ProgressLine
from fsoc.cli.topic_source import write
from fsoc.detection.engine import make_detector
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.registry import Registry
from fsoc.runtime.baseline.assessing import Stage, assess, read_recording, read_scripts
from fsoc.runtime.baseline.load import load_baseline
from fsoc.runtime.content import RULE_SUFFIXES, read_source
from fsoc.runtime.rules import load_registry, load_ruleset

_path: Final = click.Path(path_type=Path)
_FLOOR: Final = 0.9


@click.command("assess")
@click.argument("scripts", type=_path, nargs=-1, metavar="[SCRIPT…]")
@click.option(
    "--as", "name", default="fi-001", metavar="INSTITUTION", help="Which is assessed. Default: fi-001. 受評機構。"
)
@click.option(
    "--institutions", type=_path, metavar="FILE", help="The registry: its tier, and who else is struck. 名冊檔。"
)
@click.option(
    "--floor", type=click.FloatRange(0, 1), default=_FLOOR, help="Least score that passes. Default: 0.9. 門檻。"
)
@click.option("--against", "last", type=_path, metavar="LAST.json", help="What --json told the last time. 前次結果。")
@click.option("--expect", type=_path, metavar="FILE", help="What must find recorded events, a JSON object a line.")
@click.option("--baseline", type=_path, metavar="DIR", help="Default: what comes with fsoc. 基準目錄。")
@click.option("--rules", type=_path, multiple=True, metavar="DIR", help="The institution's detections. Default: ours.")
@click.option("--logsources", type=_path, metavar="FILE", help="How its events are told apart. Default: ours.")
@click.option("--pipeline", type=_path, metavar="FILE", help="How its fields are called: a pipeline of pySigma's.")
@click.option("--joint-rules", type=_path, multiple=True, metavar="DIR", help="The joint SOC's rules. Default: ours.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "markdown"]), default="table", help="Default: table."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json. 以 JSON 輸出。")
@click.option("--out", type=_path, metavar="FILE", help="Write there, not to stdout.")
def command(
    scripts: tuple[Path, ...],
    name: str,
    institutions: Path | None,
    floor: float,
    last: Path | None,
    expect: Path | None,
    form: str,
    as_json: bool,
    out: Path | None,
    **given: Any,
) -> None:
    """Play attack scripts as an institution and score what came of each step.

    Events are matched by the baseline's rules, matches become tickets by its triggers, tickets go through the whole
    pipeline of the joint SOC, as an exercise. Each step asks to be detected by its rule, ticketed within so long and,
    some, joined into a joint alert within so long; its score is the share of what it asks for that was reached, and the
    total the mean of all. Exit code 1 where that is below the floor. A script is YAML; recorded events are NDJSON, with
    --expect.

    \b
    以攻擊劇本評估監控基準：偵測、開單與聯防關聯是否如期達成；低於門檻時結束代碼為 1。

    \b
    Examples:
      fsoc assess --as fi-001
      fsoc assess attack_mappings/baseline/scripts/swift-heist.yml --as fi-003 --institutions institutions.yml
      fsoc assess --json > last.json; fsoc assess --against last.json --floor 0.95
      fsoc assess events.ndjson --expect expected.ndjson --format markdown --out report.md
    """
    before = _last(last) if last else None
    registry = load_registry(institutions).without_signing() if institutions else None
    stage = _stage(**given)
    played = _scripts(scripts, expect, stage, given["baseline"])
    judged = _played(played, stage, name, registry)
    if not judged:
        raise RefusedToStart(Problem("SCRIPT", f"no step is asked of an institution of the tier of {name}"))
    found = Assessment(name, stage.baseline.version, floor, tuple(judged))
    against = _compared(found, before, last)
    form = "json" if as_json else form
    if form == "table":
        lines = list(shown(found, against))
        if out is None:
            click.echo("\n".join(lines))
        else:
            write("".join(f"{click.unstyle(line)}\n" for line in lines).encode(), out)
    elif form == "json":
        write(orjson.dumps(as_data(found, against), option=orjson.OPT_INDENT_2) + b"\n", out)
    else:
        write(markdown_of(found, against).encode(), out)
    if not found.passes:
        sys.exit(1)


def _stage(
    baseline: Path | None,
    rules: tuple[Path, ...],
    logsources: Path | None,
    pipeline: Path | None,
    joint_rules: tuple[Path, ...],
) -> Stage:
    loaded = load_baseline(baseline, rules, logsources, pipeline)
    if loaded.problems:
        raise RefusedToStart(*loaded.problems)
    for problem in loaded.rules.problems:
        click.echo(f"fsoc: {printable(str(problem))}", err=True)  # a rule that is refused finds nothing, and scores so
    detector = make_detector(loaded.rules.rules, loaded.logsources)
    detections = {rule.name: rule.id for rule in loaded.rules.rules if rule.name}
    detections |= {rule.id: rule.id for rule in loaded.rules.rules if not rule.name}
    return Stage(loaded.baseline, detector, detections, load_ruleset(joint_rules))


def _scripts(paths: Sequence[Path], expect: Path | None, stage: Stage, baseline: Path | None) -> list[Script]:
    recordings = [path for path in paths if path.is_file() and path.suffix not in RULE_SUFFIXES]
    if bool(recordings) != (expect is not None) or len(recordings) > 1:
        raise click.UsageError("Recorded events are one file, and --expect says what must find them.")
    written = [path for path in paths if path not in recordings]
    scripts = read_scripts(written, baseline) if written or not recordings else []
    return [*scripts, *(read_recording(path, expect, stage) for path in recordings if expect is not None)]


def _played(scripts: Sequence[Script], stage: Stage, name: str, registry: Registry | None) -> list[Judged]:
    progress = ProgressLine()
    done = 0

    def tell(script: Script) -> None:
        nonlocal done
        done += 1
        progress.show(lambda: f"playing {done} of {len(scripts)} scripts: {printable(script.id)}")

    judged = assess(scripts, stage, name, registry, tell)
    progress.clear()
    return judged


def _last(path: Path) -> dict[str, Any]:
    try:
        told = orjson.loads(read_source(path).text)
    except orjson.JSONDecodeError as error:
        raise RefusedToStart(Problem(str(path), f"not JSON: {error}")) from error
    if not isinstance(told, dict):
        raise RefusedToStart(Problem(str(path), "not a JSON object"))
    return told


def _compared(found: Assessment, before: dict[str, Any] | None, path: Path | None) -> Against | None:
    if before is None:
        return None
    try:
        return compare(found, before)
    except ValueError as error:
        raise RefusedToStart(Problem(str(path), str(error))) from error
