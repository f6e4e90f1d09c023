"""Bundles of the baseline on disk: written whole or not at all, read within bounds."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fsoc.baseline.publish.bundle import SCHEMA
from fsoc.errors import Problem, RefusedToStart

FILES_MAX: Final = 20_000
FILE_BYTES_MAX: Final = 16 * 2**20


def write_bundle(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder that is not there yet: beside it first, then under its name.

    Raises:
        RefusedToStart: there is something already, or it cannot be written.
    """
    if folder.exists():
        raise RefusedToStart(Problem(str(folder), "is there already; a version is never written over 目錄已存在"))
    made: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        for path, data in files.items():
            file = made / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        os.chmod(made, 0o755)  # noqa: S103, PTH101 - what is published is for everybody to read
        made.rename(folder)
    except OSError as error:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        raise RefusedToStart(Problem(str(folder), f"cannot be written: {error.strerror}")) from error


def read_bundle(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path in it.

    Raises:
        RefusedToStart: it is no folder, cannot be read, or holds more than a bundle may.
    """
    if not folder.is_dir():
        raise RefusedToStart(Problem(str(folder), "no such folder"))
    files: dict[str, bytes] = {}
    try:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink():
                raise RefusedToStart(Problem(str(path), "is a link; a bundle has none"))
            if not path.is_file():
                continue
            if len(files) >= FILES_MAX or path.stat().st_size > FILE_BYTES_MAX:
                raise RefusedToStart(Problem(str(path), "is more than a bundle may hold"))
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
    except OSError as error:
        raise RefusedToStart(Problem(str(folder), f"cannot be read: {error.strerror}")) from error
    return files


def items_before(folder: Path) -> Mapping[str, Any]:
    """items.json of the bundle of a version before.

    Raises:
        RefusedToStart: there is none.
    """
    file = folder / "items.json"
    try:
        told = json.loads(file.read_bytes())
    except OSError as error:
        raise RefusedToStart(Problem(str(file), f"cannot be read: {error.strerror}")) from error
    except ValueError as error:
        raise RefusedToStart(Problem(str(file), "is not JSON")) from error
    if not isinstance(told, dict) or told.get("schema") != SCHEMA:
        raise RefusedToStart(Problem(str(file), f"is no {SCHEMA}"))
    return told
