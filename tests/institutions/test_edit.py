"""A registry's text is changed in one place, and says the same everywhere else."""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.errors import RefusedToStart
from fsoc.institutions.edit import NEW, with_entry, with_signing, with_suspension
from fsoc.institutions.registry import Registry
from fsoc.institutions.signing import Signing, SigningKey
from tests.signing import FOREIGN, OWN, public_of

ENTRY = {
    "id": "fi-009",
    "name": "Ninth",
    "name_zh": "第九",
    "sector": "bank",
    "tier": 2,
    "group": None,
    "feeds": ["siem"],
}
FLOW = "{id: fi-009, name: Ninth, name_zh: 第九, sector: bank, tier: 2, feeds: [siem]}"

IN_BRACES = """\
# who may send
institutions:
  # the first
  - {id: fi-001, name: A, sector: bank, tier: 1, feeds: [siem]}   # an old friend
  - {id: fi-002, name: B, sector: bank, tier: 1, feeds: [siem, edr],}  # and its own comma

# the end
"""
IN_LINES = """\
institutions:
- id: fi-001
  name: A
  sector: bank
  tier: 1
  feeds:
  - siem

- id: fi-002
  name: B
  sector: bank
  tier: 1
  feeds: [siem]   # one

# the end
"""
FOLDED = """\
institutions:
    - id: fi-001
      sector: bank
      tier: 1
      feeds: [siem]
      name: |-
        A
# the end
"""
IN_ONE = "institutions: [{id: fi-001, name: A, sector: bank, tier: 1, feeds: [siem]}] # all\n"
UNENDED = "institutions:\n- {id: fi-001, name: A, sector: bank, tier: 1, feeds: [siem]}"
LAYOUTS = {
    "in braces": IN_BRACES,
    "in lines": IN_LINES,
    "folded": FOLDED,
    "in one": IN_ONE,
    "unended": UNENDED,
    "CRLF": IN_LINES.replace("\n", "\r\n"),
}


def parsed(text):
    return dict(Registry.parse(text, "who.yml").institutions)


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_an_entry_is_added_and_nothing_else_is_changed(text):
    made = with_entry(text, "who.yml", ENTRY)

    assert parsed(made) == parsed(text) | parsed(f"institutions:\n- {FLOW}")
    changes = SequenceMatcher(None, text, made, autojunk=False).get_opcodes()
    assert [change[0] for change in changes if change[0] != "equal"] == ["insert"]
    assert made.count("\r\n") in (0, made.count("\n"))


def test_an_entry_is_written_as_the_one_before_it_is():
    assert with_entry(IN_BRACES, "who.yml", ENTRY).splitlines()[5] == f"  - {FLOW}"
    assert with_entry(IN_LINES, "who.yml", ENTRY).splitlines()[13:19] == [
        "- id: fi-009",
        "  name: Ninth",
        "  name_zh: 第九",
        "  sector: bank",
        "  tier: 2",
        "  feeds: [siem]",
    ]
    assert with_entry(IN_ONE, "who.yml", ENTRY).endswith(f"feeds: [siem]}}, {FLOW}] # all\n")


def test_the_first_entry_begins_a_registry():
    assert with_entry("", "who.yml", ENTRY) == f"{NEW}institutions:\n  - {FLOW}\n"


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn", "Zl", "Zp"]), min_size=1, max_size=30))
def test_any_name_is_read_back_as_it_was_given(name):
    for text in (IN_BRACES, IN_LINES):
        assert parsed(with_entry(text, "who.yml", {**ENTRY, "name": name}))["fi-009"].name == name


@pytest.mark.parametrize(
    "name", ["yes", "1e3", "2026-03-02", "~", "null", "a: b", "a #b", "- a", "{a}", "'", '"', " a ", "No"]
)
def test_a_name_that_yaml_would_take_for_something_else_is_quoted(name):
    assert parsed(with_entry(IN_BRACES, "who.yml", {**ENTRY, "name": name}))["fi-009"].name == name


def test_what_the_registry_refuses_is_not_added():
    for wrong, expected in {
        "tier": (4, r"who\.yml:6: tier: 4; expected 1, 2 or 3"),
        "id": ("fsoc-worker", r"who\.yml:6: id: \"fsoc-worker\" is fsoc's own name"),
        "group": ("fi-001", r"who\.yml:6: group: \"fi-001\" is also the id of an institution"),
    }.items():
        value, text = expected
        with pytest.raises(RefusedToStart, match=text):
            with_entry(IN_BRACES, "who.yml", {**ENTRY, wrong: value})
    with pytest.raises(RefusedToStart, match='"fi-001" is registered already'):
        with_entry(IN_BRACES, "who.yml", {**ENTRY, "id": "fi-001"})
    with pytest.raises(RefusedToStart, match=r"who\.yml:1: expected a mapping"):
        with_entry("- a\n", "who.yml", ENTRY)


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_a_suspension_is_written_into_its_entry_and_lifted_in_its_place(text):
    for name, before in parsed(text).items():
        suspended = with_suspension(text, "who.yml", name, suspended=True)
        lifted = with_suspension(suspended, "who.yml", name, suspended=False)

        assert parsed(suspended) == parsed(text) | {name: replace(before, suspended=True)}
        assert parsed(lifted) == parsed(text)
        assert lifted.replace("suspended: false", "suspended: true") == suspended
        assert with_suspension(suspended, "who.yml", name, suspended=True) == suspended
        assert with_suspension(text, "who.yml", name, suspended=False) == text
        removed = suspended.replace(", suspended: true", "").replace("suspended: true", "")
        assert removed.split() == text.split(), "every other word and comment stays"


def test_an_entry_that_stands_for_two_is_not_changed_for_one():
    """An anchor: what is written into it would be said of both."""
    shared = """\
institutions:
  - {<<: &common {sector: bank}, id: fi-001, name: A, tier: 1, feeds: [siem]}
"""
    with pytest.raises(RefusedToStart):
        with_suspension(shared, "who.yml", "fi-001", suspended=True)
    twice = """\
institutions:
  - &one {id: fi-001, name: A, sector: bank, tier: 1, feeds: &f [siem]}
  - {id: fi-002, name: B, sector: bank, tier: 1, feeds: *f}
"""
    with pytest.raises(RefusedToStart, match='for "fi-002", write by hand: suspended: true'):
        with_suspension(twice, "who.yml", "fi-002", suspended=True)
    with pytest.raises(RefusedToStart, match='"fi-009" is not registered'):
        with_suspension(twice, "who.yml", "fi-009", suspended=True)


KEYS = Signing(
    1_798_761_600_000, (SigningKey("2027-1", public_of(OWN), 1_814_400_000_000), SigningKey("b", public_of(FOREIGN)))
)


@pytest.mark.parametrize(
    ("text", "name"),
    [(IN_BRACES, "fi-001"), (IN_BRACES, "fi-002"), (IN_LINES, "fi-001"), (IN_LINES, "fi-002"), (FOLDED, "fi-001")],
)
def test_signing_keys_are_added_and_changed_in_their_place_and_nowhere_else(text, name):
    added = with_signing(text, "w", name, Signing(None, KEYS.keys[:1]))
    changed = with_signing(added, "w", name, KEYS)

    for made, signing in ((added, Signing(None, KEYS.keys[:1])), (changed, KEYS)):
        assert Registry.parse(made, "w").institutions[name].signing == signing
        matches = SequenceMatcher(None, text, made, autojunk=False).get_matching_blocks()
        assert "".join(text[one.a : one.a + one.size] for one in matches) == text  # nothing was taken away
    assert with_signing(changed, "w", name, KEYS) == changed


def test_signing_that_is_laid_out_over_lines_is_changed_and_what_has_comments_is_not():
    signing = f"  signing:\n      keys:\n      - kid: a\n        public_key: {public_of(OWN)}\n"
    text = IN_LINES.replace("  - siem\n\n", f"  - siem\n{signing}\n")

    made = with_signing(text, "w", "fi-001", KEYS)

    assert Registry.parse(made, "w").institutions["fi-001"].signing == KEYS
    assert made.startswith(text[: text.index("signing:")])
    assert made.endswith("feeds: [siem]   # one\n\n# the end\n")
    with pytest.raises(RefusedToStart, match=r"has comments; change it by hand: signing: \{required_from"):
        with_signing(text.replace("kid: a", "kid: a  # the first"), "w", "fi-001", KEYS)


def test_keys_of_nobody_are_refused():
    with pytest.raises(RefusedToStart, match='"fi-009" is not registered'):
        with_signing(IN_LINES, "w", "fi-009", KEYS)
