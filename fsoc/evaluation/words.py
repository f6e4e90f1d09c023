"""Figures as people read them, and text from files as a report may hold it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Final

from fsoc.evaluation.shares import Share

SHOWN_MAX: Final = 120
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def share_said(share: Share) -> str:
    """`0.86`; `–` where there is nothing to say."""
    return "–" if share.value is None else f"{share.value:.2f}"


def interval_said(share: Share) -> str:
    low, high = share.interval
    return "–" if share.value is None else f"{low:.2f}–{high:.2f}"


def share_in_full(share: Share) -> str:
    """`0.86 (6/7, 0.49–0.97)`: what a share of a small count must be read with."""
    return "–" if share.value is None else f"{share.value:.2f} ({share.hits}/{share.total}, {interval_said(share)})"


def group_said(group: Mapping[str, str]) -> str:
    """`indicator = 198.18.0.1`; `–` of the whole sector."""
    return ", ".join(f"{name} = {value}" for name, value in group.items()) or "–"


def number_said(value: float | None, places: int = 2) -> str:
    return "–" if value is None else f"{value:,.{places}f}"


def count_said(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def span_said(seconds: float | None) -> str:
    """`2 d 3 h`, `16 h 46 min`, `5 min`, `33 s`; before the moment with a minus."""
    if seconds is None:
        return "–"
    sign = "−" if round(seconds) < 0 else ""
    whole = abs(round(seconds))
    if whole < 60:
        return f"{sign}{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{sign}{minutes} min"
    if minutes < 48 * 60:
        return f"{sign}{minutes // 60} h {minutes % 60:02} min"
    hours = round(whole / 3600)
    return f"{sign}{hours // 24} d {hours % 24} h"


def cell(text: str) -> str:
    """Text of a rule, a label or an id for a cell of a Markdown table: on one line, bounded, and nothing but text."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    shown = shown if len(shown) <= SHOWN_MAX else shown[: SHOWN_MAX - 1] + "…"
    return _MARKDOWN.sub(lambda match: escape(match[1]) if match[1] in "<>" else f"\\{match[1]}", shown)
