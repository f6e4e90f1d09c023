"""How an exercise is told: on a terminal as a live screen, in a pipe as NDJSON. Decides nothing."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Protocol, TextIO

import orjson
from rich.console import Console
from rich.live import Live
from rich.text import Text

from fsoc.runtime.demo.picture import Alert, Picture
from fsoc.runtime.demo.screen import Screen, summary


class Presenter(Protocol):
    """Is told what happens, in order: preparing…, begin, (alert | refresh)…, end; perhaps again; close."""

    def prepare(self, what: str) -> None:
        """Something that takes a moment begins, before there is a picture."""

    def notice(self, line: str) -> None:
        """One line that the person must see whatever is shown."""

    def begin(self, picture: Picture) -> None: ...

    def alert(self, alert: Alert) -> None:
        """A new revision of an alert; it is in the picture."""

    def refresh(self) -> None:
        """Some time has passed."""

    def end(self) -> None:
        """The picture has its score."""

    def close(self) -> None:
        """Give the terminal back, whatever happened."""


class LinesPresenter:
    """NDJSON on stdout: `{"type": "alert", "alert": …}` as they come, then one `{"type": "score", …}`."""

    def __init__(self, out: TextIO, notices: TextIO) -> None:
        self._out = out
        self._notices = notices
        self._picture: Picture | None = None

    def prepare(self, what: str) -> None:
        """Say nothing: progress is for people."""

    def notice(self, line: str) -> None:
        print(line, file=self._notices, flush=True)

    def begin(self, picture: Picture) -> None:
        self._picture = picture

    def alert(self, alert: Alert) -> None:
        self._line({"type": "alert", "alert": alert})

    def refresh(self) -> None:
        """Say nothing: progress is for people."""

    def end(self) -> None:
        assert self._picture is not None  # noqa: S101 - begin() comes first
        assert self._picture.score is not None  # noqa: S101 - end() is told when there is one
        self._line({"type": "score", "seed": self._picture.seed, **self._picture.score.as_json()})

    def close(self) -> None:
        """Nothing was taken."""

    def _line(self, value: object) -> None:
        print(orjson.dumps(value).decode(), file=self._out, flush=True)


class ScreenPresenter:
    """A live screen on the terminal's other page; the summary stays on the first one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._picture: Picture | None = None

    def prepare(self, what: str) -> None:
        if self._live is None:
            self._console.print(Text.assemble((" fsoc ", "bold reverse"), f"  {what} …"))

    def notice(self, line: str) -> None:
        self._console.print(Text(line, "yellow"))

    def begin(self, picture: Picture) -> None:
        self._picture = picture
        if self._live is None:
            self._live = Live(console=self._console, screen=True, auto_refresh=False, vertical_overflow="crop")
            self._live.start()
        self.refresh()

    def alert(self, alert: Alert) -> None:
        """It is in the picture."""

    def refresh(self) -> None:
        if self._live is not None and self._picture is not None:
            self._live.update(Screen(self._picture), refresh=True)

    def end(self) -> None:
        self.refresh()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self._picture is not None:
            summary(self._picture, self._console)


def presenter_for(*, lines: bool, no_color: bool) -> Presenter:
    """A screen where stdout is a terminal and lines were not asked for; else lines."""
    lines = lines or not sys.stdout.isatty()
    if isinstance(sys.stdout, TextIOWrapper):
        if lines:
            sys.stdout.reconfigure(encoding="utf-8")  # JSON's, whatever the locale says
        else:
            sys.stdout.reconfigure(errors="replace")  # a terminal that cannot show ─ shows ? and the show goes on
    if lines:
        return LinesPresenter(sys.stdout, sys.stderr)
    return ScreenPresenter(Console(no_color=no_color or None, highlight=False))
