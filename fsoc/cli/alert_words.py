"""The words of `fsoc alerts` in two languages, and how it shows times and numbers. Pure text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Literal

from fsoc.alerts.read import Explanation, ReadAlert
from fsoc.cli.printable import printable

Language = Literal["en", "zh-TW"]
LANGUAGES: Final = ("en", "zh-TW")

LEVEL_STYLES: Final = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "informational": "dim"}
_SYMBOLS: Final = {"gte": "≥", "gt": ">", "lte": "≤", "lt": "<", "eq": "=", "neq": "≠"}

_ZH: Final[Mapping[str, str]] = {
    "critical": "嚴重",
    "high": "高",
    "medium": "中",
    "low": "低",
    "informational": "資訊",
    "open": "進行中",
    "final": "已確定",
    "retracted": "已撤回",
    "merged": "已併入",
    "production": "正式",
    "exercise": "演練",
    "test": "測試",
    "alert": "告警",
    "alerts": "告警",
    "suppressed": "已抑制",
    "hidden": "未列出",
    "the newest": "最新",
    "age": "經過",
    "level": "等級",
    "sev": "嚴重",
    "rule": "規則",
    "inst": "機構",
    "seen, asked": "所見／門檻",
    "techniques": "手法",
    "due": "期限",
    "past": "已過",
    "in": "於",
    "no alerts": "無符合之告警",
    "event time": "事件時間",
    "Why": "成立原因",
    "Severity": "嚴重度",
    "Suggested grade": "建議事件等級",
    "Clocks": "通報與處置期限",
    "due at": "期限",
    "left": "剩餘",
    "Timeline": "ATT&CK 時序",
    "Institutions": "機構",
    "Intel": "情資分析單",
    "Acknowledgements": "機構回復",
    "acknowledged by": "已回復機構",
    "after feedback": "（回饋後）",
    "no victims": "非受害通報",
    "History": "版次",
    "revision": "版次",
    "tickets": "事件單",
    "institutions": "家機構",
    "decided it": "促成單",
    "first ever": "首見",
    "surge": "激增",
    "window": "視窗",
    "continues": "接續",
    "campaign": "攻擊行動",
    "Suppressed": "已抑制",
    "owner": "負責人",
    "until": "至",
    "environment": "環境",
}
_KIND_ZH: Final[Mapping[str, str]] = {
    "joint": "聯防",
    "local": "單一機構",
    "feed": "資料來源",
    "rule": "規則",
}
_SEVERITY: Final = {
    "en": ("Unknown", "Informational", "Low", "Medium", "High", "Critical"),
    "zh-TW": ("未知", "資訊", "低", "中", "高", "嚴重"),
}


def word(text: str, language: Language) -> str:
    """One of fsoc's own words; what is not known, from the wire for one, as it is, made safe."""
    return _ZH.get(text, printable(text)) if language == "zh-TW" else printable(text)


def kind_name(kind: str, language: Language) -> str:
    """What an alert is about; a kind that is not known as it is, made safe."""
    return _KIND_ZH.get(kind, printable(kind)) if language == "zh-TW" else printable(kind)


def either(said: Any, language: Language, name: str = "text") -> str:
    """What something says in this language, made safe; in English where it does not say it in Chinese."""
    chinese = getattr(said, f"{name}_zh") if language == "zh-TW" else ""
    return printable(chinese or getattr(said, name))


def title(alert: ReadAlert, language: Language) -> str:
    return either(alert, language, "rule_title")


def severity_name(severity: int, language: Language) -> str:
    names = _SEVERITY[language]
    return names[severity] if 0 <= severity < len(names) else str(severity)


def shared(alert: ReadAlert) -> str:
    """What its tickets have in common."""
    return printable(", ".join(f"{name} = {value}" for name, value in alert.group.items()))


def seen_asked(explanation: Explanation) -> str:
    """`3 ≥ 3 / 4h`."""
    bounds = " ".join(f"{_SYMBOLS.get(name, name)} {bound:g}" for name, bound in explanation.condition.items())
    return printable(f"{explanation.seen:g} {bounds} / {explanation.timespan}")


def clock_text(time: str) -> str:
    """A time of the wire to the minute: `2026-03-02 10:54`."""
    return printable(f"{time[:10]} {time[11:16]}")


def span(span_ms: int) -> str:
    """`12m`, `3h05`, `2d04h`; below a minute `<1m`; a minus before what lies ahead."""
    sign = "-" if span_ms <= -60_000 else ""
    length = timedelta(milliseconds=abs(span_ms))
    minutes = length.seconds // 60
    if length.days:
        return f"{sign}{length.days}d{minutes // 60:02d}h"
    if minutes >= 60:
        return f"{sign}{minutes // 60}h{minutes % 60:02d}"
    return f"{sign}{minutes}m" if minutes else "<1m"
