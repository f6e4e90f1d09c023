"""The line that is drawn on a terminal: not too often, out of the way of others, not at all elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from fsoc.cli import progress
from fsoc.cli.progress import REDRAW_SECONDS, ProgressLine


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress.time, "monotonic", clock)
    return clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    @property
    def drawn(self) -> str:
        return self.getvalue().replace("\r\x1b[K", "<")


@pytest.fixture
def terminal(monkeypatch):
    """Called in a test: stderr is a terminal of ten columns from then on."""

    def terminal() -> Terminal:
        monkeypatch.setenv("COLUMNS", "10")
        monkeypatch.setattr(sys, "stderr", stderr := Terminal())
        return stderr

    return terminal


def test_it_is_drawn_no_more_often_than_eyes_can_follow(clock, terminal):
    stderr = terminal()
    line = ProgressLine()
    asked = []
    for _ in range(5):
        line.show(lambda: asked.append(1) or "text")
        clock.now += REDRAW_SECONDS / 4
    assert (stderr.drawn, len(asked)) == ("<text<text", 2)


def test_it_makes_room_and_comes_back_at_once(clock, terminal):
    stderr = terminal()
    line = ProgressLine()
    line.clear()
    line.show(lambda: "one")
    line.clear()
    line.clear()
    line.show(lambda: "two")
    assert stderr.drawn == "<one<<two"


def test_its_last_word_stays_and_no_line_is_wider_than_the_terminal(clock, terminal):
    stderr = terminal()
    line = ProgressLine()
    line.show(lambda: "0123456789")
    line.end("done")
    line.clear()
    assert stderr.drawn == "<012345678<done\n"


def test_it_is_silent_where_there_is_no_terminal(clock, capsys):
    line = ProgressLine()
    line.show(lambda: pytest.fail("nobody looks"))
    line.clear()
    line.end("done")
    clock.now += 2
    assert (capsys.readouterr().err, line.seconds) == ("", 2.0)
