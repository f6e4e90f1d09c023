"""What several institutions report as an attack and then take back: a training by mail, a red team. Not a campaign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fsoc.exercise.campaigns.kill_chain import stage_finding
from fsoc.exercise.campaigns.phishing_kit import kit_finding
from fsoc.exercise.campaigns.plan import Plan, Spread, Stage, report, strikes
from fsoc.exercise.draft import Care, Draft, Step
from fsoc.exercise.finding import Finding
from fsoc.exercise.spec import HOUR_MS, MINUTE_MS, CampaignKind

TRAINING = Spread(10 * MINUTE_MS, 30 * MINUTE_MS, 40 * MINUTE_MS)
RED_TEAM = Spread(HOUR_MS, 3 * HOUR_MS, 10 * HOUR_MS)


def decoy(stage: Stage, number: int) -> Plan:
    """The odd ones are trainings by mail, the even ones a red team that several institutions have hired."""
    return _training(stage) if number % 2 else _red_team(stage)


def _training(stage: Stage) -> Plan:
    """Four to six institutions within the hour."""
    host, kit = stage.fresh.domain(), f"awareness-{stage.fresh.hex(4)}"

    def finding() -> Finding:
        return replace(kit_finding(stage, host, kit, f"notice@{host}"), trigger=("baseline", "MB-034"))

    drafts = _taken_back(stage, TRAINING, lambda _: finding())
    return Plan(CampaignKind.PHISHING_KIT, f"Awareness training by mail from {host}", drafts)


def _red_team(stage: Stage) -> Plan:
    """Four to six institutions within ten hours, with the vendor's own server and payload."""
    server, address, payload = stage.fresh.domain(), stage.fresh.ip(), stage.fresh.sha256()

    def finding(hosts: str) -> Finding:
        return stage_finding(stage, stage.rng.randrange(3), hosts, server, address, payload)

    drafts = _taken_back(stage, RED_TEAM, finding)
    return Plan(CampaignKind.KILL_CHAIN, f"Red team's server {server}", drafts)


def _taken_back(stage: Stage, spread: Spread, finding: Callable[[str], Finding]) -> list[Draft]:
    """Each institution closes its ticket as false positive once the vendor answers."""
    struck = strikes(stage, fewest=4, most=6, spread=spread)
    answered_ms = struck[-1].at_ms + HOUR_MS
    drafts = []
    for strike in struck:
        draft = report(stage, strike, finding(strike.member.hosts))
        opened_ms = stage.rng.randrange(MINUTE_MS, 15 * MINUTE_MS)
        closed_ms = answered_ms + stage.rng.randrange(5, 90) * MINUTE_MS - draft.detected_ms
        steps = (Step(opened_ms, "open", "new"), Step(closed_ms, "close", "resolved", "false_positive"))
        drafts.append(replace(draft, steps=steps, care=Care.PROMPT))
    return drafts
