"""The manual's tables say what was kept, and a table is put where one of the same heads stood."""

from __future__ import annotations

import pytest

from benchmarks import tables

MANUAL = """# m

| a | b |
|---|---|
| 1 | 2 |

between

| c |
|---|
| 3 |

end
"""


def test_a_table_takes_the_place_of_the_one_with_its_heads():
    assert tables.put(
        MANUAL.replace("|---|---|", "| --- | --- |"), "| a | b |\n| --- | --- |\n| 5 | 6 |\n| 7 | 8 |"
    ) == ("# m\n\n| a | b |\n| --- | --- |\n| 5 | 6 |\n| 7 | 8 |\n\nbetween\n\n| c |\n|---|\n| 3 |\n\nend\n")


def test_a_table_that_the_manual_does_not_have_is_an_error():
    with pytest.raises(ValueError, match="x \\| y"):
        tables.put(MANUAL, "| x | y |\n| --- | --- |\n| 1 | 2 |")


def test_the_manual_shows_the_figures_that_are_kept():
    manual = tables.MANUAL.read_text(encoding="utf-8")

    assert [table for table in tables.every(*tables.kept()) if table not in manual] == []
