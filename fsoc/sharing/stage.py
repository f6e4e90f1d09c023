"""The one partition of sharing: alerts and decisions in; feedback and its audit out. Pure.

    sharing ── Sharing ──┬── sharing.state
                         ├── feedback.<institution>
                         └── audit

What is told, and the audit of it, are functions of the records in their order, their timestamps, the registry and the
settings. What a record comes to is written to the state in one piece before it is told (`Journal`), and taken out when
that is durable: a crash in between has it told again, the same bytes under the same numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from fsoc.attack.techniques import Techniques
from fsoc.correlation.ruleset import RuleSet
from fsoc.feeds.newest import Newest
from fsoc.feeds.record import Outgoing, Outputs, Record
from fsoc.institutions.registry import Registry
from fsoc.sharing.allowed import Names
from fsoc.sharing.caution import Caution
from fsoc.sharing.chain import FIRST, Head, link
from fsoc.sharing.feedback import record
from fsoc.sharing.known import UNKNOWN, Known, Standing, heard, missed, news, settled, standing
from fsoc.sharing.records import TOLD, Decision, Shared, record_of
from fsoc.sharing.statement import DAY_MS, day_of
from fsoc.tickets.times import rfc3339

ALERT: Final = b"alert/"
JOURNAL: Final = b"said/"
HEADER: Final = b"header"

ALERTS_MAX: Final = 20_000
"""Alerts that are kept; past that those leave that are missed least and nothing was heard of for longest, a tenth at
once: what is held last, and before it what stands."""

SETTLED_MS: Final = 35 * DAY_MS
"""So long after the last word of it nothing more is told of an alert that is over."""

FORGOTTEN_MS: Final = 150 * DAY_MS
"""Longer than correlation keeps any alert: from then on nobody can say it again."""


class Setting(Protocol):
    """What all stages share, and what may be replaced between two slices."""

    @property
    def rules(self) -> RuleSet: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def caution(self) -> Caution: ...


class Among:
    """The sector that is told, as it is now."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._names_of: tuple[Registry, int] | None = None
        self._names = Names(())

    @property
    def registry(self) -> Registry:
        return self._setting.registry

    @property
    def techniques(self) -> Techniques:
        return self._setting.rules.techniques

    @property
    def caution(self) -> Caution:
        return self._setting.caution

    @property
    def registered(self) -> int:
        return sum(not one.suspended for one in self.registry.institutions.values())

    @property
    def names(self) -> Names:
        now = (self.registry, len(self.registry.institutions))  # an open registry grows
        if self._names_of is None or self._names_of[0] is not now[0] or self._names_of[1] != now[1]:
            self._names_of, self._names = now, Names(self.registry.institutions.values())
        return self._names


class Journal(Struct, frozen=True):
    """What one record came to, until it has been told. lines: of the audit. hash: of the last of them.

    before, after: what was known of the alert, but for the alert itself.
    """

    alert_id: str
    seq: int
    hash: str
    lines: tuple[str, ...]
    before: Known
    after: Known

    def told(self, but: Container[str]) -> Iterator[Outgoing]:
        """Everything of it that is published. but: institutions that were told something newer."""
        before, after = self.before, self.after
        told = {name: record(before, after, self.alert_id, name) for name in news(before, after) if name not in but}
        return _published(self.alert_id, [line.encode() for line in self.lines], told)


class _Header(Struct):
    offset: int
    seq: int
    hash: str
    swept: str = ""
    told_total: int = 0
    evicted_total: int = 0
    malformed_total: int = 0
    unheeded_total: int = 0


class Sharing:
    """The stage."""

    def __init__(self, setting: Setting) -> None:
        self.among = Among(setting)
        self.known: dict[str, Known] = {}
        self.head = FIRST
        self.told_total = self.evicted_total = self.malformed_total = self.unheeded_total = 0
        self._standings: dict[str, Standing] = {}
        self._offset = -1
        self._swept = ""
        self._restoring = Newest(lambda key, late, known: newness(key, late) < newness(key, known))

    def work(self, records: Sequence[Record]) -> Outputs:
        outputs = Outputs()
        for each in records:
            if each.offset <= self._offset:
                continue  # what came of it is in the state, and was told when that was restored
            try:
                word = record_of(each.key or b"", each.value or b"")
            except msgspec.MsgspecError:
                self.malformed_total += 1  # only fsoc and the console may write here; whoever did, the rest goes on
                continue
            before = self.known.get(word.alert_id, UNKNOWN)
            if before is UNKNOWN and isinstance(word, Shared) and word.kind not in TOLD:
                continue  # one institution's own business
            if each.offset <= before.offset:
                continue
            after = heard(before, word, each.offset, each.timestamp_ms, self.among)
            if after is not before:
                self._say(word.alert_id, before, after, outputs)
            elif isinstance(word, Decision):
                self.unheeded_total += 1
        if records:
            self._offset = max(self._offset, records[-1].offset)
            self._sweep(records[-1].timestamp_ms, outputs)
            outputs.state.append((HEADER, self._header()))
        return outputs

    def idle(self) -> Outputs:
        """Time alone tells nobody anything: it would say that nothing has happened."""
        return Outputs()

    def _say(self, name: str, before: Known, after: Known, outputs: Outputs) -> None:
        """Write down what is known now, and what is said because of it; say it."""
        self._keep(name, after)
        feedback = {each: record(before, after, name, each) for each in news(before, after)}
        lines = []
        for said in _audited(name, before, after, feedback):
            self.head, line = link(self.head, said)
            lines.append(line)
        if lines:
            plain = msgspec.structs.replace
            texts = tuple(line.decode() for line in lines)
            journal = Journal(name, *self.head, texts, plain(before, shared=None), plain(after, shared=None))
            key = JOURNAL + b"%d" % self.head.seq
            # First: it is whole, and what follows of it is found again by it.
            outputs.state.append((key, msgspec.json.encode(journal)))
            outputs.published.extend(_published(name, lines, feedback))
            outputs.forgotten.append(key)
            self.told_total += len(feedback)
        outputs.state.append((ALERT + name.encode(), msgspec.json.encode(after)))

    def _keep(self, name: str, known: Known | None) -> None:
        if known is None:
            del self.known[name], self._standings[name]
            return
        self.known[name] = known
        self._standings[name] = standing(known)

    def _sweep(self, now_ms: int, outputs: Outputs) -> None:
        """Once a day, let go of what nothing can be told of any more; at once where there is too much."""
        day = day_of(now_ms)
        if day > self._swept:
            self._swept = day
            for name, known in list(self.known.items()):
                idle_ms = now_ms - known.at_ms
                over = known.shared is None or known.shared.status != "open"
                if idle_ms > FORGOTTEN_MS:
                    self._forget(name, outputs)
                elif idle_ms > SETTLED_MS and over and not known.settled:
                    self._keep(name, settled(known))
                    outputs.state.append((ALERT + name.encode(), msgspec.json.encode(self.known[name])))
        if len(self.known) > ALERTS_MAX:
            ranks = {name: (missed(known), known.at_ms, name) for name, known in self.known.items()}
            oldest = sorted(ranks, key=ranks.__getitem__)[: ALERTS_MAX // 10]
            self.evicted_total += len(oldest)
            for name in oldest:
                self._forget(name, outputs)

    def _forget(self, name: str, outputs: Outputs) -> None:
        self._keep(name, None)
        outputs.forgotten.append(ALERT + name.encode())

    def _header(self) -> bytes:
        return msgspec.json.encode(
            {
                "offset": self._offset,
                "seq": self.head.seq,
                "hash": self.head.hash,
                "swept": self._swept,
                "told_total": self.told_total,
                "evicted_total": self.evicted_total,
                "malformed_total": self.malformed_total,
                "unheeded_total": self.unheeded_total,
                "alerts": Counter(self._standings.values()),
            }
        )

    def restore(self, key: bytes, value: bytes | None) -> None:
        self._restoring.take(key, value)

    def restored(self) -> Outputs:
        """Rebuild, and say again whatever may not have been said."""
        records = self._restoring.records
        outputs = Outputs(state=list(self._restoring.written_over()))
        header = records.pop(HEADER, None)
        if header is not None:
            self._restore_header(_header_from(header))
        for key, value in records.items():
            if key.startswith(ALERT):
                self._keep(key.removeprefix(ALERT).decode(), known_from(value))
        journals = [(key, journal_from(value)) for key, value in records.items() if key.startswith(JOURNAL)]
        pending = _pending(journal for _, journal in journals)
        for key, journal in sorted(journals, key=lambda each: each[1].seq):
            if journal.seq > self.head.seq:
                self.head = Head(journal.seq, journal.hash)
            known = self.known.get(journal.alert_id, UNKNOWN)
            if known.version < journal.after.version:
                self._keep(journal.alert_id, _as_told(known, journal))
                kept = self.known[journal.alert_id]
                outputs.state.append((ALERT + journal.alert_id.encode(), msgspec.json.encode(kept)))
            told = self.known[journal.alert_id].told
            newer = {name for name in told if told[name].revision > pending.get((journal.alert_id, name), 0)}
            outputs.published.extend(journal.told(newer))
            outputs.forgotten.append(key)
        self._restoring.clear()
        return outputs

    def _restore_header(self, header: _Header) -> None:
        self._offset, self.head, self._swept = header.offset, Head(header.seq, header.hash), header.swept
        self.told_total, self.evicted_total = header.told_total, header.evicted_total
        self.malformed_total, self.unheeded_total = header.malformed_total, header.unheeded_total


def _pending(journals: Iterable[Journal]) -> dict[tuple[str, str], int]:
    """The newest revision of each alert that each institution is told by these.

    Where it was told a newer one, its journal is old, and was written again by a worker that has lost the partition:
    said once more it would be the last word, and the one that a compacted topic keeps.
    """
    newest: dict[tuple[str, str], int] = {}
    for journal in journals:
        for name in news(journal.before, journal.after):
            key = journal.alert_id, name
            newest[key] = max(journal.after.told[name].revision, newest.get(key, 0))
    return newest


def _published(name: str, lines: Sequence[bytes], feedback: Mapping[str, bytes]) -> Iterator[Outgoing]:
    """The audit first: what nobody was told may stand there, but nobody is told what does not."""
    yield from (Outgoing("audit", 0, None, line) for line in lines)
    yield from (Outgoing(f"feedback.{each}", 0, name.encode(), value) for each, value in feedback.items())


def _as_told(known: Known, journal: Journal) -> Known:
    """What was told, where a crash kept that and not what it was told of: that comes again, and adds the rest."""
    return msgspec.structs.replace(
        journal.after, shared=known.shared, offset=journal.before.offset, revision=journal.before.revision
    )


def _audited(name: str, before: Known, after: Known, feedback: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    """What of this the audit has: a decision, that it is held, and what was told to whom."""
    at, decision = rfc3339(after.at_ms), after.decision
    if decision is not None and decision != before.decision:
        said = msgspec.to_builtins(decision)
        del said["schema"]
        yield {**said, "what": "decided", "at": at}
    by = None if decision is None else decision.decision_id
    about = {"at": at, "alert_id": name, "alert_revision": after.revision, "decision_id": by}
    if after.held and not before.held:
        yield {**about, "what": "held"}
    told = {
        institution: {
            "revision": after.told[institution].revision,
            "status": after.told[institution].status,
            "sha256": sha256(value).hexdigest(),
        }
        for institution, value in feedback.items()
    }
    if told:
        yield {**about, "what": "told", "told": told}


known_from: Final = msgspec.json.Decoder(Known).decode
journal_from: Final = msgspec.json.Decoder(Journal).decode
_header_from: Final = msgspec.json.Decoder(_Header).decode


def newness(key: bytes, value: bytes) -> int:
    """Rises with what a record of the state says, whoever wrote it and when.

    Raises:
        msgspec.MsgspecError: it is no such record.
    """
    if key == HEADER:
        return _header_from(value).offset
    return known_from(value).version if key.startswith(ALERT) else 0
