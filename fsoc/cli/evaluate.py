"""`fsoc evaluate`: alerts against labelled tickets; and what other thresholds would do."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import orjson

from fsoc.cli.evaluated import comparison_lines, curve_lines, lines
from fsoc.cli.printable import printable
from fsoc.cli.progress import ProgressLine
from fsoc.cli.rules_bar import rules_bar
from fsoc.cli.variadic import VariadicCommand
from fsoc.errors import Problem, RefusedToStart, together
from fsoc.evaluation.changes import Change, value_of
from fsoc.evaluation.comparison import Comparison, compare
from fsoc.evaluation.evaluate import evaluate
from fsoc.evaluation.figures import Evaluation
from fsoc.evaluation.report import report
from fsoc.evaluation.shares import Share
from fsoc.evaluation.sweep import Curve
from fsoc.evaluation.words import share_in_full
from fsoc.institutions.registry import Registry
from fsoc.runtime.evaluation.reading import read_alerts, read_tickets, read_truth_file
from fsoc.runtime.evaluation.runs import Runs
from fsoc.runtime.evaluation.sweeping import Judge, planned, runs_of, sweep
from fsoc.runtime.evaluation.writing import check_place, write
from fsoc.runtime.replay import check_files
from fsoc.runtime.rules import load_registry

_path = click.Path(path_type=Path)
_share = click.FloatRange(0, 1)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for, as click has it."""

    alerts: Path | None
    truth: Path
    tickets: tuple[Path, ...]
    rules: tuple[Path, ...]
    institutions: Path | None
    changes: tuple[Change, ...]
    sweep: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it."""

    evaluation: Evaluation
    comparison: Comparison | None = None
    curves: list[Curve] = field(default_factory=list)


@click.command("evaluate", cls=VariadicCommand)
@click.option("--alerts", type=_path, metavar="FILE", help="Alerts, as `fsoc replay` writes them or as on fsoc.alerts.")
@click.option("--truth", type=_path, required=True, metavar="FILE", help="Labelled tickets, one a line.")
@click.option(
    "--tickets", type=_path, multiple=True, metavar="FILE…", help="The tickets that were replayed: for times."
)
@click.option(
    "--rules", type=_path, multiple=True, metavar="DIR…", help="Instead of --alerts: replay with these rules."
)
@click.option("--institutions", type=_path, metavar="FILE", help="Who may send, and which belong together.")
@click.option(
    "--set", "changes", multiple=True, metavar="[RULE:]KEY=VALUE…", help="Change correlations first; shows both sides."
)
@click.option(
    "--sweep",
    "swept",
    multiple=True,
    is_flag=False,
    flag_value="",
    metavar="[RULE[:KEY=VALUES]…]…",
    help="Try other thresholds. Alone: gte of every joint correlation.",
)
@click.option("--report", "report_file", type=_path, metavar="FILE.md", help="Write a report, its plots beside it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--min-precision", type=_share, metavar="SHARE", help="Exit with 1 where precision is below, or unknown.")
@click.option("--min-recall", type=_share, metavar="SHARE", help="Exit with 1 where recall is below, or unknown.")
def command(
    alerts: Path | None,
    truth: Path,
    tickets: tuple[Path, ...],
    rules: tuple[Path, ...],
    institutions: Path | None,
    changes: tuple[str, ...],
    swept: tuple[str, ...],
    report_file: Path | None,
    as_json: bool,
    min_precision: float | None,
    min_recall: float | None,
) -> None:
    """Measure joint alerts against labelled tickets: precision, recall, times, load.

    The truth is NDJSON: {"ticket_id": …, "label": …}, and "institution" where ids are not unique. A label names an
    attack; null, "" and "benign" are none, and so is a ticket that is not there. fsoc/evaluation/README.md defines
    each figure.

    With --rules and --tickets instead of --alerts the tickets are replayed here. Then --set changes values of
    correlations: RULE is an id or a name, without it every rule that has the key is changed; a VALUE that is empty
    takes the key out. And --sweep tries values one at a time: VALUES are 2..6 or 1h,4h,24h; KEY is gte, timespan or
    whatever a correlation may say, as condition.gte or fsoc.surge_factor where it must be told apart.

    \b
    Exit codes:
      0  done
      1  a floor was not met
      2  refused; every bad line is named

    \b
    Examples:
      fsoc evaluate --alerts alerts.ndjson --truth truth.ndjson
      fsoc evaluate --alerts alerts.ndjson --truth truth.ndjson --tickets day.ndjson --report march.md
      fsoc evaluate --tickets day.ndjson --rules rules --truth truth.ndjson --min-precision 0.95 --min-recall 0.95
      fsoc evaluate --tickets day.ndjson --rules rules --truth truth.ndjson --set phishing_kit:gte=2 ddos_wave:gte=3
      fsoc evaluate --tickets day.ndjson --rules rules --truth truth.ndjson --sweep --report thresholds.md
      fsoc evaluate --tickets day.ndjson --rules rules --truth truth.ndjson --sweep phishing_kit:gte=2..6:timespan=1h,6h
    """
    options, *_ = together(
        lambda: Options(alerts, truth, tickets, rules, institutions, _changes(changes), swept),
        lambda: _check(alerts, tickets, rules, replays=bool(changes or swept)),
        lambda: check_place(report_file) if report_file is not None else None,
    )
    found = _of_files(options) if options.alerts is not None else _of_runs(options)
    if as_json:
        click.echo(orjson.dumps(_json(found), option=orjson.OPT_INDENT_2))
    else:
        for line in _lines(found):
            click.echo(line)
    if report_file is not None:
        made = report(
            report_file.stem,
            found.evaluation,
            given=_given(options),
            curves=found.curves,
            comparison=found.comparison,
        )
        for file in write(made, report_file):
            click.echo(f"fsoc: wrote {file}", err=True)
    floors = [
        _floor("precision", found.evaluation.precision, min_precision),
        _floor("recall", found.evaluation.recall, min_recall),
    ]
    if not all(floors):
        sys.exit(1)


def _check(alerts: Path | None, tickets: Sequence[Path], rules: Sequence[Path], *, replays: bool) -> None:
    problems: list[Problem] = []
    if alerts is not None and (rules or replays):
        text = "cannot be used with --rules, --set or --sweep: those replay the tickets"
        problems.append(Problem("--alerts", text))
    elif alerts is None:
        lacking = [name for name, given in (("--tickets", tickets), ("--rules", rules)) if not given]
        problems += [Problem(name, "is needed where no --alerts are given") for name in lacking]
    if problems:
        raise RefusedToStart(*problems)


def _changes(texts: Sequence[str]) -> tuple[Change, ...]:
    """Raises: RefusedToStart: with every one that is no [RULE:]KEY=VALUE."""
    changes: list[Change] = []
    problems: list[Problem] = []
    for text in texts:
        name, equals, value = text.partition("=")
        rule, colon, key = name.rpartition(":")
        if not equals or not key or (colon and not rule):
            problems.append(Problem("--set", f'"{text}" — expected [RULE:]KEY=VALUE'))
            continue
        try:
            changes.append(Change(rule or None, key, value_of(value)))
        except ValueError as error:
            problems.append(Problem("--set", f"{text}: {error}"))
    if problems:
        raise RefusedToStart(*problems)
    return tuple(changes)


def _of_files(options: Options) -> Found:
    assert options.alerts is not None  # noqa: S101 - the caller has looked
    path, institutions = options.alerts, options.institutions
    registry, alerts, truth, _ = together(
        lambda: load_registry(institutions) if institutions is not None else None,
        lambda: read_alerts(path),
        lambda: read_truth_file(options.truth),
        lambda: check_files(options.tickets),
    )
    tickets = read_tickets(options.tickets, registry) if options.tickets else None
    return Found(evaluate(alerts, truth, tickets, _independent(registry)))


def _of_runs(options: Options) -> Found:
    runs, truth = together(lambda: _ready(options), lambda: read_truth_file(options.truth))
    axes = planned(runs, options.sweep) if options.sweep else []
    judge = Judge(truth, read_tickets(options.tickets, runs.registry), runs.registry.independent_of)
    progress = _Progress(1 + bool(options.changes) + runs_of(axes), runs.ticket_bytes)
    evaluation = judge.evaluate(runs.alerts((), progress.teller("as the rules stand")))
    comparison = None
    if options.changes:
        written = judge.evaluate(runs.as_written(progress.teller("as the rules are written")))
        comparison = compare(map(str, options.changes), written, evaluation)
    curves = list(sweep(runs, axes, judge, evaluation, progress.tell))
    progress.clear()
    return Found(evaluation, comparison, curves)


def _ready(options: Options) -> Runs:
    with rules_bar() as advance:
        runs = Runs(options.rules, options.tickets, options.institutions, options.changes, advance)
    if runs.refused:
        click.echo(f"fsoc: {runs.refused} rules refused, see fsoc check rules", err=True)
    return runs


def _independent(registry: Registry | None) -> Callable[[str], str]:
    return (lambda institution: institution) if registry is None else registry.independent_of


class _Progress:
    """Run upon run, by the bytes that were read."""

    def __init__(self, runs: int, bytes_of_one: int) -> None:
        self._line = ProgressLine()
        self._runs = runs
        self._total = max(1, runs * bytes_of_one)
        self._each = max(1, bytes_of_one)
        self._read = 0

    def teller(self, name: str) -> Callable[[int], None]:
        return lambda read: self.tell(name, read)

    def tell(self, name: str, read: int) -> None:
        self._read += read
        self._line.show(lambda: self._text(name))

    def _text(self, name: str) -> str:
        number = min(self._runs, self._read // self._each + 1)
        left = self._line.seconds * (self._total - self._read) / max(self._read, 1)
        return (
            f"run {number} of {self._runs}  {self._read / self._total:4.0%}  about {left:.0f} s left  {printable(name)}"
        )

    def clear(self) -> None:
        self._line.clear()


def _lines(found: Found) -> list[str]:
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    shown = [*lines(found.evaluation, room)]
    if found.comparison is not None:
        shown += comparison_lines(found.comparison, room)
    for curve in found.curves:
        shown += curve_lines(curve, room)
    return shown


def _json(found: Found) -> dict[str, object]:
    return {
        **found.evaluation.as_json(),
        "comparison": found.comparison and found.comparison.as_json(),
        "curves": [curve.as_json() for curve in found.curves],
    }


def _given(options: Options) -> dict[str, str]:
    """The files' names alone: a report travels, and where its sources lay is nobody's business."""
    named = {
        "alerts · 告警": [options.alerts] if options.alerts else [],
        "tickets · 事件單": list(options.tickets),
        "rules · 規則": list(options.rules),
        "truth · 真值": [options.truth],
    }
    return {name: ", ".join(path.name for path in paths) for name, paths in named.items() if paths}


def _floor(name: str, share: Share, least: float | None) -> bool:
    """Whether it is met; what cannot be given meets none, for then nothing was shown."""
    if least is None or (share.value is not None and share.value >= least):
        return True
    found = "cannot be given" if share.value is None else f"is {share_in_full(share)}"
    click.echo(f"fsoc: {name} {found}, --min-{name} asks for {least:g}", err=True)
    return False
