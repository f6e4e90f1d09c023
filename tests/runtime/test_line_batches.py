"""Batches of lines: whatever the reads cut off, the lines are those of the stream; memory is bounded."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.runtime import line_batches
from fsoc.runtime.line_batches import Batch, batches

pieces = st.lists(st.sampled_from([b"a", b"{}", b"\n", b"\n\n", b"x\r\n", b"\xef\xbb\xbf", b" "]), max_size=30)


def reader(chunks: list[bytes]) -> Callable[[int], bytes]:
    rest = iter([chunk for chunk in chunks if chunk])
    return lambda _: next(rest, b"")


@given(pieces)
def test_the_lines_are_those_of_the_stream_wherever_the_reads_end(chunks):
    stream = b"".join(chunks)
    found = list(batches(reader(chunks)))
    lines = [line for batch in found for line in batch.lines]
    assert lines == stream.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    assert [batch.first for batch in found] == [sum(len(b.lines) for b in found[:n]) for n in range(len(found))]
    assert found[-1].read == len(stream)
    assert not any(batch.too_long for batch in found)


def test_what_a_read_ends_is_handed_on_before_the_next_read():
    reads = iter([b"a\nb", b"c\nd\n"])
    found = batches(lambda _: next(reads))
    assert next(found) == Batch(0, [b"a"], 3)
    assert next(found) == Batch(1, [b"bc", b"d"], 7)


@pytest.mark.parametrize("chunks", [[b"a\n", b"xxx", b"xxx", b"xxx\nb\n"], [b"a\n", b"xxxxxxxxx\nb\n"]])
def test_a_line_that_is_too_long_is_left_empty_and_named(chunks, monkeypatch):
    monkeypatch.setattr(line_batches, "LINE_BYTES_MAX", 8)
    found = list(batches(reader(chunks)))
    assert [line for batch in found for line in batch.lines] == [b"a", b"", b"b", b""]
    assert [batch.first + place for batch in found for place in batch.too_long] == [1]


def test_a_line_of_the_greatest_length_is_whole(monkeypatch):
    monkeypatch.setattr(line_batches, "LINE_BYTES_MAX", 8)
    found = list(batches(reader([b"xxxx", b"xxxx", b"\n", b"xxxx", b"xxxxx"])))
    assert [line for batch in found for line in batch.lines] == [b"xxxxxxxx", b""]
    assert [batch.first + place for batch in found for place in batch.too_long] == [1]


def test_a_line_without_end_is_not_held(monkeypatch):
    monkeypatch.setattr(line_batches, "LINE_BYTES_MAX", 1_000_000)
    chunks = (bytes(10_000) for _ in repeat(None, 3_000))
    tracemalloc.start()
    [batch] = batches(lambda _: next(chunks, b""))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert batch == Batch(0, [b""], 30_000_000, (0,))
    assert peak < 2_500_000
