"""Whatever the order, the slices, repeats and crashes: what stands is what brute force says of the final set."""

from __future__ import annotations

import os

import msgspec
from campaign_oracle import campaigns
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.campaigns.compose import campaign_id
from tests.campaign_stage import Topics, make_decision, make_told, record_of

DAY = 86_400_000
NOON = 20_000 * DAY
MANY = 20 if os.environ.get("FSOC_SOAK") else 1
INSTITUTIONS = "abcdefghijklmno"
NAMES = [f"n{number}" for number in range(9)]

tickets = st.lists(
    st.builds(lambda who, number: f"{who}{number}", st.sampled_from("abcde"), st.sampled_from("12")),
    min_size=1,
    max_size=4,
    unique=True,
).map(" ".join)
times = st.sampled_from([NOON, NOON + DAY, NOON + 30 * DAY, NOON + 31 * DAY + 1, NOON + 62 * DAY])
statuses = st.sampled_from(["open", "open", "final", "retracted"])
kinds = st.sampled_from(["joint", "joint", "joint", "local", "rule"])
environments = st.sampled_from(["production", "production", "exercise"])


def build(drawn):
    """Newest last: each name is told with rising numbers; decisions name names."""
    told, decided = [], []
    for number, (name, of, at, longer, status, kind, environment, is_hub, value, more) in enumerate(drawn["told"]):
        what = "link" if name < "n6" else "alert"
        changes = {"severity": more, "attack": (("impact", f"T{more}", at, at + more),)}
        if what == "link":
            changes["group"] = {"indicator": f"v{value}"}
        if is_hub:
            changes["members"] = {f"fi-{who}": f"fi-{who}" for who in INSTITUTIONS}
        told.append(
            make_told(
                f"{environment[0]}{name}",
                of,
                what,
                told=number + 1,
                at=at,
                last_ms=at + longer,
                status=status,
                kind=kind,
                environment=environment,
                **changes,
            )
        )
        if more > 2:  # the same tickets, and other words about them
            told.append(msgspec.structs.replace(told[-1], told=number + 100, severity=more - 2))
    for number, (op, named, values, undoes) in enumerate(drawn["decisions"]):
        decided.append(
            make_decision(
                op,
                f"d{number}",
                " ".join(f"p{name}" for name in named) if op != "undo" else "",
                values=tuple(("rule-of-links", f'["v{value}"]') for value in values) if op == "split" else (),
                undoes=f"d{undoes}" if op == "undo" else None,
            )
        )
    return told, decided


drawn = st.fixed_dictionaries(
    {
        "told": st.lists(
            st.tuples(
                st.sampled_from(NAMES),
                tickets,
                times,
                st.sampled_from([0, 2 * DAY]),
                statuses,
                kinds,
                environments,
                st.sampled_from([False] * 9 + [True]),
                st.integers(0, 4),
                st.integers(1, 4),
            ),
            max_size=24,
        ),
        "decisions": st.lists(
            st.tuples(
                st.sampled_from(["split", "merge", "undo"]),
                st.lists(st.sampled_from(NAMES), max_size=3, unique=True),
                st.lists(st.integers(0, 4), max_size=1),
                st.integers(0, 4),
            ),
            max_size=5,
        ),
    }
)


def expected(told, decided):
    newest = {}
    for one in told:
        if one.id not in newest or newest[one.id].told < one.told:
            newest[one.id] = one
    return campaigns(list(newest.values()), decided, 12)


@settings(max_examples=150 * MANY, deadline=None)
@given(drawn=drawn, data=st.data())
def test_campaigns_are_those_of_the_final_set(drawn, data):
    told, decided = build(drawn)
    said = [*told, *decided]
    order = data.draw(st.permutations(said)) + data.draw(
        st.lists(st.sampled_from(said), max_size=5) if said else st.just([])
    )
    topics = Topics(institutions=12)
    while order:
        size = data.draw(st.integers(1, 6))
        part, order = order[:size], order[size:]
        if data.draw(st.integers(0, 3)) == 0:
            crash(topics, part, data)
        topics.take(*part)
    if data.draw(st.booleans()):
        topics.start()

    found = expected(told, decided)
    standing = topics.standing()
    assert set(standing) == {campaign_id(root) for root in found}
    for root, members in found.items():
        campaign = standing[campaign_id(root)]
        assert {*campaign["alert_ids"], *(one["id"] for one in campaign["links"])} == members
        assert campaign["links"][0]["id"] == root
        assert campaign["status"] == "open"
    assert topics.named() == {
        name: campaign_id(root) for root, members in found.items() for name in members if name[1:] >= "n6"
    }
    for one in topics.campaigns.values():
        assert (one["status"] == "merged") == (one["merged_into"] is not None)
        assert one["merged_into"] is None or one["merged_into"] in standing


def crash(topics, part, data):
    """Work a slice, keep some first records of what it wrote, and die; another worker restores."""
    outputs = topics.stage.work([record_of(one, topics.offset + place) for place, one in enumerate(part)])
    kept = data.draw(st.integers(0, len(outputs.state)))
    topics.write_state(outputs.state[:kept])
    if kept == len(outputs.state):
        topics.publish(outputs.published[: data.draw(st.integers(0, len(outputs.published)))])
    topics.start()


@settings(max_examples=100 * MANY, deadline=None)
@given(drawn=drawn, data=st.data())
def test_two_runs_end_with_the_same_records_but_for_revisions(drawn, data):
    told, decided = build(drawn)
    said = [*told, *decided]
    one, other = Topics(institutions=12), Topics(institutions=12)
    one.take(*said)
    for each in data.draw(st.permutations(said)):
        other.take(each)

    assert one.standing() == other.standing()
    assert one.named() == other.named()
