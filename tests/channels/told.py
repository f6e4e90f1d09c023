"""A record of feedback with something in every field, as tests of channels change it."""

from __future__ import annotations

from typing import Any

import orjson

from fsoc.channels.read import read_feedback
from fsoc.sharing.model import Feedback

SIGMA = """title: Sector indicator
id: 5f0c5a34-8f3e-4a53-9d3a-2b6b0c1d2e3f
status: experimental
logsource:
  category: proxy
detection:
  selection:
    cs-host|contains: login.update.example
  condition: selection
level: high
"""
EVIL = "</pre><script>alert(1)</script>\x1b]0;owned\x07\u202e&\r\nBcc: all@example"


def reason(text: str, text_zh: str) -> dict[str, str]:
    return {"text": text, "text_zh": text_zh}


def indicator(kind: str = "domain", value: str = "login.update.example", **changes: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, "role": "attacker", "confidence": 80, "basis": "shared"} | changes


def statement(**changes: Any) -> dict[str, Any]:
    return {
        "day": "2026-03-02",
        "summary": reason("One phishing kit at several institutions.", "多家機構遭同一釣魚套件攻擊。"),
        "confidence": 80,
        "institution_count_at_least": 5,
        "first_seen": "2026-03-02T00:00:00.000Z",
        "last_seen": "2026-03-02T08:00:00.000Z",
        "techniques": [
            {
                "tactic": "initial-access",
                "tactic_name": "Initial Access",
                "tactic_name_zh": "初始存取",
                "technique": "T1566.002",
                "name": "Spearphishing Link",
            }
        ],
        "timeline": [
            {
                "tactic": "initial-access",
                "techniques": ["T1566.002"],
                "first_seen": "2026-03-02T00:00:00.000Z",
                "last_seen": "2026-03-02T08:00:00.000Z",
            }
        ],
        "indicators": [indicator(), indicator("ipv4", "203.0.113.7", role="infrastructure", basis="offered")],
        "suppliers": [],
        "asset_types": ["internet_banking"],
        "categories": ["fraud.phishing"],
        "sources": [],
        "hunt": [
            {
                "rule_id": "5f0c5a34-8f3e-4a53-9d3a-2b6b0c1d2e3f",
                "title": "Sector indicator",
                "title_zh": "聯防指標",
                "sigma": SIGMA,
            }
        ],
        "mitigations": [{"id": "M1017", "name": "User Training", "name_zh": "使用者訓練", "techniques": ["T1566.002"]}],
        "tlp": "amber",
    } | changes


def record(**changes: Any) -> dict[str, Any]:
    body = {
        "schema": "fsoc.feedback/1",
        "alert_id": "al-0123456789abcdef0123456789abcdef",
        "revision": 1,
        "status": "open",
        "environment": "production",
        "exercise": False,
        "institution": "fi-001",
        "told_at": "2026-03-02T08:30:00.000Z",
        "first_told_at": "2026-03-02T08:30:00.000Z",
        "kind": "joint",
        "title": "One phishing kit against three institutions or more",
        "title_zh": "同一釣魚套件攻擊三家以上機構",
        "level": "high",
        "concern": "own_tickets",
        "why": reason("It rests on one ticket of yours.", "本告警包含貴機構一張事件單。"),
        "ticket_ids": ["T-20260302-0001"],
        "ticket_count": 1,
        "feed": None,
        "trigger_rule_id": "proxy-17",
        "statement": statement(),
        "changes": [],
        "tlp": "amber",
        "handling": reason("For you and your clients, where they need to know.", "僅限貴機構及有必要知悉之客戶。"),
    }
    return body | changes


def feedback(**changes: Any) -> Feedback:
    return read_feedback(orjson.dumps(record(**changes)))


def full(**changes: Any) -> Feedback:
    """With an indicator of every type."""
    kinds = {
        "ipv4": "203.0.113.7",
        "ipv6": "2001:db8::7",
        "cidr": "203.0.113.0/24",
        "asn": "AS64500",
        "domain": "login.update.example",
        "url": "https://login.update.example/a'b\\c?x=1",
        "email": "billing@update.example",
        "sha256": "a" * 64,
        "sha1": "b" * 40,
        "md5": "c" * 32,
        "ja4": "t13d1516h2_8daaf6152771_b186095e22b6",
        "cve": "CVE-2026-0001",
        "user_agent": "kit/1.0 (it's)",
        "text": "Global\\kit",
    }
    told = [indicator(kind, value) for kind, value in kinds.items()]
    change = {"what": "count", "values": ["5"], "text": "At least 5 institutions.", "text_zh": "至少 5 家機構。"}
    return feedback(
        **{
            "statement": statement(
                indicators=told,
                suppliers=["sup-1"],
                sources=[
                    {"sector": "bank", "institution": None, "name": None, "name_zh": None},
                ],
            ),
            "changes": [change],
            "revision": 2,
            "told_at": "2026-03-02T09:30:00.000Z",
        }
        | changes
    )
