"""Feedback as parts that a page can lay out: headed lists, tables and texts, in one language. Pure; no markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fsoc.channels.marks import Language
from fsoc.channels.words import defanged, how_to_answer, taipei, term, word
from fsoc.sharing.model import Feedback, Source, Statement

DEFANGED: Final = "written so that nobody follows them by accident; STIX and JSON have them as they are"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with their values, one a line."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Rows:
    """A table. code: columns whose values are as machines write them."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    code: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Said:
    """A paragraph; or with `is_small`, a remark."""

    text: str
    is_small: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Code:
    """A rule or a query, to be copied. title: what it is."""

    title: str
    text: str


Part = Facts | Rows | Said | Items | Code


@dataclass(frozen=True, slots=True)
class Query:
    """A hunting rule in a SIEM's language. text: None where it cannot say it. notes: what to know, or why not."""

    system: str
    text: str | None
    notes: Sequence[tuple[str, str]] = ()


Queries = Mapping[str, Sequence[Query]]
"""By a hunting rule's id."""


def parts(feedback: Feedback, language: Language, queries: Queries | None = None) -> Iterator[tuple[str, list[Part]]]:
    """Each heading with what stands below it, in the order in which a reader needs it; empty ones are left out."""
    zh = language == "zh-TW"
    yield word("Joint SOC feedback", language), [_head(feedback, language)]
    yield word("Why this concerns you", language), list(_own(feedback, language))
    if feedback.changes:
        told = [one.text_zh if zh else one.text for one in feedback.changes]
        yield word("What changed", language), [Items(told)]
    if feedback.statement is not None:
        yield from _stated(feedback.statement, language, queries or {})
    handling = feedback.handling.text_zh if zh else feedback.handling.text
    yield word("Handling", language), [Said(f"TLP:{feedback.tlp.upper()}"), Said(handling)]
    if feedback.status != "retracted":
        yield word("How to answer", language), [Said(how_to_answer(feedback, language))]


def _head(feedback: Feedback, language: Language) -> Facts:
    return Facts(
        [
            (word("alert", language), feedback.alert_id),
            (word("revision", language), str(feedback.revision)),
            (word("status", language), word(feedback.status, language)),
            (word("level", language), word(feedback.level, language)),
            (word("told at", language), f"{taipei(feedback.told_at)} ({word('Asia/Taipei', language)})"),
            (word("for", language), feedback.institution),
        ]
    )


def _own(feedback: Feedback, language: Language) -> Iterator[Part]:
    yield Said(feedback.why.text_zh if language == "zh-TW" else feedback.why.text)
    rows = [
        (word("your tickets in it", language), ", ".join(feedback.ticket_ids)),
        (word("your feed", language), feedback.feed or ""),
        (word("your baseline rule", language), feedback.trigger_rule_id or ""),
    ]
    if any(value for _, value in rows):
        yield Facts([row for row in rows if row[1]])


def _stated(statement: Statement, language: Language, queries: Queries) -> Iterator[tuple[str, list[Part]]]:
    yield word("What happened", language), list(_happened(statement, language))
    if statement.techniques:
        yield word("Techniques", language), [_techniques(statement, language)]
    if statement.timeline:
        yield word("Timeline", language), [_timeline(statement, language)]
    if statement.indicators:
        yield word("Indicators", language), list(_indicators(statement, language))
    if statement.hunt:
        yield word("What to hunt for", language), list(_hunt(statement, language, queries))
    if statement.mitigations:
        yield word("What helps", language), [_mitigations(statement, language)]


def _happened(statement: Statement, language: Language) -> Iterator[Part]:
    yield Said(statement.summary.text_zh if language == "zh-TW" else statement.summary.text)
    at_least = statement.institution_count_at_least
    rows = [
        (
            word("institutions concerned, at least", language),
            str(at_least) if at_least is not None else word("not told", language),
        ),
        (word("confidence", language), "" if statement.confidence is None else f"{statement.confidence} / 100"),
        (word("first seen", language), taipei(statement.first_seen, hour=True)),
        (word("last seen", language), taipei(statement.last_seen, hour=True)),
        (word("asset types", language), ", ".join(term(one, language) for one in statement.asset_types)),
        (word("categories", language), ", ".join(term(one, language) for one in statement.categories)),
        (word("suppliers", language), ", ".join(statement.suppliers)),
        (word("reported by", language), ", ".join(_source(one, language) for one in statement.sources)),
    ]
    yield Facts([row for row in rows if row[1]])


def _source(source: Source, language: Language) -> str:
    name = source.name_zh if language == "zh-TW" else source.name
    sector = term(source.sector, language)
    return f"{name or source.institution} ({sector})" if source.institution else sector


def _techniques(statement: Statement, language: Language) -> Rows:
    zh = language == "zh-TW"
    return Rows(
        [word(name, language) for name in ("tactic", "technique", "name")],
        [[one.tactic_name_zh if zh else one.tactic_name, one.technique, one.name] for one in statement.techniques],
        frozenset({1}),
    )


def _timeline(statement: Statement, language: Language) -> Rows:
    names = {one.tactic: one.tactic_name_zh if language == "zh-TW" else one.tactic_name for one in statement.techniques}
    return Rows(
        [word(name, language) for name in ("tactic", "first seen", "last seen", "technique")],
        [
            [
                names.get(one.tactic, one.tactic),
                taipei(one.first_seen, hour=True),
                taipei(one.last_seen, hour=True),
                ", ".join(one.techniques),
            ]
            for one in statement.timeline
        ],
        frozenset({3}),
    )


def _indicators(statement: Statement, language: Language) -> Iterator[Part]:
    yield Rows(
        [word(name, language) for name in ("type", "value", "role", "confidence", "basis")],
        [
            [
                term(one.type, language),
                defanged(one.type, one.value),
                term(one.role, language),
                str(one.confidence),
                word(one.basis, language),
            ]
            for one in statement.indicators
        ],
        frozenset({1}),
    )
    yield Said(word(DEFANGED, language), is_small=True)


def _hunt(statement: Statement, language: Language, queries: Queries) -> Iterator[Part]:
    for one in statement.hunt:
        title = one.title_zh if language == "zh-TW" else one.title
        yield Code(f"{title} · Sigma {one.rule_id}", one.sigma)
        for query in queries.get(one.rule_id, ()):
            yield from _queried(title, query, language)


def _queried(title: str, query: Query, language: Language) -> Iterator[Part]:
    notes = [zh if language == "zh-TW" else en for en, zh in query.notes]
    if query.text is None:
        yield Said(f"{query.system}: {word('cannot be said there', language)}: {'; '.join(notes)}", is_small=True)
        return
    yield Code(f"{title} · {word('query for', language)} {query.system}", query.text)
    yield from (Said(note, is_small=True) for note in notes)


def _mitigations(statement: Statement, language: Language) -> Rows:
    zh = language == "zh-TW"
    return Rows(
        ["ATT&CK", word("name", language), word("against", language)],
        [[one.id, one.name_zh if zh else one.name, ", ".join(one.techniques)] for one in statement.mitigations],
        frozenset({0, 2}),
    )
