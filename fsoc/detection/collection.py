"""Documents of a rule collection: `action: global`, `reset` and `repeat` unfolded. Knows nothing of what rules mean.

As pySigma and sigmac before it: what a global document says wins over the document it is merged into. Several globals
add up; they end with their file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from fsoc.detection.documents import Document, LineDict
from fsoc.errors import Problem


@dataclass(frozen=True, slots=True)
class Unfolded(Document):
    """A document with what it was merged with.

    shares_id: its id is not its own, so that others of the file bear it too: they are variants of one rule.
    """

    shares_id: bool = False


def unfold(documents: Iterable[Document]) -> tuple[list[Unfolded], list[Problem]]:
    """The documents to load, in order; an action that cannot be carried out becomes a problem."""
    unfolded: list[Unfolded] = []
    problems: list[Problem] = []
    for _, of_file in groupby(documents, key=lambda document: document.path):
        template = LineDict()
        previous: LineDict | None = None
        for document in of_file:
            match document.data.get("action"):
                case None if "correlation" in document.data or "filter" in document.data:
                    unfolded.append(_as(document, document.data))
                case None:
                    previous = _merge(document.data, template)
                    unfolded.append(_as(document, previous))
                case "global":
                    template = _merge(template, _without_action(document.data))
                case "reset":
                    template = LineDict()
                case "repeat" if previous is not None:
                    previous = _merge(previous, _without_action(document.data))
                    unfolded.append(_as(document, previous))
                case "repeat":
                    problems.append(document.problem("repeat has no rule before it in this file", "action"))
                case other:
                    text = f'action "{other}" — expected global, reset or repeat'
                    problems.append(document.problem(text, "action"))
    return unfolded, problems


def _as(document: Document, data: LineDict) -> Unfolded:
    return Unfolded(document.path, document.line, data, shares_id="id" in data and "id" not in document.data)


def _without_action(data: LineDict) -> LineDict:
    kept = LineDict()
    for key, value in data.items():
        if key != "action":
            kept[key], kept.lines[key] = value, data.lines[key]
    return kept


def _merge(base: LineDict, over: LineDict) -> LineDict:
    """A new mapping: base, with what `over` says in its place; mappings within are merged the same way."""
    if not over:
        return base
    merged = LineDict()
    merged.update(base)
    merged.lines.update(base.lines)
    for key, value in over.items():
        mine = merged.get(key)
        if isinstance(mine, LineDict) and isinstance(value, LineDict):
            merged[key] = _merge(mine, value)
        else:
            merged[key] = value
        merged.lines[key] = over.lines[key]
    return merged
