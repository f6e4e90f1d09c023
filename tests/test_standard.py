"""The operating standard has everything fsoc checks, in both languages, and every example in it is accepted."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import get_args

import orjson
import pytest

from fsoc.feeds.contract import NAMES
from fsoc.runtime.feeds import contract_of
from fsoc.standard import fields, terms
from fsoc.standard.document import Example, Table, form_of, messages
from fsoc.standard.document import standard as build
from fsoc.tickets import vocabulary
from fsoc.tickets.codes import CODES
from fsoc.tickets.decode import decode
from fsoc.tickets.schema import ticket_schema
from tests.command_line import command_line

SCHEMA = ticket_schema()
FIELDS = [(model, name) for model, found in SCHEMA["$defs"].items() for name in found.get("properties", ())]
LITERALS = {name: value for name, value in vars(vocabulary).items() if hasattr(value, "__origin__") and get_args(value)}


@pytest.fixture
def fsoc(monkeypatch, capfd):
    return command_line(monkeypatch, capfd)


@pytest.fixture(scope="module")
def document():
    return build("0", [], contract_of(None))


def tables(document):
    return [part for section in document.sections for part in section.parts if isinstance(part, Table)]


@pytest.mark.parametrize(("model", "name"), FIELDS)
def test_every_field_is_in_it_with_its_form_and_its_meaning_in_both_languages(document, model, name):
    (table,) = [one for one in tables(document) if one.heads[0].en == model]
    (row,) = [row for row in table.rows if row[0] == name]

    assert row[1] == ("R" if name in SCHEMA["$defs"][model].get("required", ()) else "O")
    assert row[2] == form_of(SCHEMA["$defs"][model]["properties"][name]) != ""
    assert row[3]
    assert re.search("[\u4e00-\u9fff]", row[4])


def test_no_meaning_is_kept_of_a_field_that_is_gone():
    known = {name for _, name in FIELDS} | {f"{model}.{name}" for model, name in FIELDS}

    assert fields.EN.keys() <= known
    assert fields.ZH.keys() <= known


def test_every_code_is_in_it(document):
    rows = {row[0]: row[1:] for row in document.sections[-1].parts[0].rows}

    assert rows == {code: [words.en, words.hint, words.zh, words.hint_zh] for code, words in CODES.items()}


def test_every_category_and_every_other_word_is_in_it(document):
    cells = {cell for table in tables(document) for row in table.rows for cell in row}

    assert len(LITERALS) >= 13
    for name, values in LITERALS.items():
        assert set(get_args(values)) <= cells, name
    assert terms.CATEGORIES.keys() == set(get_args(vocabulary.Category))
    words = {word for name in LITERALS.keys() - {"Category", "Kind"} for word in get_args(LITERALS[name])}
    assert terms.WORDS.keys() == words


def test_every_bound_and_every_term_of_the_contract_is_in_it(document):
    rows = {row[0]: row for table in tables(document) for row in table.rows}

    bounds = {name: value for name, value in vars(vocabulary).items() if name.endswith("_MAX")}
    assert bounds
    assert all(rows[name][1] == f"{value:,}" for name, value in bounds.items())
    assert [rows[name][0] for name in NAMES] == list(NAMES)
    assert rows["silence"][3:] == ["≤ 15 min"] * 3
    assert rows["heartbeats"][3:] == ["≥ 99.00 %", "≥ 97.00 %", "≥ 95.00 %"]


@pytest.mark.parametrize("body", messages().values(), ids=[title.en for title in messages()])
def test_every_example_is_accepted_as_it_stands(document, body):
    assert decode(orjson.dumps(body), institution="fi-001").institution == "fi-001"
    parts = [part for section in document.sections for part in section.parts]
    assert body in [json.loads(part.body) for part in parts if isinstance(part, Example)]


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attributes):
        assert tag not in {"script", "link", "img"}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_whole_and_has_the_topics_and_rights_that_are_applied(fsoc, tmp_path):
    assert fsoc("standard", "build", "--out", tmp_path / "s.html").returncode == 0
    html = (tmp_path / "s.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(html)
    page.close()

    assert page.open == []
    assert "@page" in html
    text = "\n".join(page.text)
    for topic in ("fsoc.tickets.<institution>", "fsoc.receipts.<institution>", "fsoc.feedback.<institution>"):
        assert topic in text
    assert "fsoc.quarantine" not in text
    assert all(code in text for code in CODES)


def test_the_markdown_says_the_same(fsoc):
    told = fsoc("standard", "build", "--format", "markdown", "--prefix", "x.")
    rows = [line for line in told.stdout.splitlines() if line.startswith("|")]

    assert told.returncode == 0
    assert told.stdout.count("\n## ") == 8
    assert "| `x.tickets.<institution>` | write | 35 d |" in told.stdout
    widths = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert widths <= {3, 4, 5, 6, 7}
    assert all(any(f"`{code}`" in row for row in rows) for code in CODES)


def test_a_contract_that_is_wrong_is_refused(fsoc, tmp_path):
    (tmp_path / "c.yml").write_text("tiers: {}")
    told = fsoc("standard", "build", "--contract", tmp_path / "c.yml")

    assert told.returncode == 2
    assert "c.yml:1: tier 1: expected a mapping" in told.stderr
