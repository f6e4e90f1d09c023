"""What correlation tells campaigns, what it does upon their word, and for how long it waits for that."""

from __future__ import annotations

import orjson
import pytest

from fsoc.campaigns.records import Reach, Told, Word, record_of, words_record
from fsoc.correlation.conditions import Condition
from fsoc.correlation.entries import Entry, GroupKey
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.progress import Claim
from fsoc.correlation.ruleset import RuleSet
from fsoc.feeds.ledger import END_MS
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from tests.builders import VERSION, correlation_rule, progress_of, put_of, withdraw_of

DAY = 86_400_000
HOUR = 3_600_000
NOON = 20_000 * DAY

ALERT = correlation_rule(id="alert", independent=True)
LINK = correlation_rule(id="link", link=True, independent=True, timespan_ms=DAY)


class Partition:
    """One partition of correlation on dicts for topics."""

    def __init__(self, *rules):
        registry = Registry.open()
        for name in ("aa", "bb"):
            registry.get(name)
        self.pipeline = Pipeline(ruleset(*rules), registry, detections_partitions=1, ends=True)
        self.state, self.published, self.offset = {}, [], 0
        self.start()

    def start(self):
        self.stage = self.pipeline.correlate(0)
        for key, value in self.state.items():
            self.stage.restore(key, value)
        self.write(self.stage.restored())

    def take(self, *records):
        self.published.clear()
        self.write(self.stage.work([record._replace(offset=self.offset + n) for n, record in enumerate(records)]))
        self.offset += len(records)

    def write(self, outputs):
        for key, value in [*outputs.state, *((key, None) for key in outputs.forgotten)]:
            self.state.pop(key, None) if value is None else self.state.update({key: value})
        self.published.extend(outputs.published)

    def told(self):
        """What went to links, by kind."""
        said = [record_of(one.key, one.value) for one in self.published if one.topic == "links"]
        return [one for one in said if isinstance(one, Told)], [one for one in said if isinstance(one, Reach)]

    def alerts(self):
        return [orjson.loads(one.value) for one in self.published if one.topic == "alerts"]

    def held(self):
        return sorted(key for key in self.state if key.startswith(b"alert/"))


def ruleset(*rules):
    return RuleSet(
        detector=None,
        detections=1,
        correlations={rule.id: rule for rule in rules},
        feeder=Feeder(rules),
        techniques=None,
        pairs={},
        tactics={},
        version=VERSION,
        retention_ms=max(rule.retention_ms for rule in rules),
    )


def put(rule, institution, at=NOON, revision=1, member=None):
    attack = (("impact", "T1486"),)
    values = ((member or institution,),)
    entry = Entry(
        at, institution, f"{institution}-1", revision, values, member or institution, 3, attack, ("detection",)
    )
    return put_of(GroupKey(rule.id, "production", '["x"]'), entry)


def progress(at, offset=1):
    return progress_of(dict.fromkeys(("aa", "bb"), Claim(at, offset, 0, idle=False)))


def word(alert, revision, campaign, *, let_go=False):
    return Record(0, 0, None, words_record({alert: Word(revision, campaign, let_go)}))


@pytest.fixture
def both():
    """A partition with an alert and a link on the same two tickets."""
    partition = Partition(ALERT, LINK)
    partition.take(put(ALERT, "aa"), put(ALERT, "bb"), put(LINK, "aa"), put(LINK, "bb", NOON + HOUR))
    return partition


def test_a_link_is_told_to_campaigns_and_to_nobody_else(both):
    told, _ = both.told()

    alert, link = sorted(told, key=lambda one: one.what)
    assert (link.what, link.group, link.tickets) == ("link", {"indicator": "x"}, (("aa", "aa-1"), ("bb", "bb-1")))
    assert (link.first_ms, link.last_ms) == (NOON, NOON + HOUR)
    assert [tuple(one) for one in link.attack] == [("impact", "T1486", NOON, NOON + HOUR)]
    assert alert.what == "alert"
    assert [one["alert_id"] for one in both.alerts()] == [alert.id]
    assert {one.topic for one in both.published if one.key == link.id.encode()} == {"links"}
    assert {one.topic for one in both.published} == {"alerts", "sharing", "links"}


def test_without_links_nothing_is_told_and_nothing_waits():
    partition = Partition(ALERT)
    partition.take(put(ALERT, "aa"), put(ALERT, "bb"))
    assert partition.told() == ([], [])

    partition.take(progress(NOON + 9 * DAY))
    assert partition.held() == []


def test_an_alert_on_a_rule_is_no_part_of_any_story():
    rule = correlation_rule(id="defect", scope="rule")
    partition = Partition(rule, LINK)
    partition.take(put(rule, "aa"), put(rule, "bb"))

    assert [alert["kind"] for alert in partition.alerts()] == ["rule"]
    assert partition.told()[0] == []


def test_a_local_alert_is_not_told_until_it_is_joint_and_then_for_ever():
    rule = correlation_rule(id="local", condition=Condition((("gte", 1),)))
    partition = Partition(rule, LINK)
    partition.take(put(rule, "aa"))
    assert partition.told()[0] == []

    partition.take(put(rule, "bb"))
    assert [(one.kind, one.told) for one in partition.told()[0]] == [("joint", 1)]

    partition.take(withdraw_of(GroupKey("local", "production", '["x"]'), "bb", "bb-1", 2, NOON))
    assert [(one.kind, one.told) for one in partition.told()[0]] == [("local", 2)]


def test_a_corrected_time_changes_what_is_told_and_no_revision_of_the_alert():
    """The ticket between the first and the last: no word of the alert speaks of its time."""
    partition = Partition(ALERT, LINK)
    partition.take(put(ALERT, "aa"), put(ALERT, "bb", NOON + 10))
    (before,) = partition.told()[0]
    middle = Entry(NOON + 1, "aa", "aa-2", 1, (("aa",),), "aa", 3, (("impact", "T1490"),), ("detection",))
    key = GroupKey("alert", "production", '["x"]')
    partition.take(put_of(key, middle))
    (after,) = partition.told()[0]
    revision = partition.alerts()[-1]["revision"]

    partition.take(put_of(key, middle._replace(event_time_ms=NOON + 2, revision=2)))

    (corrected,) = partition.told()[0]
    assert (before.told, after.told, corrected.told) == (1, 2, 3)
    assert corrected.attack != after.attack
    assert [one["revision"] for one in partition.alerts()] == [revision]


def test_an_alert_is_in_the_campaign_that_it_is_told_and_keeps_it(both):
    (alert,) = both.alerts()
    name = alert["alert_id"]

    both.take(word(name, 1, "ca-1"))
    assert [(one["campaign_id"], one["revision"]) for one in both.alerts()] == [("ca-1", 2)]
    assert both.told()[0] == [], "campaigns know it; they said it"

    both.take(put(ALERT, "bb", NOON + 1, 2))
    assert [(one["campaign_id"], one["revision"]) for one in both.alerts()] == [("ca-1", 3)]
    both.published.clear()
    both.start()
    assert [(one["campaign_id"], one["revision"]) for one in both.alerts()] == [("ca-1", 3)]

    both.take(word(name, 3, None))
    assert [(one["campaign_id"], one["revision"]) for one in both.alerts()] == [(None, 4)]


def test_a_word_said_again_or_late_changes_nothing(both):
    name = both.alerts()[0]["alert_id"]
    both.take(word(name, 2, "ca-2"))

    for late in (word(name, 2, "ca-2"), word(name, 1, "ca-1"), word("al-nobody", 1, "ca-1")):
        both.take(late)
        assert both.alerts() == []


def test_a_word_that_is_none_is_counted_and_the_rest_goes_on(both):
    both.take(Record(0, 0, None, b'{"op":"campaign","words":{"al-1":[]}}'), put(ALERT, "aa", NOON, 2))

    assert both.stage.malformed_total == 1


def test_an_alert_waits_until_campaigns_let_it_go(both):
    """
    noon   alert and link   |—— episode ——|—— two more ——)  else it were forgotten here
    word                                                       ^ now it is
    """
    names = [key.removeprefix(b"alert/").decode() for key in both.held()]
    both.take(progress(NOON + 40 * DAY))
    assert len(both.held()) == 2

    both.start()
    both.take(progress(NOON + 41 * DAY, 2))
    both.take(word(names[0], 0, None, let_go=True))
    both.take(word(names[1], 1, "ca-1", let_go=True))

    assert both.held() == []


def test_what_is_let_go_before_its_time_goes_when_that_has_come(both):
    for key in both.held():
        both.take(word(key.removeprefix(b"alert/").decode(), 0, None, let_go=True))
    assert len(both.held()) == 2

    both.start()
    both.take(progress(NOON + 40 * DAY))

    assert both.held() == []


def test_the_reach_is_what_no_alert_can_say_anew_and_comes_after_all_else(both):
    """Settled time, less what the longest rule keeps entries for; told by the hour, and again after a restart."""
    both.take(progress(NOON + 40 * DAY + HOUR // 2))
    _, (reach,) = both.told()
    assert reach == Reach(0, NOON + 40 * DAY - LINK.retention_ms)
    links = [one for one in both.published if one.topic == "links"]
    assert links[-1].key == b"reach/0"

    both.take(progress(NOON + 40 * DAY + HOUR // 2 + 1, 2))
    assert both.told()[1] == []
    both.start()
    assert both.told()[1] == [reach]
    both.take(progress(END_MS, 3))
    assert both.told()[1] == [Reach(0, END_MS)]


def test_when_links_come_with_new_rules_all_that_is_known_is_told():
    partition = Partition(ALERT)
    partition.take(put(ALERT, "aa"), put(ALERT, "bb"))

    partition.pipeline.rules = ruleset(ALERT, LINK)
    partition.published.clear()
    partition.write(partition.stage.idle())

    assert [one.what for one in partition.told()[0]] == ["alert"]


def test_links_that_are_held_count_as_no_alerts(both):
    header = orjson.loads(both.state[b"header"])

    assert (header["raised_total"], header["alerts_open"]) == (1, 1)
    both.take(progress(NOON + 40 * DAY))
    assert orjson.loads(both.state[b"header"])["alerts_open"] == 0
