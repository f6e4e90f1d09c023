"""What must hold of links and campaigns when a run is over, read from its topics alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from fsoc.campaigns.compose import campaign_id
from fsoc.campaigns.records import Decision, Told, record_of
from tests.oracles.campaign_oracle import campaigns
from tests.simulation.simulate import Run


def newest_told(run: Run) -> tuple[dict[str, Told], list[Decision]]:
    """The highest `told` of each link and alert, and all decisions; one `told` says one thing."""
    told: dict[str, Told] = {}
    decisions: dict[str, Decision] = {}
    bodies: dict[tuple[str, int], bytes] = {}
    for record in run.of("links")[0]:
        said = record_of(record.key or b"", record.value or b"")
        if isinstance(said, Decision):
            decisions.setdefault(said.decision_id, said)
        elif isinstance(said, Told):
            value = record.value or b""
            if said.id not in told or told[said.id].told <= said.told:
                told[said.id] = said
            assert bodies.setdefault((said.id, said.told), value) == value, f"{said.id}: one `told` says two things"
    return told, list(decisions.values())


def check_links(run: Run, expected: Mapping[str, dict[str, Any]]) -> None:
    """Links are those of the final tickets, as alerts are; nothing is told where there are no links."""
    told, _ = newest_told(run)
    found = {name: one for name, one in told.items() if one.what == "link" and one.status != "retracted"}
    assert found.keys() == expected.keys(), f"links found {sorted(found)}, expected {sorted(expected)}"
    for name, alert in expected.items():
        tickets = {who: tuple(ids) for who, ids in alert["tickets"].items()}
        says: dict[str, tuple[str, ...]] = {}
        for who, ticket in found[name].tickets:
            says[who] = (*says.get(who, ()), ticket)
        assert says == tickets, f"link {name} of {alert['rule_id']}: {says}, expected {tickets}"
        members = {who: run.sector.holdings.get(who, who) for who in tickets}
        assert found[name].members == members, f"link {name}: {found[name].members}, expected {members}"
    assert any(rule.link for rule in run.sector.rules) or not told, (
        "there are no links, and campaigns were told of alerts"
    )


def check_campaigns(run: Run) -> None:
    """Whatever has happened on the way, campaigns and the alerts in them are those of what was told last."""
    told, decisions = newest_told(run)
    expected = campaigns(list(told.values()), decisions, len(run.sector.members))
    records = newest_campaigns(run)
    found = {name: one for name, one in records.items() if one["status"] in {"open", "final"}}
    roots = {campaign_id(root): root for root in expected}
    assert found.keys() == roots.keys(), f"campaigns found {sorted(found)}, expected {sorted(roots)}"
    for name, one in found.items():
        members = {*one["alert_ids"], *(link["id"] for link in one["links"])}
        assert members == expected[roots[name]], f"{name}: {sorted(members)}, expected {sorted(expected[roots[name]])}"
        assert one["status"] == "final", f"{name} is {one['status']}"
        assert (one["links"][0]["id"], one["merged_into"]) == (roots[name], None)
    campaign_of = {member: campaign_id(root) for root, members in expected.items() for member in members}
    for name, alert in newest_alerts(run).items():
        assert alert["campaign_id"] == campaign_of.get(name), (
            f"{name} of {alert['rule_id']}, {alert['status']}: is said to be in {alert['campaign_id']}, "
            f"expected {campaign_of.get(name)}"
        )


def newest_campaigns(run: Run) -> dict[str, dict[str, Any]]:
    """The highest revision of each, which rises by one and has one body."""
    bodies: dict[tuple[str, int], bytes] = {}
    for record in run.of("campaigns")[0]:
        one = orjson.loads(record.value or b"")
        name = one["campaign_id"], one["revision"]
        assert bodies.setdefault(name, record.value or b"") == record.value, f"{name} has two bodies"
        assert record.key == one["campaign_id"].encode()
    for (name, revision), body in bodies.items():
        before = bodies.get((name, revision - 1))
        if before is not None:
            without = [{**orjson.loads(one), "revision": 0} for one in (before, body)]
            assert without[0] != without[1], f"{name}: revision {revision} says what {revision - 1} said"
    found: dict[str, dict[str, Any]] = {}
    for name, revision in sorted(bodies):
        found[name] = orjson.loads(bodies[name, revision])
    return found


def newest_alerts(run: Run) -> Mapping[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for record in run.of("alerts")[0]:
        alert = orjson.loads(record.value or b"")
        if alert["alert_id"] not in found or found[alert["alert_id"]]["revision"] <= alert["revision"]:
            found[alert["alert_id"]] = alert
    return found
