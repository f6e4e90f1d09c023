"""Text from rules and events as a terminal may show it."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with everything that is no letter, mark or space written out: nothing in it moves a cursor or hides."""
    return text if text.isprintable() else "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
