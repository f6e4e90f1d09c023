"""A training company's test mail that several institutions report as an attack and then take back. Not a campaign."""

from __future__ import annotations

from dataclasses import replace

from fsoc.exercise.campaigns.phishing_kit import kit_finding
from fsoc.exercise.campaigns.plan import Plan, Stage, report, strikes
from fsoc.exercise.draft import Care, Step
from fsoc.exercise.spec import HOUR_MS, MINUTE_MS, CampaignKind


def decoy(stage: Stage) -> Plan:
    """Four to six institutions within the hour; each closes its ticket as false positive once the trainer answers."""
    host, kit = stage.fresh.domain(), f"awareness-{stage.fresh.hex(4)}"
    struck = strikes(stage, fewest=4, most=6, shortest_ms=10 * MINUTE_MS, longest_ms=40 * MINUTE_MS)
    answered_ms = struck[-1].at_ms + HOUR_MS
    drafts = []
    for strike in struck:
        draft = report(stage, strike, kit_finding(stage, host, kit, f"notice@{host}"))
        opened_ms = stage.rng.randrange(MINUTE_MS, 15 * MINUTE_MS)
        closed_ms = answered_ms + stage.rng.randrange(5, 90) * MINUTE_MS - draft.detected_ms
        steps = (Step(opened_ms, "open", "new"), Step(closed_ms, "close", "resolved", "false_positive"))
        drafts.append(replace(draft, steps=steps, care=Care.PROMPT))
    return Plan(CampaignKind.PHISHING_KIT, f"Awareness training by mail from {host}", drafts)
