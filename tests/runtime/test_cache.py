"""The folder of compiled rules: whole or not there, ours alone, bounded; and nothing about it is ever an error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fsoc.runtime import cache as module
from fsoc.runtime.cache import Cache, cache_folder

KEY, OTHER = "0a" * 16, "0b" * 16


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "new" / "rules"


@pytest.fixture
def cache(folder):
    return Cache(folder)


def only_file(folder):
    (file,) = folder.iterdir()
    return file


def test_what_was_put_is_found_again_by_another_process_of_this_user_alone(folder, cache):
    cache.put(KEY, b"compiled")

    assert Cache(folder).get(KEY) == b"compiled"
    assert (folder.stat().st_mode & 0o777, only_file(folder).stat().st_mode & 0o777) == (0o700, 0o600)


def test_what_was_never_put_is_not_there(cache):
    assert cache.get(KEY) is None
    cache.put(KEY, b"compiled")
    assert cache.get(OTHER) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda whole: whole[:20],
        lambda whole: whole[:-1],
        lambda whole: whole + b"\0",
        lambda whole: whole.replace(b"compiled", b"c0mpiled"),
        lambda whole: whole.replace(b"cache-1", b"cache-2"),
    ],
    ids=["emptied", "no value", "cut", "longer", "changed", "of another make"],
)
def test_a_damaged_file_is_not_there_is_told_and_is_replaced(folder, cache, damage, caplog):
    cache.put(KEY, b"compiled")
    file = only_file(folder)
    file.write_bytes(damage(file.read_bytes()))

    assert cache.get(KEY) is None
    assert caplog.messages == [f"fsoc: cache: {file} is damaged, and made anew"]
    cache.put(KEY, b"again")
    assert cache.get(KEY) == b"again"


def test_a_file_under_another_files_name_is_not_taken_for_it(folder, cache):
    cache.put(KEY, b"compiled")
    file = only_file(folder)
    file.rename(file.with_name(file.name.replace(KEY, OTHER)))

    assert cache.get(OTHER) is None


def test_a_folder_that_others_may_look_into_is_not_used_and_that_is_told_once(folder, cache, caplog):
    cache.put(KEY, b"compiled")
    folder.chmod(0o750)

    assert [cache.get(KEY), cache.get(KEY)] == [None, None]
    cache.put(OTHER, b"compiled")
    assert len(list(folder.iterdir())) == 1
    assert caplog.messages == [
        f"fsoc: cache: {folder} is open to others, and not used; chmod 700 it, or set FSOC_RULES_CACHE"
    ]


@pytest.mark.parametrize("what", ["a file in its place", "a file above it", "a folder in the file's place"])
def test_a_cache_that_cannot_be_written_keeps_nothing_and_raises_nothing(what, tmp_path, caplog):
    folder = tmp_path / "rules"
    match what:
        case "a file in its place":
            folder.write_bytes(b"")
        case "a file above it":
            folder.write_bytes(b"")
            folder /= "deeper"
        case _:
            folder.mkdir(0o700)
            (folder / f"{KEY}.compiled" / "x").mkdir(parents=True)
    cache = Cache(folder)

    cache.put(KEY, b"compiled")
    cache.put(KEY, b"compiled")

    assert cache.get(KEY) is None
    assert sum("cannot be written" in message or "cannot be read" in message for message in caplog.messages) <= 2
    assert caplog.messages
    assert not list(tmp_path.rglob("*.unfinished"))


def test_those_used_longest_ago_leave_when_there_is_too_much_and_nobody_elses_files(folder, cache, monkeypatch):
    monkeypatch.setattr(module, "CACHE_BYTES_MAX", 3_000)
    names = [f"{number:032x}" for number in range(4)]
    cache.put(names[0], bytes(900))
    (folder / "jar").write_bytes(bytes(9_000))
    (folder / "killed.unfinished").write_bytes(bytes(900))
    for age, name in ((30, f"{names[0]}.compiled"), (20, "killed.unfinished")):
        os.utime(folder / name, (1_000 - age, 1_000 - age))
    assert cache.get(names[0])  # it is the youngest now

    for name in names[1:]:
        cache.put(name, bytes(900))

    assert [cache.get(name) is not None for name in names] == [False, True, True, True]
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".compiled") == ["jar"]


def test_what_is_too_big_is_not_kept(cache, monkeypatch):
    monkeypatch.setattr(module, "FILE_BYTES_MAX", 10)
    cache.put(KEY, bytes(11))

    assert cache.get(KEY) is None


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        (Path("/x"), {"FSOC_RULES_CACHE": "/y"}, "/x"),
        (None, {"FSOC_RULES_CACHE": "/y", "FSOC_CACHE": "/z"}, "/y"),
        (None, {"FSOC_CACHE": "/z", "XDG_CACHE_HOME": "/c"}, "/z/rules"),
        (None, {"XDG_CACHE_HOME": "/c"}, "/c/fsoc/rules"),
        (None, {"XDG_CACHE_HOME": "not/absolute"}, "~/.cache/fsoc/rules"),
        (None, {}, "~/.cache/fsoc/rules"),
    ],
)
def test_the_nearest_word_on_where_it_is_wins(given, environment, expected):
    assert cache_folder(given, environment) == Path(expected).expanduser()
