"""Finding and reading what people write."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsoc.errors import RefusedToStart
from fsoc.runtime.content import (
    TABLE_SUFFIXES,
    allow_lists_files,
    files_of,
    logsources_files,
    read_source,
    read_sources,
    shipped,
)


def test_a_folder_is_read_by_name_to_any_depth_without_what_is_no_rule(tmp_path: Path):
    for name in ("b.yml", "a/z.yaml", "a/b/c.yml", "logsources.yml", "a/waivers.yml", "readme.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "folder.yml").mkdir()
    assert [source.text for source in read_sources([tmp_path])] == ["a/b/c.yml", "a/z.yaml", "b.yml"]
    assert [source.text for source in read_sources([tmp_path / "b.yml", tmp_path / "a"])] == [
        *("b.yml", "a/b/c.yml", "a/z.yaml"),
    ]
    assert logsources_files([tmp_path, tmp_path / "b.yml"]) == [tmp_path / "logsources.yml"]


def test_allow_lists_are_those_of_the_folders_else_what_is_shipped(tmp_path: Path):
    """A volume that Kubernetes mounts has its files once more in a hidden folder."""
    for name in ("allow_lists.yml", "a/allow_lists.yml", "..data/allow_lists.yml", "my_allow_lists.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)

    assert allow_lists_files([tmp_path]) == [tmp_path / "a/allow_lists.yml", tmp_path / "allow_lists.yml"]
    assert [source.text for source in read_sources([tmp_path])] == ["my_allow_lists.yml"]
    assert allow_lists_files([tmp_path / "my_allow_lists.yml"]) == [shipped("rules") / "allow_lists.yml"]


def test_a_file_that_is_named_is_read_whatever_it_is_called(tmp_path: Path):
    (tmp_path / "logsources.yml").write_text("x")
    (tmp_path / "rule.txt").write_text("\ufeffy", encoding="utf-8")
    assert [source.text for source in read_sources([tmp_path / "logsources.yml", tmp_path / "rule.txt"])] == ["x", "y"]


def test_other_suffixes_may_be_asked_for(tmp_path: Path):
    (tmp_path / "a.tsv").write_text("x")
    (tmp_path / "a.yml").write_text("y")
    assert [source.text for source in read_sources([tmp_path], TABLE_SUFFIXES)] == ["x"]


def test_everything_that_cannot_be_read_is_told_at_once(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bytes.yml").write_bytes(b"a\nb\xff\n")
    with pytest.raises(RefusedToStart) as refusal:
        read_sources([tmp_path / "nowhere", tmp_path / "empty", tmp_path / "bytes.yml"])
    assert [str(problem) for problem in refusal.value.problems] == [
        f"{tmp_path}/nowhere: no such file or folder",
        f"{tmp_path}/empty: holds no .yaml or .yml file",
        f"{tmp_path}/bytes.yml:2: not UTF-8: invalid start byte",
    ]


def test_what_is_shipped_is_found():
    assert (shipped("rules") / "logsources.yml").is_file()


def test_hidden_folders_are_left_out_and_files_that_lead_into_them_are_not(tmp_path: Path):
    """As Kubernetes mounts a volume: ..data is a link to a folder that is hidden, and each file a link through it."""
    (tmp_path / "..2026_01").mkdir()
    (tmp_path / "..2026_01" / "a.yml").write_text("a")
    (tmp_path / "..data").symlink_to("..2026_01")
    (tmp_path / "a.yml").symlink_to("..data/a.yml")
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "workflow.yml").write_text("w")

    assert [source.path for source in read_sources([tmp_path])] == [str(tmp_path / "a.yml")]


def test_a_byte_order_mark_and_other_ends_of_lines_are_nobodys_business(tmp_path: Path):
    (tmp_path / "a.yml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\rc: 3\n")

    assert read_source(tmp_path / "a.yml").text == "a: 1\nb: 2\nc: 3\n"


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path: Path):
    names = ["b.yml", "a/z.yml", "a.yml", "a-b/c.yml", "a/b/c.yml", "B.yml"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("")

    assert files_of(tmp_path, {".yml"}) == sorted(tmp_path / name for name in names)
