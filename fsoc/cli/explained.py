"""An explanation as people read it, a tree of ✔ and ✘, and as programs do. Explains nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rich.text import Text

from fsoc.cli.printable import printable
from fsoc.detection import Logsource
from fsoc.detection.explain import Explanation, Step
from fsoc.detection.logsource import ATTRIBUTES
from fsoc.detection.reasons import ANOTHER_VALUE

VALUES_SHOWN_MAX: Final = 6
"""Of each list of values that did not match; JSON has them all."""


def lines(explanation: Explanation, subject: str) -> Iterator[Text]:
    """subject: what the event is called where there may be several, else ""."""
    rule = explanation.rule
    verdict = "matches" if explanation.matched else "does not match"
    yield _line("", explanation.matched, f"{printable(rule.title)}", f" {verdict}{subject and f' {subject}'}", "bold")
    yield Text(f"  {printable(rule.id)}  {printable(rule.path)}:{rule.line}", "dim")
    yield from _logsources(explanation)
    yield from _names(explanation)
    yield from _tree(explanation.condition, "", "", rule.path)


def as_json(explanation: Explanation, subject: str) -> dict[str, Any]:
    rule = explanation.rule
    return {
        "rule": {"id": rule.id, "title": rule.title, "where": f"{rule.path}:{rule.line}"},
        **({"event": subject} if subject else {}),
        "matched": explanation.matched,
        "covered": explanation.covered,
        "logsource": _stated(rule.logsource),
        "logsources": [
            {
                **_stated(each.logsource),
                "from": each.where or "stated",
                "covered": rule.logsource.covers(each.logsource),
            }
            for each in explanation.logsources
        ],
        **({"names": dict(explanation.aliases)} if explanation.aliases else {}),
        "condition": _step_as_json(explanation.condition),
    }


def _step_as_json(step: Step) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": step.kind, "label": step.label, "matched": step.matched}
    told |= {name: value for name in ("where", "why", "found") if (value := getattr(step, name))}
    if step.parts:
        told["parts"] = [_step_as_json(part) for part in step.parts]
    return told


def _logsources(explanation: Explanation) -> Iterator[Text]:
    rule = explanation.rule
    yield _line("  ", explanation.covered, f"logsource {_shown(rule.logsource)}", "")
    for each in explanation.logsources:
        by = f"by {printable(each.where)}" if each.where else "as stated"
        yield _line(
            "    ", rule.logsource.covers(each.logsource), f"the event is of {_shown(each.logsource)}", f" {by}"
        )
    if not explanation.covered:
        known = "of none of these" if explanation.logsources else "of no logsource that is known"
        would = " though its condition holds" if explanation.condition.matched else ""
        yield Text(f"    the event is {known}: the rule is not tried on it{would}", "yellow")


def _names(explanation: Explanation) -> Iterator[Text]:
    for wanted, name in explanation.aliases:
        yield Text(f"    {printable(wanted)} is {printable(name)} in the event", "dim")


def _tree(step: Step, first: str, rest: str, path: str) -> Iterator[Text]:
    """first: what stands before the step's own line; rest: before those of its parts."""
    yield _line(first, step.matched, _label(step), _facts(step, path))
    parts, hidden = _worth_showing(step.parts)
    for place, part in enumerate(parts):
        last = place == len(parts) - 1 and not hidden
        yield from _tree(part, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "), path)
    if hidden:
        yield _line(f"{rest}└─ ", False, f"… {hidden:,} more values", "")


def _worth_showing(parts: tuple[Step, ...]) -> tuple[list[Step], int]:
    """The parts, but of values that did not match only some; and how many are left out."""
    failed = [part for part in parts if part.kind == "value" and not part.matched]
    left_out = {id(part) for part in failed[VALUES_SHOWN_MAX:]}
    return [part for part in parts if id(part) not in left_out], len(left_out)


def _label(step: Step) -> str:
    label = printable(step.label)
    return f"{step.kind} {label}" if step.kind in {"condition", "filter"} else label


def _facts(step: Step, path: str) -> str:
    found = f"  ← {', '.join(map(printable, step.found))}" if step.found else ""
    why = f"  ({printable(step.why)})" if step.why and not (step.kind == "value" and step.why == ANOTHER_VALUE) else ""
    where = "" if step.kind == "value" else f"  {printable(step.where).removeprefix(path)}"
    return f"{found}{why}{where}".rstrip()


def _line(before: str, holds: bool, label: str, after: str, style: str = "") -> Text:
    return Text.assemble((before, "dim"), ("✔ ", "green") if holds else ("✘ ", "red"), (label, style), (after, "dim"))


def _stated(logsource: Logsource) -> dict[str, str]:
    return {name: value for name in ATTRIBUTES if (value := getattr(logsource, name)) is not None}


def _shown(logsource: Logsource) -> str:
    return printable("{" + ", ".join(f"{name}: {value}" for name, value in _stated(logsource).items()) + "}")
