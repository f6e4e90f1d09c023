"""What a first-line analyst writes down of one event: a ticket without who, when and which number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Mobile Safari/537.36",
)
"""What customers use; no sign of anybody in particular."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The content of one ticket.

    attack: (tactic, technique) pairs; where empty, unmapped says why.
    text: English and Traditional Chinese, as title and as description.
    """

    title: str
    title_zh: str
    text: str
    text_zh: str
    category: str
    severity: int
    confidence: int = 70
    attack: tuple[tuple[str, str], ...] = ()
    unmapped: str = ""
    trigger: tuple[Literal["baseline", "local", "manual"], str] = ("manual", "")
    evidence: list[Json] = field(default_factory=list)
    observables: list[Json] = field(default_factory=list)
    assets: list[Json] = field(default_factory=list)
    suppliers: list[Json] = field(default_factory=list)
    volume: Json = field(default_factory=dict)
    impact: Json = field(default_factory=dict)


def evidence(fields: Json, *, product: str = "", category: str = "", service: str = "") -> Json:
    """One evidence item with its declared logsource."""
    logsource = {"product": product, "category": category, "service": service}
    return {"logsource": {name: value for name, value in logsource.items() if value}, "fields": fields}


def observable(type_: str, value: str, role: str, **more: Any) -> Json:
    return {"type": type_, "value": value, "role": role, **more}


def asset(ref: str, type_: str, criticality: int, **more: Any) -> Json:
    return {"ref": ref, "type": type_, "criticality": criticality, **more}


def windows(event_id: int, channel: str, computer: str, **fields: Any) -> Json:
    """Fields of one Windows event by their Sigma names."""
    return {"EventID": event_id, "Channel": channel, "Computer": computer, **fields}


def process(computer: str, image: str, command_line: str, parent: str, user: str, **more: Any) -> Json:
    """Evidence of one started process, as Sysmon reports it."""
    fields = windows(
        1,
        "Microsoft-Windows-Sysmon/Operational",
        computer,
        Image=image,
        OriginalFileName=image.rsplit("\\", 1)[-1],
        CommandLine=command_line,
        ParentImage=parent,
        User=user,
        IntegrityLevel="High",
        **more,
    )
    return evidence(fields, product="windows", category="process_creation")
