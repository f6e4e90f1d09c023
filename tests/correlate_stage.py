"""A correlate stage on dicts for topics, rules of every type, and the alerts of the final set of entries."""

from __future__ import annotations

import zlib
from operator import attrgetter

import orjson
from correlation_oracle import episodes
from past_oracle import counting

from fsoc.alerts.compose import compose
from fsoc.alerts.identity import alert_id
from fsoc.correlation.conditions import Condition
from fsoc.correlation.entries import Entry, GroupKey
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.past import Novelty, Past
from fsoc.correlation.progress import Claim
from fsoc.correlation.ruleset import RuleSet
from fsoc.correlation.window import Satisfied
from fsoc.feeds.ledger import END_MS
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from tests.builders import VERSION, correlation_rule, progress_of, put_of, withdraw_of

DAY = 86_400_000
INSTITUTIONS = ["aa", "bb", "cc", "dd"]
NOON = 20_000 * DAY


STEPS = ("one", "two", "three")
NUMBERS = ["1", "-2", "0.1", "0.2", "2.5", "1e2"]


def build_rule(condition, fields=("institution",), timespan_ms=3_600_000, kind=None, rules=("detection",), **options):
    return correlation_rule(
        type=kind or ("value_count" if fields else "event_count"),
        rules=rules,
        timespan_ms=timespan_ms,
        condition=Condition(tuple(condition.items())),
        fields=fields,
        **options,
    )


RULES = [
    build_rule({"gte": 2}),
    build_rule({"gte": 3}, timespan_ms=2 * DAY),
    build_rule({"gte": 3}, fields=()),
    build_rule({"eq": 2}),
    build_rule({"gte": 1, "lte": 2}, fields=()),
    build_rule({"gte": 3}, (), kind="temporal", rules=STEPS),
    build_rule({"gte": 2}, (), kind="temporal", rules=STEPS),
    build_rule({"neq": 2}, (), kind="temporal", rules=STEPS),
    build_rule({"gte": 3}, (), 2 * DAY, kind="temporal_ordered", rules=STEPS),
    build_rule({"gte": 2}, (), kind="temporal_ordered", rules=STEPS),
    build_rule({"gt": 5.1}, ("n",), kind="value_sum"),
    build_rule({"gte": 2.7}, ("n",), kind="value_sum", non_negative=True),
    build_rule({"gte": 0.15, "lt": 30}, ("n",), kind="value_avg"),
    build_rule({"gte": 2.5}, ("n",), kind="value_percentile", percentile=90),
    build_rule({"lte": 0.2}, ("n",), kind="value_median"),
    build_rule({"eq": 0}, (), absent=True),
    build_rule({"eq": 0}, (), 2 * DAY, absent=True),
    build_rule({"gte": 2}, spread_ms=1_800_000),
]

# dd is never known. Beside all this, nothing is old enough to be forgotten but in tests of that.
SINCE = {"aa": NOON - DAY, "bb": NOON - 3_600_000, "cc": NOON + 1_800_000}
RULES_OF_PAST = [
    build_rule({"gte": 2}, (), kind="temporal", rules=("one", "two"), past=Past("first_ever", warm_up_ms=0, hub=2)),
    build_rule(
        {"gte": 2}, (), kind="temporal_ordered", rules=STEPS, past=Past("first_ever", warm_up_ms=0, rules=("three",))
    ),
    build_rule({"gte": 1}, past=Past("first_ever", warm_up_ms=0)),
    build_rule({"gte": 1}, past=Past("first_ever", past_ms=4 * DAY, warm_up_ms=0, hub=2)),
    build_rule(
        {"gte": 2},
        rules=("one", "two", "three"),
        past=Past("first_ever", past_ms=DAY, warm_up_ms=0, rules=("two", "three")),
    ),
    build_rule(
        {"gte": 1},
        rules=("one", "two", "three"),
        timespan_ms=2 * 3_600_000,
        past=Past("first_ever", past_ms=DAY, warm_up_ms=0, rules=("two", "three"), agreed=0.6, agreed_hours=2),
    ),
    build_rule({"gte": 0.01}, ("n",), kind="value_sum", past=Past("surge", 1.5, past_ms=6 * DAY, warm_up_ms=0)),
    build_rule({"gte": 2}, past=Past("first_ever", past_ms=5 * 3_600_000, warm_up_ms=0)),
    build_rule({"gte": 2}, past=Past("first_ever", warm_up_ms=7_200_000), timespan_ms=4 * 3_600_000),
    build_rule({"gte": 3}, (), past=Past("surge", surge_factor=1.5, past_ms=12 * 3_600_000, warm_up_ms=0)),
    build_rule({"gte": 2}, past=Past("first_ever_or_surge", 2, past_ms=3 * 3_600_000, warm_up_ms=0, gap_hours=1)),
    build_rule({"gt": 2.5}, ("n",), kind="value_sum", past=Past("surge", 2, past_ms=2 * DAY, warm_up_ms=0)),
    build_rule({"gte": 2}, past=Past(hub=2), timespan_ms=2 * DAY),
    build_rule({"eq": 2}, past=Past("first_ever", past_ms=DAY, warm_up_ms=0, hub=3)),
    build_rule({"gte": -9}, ("n",), kind="value_sum", past=Past("drop", drop=0.3, warm_up_ms=0)),
    build_rule({"gte": -9}, ("n",), kind="value_sum", past=Past("drop", drop=0.6, warm_up_ms=0, drop_hours=2)),
]


def build_pipeline(rule):
    registry = Registry.open()
    for name in INSTITUTIONS:
        registry.get(name)
    ruleset = RuleSet(
        detector=None,
        detections=1,
        correlations={rule.id: rule},
        feeder=Feeder([rule]),
        techniques=None,
        pairs={},
        tactics={},
        version=VERSION,
        retention_ms=rule.retention_ms,
    )
    return Pipeline(ruleset, registry, detections_partitions=1, ends=True)


def key_of(rule, group):
    return GroupKey(rule.id, "production", orjson.dumps([group]).decode())


def entry_of(rule, op):
    _, _, institution, ticket, revision, at = op
    choice = zlib.crc32(f"{institution}{ticket}{revision}".encode())
    values = ((institution,),) if rule.fields else ()
    if rule.numeric:
        texts = [NUMBERS[choice % 6], NUMBERS[choice // 6 % 6]][: 1 + choice // 36 % 2]
        values = tuple((text,) for text in sorted(texts) if not (rule.non_negative and text.startswith("-"))) or (
            ("0",),
        )
    matched = [step for bit, step in enumerate(rule.rules) if (choice % 7 + 1) >> bit & 1]
    ends = rule.absent and choice % 5 == 0
    matched = tuple(sorted(matched or rule.rules))
    # "x1" is intel in some of its revisions; what is counted of intel is never who sent it.
    is_intel = ticket.startswith("i") or (ticket.startswith("x") and choice % 2)
    if is_intel and rule.fields and not rule.numeric:
        values = (("heard",),)
    member, dismissed = "" if is_intel else institution, rule.past is not None and not is_intel and choice % 4 == 0
    return Entry(at, institution, ticket, revision, values, member, 3, (), matched, ends=ends, dismissed=dismissed)


def record_of(rule, op):
    what, group, institution, ticket, revision, at = op
    key = key_of(rule, group)
    if what == "withdraw":
        return withdraw_of(key, institution, ticket, revision, at)
    return put_of(key, entry_of(rule, op))


def progress(watermark_ms, offset, *, idle=False):
    return progress_of({name: Claim(watermark_ms, offset, 0, idle, None, SINCE.get(name)) for name in INSTITUTIONS})


END = progress(END_MS, 2**40)


def expected(rule, ops, until=None):
    """Alerts over the final set: the highest revision of each (group, ticket), every window of every event time.

    until: how far event time was settled before everything ended.
    """
    newest = {}
    for op in ops:
        name = (op[1], op[2], op[3])
        if name not in newest or newest[name][4] < op[4]:
            newest[name] = op
    alerts = {}
    for group in {op[1] for op in ops}:
        key = key_of(rule, group)
        entries = sorted(entry_of(rule, op) for op in newest.values() if op[1] == group and op[0] == "put")
        why = {}
        if rule.past is not None:
            counted = counting(rule, entries, SINCE)
            entries = [entry for entry, _ in counted]
            why = {
                (entry.institution, entry.event_time_ms // 3_600_000): Novelty(*one) for entry, one in counted if one
            }
        found = {episode: Satisfied(episode, *rest) for episode, *rest in episodes(rule, entries, until)}
        for episode, satisfied in found.items():
            novelty = {}
            for entry in filter(attrgetter("member"), satisfied.entries):
                if one := why.get((entry.institution, entry.event_time_ms // 3_600_000)):
                    novelty.setdefault(entry.institution, one)
            found[episode] = satisfied._replace(novelty=novelty)
        for episode, satisfied in found.items():
            before = alert_id(key, episode - 1) if episode - 1 in found else None
            alerts[alert_id(key, episode)] = compose(rule, key, satisfied, before, {})
    return alerts


class Topics:
    """State and alerts as the log keeps them, and what must hold of every write."""

    def __init__(self):
        self.state = {}
        self.alerts = {}
        self.bodies = {}
        self.taken_back = 0

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

    def publish(self, records):
        for item in records:
            if item.topic != "alerts":
                continue
            alert = orjson.loads(item.value)
            name = (alert["alert_id"], alert["revision"])
            assert self.bodies.setdefault(name, item.value) == item.value, "one revision has two bodies"
            newest = self.alerts.get(alert["alert_id"])
            assert newest is None or newest["revision"] <= alert["revision"], "a revision fell"
            self.alerts[alert["alert_id"]] = alert
            self.taken_back += alert["status"] == "retracted"

    def standing(self):
        """Law 10's equality: the newest of each that is not retracted, but for its revision."""
        return {
            name: {field: value for field, value in alert.items() if field not in {"revision", "status"}}
            for name, alert in self.alerts.items()
            if alert["status"] != "retracted"
        }


def started(pipeline, topics):
    stage = pipeline.correlate(0)
    for key, value in topics.state.items():
        stage.restore(key, value)
    topics.write(stage.restored())
    return stage


def run(rule, slices, crashes=()):
    """Work the slices; a crash (slice, state records kept, what followed kept) loses the rest, restarts and repeats it.

    What follows the state is what is published, and then what is forgotten.
    """
    pipeline, topics = build_pipeline(rule), Topics()
    stage = started(pipeline, topics)
    crashes = dict(crashes)
    for place, records in enumerate(slices):
        outputs = stage.work(records)
        if place in crashes:
            kept, published = crashes[place]
            topics.write_state(outputs.state[:kept])
            if kept >= len(outputs.state):
                topics.publish(outputs.published[:published])
                gone = max(0, published - len(outputs.published))
                topics.write_state((key, None) for key in outputs.forgotten[:gone])
            stage = started(pipeline, topics)
            outputs = stage.work(records)
        topics.write(outputs)
    return topics
