"""STIX objects that are the same in every bundle: who says it, how far it may go, what ATT&CK has. Pure.

They say the same whenever they are made, so their times are constant: nothing is told by when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from fsoc.channels.stix_ids import stix_id
from fsoc.sharing.model import Mitigation, TechniqueTold

Object = dict[str, Any]

SINCE: Final = "2026-01-01T00:00:00.000Z"
"""From when on what never changes is dated."""
TLP_EXTENSION: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_TLP_SINCE: Final = "2022-10-01T00:00:00.000Z"
# The ids that OASIS gave the levels of TLP 2.0.
TLP_IDS: Final = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
}
PRODUCER: Final = stix_id("identity", "joint-soc")


def marking(tlp: str) -> Object:
    """A level of TLP 2.0, as OASIS defines it."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": TLP_IDS[tlp],
        "created": _TLP_SINCE,
        "name": f"TLP:{tlp.upper()}",
        "extensions": {TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": tlp}},
    }


def producer() -> Object:
    """The joint SOC, in whose name everything is said."""
    return {
        **constant("identity", PRODUCER),
        "name": "Joint SOC of the financial sector (聯防 SOC)",
        "identity_class": "organization",
        "sectors": ["financial-services"],
    }


def constant(kind: str, name: str) -> Object:
    """The beginning of an object that never changes; it is public knowledge."""
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": name,
        "created": SINCE,
        "modified": SINCE,
        "object_marking_refs": [TLP_IDS["clear"]],
        **({"created_by_ref": PRODUCER} if kind != "identity" else {}),
    }


def techniques(told: Iterable[TechniqueTold]) -> Iterator[Object]:
    """One attack-pattern for each technique; its id is of all it says, so that no two say otherwise under one id."""
    tactics: dict[tuple[str, str], list[str]] = {}
    for one in told:
        tactics.setdefault((one.technique, one.name), []).append(one.tactic)
    for (technique, name), several in tactics.items():
        phases = list(dict.fromkeys(several))
        yield {
            **constant("attack-pattern", stix_id("attack-pattern", technique, name, *phases)),
            "name": name,
            "external_references": [_attack(technique)],
            "kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": phase} for phase in phases],
        }


def mitigations(told: Iterable[Mitigation], patterns: Iterable[Object]) -> Iterator[Object]:
    """One course-of-action for each mitigation, and which of the attack-patterns it is against."""
    by_technique: dict[str, str] = {one["external_references"][0]["external_id"]: one["id"] for one in patterns}
    for one in told:
        name = stix_id("course-of-action", one.id, one.name)
        yield {
            **constant("course-of-action", name),
            "name": one.name,
            "external_references": [_attack(one.id)],
        }
        for technique in one.techniques:
            if target := by_technique.get(technique):
                yield {
                    **constant("relationship", stix_id("relationship", name, "mitigates", target)),
                    "relationship_type": "mitigates",
                    "source_ref": name,
                    "target_ref": target,
                }


def _attack(name: str) -> Object:
    # Without its address: STIX asks for a digest of what lies at one, and the id is what programs go by.
    return {"source_name": "mitre-attack", "external_id": name}
