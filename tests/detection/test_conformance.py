"""The manual's conformance table: every line names tests, and they are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.detection.test_modifiers import FORMS

HERE = Path(__file__).parent
README = HERE.parents[1] / "fsoc" / "detection" / "README.md"


def _lines() -> list[tuple[str, str]]:
    """The form and the tests of each line of the table."""
    table = README.read_text("utf-8").partition("## Conformance")[2].partition("\n## ")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines() if line.startswith("|")]
    return [(row[0].strip(), row[2].strip()) for row in rows[2:]]


@pytest.mark.parametrize(("form", "tests"), _lines(), ids=lambda text: text[:40])
def test_each_line_of_the_table_names_tests_that_exist(form, tests):
    for named in filter(None, map(str.strip, tests.split(";"))):
        if named.startswith("modifiers: "):
            for name in named.removeprefix("modifiers: ").split(", "):
                assert any(each.name.startswith(name) for each in FORMS), name
        else:
            assert all((HERE / file.strip()).is_file() for file in named.split(",")), named


def test_the_table_has_every_modifier_of_the_specification():
    forms = " ".join(form for form, _ in _lines())
    named = {name for form in FORMS for name in form.item.split(":")[0].strip("'").split("|")[1:]}
    assert named - set(re.findall(r"`(\w+)`", forms)) == {"all"}  # which stands with lists of values
