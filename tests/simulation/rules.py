"""The correlations of a simulated sector: every type and operator, groups of any number of fields, chains."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from types import SimpleNamespace
from typing import Any

from fsoc.correlation.allow_lists import AllowLists
from fsoc.correlation.past_reader import PAST_KEYS
from fsoc.correlation.reader import parse
from fsoc.correlation.rules import CorrelationRule
from fsoc.detection import Source

ALL = ("one", "two", "three", "four")
HEARD = "heard"
"""The detection of intel."""
BEAT = "beat"
"""The detection of heartbeats."""
DETECTIONS = [
    SimpleNamespace(id=name, name=None, fsoc={}, title=name, level=None, tags=()) for name in (*ALL, HEARD, BEAT)
]

FSOC_KEYS = ("absent", "allow_list", "also", "cap_each", "each", "independent", "non_negative", "ordered", "spread")
LISTS = AllowLists.parse(
    [
        Source(
            "allow_lists.yml",
            """
            allow_lists:
              shared:
                entries:
                  - {value: [c0-0.example, X.example], owner: o, reason: r}
                  - {domain: .y.example, owner: o, reason: r, until: 2024-10-03}
            """,
        )
    ]
)
ORDERS = {"tactic": ("execution", "exfiltration", "impact")}

NOTHING = {"eq": 0}

Document = dict[str, Any]


def document(
    name: str, kind: str, condition: dict[str, Any], group_by: str, timespan: str = "1h", **changes: Any
) -> Document:
    """A correlation as it is written. group_by: fields, separated by blanks."""
    fsoc = {key: changes.pop(key) for key in (*FSOC_KEYS, "link", *sorted(PAST_KEYS)) if key in changes}
    body = {
        "type": kind,
        "rules": list(ALL),
        "group-by": group_by.split(),
        "timespan": timespan,
        "condition": condition,
    }
    return {"title": name, "id": name, "correlation": {**body, **changes}, "fsoc": fsoc}


PLAIN = (
    document("two see one", "value_count", {"gte": 2, "field": "institution"}, "indicator"),
    document("two groups", "value_count", {"gt": 1, "field": "institution"}, "indicator", "4h", independent=True),
    document("exactly two", "value_count", {"eq": 2, "field": "institution"}, "indicator"),
    document("combinations", "value_count", {"gte": 4, "field": ["User", "institution"]}, "", "30m"),
    document("few users", "value_count", {"lt": 3, "gt": 1, "field": "User"}, "category"),
    document("many", "event_count", {"gte": 3}, "User category"),
    document("pairs", "event_count", {"gte": 2}, "indicator User", rules=["one", "two"]),
    document("one or two", "event_count", {"gte": 1, "lte": 2}, "suppliers.supplier_id", rules=["four", "one"]),
    document("not two", "event_count", {"neq": 2}, "indicator", rules=["three"]),
    document("own", "event_count", {"gte": 2}, "institution", "15m"),
    document("other names", "event_count", {"gte": 2}, "who", aliases={"who": {"one": "User", "two": "Account"}}),
    document("all three", "temporal", {"gte": 3}, "User", rules=["one", "two", "three"]),
    document("two of three", "temporal", {"gte": 2}, "indicator", "2d", rules=["one", "two", "three"]),
    document("one alone", "temporal", {"eq": 1}, "User", rules=["one", "two"]),
    document("in order", "temporal_ordered", {"gte": 3}, "User", "2d", rules=["two", "one", "three"]),
    document("two in order", "temporal_ordered", {"gte": 2}, "indicator", rules=["three", "one", "two"]),
    document("sum", "value_sum", {"gt": 5.1, "field": "Bytes"}, "User"),
    document("growing sum", "value_sum", {"gte": 2.7, "field": "Bytes"}, "indicator", "1d", non_negative=True),
    document("mean", "value_avg", {"gte": 0.15, "lt": 30, "field": "Bytes"}, "User"),
    document("percentile", "value_percentile", {"gte": 2.5, "field": "Bytes", "percentile": 90}, "category"),
    document("median", "value_median", {"lte": 0.2, "field": "Bytes"}, "User"),
    document(
        "new to two",
        "value_count",
        {"gte": 2, "field": "institution"},
        "indicator",
        "2h",
        counts_when="first_ever",
        past="12h",
        warm_up=0,
    ),
    document(
        "more than ever", "event_count", {"gte": 2}, "", counts_when="surge", surge_factor=2, past="2d", warm_up="2h"
    ),
    document(
        "new or more",
        "value_sum",
        {"gt": 2, "field": "Bytes"},
        "category",
        "30m",
        counts_when="first_ever_or_surge",
        past="1d",
        warm_up=0,
        non_negative=True,
    ),
    document(
        "agreed upon",
        "value_count",
        {"gte": 2, "field": "institution"},
        "category",
        "2h",
        rules=["one", "two"],
        counts_when="first_ever_or_surge",
        past="12h",
        warm_up=0,
        past_rules=["three", "four"],
        agreed=0.7,
    ),
    document("no hub", "value_count", {"gte": 2, "field": "institution"}, "indicator", "1d", hub=3),
    document("fallen", "value_sum", {"gt": -99, "field": "Bytes"}, "category", counts_when="drop", drop=0.3, warm_up=0),
    document("with tactics", "event_count", {"gte": 2}, "indicator", also={"tactic": {"gt": 1}}),
    document(
        "two groups too",
        "value_count",
        {"gte": 2, "field": "technique"},
        "category",
        also={"institution": {"gte": 2}, "User": {"gte": 2}},
        independent=True,
    ),
    document("kill chain", "value_count", {"gte": 3, "field": "tactic"}, "indicator", "2d", ordered=True),
    document("two steps", "value_count", {"eq": 2, "field": "tactic"}, "User", "1d", ordered=True),
    document("low and slow", "value_count", {"gte": 2, "field": "institution"}, "indicator", "1d", each={"lt": 3}),
    document("apart", "value_count", {"gte": 2, "field": "institution"}, "indicator", "4h", spread="16m"),
    document("slow and apart", "value_count", {"lt": 4, "field": "User"}, "", "2h", each={"lte": 1}, spread="15m"),
    document(
        "capped sum", "value_sum", {"gte": 3, "field": "Bytes"}, "indicator", "4h", non_negative=True, cap_each="half"
    ),
    document(
        "little of each", "value_sum", {"gt": 0.1, "lt": 9, "field": "Bytes"}, "", non_negative=True, cap_each="half"
    ),
    document("unshared", "value_count", {"gte": 2, "field": "institution"}, "indicator", allow_list="shared"),
    document("few unshared", "event_count", {"lt": 3}, "User indicator", allow_list="shared"),
    document("heard of or seen", "event_count", {"gte": 3}, "indicator", "2h", rules=[HEARD, "one", "two"]),
    document("heard and seen", "temporal", {"gte": 2}, "indicator", "1d", rules=[HEARD, "one"]),
    document("seen, then heard", "temporal_ordered", {"gte": 2}, "category", "4h", rules=["two", HEARD]),
    document(
        "warned and new",
        "temporal",
        {"gte": 2},
        "indicator",
        "1d",
        rules=[HEARD, "one", "two"],
        independent=True,
        also={"institution": {"gte": 2}},
        counts_when="first_ever",
        past="12h",
        warm_up=0,
        hub=3,
        past_rules=["three"],
    ),
    document("not two of all", "event_count", {"neq": 2}, "indicator", rules=["three", HEARD]),
    document("heard at one", "event_count", {"gte": 1}, "institution indicator", rules=[HEARD, "four"]),
    document("silent feed", "event_count", NOTHING, "institution feed", "2h", rules=[BEAT], absent=True),
    document("silent member", "event_count", NOTHING, "institution", "4h", rules=[BEAT, "four", "one"], absent=True),
    document("no more of it", "event_count", NOTHING, "indicator", "30m", rules=["two", HEARD], absent=True),
    document("beats", "event_count", {"gte": 4}, "institution", rules=[BEAT]),
    document("few beats", "event_count", {"lt": 2}, "feed", "30m", rules=[BEAT]),
    document("numbered", "value_sum", {"gte": 9, "field": "last_seq"}, "feed", rules=[BEAT], non_negative=True),
    document("few with users", "event_count", {"lte": 3}, "observable:domain", also={"User": {"gte": 2}}),
)

CHAINS = (
    (
        document("burst", "event_count", {"gte": 2}, "institution indicator"),
        document("bursts", "value_count", {"gte": 2, "field": "institution"}, "indicator", "2h", rules=["burst"]),
    ),
    (
        document("shared", "value_count", {"gte": 2, "field": "institution"}, "indicator"),
        document("then", "temporal_ordered", {"gte": 2}, "category", "3h", rules=["shared", "four"], generate=True),
    ),
    (
        document("exact pair", "event_count", {"eq": 2}, "User"),
        document(
            "pair and three",
            "temporal",
            {"gte": 2},
            "who",
            "2h",
            rules=["exact pair", "three"],
            aliases={"who": {"exact pair": "User", "three": "Account"}},
        ),
        document("few of them", "event_count", {"lte": 3}, "", "1d", rules=["pair and three", "exact pair"]),
    ),
    (
        document("a", "event_count", {"gte": 2}, "indicator User", "30m"),
        document("b", "value_count", {"gte": 2, "field": "indicator"}, "category", "2h", rules=["a", "one"]),
        document("c", "event_count", {"gte": 2}, "institution", "1d", rules=["b"]),
        document("d", "value_count", {"gte": 2, "field": ["institution", "category"]}, "", "2d", rules=["c", "a"]),
    ),
    (
        document("quiet", "event_count", {"gte": 1}, "indicator"),
        document(
            "each quiet", "value_count", {"gte": 2, "field": "User"}, "", "2h", rules=["quiet", "two"], each={"lt": 2}
        ),
    ),
    (
        document("of all", "event_count", {"gte": 2}, "User"),
        document("of some", "event_count", {"gte": 2}, "indicator", "2h", rules=["of all"], allow_list="shared"),
    ),
    (
        document("known", "temporal", {"gte": 2}, "indicator", "1d", rules=[HEARD, "one"]),
        document("met", "event_count", {"gte": 1}, "institution indicator", "2h", rules=["known"]),
    ),
    (
        document(
            "new and heard of",
            "temporal",
            {"gte": 2},
            "indicator",
            "4h",
            rules=[HEARD, "one"],
            counts_when="first_ever",
            past="12h",
            warm_up=0,
        ),
        document("any of those", "event_count", {"gte": 1}, "category", "1d", rules=["new and heard of"]),
    ),
    (
        document("heard twice", "event_count", {"gte": 2}, "indicator", "4h", rules=[HEARD]),
        document("then met", "temporal_ordered", {"gte": 2}, "indicator", "1d", rules=["heard twice", "two"]),
        document("or met", "event_count", {"gte": 3}, "category", "1d", rules=["heard twice", "two"]),
    ),
    (
        document("one is silent", "event_count", NOTHING, "institution", "3h", rules=[BEAT, "one"], absent=True),
        document(
            "two are silent", "value_count", {"gte": 2, "field": "institution"}, "", "2h", rules=["one is silent"]
        ),
    ),
    (
        document("met again", "event_count", {"gte": 2}, "indicator"),
        document("and never again", "event_count", NOTHING, "indicator", "2h", rules=["met again"], absent=True),
    ),
    (
        document("varied", "event_count", {"gte": 2}, "User", also={"tactic": {"gte": 2}}),
        document(
            "varied at two",
            "value_count",
            {"gte": 2, "field": "technique"},
            "User",
            "2h",
            rules=["varied", "one"],
            also={"institution": {"gte": 2}, "category": {"gte": 1}},
        ),
    ),
)


LINKS = (
    document("shared indicator", "value_count", {"gte": 2, "field": "institution"}, "indicator", "6h"),
    document("shared user", "value_count", {"gte": 2, "field": "institution"}, "User", "2d", rules=["one", "three"]),
    document("shared supplier", "value_count", {"gt": 1, "field": "institution"}, "suppliers.supplier_id", "1d"),
    document("shared burst", "value_count", {"gte": 2, "field": "institution"}, "User", "3h", rules=["exact pair"]),
)
"""What ties campaigns together; each of them is `fsoc: {link: true, independent: true}`."""


def rules_of(documents: Iterable[Document]) -> list[CorrelationRule]:
    rules, problems = parse(
        [SimpleNamespace(path=f"{data['id']}.yml", line=1, data=data) for data in documents],
        DETECTIONS,
        orders=ORDERS,
        lists=LISTS.names,
    )
    assert not problems, problems
    return list(rules)


def draw_rules(lot: Random) -> list[CorrelationRule]:
    chosen = lot.sample(PLAIN, lot.randint(2, 6))
    for chain in lot.sample(CHAINS, lot.choice((0, 1, 1, 2, 3))):
        chosen.extend(chain)
    return rules_of([*chosen, *draw_links(lot, {data["id"] for data in chosen})])


def draw_links(lot: Random, known: set[str]) -> list[Document]:
    """Those of a seed, if it has any: of what its other rules do not lack."""
    if lot.random() < 0.3:
        return []
    fitting = [data for data in LINKS if "exact pair" in known or data["correlation"]["rules"] != ["exact pair"]]
    drawn = lot.sample(fitting, lot.randint(1, len(fitting)))
    return [{**data, "fsoc": {"link": True, "independent": True}} for data in drawn]
