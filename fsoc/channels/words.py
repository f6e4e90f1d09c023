"""The words of feedback that people read, in English and Traditional Chinese, and how times stand in it. Pure text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from fsoc.channels.marks import Language
from fsoc.sharing.model import Feedback
from fsoc.standard import terms
from fsoc.tickets.times import milliseconds

_TAIPEI: Final = timezone(timedelta(hours=8))

_ZH: Final = {
    "Joint SOC feedback": "聯防 SOC 回饋",
    "alert": "告警編號",
    "revision": "版次",
    "status": "狀態",
    "level": "等級",
    "told at": "通知時間",
    "for": "收受機構",
    "Why this concerns you": "與貴機構之關聯",
    "your tickets in it": "貴機構相關事件單",
    "your feed": "貴機構資料來源",
    "your baseline rule": "貴機構觸發之監控規則",
    "What changed": "本版異動",
    "What happened": "事件概況",
    "institutions concerned, at least": "受影響機構數（至少）",
    "not told": "不揭露",
    "confidence": "信心水準",
    "first seen": "最早出現",
    "last seen": "最近出現",
    "asset types": "資產類型",
    "categories": "事件類別",
    "suppliers": "供應商",
    "reported by": "通報來源",
    "Techniques": "攻擊手法",
    "tactic": "戰術",
    "technique": "手法",
    "name": "名稱",
    "Timeline": "時序",
    "Indicators": "入侵指標",
    "type": "類型",
    "value": "指標值",
    "role": "角色",
    "basis": "依據",
    "shared": "數家機構共有",
    "offered": "通報機構同意分享",
    "written so that nobody follows them by accident; STIX and JSON have them as they are": (
        "為避免誤觸，已作去活化處理；STIX 及 JSON 檔為原值"
    ),
    "What to hunt for": "建議清查",
    "query for": "查詢語法",
    "cannot be said there": "該系統無法表達此規則",
    "What helps": "緩解措施",
    "against": "對應手法",
    "Handling": "使用限制",
    "How to answer": "回復方式",
    "text": "其他值",
    "bank": "銀行業",
    "securities": "證券業",
    "insurance": "保險業",
    "critical": "嚴重",
    "high": "高",
    "medium": "中",
    "low": "低",
    "informational": "資訊",
    "open": "進行中",
    "final": "已確定",
    "retracted": "已撤回",
    "Asia/Taipei": "臺北時間",
}

_ANSWER: Final = {
    "en": (
        "Answer by fsoc feedback ack {alert} --answer seen | hunting | affected | not_affected, "
        "or in relations.acknowledges of any ticket."
    ),
    "zh-TW": (
        "請以 fsoc feedback ack {alert} --answer seen（已閱）| hunting（清查中）| affected（受影響）| "
        "not_affected（未受影響）回復，或於任一事件單之 relations.acknowledges 填寫。"
    ),
}


def word(name: str, language: Language) -> str:
    """A label of ours; what has no Chinese stays as it is."""
    return _ZH.get(name, name) if language == "zh-TW" else name


def term(name: str, language: Language) -> str:
    """A word of the ticket's vocabulary."""
    if language == "en":
        return name.replace("_", " ")
    return terms.CATEGORIES.get(name) or terms.WORDS.get(name) or _ZH.get(name, name)


def how_to_answer(feedback: Feedback, language: Language) -> str:
    return _ANSWER[language].format(alert=feedback.alert_id)


def taipei(time: str, *, hour: bool = False) -> str:
    """A time on the wire, as the sector reads it: `2026-03-02 16:05`. hour: what is rounded to one shows no minutes."""
    at = datetime.fromtimestamp(milliseconds(time) / 1000, UTC).astimezone(_TAIPEI)
    return at.strftime("%Y-%m-%d %H" if hour else "%Y-%m-%d %H:%M") + (":00" if hour else "")


def defanged(kind: str, value: str) -> str:
    """A value that no reader's program makes a link of, and no mail filter takes for the attack itself."""
    if kind in {"domain", "ipv4", "cidr", "email"}:
        return value.replace(".", "[.]").replace("@", "[@]")
    if kind == "url":
        scheme, colon, rest = value.partition(":")
        host, slash, path = rest.removeprefix("//").partition("/")
        shown = {"http": "hxxp", "https": "hxxps", "ftp": "fxp"}.get(scheme.lower(), scheme)
        return f"{shown}{colon}//{host.replace('.', '[.]')}{slash}{path}" if colon else value.replace(".", "[.]")
    if kind == "ipv6":
        return value.replace(":", "[:]", 1)
    return value
