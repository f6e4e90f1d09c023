"""The techniques of an exercise as ATT&CK 19 writes them. Held against `attack_mappings/` by a test."""

from __future__ import annotations

RENAMED = {
    "T1070.001": "T1685.005",
    "T1562.001": "T1685",
    "T1562.002": "T1685.001",
    "T1562.004": "T1686",
    "T1562.012": "T1685.004",
}
"""Ids that 18.1 has and 19 has not."""

IMPAIRMENT = frozenset(RENAMED.values())


def written(version: str, tactic: str, technique: str) -> tuple[str, str]:
    """Tactic and technique as a member on that version writes them; given in 18.1's words."""
    if version == "18.1":
        return tactic, technique
    technique = RENAMED.get(technique, technique)
    if tactic == "defense_evasion":
        return "defense-impairment" if technique in IMPAIRMENT else "stealth", technique
    return tactic.replace("_", "-"), technique
