"""Every error fsoc raises on purpose, sorted by what happens next.

- `InvalidTicket`   dead-letter it: quarantine the payload, write a receipt, go on.
- `Retry`           the outside world failed; the same call may succeed later.
- `RefusedToStart`  a person must change something first; the command line prints it and exits with 2.

Anything else that is raised is a defect of fsoc.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


class FsocError(Exception):
    """The root: catch it only at the edge of a process."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one place of a file, a setting or an argument.

    where: `path:line`, or the name of the option or environment variable.
    text: what was found and what was allowed.
    """

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


class RefusedToStart(FsocError):  # noqa: N818 - says what happens next, as the others do
    """Content, settings or surroundings are not usable. All problems at once; exit code 2."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems: Sequence[Problem] = problems


def together(*steps: Callable[[], Any]) -> list[Any]:
    """Take every step and return what each gave.

    Raises:
        RefusedToStart: once, with the problems of all steps that refused.
    """
    given: list[Any] = []
    problems: list[Problem] = []
    for step in steps:
        try:
            given.append(step())
        except RefusedToStart as refused:
            problems.extend(refused.problems)
    if problems:
        raise RefusedToStart(*problems)
    return given


class Retry(FsocError):  # noqa: N818
    """The outside world did not answer. Nothing was lost; the same call may succeed later."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why a ticket was not accepted.

    code: stable, dotted, lower case (`payload.not-json`, `field.wrong-type`); listed in `fsoc/tickets/README.md`.
    pointer: JSON Pointer (RFC 6901) to the field; "" is the whole payload.
    text: what was found and what was allowed, bounded, safe to show.
    """

    code: str
    pointer: str
    text: str


class InvalidTicket(FsocError):  # noqa: N818
    """The payload is not a ticket. The sender must mend it; retrying cannot help."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.code} at {fault.pointer or '/'}: {fault.text}" for fault in faults))
        self.faults: Sequence[Fault] = faults
