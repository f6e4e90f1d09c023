"""Tables: columns that line up, whatever is in them."""

from __future__ import annotations

import click
from rich.cells import cell_len

from fsoc.cli.table import NAME_MIN, table

COLUMNS = (("rule", lambda row: row[0]), ("alerts", lambda row: f"{row[1]:,}"))
ROWS = [("One phishing kit against three institutions", 7), ("同一釣魚套件鎖定三家以上機構", 12_345), ("x", 0)]


def plain(lines):
    return [click.unstyle(line) for line in lines]


def test_every_line_is_as_wide_as_the_others_in_cells_not_in_characters():
    lines = plain(table(COLUMNS, ROWS, "red", lambda _: False))

    assert len({cell_len(line) for line in lines}) == 1
    assert lines[0].split() == ["rule", "alerts"]
    assert [line.split()[-1] for line in lines[1:]] == ["7", "12,345", "0"]


def test_names_give_way_where_room_is_short_and_figures_never():
    lines = plain(table(COLUMNS, ROWS, "red", lambda _: False, room=40))

    assert {cell_len(line) for line in lines} == {40}
    assert lines[1].split("…")[0].strip() == "One phishing kit against thre"
    assert "12,345" in lines[2]
    narrow = plain(table(COLUMNS, ROWS, "red", lambda _: False, room=1))
    assert {cell_len(line) for line in narrow} == {2 + NAME_MIN + 2 + len("12,345")}


def test_only_marked_rows_have_the_colour():
    heads, first, second, _ = table(COLUMNS, ROWS, "red", lambda row: row[1] > 10)

    assert click.unstyle(second) != second
    assert click.unstyle(first) == first
    assert heads == click.style(click.unstyle(heads), dim=True)
