"""The words a ticket may use, and its bounds: one place for the hot decode, the model and the schema. Not a parser.

Categories are the 39 types of the Reference Security Incident Taxonomy, version 1003, written `class.type`, and five
of our own for what banks meet and the taxonomy does not tell apart.
"""

from __future__ import annotations

from typing import Final, Literal

SCHEMA: Final = "fsoc.ticket/1"

Kind = Literal["ticket", "intel", "source_status", "acknowledgement"]
Action = Literal["open", "update", "close", "retract"]
# Nothing was opened that could be closed.
AnswerAction = Literal["open", "update", "retract"]
Answer = Literal["seen", "hunting", "affected", "not_affected"]
Environment = Literal["production", "exercise", "test"]
# Statuses and verdicts are OCSF's, so that a ticket projects to a Detection Finding and back without loss.
Status = Literal["new", "in_progress", "suppressed", "resolved", "archived", "other"]
Verdict = Literal[
    "true_positive",
    "false_positive",
    "benign",
    "suspicious",
    "security_risk",
    "insufficient_data",
    "disregard",
    "duplicate",
    "test",
    "managed_externally",
    "other",
]
Category = Literal[
    "abusive-content.spam",
    "abusive-content.harmful-speech",
    "abusive-content.violence",
    "malicious-code.infected-system",
    "malicious-code.c2-server",
    "malicious-code.malware-distribution",
    "malicious-code.malware-configuration",
    "malicious-code.ransomware",  # ours
    "information-gathering.scanner",
    "information-gathering.sniffing",
    "information-gathering.social-engineering",
    "intrusion-attempts.ids-alert",
    "intrusion-attempts.brute-force",
    "intrusion-attempts.exploit",
    "intrusions.privileged-account-compromise",
    "intrusions.unprivileged-account-compromise",
    "intrusions.application-compromise",
    "intrusions.system-compromise",
    "intrusions.burglary",
    "availability.dos",
    "availability.ddos",
    "availability.ddos-extortion",  # ours
    "availability.misconfiguration",
    "availability.sabotage",
    "availability.outage",
    "information-content-security.unauthorised-information-access",
    "information-content-security.unauthorised-information-modification",
    "information-content-security.data-loss",
    "information-content-security.data-leak",
    "fraud.unauthorised-use-of-resources",
    "fraud.copyright",
    "fraud.masquerade",
    "fraud.phishing",
    "fraud.swift-transfer",  # ours
    "fraud.atm-cashout",  # ours
    "fraud.account-takeover",  # ours
    "vulnerable.weak-crypto",
    "vulnerable.ddos-amplifier",
    "vulnerable.potentially-unwanted-accessible",
    "vulnerable.information-disclosure",
    "vulnerable.vulnerable-system",
    "other.other",
    "other.undetermined",
    "test.test",
]
TriggerKind = Literal["baseline", "local", "manual"]
ObservableType = Literal[
    "ipv4",
    "ipv6",
    "cidr",
    "asn",
    "domain",
    "url",
    "email",
    "sha256",
    "sha1",
    "md5",
    "ja4",
    "cert_sha256",
    "cve",
    "user_agent",
    "process",
    "mutex",
    "account_token",
    "customer_token",
    "swift_bic",
    "atm_id_token",
]
ObservableRole = Literal["attacker", "victim", "infrastructure", "artefact"]
INDICATOR_ROLES: Final = frozenset({"attacker", "infrastructure"})
"""Whose observables are a ticket's indicators, to rules and to what joins institutions: a victim's address is none."""
AssetType = Literal[
    "swift",
    "atm",
    "core_banking",
    "internet_banking",
    "mobile_app",
    "open_api",
    "trading",
    "email",
    "identity",
    "endpoint",
    "server",
    "network",
    "cloud",
    "third_party",
]
Tlp = Literal["clear", "green", "amber", "amber+strict", "red"]
Pap = Literal["clear", "green", "amber", "red"]
Attribution = Literal["anonymous", "sector_only", "named"]

# Bounds. Strings are counted in characters, except where the name says bytes.
PAYLOAD_BYTES_MAX: Final = 512 * 1024
DEPTH_MAX: Final = 16
INTEGER_MAX: Final = 2**63 - 1
INTEGER_MIN: Final = -(2**63)
TITLE_MAX: Final = 200
DESCRIPTION_BYTES_MAX: Final = 8 * 1024
EXT_BYTES_MAX: Final = 16 * 1024
ATTACK_MAX: Final = 50
EVIDENCE_MAX: Final = 50
FIELDS_MAX: Final = 256  # per evidence item
FIELD_VALUES_MAX: Final = 256  # of a field that holds a list
FIELD_NAME_MAX: Final = 128
FIELD_VALUE_MAX: Final = 65_536
OBSERVABLES_MAX: Final = 200
OBSERVABLE_VALUE_MAX: Final = 2048
ASSETS_MAX: Final = 100
SUPPLIERS_MAX: Final = 50
RELATIONS_MAX: Final = 100  # per kind of relation
ACKNOWLEDGES_MAX: Final = 20  # alerts that one message answers
EXTERNAL_REF_MAX: Final = 1024
SIGNATURE_MAX: Final = 1024
WORD_MAX: Final = 128  # names, versions, references
ID_MAX: Final = 64

# Anchored by whoever uses them: JSON Schema does not know `\A` and `\Z`, and in Python `$` lets a line feed through.
ALERT_ID_PATTERN: Final = r"[A-Za-z0-9-]{1,64}"
INSTITUTION_PATTERN: Final = r"[a-z0-9-]{2,32}"
FEED_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}"
ID_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}"
TECHNIQUE_PATTERN: Final = r"T[0-9]{4}(\.[0-9]{3})?"
TACTIC_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
