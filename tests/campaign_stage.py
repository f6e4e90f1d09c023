"""Links, alerts and decisions as correlate and analysts write them; a stage of campaigns on dicts for topics."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import orjson

from fsoc.campaigns.records import Decision, Reach, Told, decision_key, reach_key, words_of
from fsoc.campaigns.stage import Campaigns
from fsoc.feeds.record import Record

DAY = 86_400_000
NOON = 20_000 * DAY


def make_told(name, tickets, what="link", told=1, at=NOON, **changes):
    """A link or alert on tickets such as `a1 b1`: the letter is the institution, all of them at one time."""
    names = [(f"fi-{text[0]}", text) for text in tickets.split()]
    fields = {
        "id": name,
        "told": told,
        "what": what,
        "partition": 0,
        "status": "open",
        "kind": "joint",
        "rule_id": "rule-of-links" if what == "link" else "rule-of-alerts",
        "rule_title": "A rule",
        "rule_title_zh": "規則",
        "level": "medium",
        "severity": 3,
        "environment": "production",
        "group": {"indicator": f"{name}.example"} if what == "link" else {},
        "members": {institution: institution for institution, _ in names},
        "tickets": tuple(names),
        "attack": (),
        "first_ms": at,
        "last_ms": at,
    }
    return Told(**{**fields, **changes})


def make_decision(op, name, named="", **changes):
    fields = {
        "decision_id": name,
        "op": op,
        "by": "an analyst",
        "reason": "seen by eye",
        "decided_at": "2026-03-02T00:00:00.000Z",
        "environment": "production",
        "named": tuple(named.split()),
    }
    return Decision(**{**fields, **changes})


def record_of(said, offset=0):
    if isinstance(said, Decision):
        key = decision_key(said.decision_id)
    elif isinstance(said, Reach):
        key = reach_key(said.partition)
    else:
        key = said.id.encode()
    return Record(offset, 0, key, msgspec.json.encode(said))


class Topics:
    """State, campaigns and words as the log keeps them, and what must hold of every write."""

    def __init__(self, partitions=1, institutions=40):
        self.setting = SimpleNamespace(
            rules=SimpleNamespace(tactics={"initial_access": 0, "impact": 1}),
            registry=SimpleNamespace(institutions=range(institutions)),
            detections_partitions=partitions,
        )
        self.state, self.campaigns, self.words, self.let_go = {}, {}, {}, set()
        self.bodies = {}
        self.stage = None
        self.offset = 0
        self.start()

    def start(self):
        """A worker that restores what the state says."""
        self.stage = Campaigns(self.setting)
        for key, value in self.state.items():
            self.stage.restore(key, value)
        self.write(self.stage.restored())

    def take(self, *said):
        records = [record_of(one, self.offset + place) for place, one in enumerate(said)]
        self.offset += len(said)
        outputs = self.stage.work(records)
        self.write(outputs)
        return outputs

    def write(self, outputs):
        self.write_state(outputs.state)
        self.publish(outputs.published)
        self.write_state((key, None) for key in outputs.forgotten)

    def write_state(self, records):
        for key, value in records:
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value

    def publish(self, published):
        for item in published:
            if item.topic == "detections":
                for name, word in words_of(item.value).items():
                    known = self.words.get(name)
                    if known is None or word.revision > known.revision:
                        assert word.revision or word.campaign is None
                        self.words[name] = word
                    elif word.revision == known.revision:
                        assert word.campaign == known.campaign, "one revision of a word says two things"
                    if word.let_go:
                        self.let_go.add(name)
                continue
            campaign = orjson.loads(item.value)
            name = campaign["campaign_id"], campaign["revision"]
            assert item.topic == "campaigns"
            assert item.key == name[0].encode()
            assert self.bodies.setdefault(name, item.value) == item.value, "one revision has two bodies"
            before = self.campaigns.get(name[0])
            assert before is None or before["revision"] <= name[1], "a revision fell"
            self.campaigns[name[0]] = campaign

    def standing(self):
        """Campaigns that stand, by id: their records but for the revision."""
        return {
            name: {**one, "revision": 0} for name, one in self.campaigns.items() if one["status"] in {"open", "final"}
        }

    def named(self):
        """Alert → its campaign, of those that have one."""
        return {name: word.campaign for name, word in self.words.items() if word.campaign is not None}

    def only(self):
        (campaign,) = self.standing().values()
        return campaign

    def members(self):
        """Of each campaign that stands, its alerts and links, as one text."""
        return sorted(
            " ".join(sorted([*one["alert_ids"], *(link["id"] for link in one["links"])]))
            for one in self.standing().values()
        )
