"""One record of feedback as a STIX 2.1 bundle, by the `stix2` library. Pure: times are the record's own.

A report holds it together; what it is about are indicators, sightings, attack-patterns and courses of action. Of how
many institutions saw it a sighting says the rounded number alone, and never where. A revision of the record updates the
same objects: ids and `created` stay, `modified` moves; what is retracted or withdrawn is revoked. What is revoked stays
so: where it is told again it is another object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import stix2

from fsoc.channels.marks import marked
from fsoc.channels.stix_common import PRODUCER, TLP_IDS, Object, marking, mitigations, producer, techniques
from fsoc.channels.stix_ids import stix_id
from fsoc.channels.stix_patterns import pattern_of
from fsoc.sharing.model import Feedback, Hunt, Indicator, Statement, Withdrawn
from fsoc.tickets.times import milliseconds, rfc3339

VALID_MS: Final = 30 * 86_400_000
"""How long an indicator holds after it was last told. What is never told again ends by itself."""


def objects_of(feedback: Feedback) -> list[Any]:
    """Every object of the record as `stix2` has it, each checked strictly.

    Raises:
        stix2.exceptions.STIXError: a defect: what is told is no STIX.
    """
    return [stix2.parse(one, allow_custom=False, version="2.1") for one in _objects(feedback)]


def bundle_of(feedback: Feedback) -> str:
    """The record as one bundle, JSON; of the same record always the same text."""
    name = stix_id("bundle", feedback.institution, feedback.alert_id, str(feedback.revision))
    return str(stix2.Bundle(objects=objects_of(feedback), id=name).serialize(ensure_ascii=False))


def _objects(feedback: Feedback) -> Iterator[Object]:
    about = _About(feedback)
    yield producer()
    yield marking("clear")
    yield marking(feedback.tlp)
    content = list(about.content())
    yield from content
    yield from about.withdrawn()
    refs = [one["id"] for one in content if one["type"] != "relationship"] or [PRODUCER]
    report = about.report(refs)
    yield report
    yield about.in_chinese(report)
    yield about.note(report["id"])


class _About:
    """The objects of one record."""

    def __init__(self, feedback: Feedback) -> None:
        self._feedback = feedback
        self._is_revoked = feedback.status == "retracted"
        # Two revisions may be told within a millisecond, and every version of an object needs a time of its own.
        told_at = rfc3339(milliseconds(feedback.told_at)).removesuffix("Z")
        self._modified = f"{told_at}{feedback.revision % 1000:03}Z"
        self._earlier: dict[tuple[str, str], str | None] = {
            (one.type, one.value): one.earlier for one in feedback.withdrawn
        }

    def content(self) -> Iterator[Object]:
        statement = self._feedback.statement
        if statement is None:
            return
        patterns = list(techniques(statement.techniques))
        yield from patterns
        yield from mitigations(statement.mitigations, patterns)
        shared: list[str] = []
        for one in statement.indicators:
            made = self._indicator(one, statement)
            if made is None:
                continue
            yield made
            if one.basis == "shared" and made["type"] == "indicator":
                shared.append(made["id"])
        for hunt in statement.hunt:
            yield self._hunt(hunt)
        for target in shared:
            yield self._sighting(statement, target, target)
        if not shared:
            for pattern in patterns:
                technique = pattern["external_references"][0]["external_id"]
                yield self._sighting(statement, pattern["id"], *self._telling("technique", technique))

    def withdrawn(self) -> Iterator[Object]:
        """What this institution was told, and is told no more: revoked, with what was seen of it."""
        statement = self._feedback.statement
        if statement is None:
            return
        for one in self._feedback.withdrawn:
            if one.is_told:
                continue
            if one.type == "technique":
                target, parts = self._id("report"), self._telling(one.type, one.value)
            else:
                made = self._withdrawn(one)
                if made is None:
                    continue
                yield {**made, "revoked": True}
                target, parts = made["id"], (made["id"],)
            if one.type not in {"sigma", "cve"}:
                yield {**self._sighting(statement, target, *parts), "revoked": True}

    def report(self, refs: Iterable[str]) -> Object:
        feedback, statement = self._feedback, self._feedback.statement
        own = [{"source_name": "own-ticket", "external_id": ticket} for ticket in feedback.ticket_ids]
        return {
            **self._versioned("report"),
            "name": marked(feedback.title, feedback, "en"),
            "description": "\n\n".join(
                [*(() if statement is None else (statement.summary.text,)), feedback.why.text, feedback.handling.text]
            ),
            "report_types": ["threat-report"],
            "published": self._created,
            "lang": "en",
            "labels": [feedback.kind, feedback.level, feedback.status, *self._exercise()],
            "external_references": [{"source_name": "fsoc", "external_id": feedback.alert_id}, *own],
            "object_refs": list(dict.fromkeys(refs)),
        }

    def in_chinese(self, report: Object) -> Object:
        feedback, statement = self._feedback, self._feedback.statement
        description = "\n\n".join(
            [
                *(() if statement is None else (statement.summary.text_zh,)),
                feedback.why.text_zh,
                feedback.handling.text_zh,
            ]
        )
        name = marked(feedback.title_zh, feedback, "zh-TW")
        return {
            **self._versioned("language-content"),
            "object_ref": report["id"],
            "contents": {"zh-TW": {"name": name, "description": description}},
        }

    def note(self, report: str) -> Object:
        """Why this institution is told, and what is otherwise than before: of it alone."""
        feedback = self._feedback
        lines = [(feedback.why.text, feedback.why.text_zh), *((one.text, one.text_zh) for one in feedback.changes)]
        return {
            **self._versioned("note"),
            "abstract": marked("Why this concerns you  與貴機構之關聯", feedback, "en"),
            "content": "\n".join(text for line in lines for text in line),
            "object_refs": [report],
        }

    def _indicator(self, one: Indicator, statement: Statement) -> Object | None:
        """None where neither STIX nor a vulnerability can say it; the hunting rules do."""
        if one.type == "cve":
            reference = {"source_name": "cve", "external_id": one.value}
            return {
                **self._versioned("vulnerability", *self._telling(one.type, one.value)),
                "name": one.value,
                "description": _described(one, statement),
                "external_references": [reference],
            }
        pattern = pattern_of(one.type, one.value)
        if pattern is None:
            return None
        return {
            **self._versioned("indicator", *self._telling(one.type, one.value)),
            "name": marked(one.value, self._feedback, "en"),
            "description": _described(one, statement),
            "indicator_types": ["malicious-activity"],
            "pattern": pattern,
            "pattern_type": "stix",
            "confidence": one.confidence,
            "labels": [one.role, one.basis, *self._exercise()],
            **self._valid(statement.first_seen),
        }

    def _hunt(self, hunt: Hunt) -> Object:
        return {
            # By the kind of log: the rule's own id is of its content, and the next day's rule replaces this one.
            **self._versioned("indicator", *self._telling("sigma", hunt.title)),
            "name": marked(hunt.title, self._feedback, "en"),
            "description": hunt.title_zh,
            "indicator_types": ["malicious-activity"],
            "pattern": hunt.sigma,
            "pattern_type": "sigma",
            "labels": ["hunt", *self._exercise()],
            "external_references": [{"source_name": "sigma", "external_id": hunt.rule_id}],
            **self._valid(self._created),
        }

    def _withdrawn(self, one: Withdrawn) -> Object | None:
        """As little as STIX asks for; None where it was never said in STIX."""
        parts = self._telling(one.type, one.value)
        if one.type == "cve":
            return {**self._versioned("vulnerability", *parts), "name": one.value}
        if one.type == "sigma":
            pattern: str | None = f"title: {one.value}\nstatus: deprecated\n"
        else:
            pattern = pattern_of(one.type, one.value)
        if pattern is None:
            return None
        return {
            **self._versioned("indicator", *parts),
            "name": marked(one.value, self._feedback, "en"),
            "indicator_types": ["malicious-activity"],
            "pattern": pattern,
            "pattern_type": "sigma" if one.type == "sigma" else "stix",
            "labels": ["withdrawn", *self._exercise()],
            **self._valid(self._created),
            "valid_until": self._modified,  # for those who look at nothing else: it has ended
        }

    def _sighting(self, statement: Statement, target: str, *parts: str) -> Object:
        """How many at least, where that may be told; who and where never. parts: which of this alert it is."""
        at_least = statement.institution_count_at_least
        counted = "" if at_least is None else f" by at least {at_least} institutions; the number is rounded down"
        return {
            **self._versioned("sighting", *parts),
            "sighting_of_ref": target,
            "summary": True,
            "description": f"Seen in the sector{counted}.",
            "first_seen": rfc3339(milliseconds(statement.first_seen)),
            "last_seen": rfc3339(milliseconds(statement.last_seen)),
            **({} if at_least is None else {"count": at_least}),
        }

    def _valid(self, since: str) -> Object:
        """From when to when. Where clocks would have it end before it begins, it begins when it was told."""
        until_ms = milliseconds(self._feedback.told_at) + VALID_MS
        since_ms = min(milliseconds(since), milliseconds(self._feedback.told_at))
        return {"valid_from": rfc3339(since_ms), "valid_until": rfc3339(until_ms)}

    @property
    def _created(self) -> str:
        return rfc3339(min(milliseconds(self._feedback.first_told_at), milliseconds(self._feedback.told_at)))

    def _telling(self, kind: str, value: str) -> tuple[str, ...]:
        """Which of the times that a value was told this is: what was revoked never comes back, something new does."""
        earlier = self._earlier.get((kind, value))
        return (kind, value) if earlier is None else (kind, value, earlier)

    def _id(self, kind: str, *parts: str) -> str:
        feedback = self._feedback
        again = (str(feedback.retractions),) if feedback.retractions else ()
        return stix_id(kind, feedback.institution, feedback.alert_id, *parts, *again)

    def _versioned(self, kind: str, *parts: str) -> Object:
        """The beginning of an object of this alert and institution, in the version of this revision."""
        feedback = self._feedback
        return {
            "type": kind,
            "spec_version": "2.1",
            "id": self._id(kind, *parts),
            "created_by_ref": PRODUCER,
            "created": self._created,
            "modified": self._modified,
            "object_marking_refs": [TLP_IDS[feedback.tlp]],
            **({"revoked": True} if self._is_revoked else {}),
        }

    def _exercise(self) -> list[str]:
        return ["exercise"] if self._feedback.exercise else []


_BASES: Final = {
    "shared": "Several institutions of the sector have it, and it is what joined their tickets.",
    "offered": "One institution of the sector has it, and lets it be told.",
}


def _described(one: Indicator, statement: Statement) -> str:
    return f"{_BASES[one.basis]} {statement.summary.text}"
