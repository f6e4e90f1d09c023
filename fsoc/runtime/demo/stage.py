"""What carries an exercise from its tickets to its alerts: a log and workers on it. Only the protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fsoc.errors import FsocError
from fsoc.exercise import Exercise
from fsoc.runtime.log import Log

Say = Callable[[str], None]


class ShowStopped(FsocError):  # noqa: N818 - says what happens next, as the others do
    """The exercise cannot go on; the text says why and which log to read."""


class StageUnavailable(Exception):  # noqa: N818 - not an error: another stage may do
    """This machine has not got what the stage needs; its cause says what."""


@dataclass(frozen=True, slots=True)
class Production:
    """One exercise on its own topics.

    topic_prefix: of every topic of this exercise; nothing else has it.
    institutions: the registry's file.
    """

    exercise: Exercise
    topic_prefix: str
    institutions: Path


class Stage(Protocol):
    """Used as: open, then (raise_curtain, lower_curtain) once an exercise, then close. close is always called."""

    carrier: str
    """What it is, in words for the screen."""

    async def open(self, say: Say) -> None:
        """Start what outlives a single exercise. say: told what takes a moment.

        Raises:
            StageUnavailable: the exercise can be played on another stage.
        """

    async def raise_curtain(self, production: Production) -> Log:
        """Make the exercise's topics, start workers on them, and return the log they work on."""

    def check(self) -> None:
        """Raises: ShowStopped: something that was started has ended."""

    async def lower_curtain(self) -> None:
        """Stop what `raise_curtain` started. Harmless when nothing was."""

    async def close(self) -> None:
        """Stop everything that was started. Harmless when nothing was."""
