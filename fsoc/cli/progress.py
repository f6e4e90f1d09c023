"""How far a command is: one line on the terminal, written over and over. Silent where stderr is no terminal."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import Final

import click

REDRAW_SECONDS: Final = 0.1
_CLEAR: Final = "\r\x1b[K"


class ProgressLine:
    """Drawn at most ten times a second, however often it is shown."""

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty()
        self._started = time.monotonic()
        self._due = self._started
        self._stands = False

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._started

    def show(self, text: Callable[[], str]) -> None:
        """text: called only where it is drawn."""
        if self._shows and (now := time.monotonic()) >= self._due:
            self._due = now + REDRAW_SECONDS
            self._draw(text())

    def clear(self) -> None:
        """Make room for other lines; the next `show` draws it anew."""
        if self._stands:
            click.echo(_CLEAR, err=True, nl=False)
            self._stands = False
            self._due = 0.0

    def end(self, text: str) -> None:
        """The last word, which stays."""
        if self._shows:
            self._draw(text)
            click.echo(err=True)
            self._stands = False

    def _draw(self, text: str) -> None:
        click.echo(_CLEAR + text[: shutil.get_terminal_size().columns - 1], err=True, nl=False)
        self._stands = True
