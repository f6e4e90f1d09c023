"""What must hold of a run that is over, read from its topics alone. Every failure says which law, where and what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from fsoc.campaigns.records import DECISION
from fsoc.correlation.entries import GroupKey
from fsoc.correlation.progress import SINCE
from fsoc.feeds.quality import DAYS_KEPT
from fsoc.feeds.record import Record
from tests.oracles.sector_oracle import as_told, standing
from tests.oracles.tickets_oracle import event_time, final_tickets, known_since, ms
from tests.simulation.check_campaigns import check_campaigns, check_links
from tests.simulation.members import FUTURE_MAX_MS, Member, matches
from tests.simulation.simulate import Run
from tests.simulation.worker import PREFIX

LATENESS_FACTOR_MAX = 4
"""An institution's allowed lateness may be raised by what was measured of it: to at most this many times its own."""
NOT_DIGESTED = ("sent_at", "seq", "seq_epoch", "received_at", "processed_at", "signature")


def check(run: Run) -> None:
    """Raise AssertionError for the first thing that does not hold."""
    outcomes = {member.name: check_outcomes(run, member) for member in run.sector.members}
    check_alerts(run, outcomes)
    check_revisions(run)
    check_final(run)
    check_decided(run)
    check_campaigns(run)
    check_state(run)


def told(run: Run, name: str) -> dict[int, str]:
    """Offset → outcome, of the receipts; each offset has one, however often it was told."""
    found: dict[int, str] = {}
    for part in run.of(f"receipts.{name}"):
        for record in part:
            for receipt in orjson.loads(record.value or b""):
                known = found.setdefault(receipt["offset"], receipt["outcome"])
                assert known == receipt["outcome"], f"{name}@{receipt['offset']}: {known}, then {receipt['outcome']}"
    return found


def check_outcomes(run: Run, member: Member) -> dict[int, str]:
    """Laws 2, 3, 4 and 6: each outcome is what the messages before it make it; none is missing; the counts add up."""
    (records,) = run.of(f"tickets.{member.name}")
    outcomes = told(run, member.name)
    assert sorted(outcomes) == [record.offset for record in records], f"{member.name}: receipts of other offsets"
    garbage = {message.payload for message in run.sector.traffic if message.is_garbage}
    judge = _Judge(member.lateness_ms)
    for record in records:
        outcome = outcomes[record.offset]
        allowed = {"quarantined"} if record.value in garbage else judge.allowed(record)
        assert outcome in allowed, f"{member.name}@{record.offset}: {outcome}, expected {' or '.join(sorted(allowed))}"
        judge.take(record, outcome)
    header = newest(run, "intake.state")[f"{member.name}/header".encode()]
    counts = orjson.loads(header)
    kinds = {"used": "accepted", "duplicate": "duplicate", "late": "late", "quarantined": "quarantined"}
    for kind, word in kinds.items():
        there = sum(outcome == word for outcome in outcomes.values())
        assert counts[kind] == there, f"{member.name}: {counts[kind]} {kind} counted, {there} receipted"
    assert counts["received"] == len(records), f"{member.name}: {counts['received']} of {len(records)} received"
    return outcomes


class _Judge:
    """What an institution's next message may be, from those before it."""

    def __init__(self, lateness_ms: int) -> None:
        self._lateness_ms = lateness_ms
        self._watermark_ms: int | None = None
        self._newest: dict[tuple[str, str], tuple[int, bytes]] = {}

    def allowed(self, record: Record) -> set[str]:
        body = json.loads(record.value or b"")
        if body["kind"] == "source_status":
            return {"accepted"}
        at = event_time(body, self._lateness_ms)
        if at > record.timestamp_ms + FUTURE_MAX_MS:
            return {"quarantined"}
        known = self._newest.get((body["environment"], body["ticket_id"]))
        if known is not None and known[0] == body["revision"]:
            return {"duplicate"} if known[1] == _same(body) else {"quarantined"}
        if known is not None or self._watermark_ms is None or at >= self._watermark_ms - self._lateness_ms:
            return {"accepted"}
        late_for_all = at < self._watermark_ms - LATENESS_FACTOR_MAX * self._lateness_ms
        return {"late"} if late_for_all else {"late", "accepted"}

    def take(self, record: Record, outcome: str) -> None:
        body = json.loads(record.value or b"") if outcome == "accepted" else {"kind": ""}
        if body["kind"] not in {"ticket", "intel"}:
            return
        name = (body["environment"], body["ticket_id"])
        if name not in self._newest or self._newest[name][0] < body["revision"]:
            self._newest[name] = (body["revision"], _same(body))
        self._watermark_ms = max(self._watermark_ms or 0, event_time(body, self._lateness_ms))


def _same(body: dict[str, Any]) -> bytes:
    """What a re-send may not change."""
    return json.dumps({name: body[name] for name in sorted(body) if name not in NOT_DIGESTED}).encode()


def used_messages(run: Run, member: Member, outcomes: Mapping[int, str]) -> list[tuple[bytes, int]]:
    """Payload and allowed lateness of what was used."""
    (records,) = run.of(f"tickets.{member.name}")
    return [(record.value or b"", member.lateness_ms) for record in records if outcomes[record.offset] == "accepted"]


def stands(run: Run, outcomes: Mapping[str, Mapping[int, str]]) -> dict[str, dict[str, Any]]:
    """The alerts and links that the final tickets make."""
    used = {member.name: used_messages(run, member, outcomes[member.name]) for member in run.sector.members}
    tickets = [ticket for name, messages in used.items() for ticket in final_tickets(name, messages)]
    since = {name: at for name, messages in used.items() if (at := known_since(messages)) is not None}
    return standing(run.sector.rules, tickets, matches, run.sector.holdings, since)


def check_alerts(run: Run, outcomes: Mapping[str, Mapping[int, str]]) -> None:
    """Law 7: what stands is what the final tickets say, whatever has happened on the way."""
    links = {rule.id for rule in run.sector.rules if rule.link}
    everything = stands(run, outcomes)
    check_links(run, {name: alert for name, alert in everything.items() if alert["rule_id"] in links})
    expected = {name: alert for name, alert in everything.items() if alert["rule_id"] not in links}
    found = {name: as_told(alert) for name, alert in newest_alerts(run).items() if alert["status"] != "retracted"}
    assert found.keys() == expected.keys(), (
        f"missing {[expected[name] for name in sorted(expected.keys() - found.keys())]}, "
        f"too many {[found[name] for name in sorted(found.keys() - expected.keys())]}"
    )
    for name, alert in expected.items():
        differing = {
            field: (found[name][field], value) for field, value in alert.items() if found[name][field] != value
        }
        assert not differing, f"{name} of {alert['rule_id']}, found and expected: {differing}"


def newest_alerts(run: Run) -> dict[str, dict[str, Any]]:
    """The highest revision of each alert."""
    found: dict[str, dict[str, Any]] = {}
    for part in run.of("alerts"):
        for record in part:
            alert = orjson.loads(record.value or b"")
            if alert["alert_id"] not in found or found[alert["alert_id"]]["revision"] < alert["revision"]:
                found[alert["alert_id"]] = alert
    return found


def check_revisions(run: Run) -> None:
    """Law 10: one revision has one body; revisions rise by one where the body changes; in the end nothing is open."""
    bodies: dict[tuple[str, int], bytes] = {}
    for part in run.of("alerts"):
        for record in part:
            alert = orjson.loads(record.value or b"")
            name = (alert["alert_id"], alert["revision"])
            assert bodies.setdefault(name, record.value or b"") == record.value, f"{name} has two bodies"
            assert record.key == alert["alert_id"].encode()
    for (name, revision), body in bodies.items():
        before = bodies.get((name, revision - 1))
        if before is not None:
            without = [{**orjson.loads(one), "revision": 0} for one in (before, body)]
            assert without[0] != without[1], f"{name}: revision {revision} says what {revision - 1} said"
    for name, alert in newest_alerts(run).items():
        assert alert["status"] in {"final", "retracted"}, f"{name} of {alert['rule_id']} is {alert['status']}"


def check_final(run: Run) -> None:
    """Law 8: what is final changes only where a ticket of its group is put or withdrawn after all.

    A correction may come after the end, and so may a ticket of a member that was cut off, or of one whose intake was
    not worked while the others' was.
    """
    changed: dict[tuple[str, str, str], list[Record]] = {}
    for part in run.of("detections"):
        for record in part:
            if record.key is not None:
                rule, environment, group, *_ = orjson.loads(record.key)
                changed.setdefault((rule, environment, group), []).append(record)
    group_by = {rule.id: rule.group_by for rule in run.sector.rules}
    final: dict[str, tuple[dict[str, Any], int, int]] = {}
    (alerts,) = run.of("alerts")
    for record, known in zip(alerts, run.alerts_made, strict=True):
        alert = orjson.loads(record.value or b"")
        body = {name: value for name, value in alert.items() if name not in {"revision", "status", "campaign_id"}}
        name, values = alert["alert_id"], [alert["group"][field] for field in group_by[alert["rule_id"]]]
        group = orjson.dumps(values).decode()
        key = GroupKey(alert["rule_id"], alert["environment"], group)
        committed = known.get((PREFIX + "detections", key.partition(run.sector.partitions)), 0)
        if name in final and alert["revision"] <= final[name][2]:
            continue  # said before: a write that was not answered, made again
        if name in final and (final[name][0] != body or alert["status"] == "retracted"):
            since = final.pop(name)[1]
            # Who works it now need not be who took it: a crash leaves words in the state that were not published.
            why = [
                one for one in changed[tuple(key)] if one.offset >= since and one.timestamp_ms <= record.timestamp_ms
            ]
            assert why, f"{name} of {key} was final, and changed by itself"
        if alert["status"] == "final":
            final[name] = (body, committed, alert["revision"])


def check_decided(run: Run) -> None:
    """Law 8: what more tickets could undo is said when the time it holds at is settled; final is what has ended.

    Only where nothing went wrong: a crash may keep an alert and lose the header that says how far all is settled.
    """
    if +run.faults and set(+run.faults) - {"restored anew", "kept through a rebalance"}:
        return
    settled: list[list[tuple[int, list[int | None]]]] = [
        [(record.timestamp_ms, orjson.loads(record.value)["closed"]) for record in part if record.key == b"header"]
        for part in run.of("correlation.state")
    ]
    rules = {rule.id: rule for rule in run.sector.rules}
    (alerts,) = run.of("alerts")
    for record in alerts:
        alert = orjson.loads(record.value or b"")
        rule = rules[alert["rule_id"]]
        group = orjson.dumps([alert["group"][field] for field in rule.group_by]).decode()
        partition = GroupKey(rule.id, alert["environment"], group).partition(run.sector.partitions)
        said = [closed[rule.depth - 1] for at, closed in settled[partition] if at <= record.timestamp_ms]
        until = max((one for one in said if one is not None), default=0)
        assert rule.rising or ms(alert["window_to"]) < until, f"{alert['alert_id']} of {rule.id} was said too early"
        ends = (ms(alert["window_to"]) // rule.episode_ms + 1) * rule.episode_ms
        assert alert["status"] != "final" or ends <= until, f"{alert['alert_id']} of {rule.id} was final too early"


def newest(run: Run, topic: str) -> dict[bytes, bytes]:
    """What a compacted topic says."""
    found: dict[bytes, bytes] = {}
    for part in run.of(topic):
        for record in part:
            if record.value is None:
                found.pop(record.key or b"", None)
            else:
                found[record.key or b""] = record.value
    return found


def check_state(run: Run) -> None:
    """Nothing is kept of what has expired, and by now everything has but the farewells."""
    kept = sorted(key for key in newest(run, "correlation.state") if key not in (b"header", SINCE))
    assert not kept, f"correlation.state keeps {kept[:5]} and {max(0, len(kept) - 5)} more"
    kept = sorted(key for key in newest(run, "campaign.state") if key != b"header" and not key.startswith(DECISION))
    assert not kept, f"campaign.state keeps {kept[:5]} and {max(0, len(kept) - 5)} more"
    state = newest(run, "intake.state")
    for member in run.sector.members:
        # What was revised stays as long as a replay could reach its messages: for so many messages, not for a time.
        whole = {key for key in state if key.startswith(f"{member.name}/".encode())}
        mine = {key for key in whole if b"/day/" not in key}
        assert len(whole - mine) <= DAYS_KEPT, "more days are kept than are told to be"
        stays = {key for key in mine if b"/ticket/" in key and orjson.loads(state[key])["revision"] > 1}
        keys = {f"{member.name}/header".encode(), f"{member.name}/ticket/production/farewell".encode()}
        assert mine - stays == keys, f"intake.state keeps {sorted(mine - stays - keys)[:5]}"
