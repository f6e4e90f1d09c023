"""How far the compiling of rules is, on a terminal. Silent where stderr is none, and where it is quickly done."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import click

from fsoc.runtime.compiled import Advance

QUICK_SECONDS: Final = 0.5
"""What takes no longer needs no bar."""
_STEPS: Final = 1000


@contextmanager
def rules_bar() -> Iterator[Advance]:
    """Give what is to be told the share that is done."""
    with ExitStack() as stack:
        shows_at = time.monotonic() + QUICK_SECONDS if sys.stderr.isatty() else None
        bar = None

        def advance(share: float) -> None:
            nonlocal bar
            if shows_at is None or time.monotonic() < shows_at:
                return
            if bar is None:
                bar = stack.enter_context(click.progressbar(length=_STEPS, label="compiling rules", file=sys.stderr))
            bar.update(round(share * _STEPS) - bar.pos)

        yield advance
