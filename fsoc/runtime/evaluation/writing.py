"""A report and its pictures to disk."""

from __future__ import annotations

from pathlib import Path

from fsoc.errors import Problem, RefusedToStart
from fsoc.evaluation.report import Report


def check_place(path: Path) -> None:
    """Raises: RefusedToStart: a report cannot be there, said before an hour is spent on it."""
    if path.is_dir():
        raise RefusedToStart(Problem(str(path), "is a folder — expected the name of a Markdown file"))
    if not path.absolute().parent.is_dir():
        raise RefusedToStart(Problem(str(path), f"no such folder: {path.parent}"))


def write(report: Report, path: Path) -> list[Path]:
    """The report at the path, its pictures beside it; what was there before is replaced. Returns all of them.

    Raises:
        RefusedToStart: one cannot be written.
    """
    files = {path: report.text} | {path.parent / name: svg for name, svg in report.pictures.items()}
    for file, text in files.items():
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise RefusedToStart(Problem(str(file), f"cannot be written: {error.strerror}")) from error
    return list(files)
