"""The command line in this process: a process of its own takes a second to import."""

from __future__ import annotations

import os
import sys
from typing import Any, NamedTuple

from fsoc.cli.main import main


class Told(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def command_line(monkeypatch: Any, capsys: Any) -> Any:
    """A function that runs `fsoc` with its arguments; of this environment it sees compiled rules alone."""
    for variable in os.environ:
        if variable.startswith("FSOC_") and variable != "FSOC_RULES_CACHE":
            monkeypatch.delenv(variable)

    def run(*arguments: Any) -> Told:
        capsys.readouterr()  # what was logged before
        monkeypatch.setattr(sys, "argv", ["fsoc", *map(str, arguments)])
        code: Any = 0
        try:
            main()
        except SystemExit as leave:
            code = leave.code
        captured = capsys.readouterr()
        return Told(code or 0, captured.out, captured.err)

    return run
