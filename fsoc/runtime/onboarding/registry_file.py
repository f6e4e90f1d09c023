"""A file that people write, changed in its place: whole or not at all, one at a time. What changes is the caller's."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fsoc.errors import Problem, RefusedToStart


def change(path: Path, edit: Callable[[str, str], str], mode: int = 0o666) -> bool:
    """Give the file the text that `edit` makes of its text; return whether that is another.

    edit: of text and the name for messages; "" where there is no file yet, which is then made. What it raises leaves
        the file as it is. A link is followed; the file's permissions stay. mode: of a new file, less the umask.

    Raises:
        RefusedToStart: the file cannot be read or written, or `edit` refuses.
    """
    place = path.resolve()
    try:
        if not place.exists():
            made = edit("", str(path))
            opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(opened, "w", encoding="utf-8", newline="") as file:
                file.write(made)
            return True
        with _locked(place) as file:
            before = file.read().decode("utf-8")
            after = edit(before, str(path))
            if after == before:
                return False
            _replace(place, after)
    except OSError as error:
        raise RefusedToStart(Problem(str(path), f"cannot be changed: {error.strerror}")) from error
    except UnicodeDecodeError as error:
        raise RefusedToStart(Problem(str(path), "is not UTF-8")) from error
    return True


@contextmanager
def _locked(place: Path) -> Iterator[IO[bytes]]:
    """The file, held against others who change it by this module."""
    while True:
        with place.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Who held it before us has put another file in its place: that is the one to change.
            if os.fstat(file.fileno()).st_ino == place.stat().st_ino:
                yield file
                return


def _replace(place: Path, text: str) -> None:
    scratch = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with scratch.open("wb") as file:
            os.fchmod(file.fileno(), place.stat().st_mode & 0o7777)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(place)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
