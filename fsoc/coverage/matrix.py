"""The heatmap's matrix: every tactic of the ATT&CK version, its techniques, and how they are covered. Pure: HTML text.

A technique that the baseline asks nothing of is there too, so that what nobody looks for is seen. Of sub-techniques
those are drawn that the baseline asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from fsoc.attack.techniques import Tactic, Technique
from fsoc.coverage.groups import Group, covered_share, status_of
from fsoc.coverage.judge import STATUSES, Norm, Status
from fsoc.coverage.words import LOOKS, STEPS, TACTICS_ZH, Look, Step, step_of
from fsoc.feeds.words import Word, share_said

NOT_ASKED: Final = Word("not in the baseline", "基準未列")
OWN: Final = Word("named by tickets of own rules", "機構自訂規則曾觸發")

_STYLE: Final = """
.matrix { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: .5rem; align-items: start; }
.tactic { border: 1px solid #777; border-radius: 3px; padding: .25rem; }
.tactic h3 { margin: 0 0 .15rem; font-size: .95em; } .tactic p { margin: 0 0 .25rem; font-size: .8em; color: #444; }
.tactic ul { list-style: none; margin: 0; padding: 0; font-size: .78em; line-height: 1.3; }
.tactic li { padding: .08em .3em; margin: 1px 0; border-radius: 2px; border: 1px solid transparent;
  overflow-wrap: anywhere; }
.tactic li.sub { margin-left: .9em; } .tactic li.none { color: #555; border-color: #ddd; }
.tactic li .n { float: right; margin-left: .4em; font-variant-numeric: tabular-nums; } .sign { font-weight: 700; }
.vh { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
li, .swatch, .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
"""
_COLOURS: Final = [
    *((status, look.fill, look.ink) for status, look in LOOKS.items()),
    *((str(place), step.fill, step.ink) for place, step in enumerate(STEPS)),
]
STYLE: Final = _STYLE + "\n".join(f".s-{name} {{ background: {fill}; color: {ink}; }}" for name, fill, ink in _COLOURS)


def matrix(group: Group, norm: Norm) -> Iterator[str]:
    """A part for each tactic, in kill-chain order."""
    yield '<div class="matrix">'
    for tactic in norm.techniques.tactics():
        yield from _tactic(tactic, group, norm)
    yield "</div>"


def _tactic(tactic: Tactic, group: Group, norm: Norm) -> Iterator[str]:
    techniques = norm.techniques.of_tactic(tactic.short)
    bases = [technique for technique in techniques if "." not in technique.id]
    asked = [technique for technique in techniques if technique.id in group.techniques]
    counts = [group.techniques[technique.id] for technique in asked]
    covered, total = sum(each.get("covered", 0) for each in counts), sum(sum(each.values()) for each in counts)
    share = share_said(covered / total if total else None)
    zh = TACTICS_ZH.get(tactic.id, "")
    yield f'<section class="tactic" id="{escape(tactic.id)}">'
    yield f'<h3>{escape(tactic.name)} <span lang="zh-Hant">{zh}</span></h3>'
    yield (
        f"<p>{escape(tactic.id)} · covered · 涵蓋 <b>{escape(share)}</b> · "
        f"{len(asked)} asked · 要求; {len(bases)} techniques · 技術</p><ul>"
    )
    for technique in bases:
        yield _cell(technique, group, is_sub=False)
        for part in asked:
            if part.id.startswith(f"{technique.id}."):
                yield _cell(part, group, is_sub=True)
    yield "</ul></section>"


def _cell(technique: Technique, group: Group, *, is_sub: bool) -> str:
    counts = group.techniques.get(technique.id)
    name = f"<b>{escape(technique.id)}</b> {escape(technique.name)}{_own(technique, group)}"
    kind = " sub" if is_sub else ""
    if counts is None:
        sign = '<span class="sign" aria-hidden="true">·</span>'
        return f'<li class="none{kind}">{sign} {name}{_hidden(NOT_ASKED.both)}</li>'
    number, style, look, told = _drawn(counts, is_one=len(group.members) == 1)
    return (
        f'<li class="s-{style}{kind}" title="{escape(told)}">{number}<span class="sign" aria-hidden="true">{look.sign}'
        f"</span> {name}{_hidden(told)}</li>"
    )


def _drawn(counts: Mapping[Status, int], *, is_one: bool) -> tuple[str, str, Look | Step, str]:
    """Number, class and sign of a cell, and what tells the same in words: one institution's status, or a share."""
    if is_one:
        status = status_of(counts)
        return "", status, LOOKS[status], LOOKS[status].word.both
    place = step_of(covered_share(counts))
    number = f'<span class="n">{counts.get("covered", 0)}/{sum(counts.values())}</span>'
    return number, str(place), STEPS[place], told_of(counts)


def _own(technique: Technique, group: Group) -> str:
    tickets = sum(member.own.get(technique.id, 0) for member in group.members)
    if not tickets:
        return ""
    return (
        f' <span title="{escape(OWN.both)}: {tickets}" aria-hidden="true">＋</span>{_hidden(f"{OWN.both}: {tickets}")}'
    )


def _hidden(text: str) -> str:
    """For who listens: what the sign and the colour tell who looks."""
    return f'<span class="vh">, {escape(text)}</span>'


def told_of(counts: Mapping[Status, int]) -> str:
    """`3 of 5 covered (60 %); 2 missing`, in both languages."""
    told = "; ".join(f"{counts[status]} {LOOKS[status].word.both}" for status in STATUSES if counts.get(status))
    return f"{told} ({100 * covered_share(counts):.0f} %)"
