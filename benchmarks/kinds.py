"""The kinds of ticket in the workload: what each looks like inside. Not when, by whom or how often: `workload.py`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Fields = dict[str, str | int]
Logsource = dict[str, str]

_WORDS = ("invoice", "report", "update", "backup", "ledger", "branch", "teller", "audit", "policy", "archive")
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/128.0",
    "curl/8.5.0",
    "python-requests/2.32.3",
    "okhttp/4.12.0",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of ticket.

    evidence: draws one event; the second argument is a value that institutions share, or None for one of its own.
    indicator: the evidence field whose value is the ticket's observable, and that observable's type and role.
    weight: how often, of the sum over all kinds.
    supplied: the ticket names a supplier.
    """

    category: str
    severity: int
    attack: tuple[tuple[str, str], ...]
    asset: str
    logsource: Logsource
    evidence: Callable[[random.Random, int | None], Fields]
    indicator: tuple[str, str, str]
    weight: int
    supplied: bool = False

    def ticket(self, draw: random.Random, shared: int | None) -> dict[str, Any]:
        """What depends on the kind: one to three pieces of evidence, the first of which names the indicator."""
        evidence = [self.evidence(draw, shared) for _ in range(draw.choice((1, 1, 2, 3)))]
        field, type_, role = self.indicator
        return {
            "title": f"{self.category.partition('.')[2]} on {self.asset}",
            "description": " ".join(draw.choices(_WORDS, k=draw.randrange(20, 60))),
            "category": self.category,
            "severity": self.severity,
            "is_incident": False,
            "confidence": draw.randrange(40, 95),
            "status": "new",
            "attack_version": "18.1",
            "attack": [{"tactic": tactic, "technique": technique} for tactic, technique in self.attack],
            "trigger": {"kind": "baseline", "baseline_version": "2026.1", "rule_id": f"b-{draw.randrange(200):03d}"},
            "evidence": [{"logsource": self.logsource, "fields": fields} for fields in evidence],
            "observables": [{"type": type_, "value": str(evidence[0][field]), "role": role}],
            "assets": [
                {"ref": f"asset-{draw.randrange(3000)}", "type": self.asset, "criticality": draw.randrange(1, 6)}
            ],
            "tlp": "amber",
            "attribution": "anonymous",
        } | ({"suppliers": [_supplier(draw, shared)]} if self.supplied else {})


def event(draw: random.Random, kind: Kind, *, shared: int | None) -> tuple[Logsource, Fields]:
    """One event of `kind`, as its evidence item carries it."""
    return kind.logsource, kind.evidence(draw, shared)


def _address(draw: random.Random, shared: int | None) -> str:
    """An attacker's address: one of few where shared, of 131,072 otherwise (198.18.0.0/15)."""
    if shared is not None:
        return f"203.0.113.{shared % 250 + 1}"
    return f"198.{draw.randrange(18, 20)}.{draw.randrange(256)}.{draw.randrange(256)}"


def _supplier(draw: random.Random, shared: int | None) -> dict[str, str]:
    number = f"hit{shared}" if shared is not None else f"{draw.randrange(400):03d}"
    return {"supplier_id": f"sup-{number}", "product": "remote maintenance", "relation": "remote_access"}


def _process(draw: random.Random, shared: int | None) -> Fields:  # noqa: ARG001 - every kind is drawn alike
    name = draw.choice(("powershell.exe", "cmd.exe", "rundll32.exe", "msedge.exe", "svchost.exe", "excel.exe"))
    return {
        "EventID": 1,
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "Image": rf"C:\Windows\System32\{name}",
        "OriginalFileName": name.upper(),
        "CommandLine": rf"{name} /c {draw.choice(_WORDS)}-{draw.randrange(10_000)}.ps1 -u u{draw.randrange(900)}",
        "ParentImage": r"C:\Windows\explorer.exe",
        "ParentCommandLine": r"C:\Windows\Explorer.EXE",
        "User": rf"BANK\u{draw.randrange(900)}",
        "IntegrityLevel": "Medium",
        "Hashes": f"SHA256={draw.getrandbits(256):064X}",
        "sha256": f"{draw.getrandbits(256):064x}",
    }


def _phishing(draw: random.Random, shared: int | None) -> Fields:
    host = f"kit{shared}.example" if shared is not None else f"{draw.choice(_WORDS)}-{draw.getrandbits(40):x}.example"
    path = "twbank/k7/verify.php" if shared is not None else f"{draw.choice(_WORDS)}/login"
    return {
        "c-uri": f"https://{host}/{path}?sid={draw.getrandbits(64):x}",
        "cs-host": host,
        "cs-method": "POST",
        "c-useragent": draw.choice(_AGENTS),
        "sc-status": 200,
        "src_ip": f"192.0.2.{draw.randrange(1, 255)}",
    }


def _login(draw: random.Random, shared: int | None) -> Fields:
    return {
        "src_ip": _address(draw, shared),
        "user_agent": draw.choice(_AGENTS),
        "result": draw.choice(("failure", "failure", "success")),
        "failures": draw.randrange(200, 900) if shared is not None else draw.randrange(1, 40),
        "distinct_accounts": draw.randrange(100, 400) if shared is not None else draw.randrange(1, 9),
    }


def _remote_logon(draw: random.Random, shared: int | None) -> Fields:
    return {
        "EventID": 4624,
        "Channel": "Security",
        "LogonType": 10,
        "TargetUserName": f"svc-{draw.choice(_WORDS)}",
        "TargetDomainName": "BANK",
        "IpAddress": _address(draw, shared),
        "WorkstationName": f"WS{draw.randrange(2000)}",
    }


def _firewall(draw: random.Random, shared: int | None) -> Fields:
    return {
        "src_ip": _address(draw, shared),
        "dst_ip": f"192.0.2.{draw.randrange(1, 255)}",
        "dst_port": draw.choice((22, 23, 445, 1433, 3389, 8443)),
        "action": "denied",
        "bytes": draw.randrange(40, 1500),
    }


_SYSMON = Kind(
    category="malicious-code.infected-system",
    severity=3,
    attack=(("execution", "T1059.001"),),
    asset="endpoint",
    logsource={"product": "windows", "category": "process_creation"},
    evidence=_process,
    indicator=("sha256", "sha256", "artefact"),
    weight=40,
)
_PHISHING = Kind(
    category="fraud.phishing",
    severity=3,
    attack=(("initial_access", "T1566.002"),),
    asset="internet_banking",
    logsource={"category": "proxy"},
    evidence=_phishing,
    indicator=("cs-host", "domain", "infrastructure"),
    weight=20,
)
_LOGIN = Kind(
    category="intrusion-attempts.brute-force",
    severity=3,
    attack=(("credential_access", "T1110.004"),),
    asset="internet_banking",
    logsource={"product": "internet_banking", "service": "login"},
    evidence=_login,
    indicator=("src_ip", "ipv4", "attacker"),
    weight=15,
)
_SUPPLIER = Kind(
    category="intrusions.privileged-account-compromise",
    severity=4,
    attack=(("initial_access", "T1199"), ("persistence", "T1078")),
    asset="server",
    logsource={"product": "windows", "service": "security"},
    evidence=_remote_logon,
    indicator=("IpAddress", "ipv4", "attacker"),
    weight=5,
    supplied=True,
)
_SCANNER = Kind(
    category="information-gathering.scanner",
    severity=1,
    attack=(("reconnaissance", "T1595.001"),),
    asset="network",
    logsource={"category": "firewall"},
    evidence=_firewall,
    indicator=("src_ip", "ipv4", "attacker"),
    weight=20,
)

KINDS = (_SYSMON, _PHISHING, _LOGIN, _SUPPLIER, _SCANNER)
WEIGHTS = tuple(kind.weight for kind in KINDS)
# Of these, institutions meet the same values within hours of each other.
SHARED_KINDS = (_PHISHING, _LOGIN, _SUPPLIER)
