"""Alerts, truth and tickets from files, every bad line with its place. What a line means is fsoc/evaluation's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

from fsoc.errors import Problem, RefusedToStart
from fsoc.evaluation.records import Alert, BadLine, Sent, read_alert, read_ticket, read_truth
from fsoc.evaluation.tickets import Tickets
from fsoc.evaluation.truth import LabelledTwice, Truth
from fsoc.institutions.registry import ALLOWED_LATENESS_MS, Registry

PROBLEMS_MAX: Final = 100
"""Of one file that are named one by one; the rest is counted."""

T = TypeVar("T")


def read_alerts(path: Path) -> list[Alert]:
    """NDJSON: as `fsoc replay` and `fsoc demo` write, or the records of the alerts topic, any revisions in any order.

    Raises:
        RefusedToStart: it cannot be read, or with every line that is no alert.
    """
    return [alert for alert in _each(path, read_alert) if alert is not None]


def read_truth_file(path: Path) -> Truth:
    """NDJSON: one labelled ticket a line.

    Raises:
        RefusedToStart: it cannot be read, or with every line that is none, or says otherwise than one before.
    """
    truth = Truth()
    for _ in _each(path, lambda line: truth.take(read_truth(line))):
        pass
    return truth


def read_tickets(paths: Sequence[Path], registry: Registry | None) -> Tickets:
    """Ticket files, as they were replayed: lines that are no tickets belong to them, and are passed over.

    registry: whose allowed lateness decides what a ticket's event time is; None: the default's.

    Raises:
        RefusedToStart: naming every file that cannot be read.
    """

    def allowed_lateness_ms(institution: str) -> int:
        known = None if registry is None else registry.get(institution)
        return ALLOWED_LATENESS_MS if known is None else known.allowed_lateness_ms

    def messages() -> Iterator[Sent | None]:
        for path in paths:
            yield from _each(path, read_ticket)

    return Tickets.of(messages(), allowed_lateness_ms)


def _each(path: Path, read: Callable[[bytes], T]) -> Iterator[T]:
    """What each line that is not empty says.

    Raises:
        RefusedToStart: after the last line, with every line that could not be read.
    """
    problems: list[Problem] = []
    more = 0
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not (stripped := line.strip()):
                    continue
                try:
                    yield read(stripped)
                except (BadLine, LabelledTwice) as error:
                    if len(problems) < PROBLEMS_MAX:
                        problems.append(Problem(f"{path}:{number}", str(error)))
                    else:
                        more += 1
    except OSError as error:
        raise RefusedToStart(Problem(str(path), error.strerror or str(error))) from error
    if more:
        problems.append(Problem(str(path), f"{more} more lines like these"))
    if problems:
        raise RefusedToStart(*problems)
