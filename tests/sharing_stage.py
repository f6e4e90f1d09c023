"""A sharing stage on lists for topics: alerts in, what each institution was told, and the audit."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import orjson

from fsoc.attack.techniques import Techniques
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Institution, Registry
from fsoc.sharing.caution import CAUTION
from fsoc.sharing.records import decision_key
from fsoc.sharing.stage import Sharing

MAPPINGS = Path(__file__).parents[1] / "attack_mappings"
NOON = 1_772_452_800_000  # 2026-03-02T12:00Z, 20:00 in Taiwan
HOUR = 3_600_000
DAY = 24 * HOUR


@cache
def techniques():
    return Techniques.parse([(str(path), path.read_text()) for path in sorted(MAPPINGS.glob("*.tsv"))])


def members(count, prefix="aa-", **more):
    """Institutions aa-01 to aa-<count>, of one sector; more: by id, what is otherwise."""
    names = [f"{prefix}{number:02d}" for number in range(1, count + 1)]
    return Registry(
        {
            name: Institution(
                **{
                    "id": name,
                    "name": f"Member {name}",
                    "name_zh": f"會員{name}",
                    "sector": "bank",
                    "tier": 1,
                    "group": None,
                    "feeds": ("siem",),
                    **more.get(name, {}),
                }
            )
            for name in names
        }
    )


def alert(tickets, revision=1, status="open", **changes):
    """A joint alert on an address. tickets: by institution; in `sharing`, what is not as usual."""
    sharing = {
        "confidence": 80,
        "tlp": "amber",
        "told_tlp": "amber",
        "institutions_least": 2,
        "stands": True,
        "institutions": sorted(tickets),
        "key": "attacker",
        "offers": [],
        "attribution": {},
        "red": None,
        **changes.pop("sharing", {}),
    }
    return {
        "schema": "fsoc.alert/1",
        "alert_id": "al-1",
        "revision": revision,
        "status": status,
        "kind": "joint",
        "rule_title": "One attacker at two institutions or more",
        "rule_title_zh": "同一攻擊者現蹤兩家以上機構",
        "level": "high",
        "environment": "production",
        "group": {"indicator": "185.220.101.7"},
        "first_seen": "2026-03-02T09:14:00.000Z",
        "last_seen": "2026-03-02T11:59:00.000Z",
        "attack": [{"tactic": "initial-access", "technique": "T1566.002"}],
        "timeline": [
            {
                "tactic": "initial-access",
                "techniques": ["T1566.002"],
                "first_seen": "2026-03-02T09:14:00.000Z",
                "last_seen": "2026-03-02T11:59:00.000Z",
                "tickets": 4,
                "institutions": 4,
            }
        ],
        "institution_count": len(tickets),
        "institutions": sorted(tickets),
        "tickets": {name: list(tickets[name]) for name in sorted(tickets)},
        "suppressed": None,
        "explanation": {"text": " ".join(tickets), "share": dict.fromkeys(tickets, 1)},
        "sharing": sharing,
        **changes,
    }


def own(*names):
    """A ticket each."""
    return {name: [f"ticket-of-{name}"] for name in names}


class Teller:
    """The stage, and everything that it said. registry, caution: may be replaced."""

    def __init__(self, registry=None, caution=CAUTION):
        self.setting = SimpleNamespace(
            rules=SimpleNamespace(techniques=techniques()), registry=registry or members(12), caution=caution
        )
        self.stage = Sharing(self.setting)
        self.state = {}
        self.log = []  # what was written to the state, in order
        self.published = []
        self.records = []

    def hear(self, *words, at=NOON):
        """Take alerts and decisions, each a record; return what each institution was told by it, newest last."""
        records = []
        for word in words:
            key = word["alert_id"].encode() if "rule_title" in word else decision_key(word["decision_id"])
            records.append(Record(len(self.records) + len(records), at, key, orjson.dumps(word)))
        self.records += records
        return self.work(records)

    def work(self, records):
        return self.keep(self.stage.work(records))

    def keep(self, outputs):
        self.log += outputs.state
        self.state.update(outputs.state)
        for key in outputs.forgotten:
            self.state.pop(key, None)
            self.log.append((key, None))
        self.published += outputs.published
        return told_by(outputs.published)

    def restart(self, state=None):
        """Another stage on what is in the state; return what it says at once."""
        self.stage = Sharing(self.setting)
        for key, value in (self.state if state is None else state).items():
            self.stage.restore(key, value)
        return self.keep(self.stage.restored())

    @property
    def audit(self):
        return [item.value for item in self.published if item.topic == "audit"]

    def heard_by(self, name):
        """Every record that an institution was told, in order."""
        return [item.value for item in self.published if item.topic == f"feedback.{name}"]


def told_by(published):
    """What these say, by institution."""
    found = {}
    for item in published:
        kind, _, name = item.topic.partition(".")
        if kind == "feedback":
            found.setdefault(name, []).append(orjson.loads(item.value))
    return {name: said[-1] for name, said in found.items()}


def decision(op, alert_id="al-1", number=1, **changes):
    return {
        "decision_id": f"de-{number}",
        "op": op,
        "alert_id": alert_id,
        "by": "lin",
        "reason": "looked at",
        "decided_at": "2026-03-02T12:00:00.000Z",
        **changes,
    }
