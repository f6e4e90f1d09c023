"""The table of codes is whole, and the manual shows it."""

import ast
import re
from pathlib import Path

import pytest

from fsoc.tickets.codes import CODES

ROOT = Path(__file__).parents[2]


def test_every_code_that_is_given_anywhere_is_in_the_table():
    given = set()
    for path in (ROOT / "fsoc").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Fault" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    given.add(first.value)

    assert given
    assert given <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_lower_case_and_its_sentences_are_sentences(code):
    assert re.fullmatch(r"[a-z]+\.[a-z]+(-[a-z]+)*", code)
    assert re.fullmatch(r"\S.*\.", CODES[code].en)
    assert re.search(r"[\u4e00-\u9fff]", CODES[code].zh)
    assert CODES[code].zh.endswith("。")


@pytest.mark.parametrize("code", CODES)
def test_a_code_says_in_both_languages_how_to_mend_it(code):
    words = CODES[code]
    assert re.fullmatch(r"[A-Z].{10,}\.", words.hint)
    assert re.search(r"[\u4e00-\u9fff]", words.hint_zh)
    assert words.hint_zh.endswith("。")
    assert words.hint != words.en


def test_the_manual_lists_exactly_these_codes():
    manual = (ROOT / "fsoc/tickets/README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z.-]+)` \| (.*?) \| (.*?) \|$", manual, flags=re.MULTILINE)

    assert {code: (en, zh) for code, en, zh in listed if "." in code} == {
        code: (f"{words.en} {words.hint}", f"{words.zh}{words.hint_zh}") for code, words in CODES.items()
    }
