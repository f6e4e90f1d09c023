"""The five kinds of planted campaign, one file each. A plan says who is struck, when, and what they write down."""

from __future__ import annotations

from fsoc.exercise.campaigns.credential_stuffing import credential_stuffing
from fsoc.exercise.campaigns.ddos_wave import ddos_wave
from fsoc.exercise.campaigns.decoy import decoy
from fsoc.exercise.campaigns.phishing_kit import phishing_kit
from fsoc.exercise.campaigns.plan import Plan, Stage
from fsoc.exercise.campaigns.ransomware_chain import ransomware_chain
from fsoc.exercise.campaigns.shared_supplier import shared_supplier
from fsoc.exercise.spec import CampaignKind

PLANNERS = {
    CampaignKind.PHISHING_KIT: phishing_kit,
    CampaignKind.SHARED_SUPPLIER: shared_supplier,
    CampaignKind.CREDENTIAL_STUFFING: credential_stuffing,
    CampaignKind.RANSOMWARE_CHAIN: ransomware_chain,
    CampaignKind.DDOS_WAVE: ddos_wave,
}

__all__ = ["PLANNERS", "Plan", "Stage", "decoy"]
