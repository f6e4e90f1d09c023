"""The file is changed whole or not at all, in its place, by one at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.onboarding.registry_file import change


def more(text: str, where: str) -> str:
    return f"{text}more\n"


def refuse(text: str, where: str) -> str:
    raise RefusedToStart(Problem(where, "no"))


def test_a_file_is_made_where_there_is_none_and_changed_where_there_is_one(tmp_path: Path):
    path = tmp_path / "who.yml"

    assert change(path, more)
    assert change(path, more)
    assert not change(path, lambda text, _: text)
    assert path.read_text() == "more\nmore\n"
    assert [one.name for one in tmp_path.iterdir()] == ["who.yml"]


def test_permissions_line_ends_and_links_stay(tmp_path: Path):
    place, link = tmp_path / "place.yml", tmp_path / "who.yml"
    place.write_bytes("一\r\n".encode())
    place.chmod(0o640)
    link.symlink_to(place)

    change(link, more)

    assert link.is_symlink()
    assert place.read_bytes() == "一\r\nmore\n".encode()
    assert place.stat().st_mode & 0o777 == 0o640


def test_what_is_refused_changes_nothing(tmp_path: Path):
    path = tmp_path / "who.yml"
    with pytest.raises(RefusedToStart):
        change(path, refuse)
    assert not path.exists()
    path.write_text("kept\n")
    before = path.stat()
    with pytest.raises(RefusedToStart):
        change(path, refuse)
    assert path.stat() == before
    assert [one.name for one in tmp_path.iterdir()] == ["who.yml"]


def test_what_cannot_be_changed_is_told_in_a_line(tmp_path: Path):
    with pytest.raises(RefusedToStart, match=r"none/who\.yml: cannot be changed: No such file or directory"):
        change(tmp_path / "none" / "who.yml", more)
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(RefusedToStart, match="bytes: is not UTF-8"):
        change(tmp_path / "bytes", more)


def test_many_who_change_it_at_once_lose_none_of_their_changes(tmp_path: Path):
    path = tmp_path / "who.yml"
    path.write_text("")
    program = (
        "import sys; from pathlib import Path\n"
        "from fsoc.runtime.onboarding.registry_file import change\n"
        "for _ in range(20): change(Path(sys.argv[1]), lambda text, where: text + sys.argv[2] + '\\n')\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(path), str(number)], env=dict(os.environ))
        for number in range(3)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]

    assert sorted(path.read_text().split()) == sorted(["0", "1", "2"] * 20)
