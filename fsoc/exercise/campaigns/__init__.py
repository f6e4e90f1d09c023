"""The kinds of planted campaign, about one file each. A plan says who is struck, when, and what they write down."""

from __future__ import annotations

from fsoc.exercise.campaigns.credential_stuffing import credential_stuffing
from fsoc.exercise.campaigns.ddos_wave import ddos_wave
from fsoc.exercise.campaigns.decoy import decoy
from fsoc.exercise.campaigns.fraud import atm_cashout, swift_fraud
from fsoc.exercise.campaigns.kill_chain import kill_chain
from fsoc.exercise.campaigns.low_and_slow import low_and_slow
from fsoc.exercise.campaigns.phishing_kit import phishing_kit
from fsoc.exercise.campaigns.plan import Plan, Stage
from fsoc.exercise.campaigns.ransomware_chain import ransomware_chain
from fsoc.exercise.campaigns.shared_supplier import shared_supplier
from fsoc.exercise.campaigns.technique_wave import WAVES, technique_wave
from fsoc.exercise.spec import CampaignKind, Detail, ExerciseSpec

PLANNERS = {
    CampaignKind.PHISHING_KIT: phishing_kit,
    CampaignKind.SHARED_SUPPLIER: shared_supplier,
    CampaignKind.CREDENTIAL_STUFFING: credential_stuffing,
    CampaignKind.RANSOMWARE_CHAIN: ransomware_chain,
    CampaignKind.DDOS_WAVE: ddos_wave,
    CampaignKind.TECHNIQUE_WAVE: technique_wave,
    CampaignKind.KILL_CHAIN: kill_chain,
    CampaignKind.LOW_AND_SLOW: low_and_slow,
    CampaignKind.SWIFT_FRAUD: swift_fraud,
    CampaignKind.ATM_CASHOUT: atm_cashout,
}

WITHOUT_PAST = (
    CampaignKind.PHISHING_KIT,
    CampaignKind.SHARED_SUPPLIER,
    CampaignKind.CREDENTIAL_STUFFING,
    CampaignKind.RANSOMWARE_CHAIN,
    CampaignKind.DDOS_WAVE,
)
"""Kinds that need no past to be found by: they fit into a day and leave indicators, or come within minutes."""

SEEN_WHEN_SPARSE = (
    CampaignKind.PHISHING_KIT,
    CampaignKind.CREDENTIAL_STUFFING,
    CampaignKind.RANSOMWARE_CHAIN,
    CampaignKind.DDOS_WAVE,
    CampaignKind.TECHNIQUE_WAVE,
)
"""Kinds that make a rule of their own fire, for the first time, at three institutions within hours."""

REPEATABLE = (
    CampaignKind.PHISHING_KIT,
    CampaignKind.CREDENTIAL_STUFFING,
    CampaignKind.SHARED_SUPPLIER,
)
"""Kinds that leave indicators of their own, so that two at one time can be told apart."""

LOW_AND_SLOW_HOURS_MIN = 24 * 12


def kinds_of(spec: ExerciseSpec) -> tuple[CampaignKind, ...]:
    """The kinds that this exercise has room for and that can be found in it."""
    if spec.detail is Detail.SPARSE:
        return SEEN_WHEN_SPARSE
    if not spec.has_past:
        return WITHOUT_PAST
    return tuple(
        kind for kind in CampaignKind if kind is not CampaignKind.LOW_AND_SLOW or spec.hours >= LOW_AND_SLOW_HOURS_MIN
    )


__all__ = ["PLANNERS", "REPEATABLE", "WAVES", "Plan", "Stage", "decoy", "kinds_of"]
