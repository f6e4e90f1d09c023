"""Every sentence of feedback, in English and in Traditional Chinese. Pure; nothing from a ticket is put into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from fsoc.tickets.times import milliseconds, rfc3339

TAIWAN_MS: Final = 8 * 3_600_000
"""Taiwan's offset from UTC; it has no summer time."""

TACTICS: Final = {
    "reconnaissance": ("Reconnaissance", "偵察"),
    "resource-development": ("Resource Development", "資源開發"),
    "initial-access": ("Initial Access", "初始入侵"),
    "execution": ("Execution", "執行"),
    "persistence": ("Persistence", "持續潛伏"),
    "privilege-escalation": ("Privilege Escalation", "權限提升"),
    "stealth": ("Stealth", "隱匿"),
    "defense-impairment": ("Defense Impairment", "防禦破壞"),
    "credential-access": ("Credential Access", "憑證存取"),
    "discovery": ("Discovery", "環境探索"),
    "lateral-movement": ("Lateral Movement", "橫向移動"),
    "collection": ("Collection", "資料蒐集"),
    "command-and-control": ("Command and Control", "命令與控制"),
    "exfiltration": ("Exfiltration", "資料外傳"),
    "impact": ("Impact", "衝擊破壞"),
}

_STATUS_ZH: Final = {"open": "進行中", "final": "已結束", "retracted": "已撤回"}
_LEVEL_ZH: Final = {"informational": "資訊", "low": "低", "medium": "中", "high": "高", "critical": "嚴重"}


class Said(NamedTuple):
    """One sentence."""

    text: str
    text_zh: str


def summary(kind: str, title: Said, at_least: int | None, first: str, last: str) -> Said:
    """What happened, in one sentence. first, last: times by the hour."""
    count = "" if at_least is None else f", {at_least} or more,"
    count_zh = "" if at_least is None else f"（至少 {at_least} 家）"
    since, until = _hour(first), _hour(last)
    between = f"between {since} and {until}" if first != last else f"in the hour of {since}"
    between_zh = f"{since} 至 {until}" if first != last else f"{since} 前後"
    if kind == "rule":
        return Said(
            f"{title.text}: one rule fired at several institutions{count} {between} (Taipei time), and is likely to be "
            "at fault.",
            f"{title.text_zh}：同一規則於多家機構{count_zh}在 {between_zh}（臺北時間）觸發，規則本身可能有誤。",
        )
    return Said(
        f"{title.text}: reported by several institutions{count} {between} (Taipei time).",
        f"{title.text_zh}：多家機構{count_zh}於 {between_zh}（臺北時間）通報。",
    )


def why(kind: str, concern: str, tickets: int, *, by_supplier: bool) -> Said:
    """Why the receiver is told. by_supplier: what joins the tickets is a supplier."""
    if concern == "at_risk":
        supplier = " Check whether you have the supplier that is named." if by_supplier else ""
        supplier_zh = "請確認貴機構是否使用所列委外廠商。" if by_supplier else ""
        return Said(
            f"You have no ticket in this alert. What others met may reach you next.{supplier}",
            f"貴機構尚無事件單列入本告警，惟同類攻擊可能波及貴機構。{supplier_zh}",
        )
    tickets_text = "1 ticket" if tickets == 1 else f"{tickets} tickets"
    if kind == "feed":
        return Said("It is about a feed of yours.", "本告警係關於貴機構之資料來源。")
    if kind == "rule":
        return Said(
            f"The rule triggered {tickets_text} of yours.",
            f"該規則觸發貴機構 {tickets} 張事件單。",
        )
    supplier = ", by a supplier that you have in common with others" if by_supplier else ""
    supplier_zh = "，與其他機構涉及同一委外廠商" if by_supplier else ""
    return Said(
        f"It rests on {tickets_text} of yours{supplier}.",
        f"貴機構有 {tickets} 張事件單列入本告警{supplier_zh}。",
    )


TAKEN_BACK: Final = Said(
    "This alert is taken back: what was said of it before no longer holds. Undo what you did because of it.",
    "本告警已撤回，先前內容不再適用；因本告警所為之處置請予復原。",
)

HANDLING: Final = {
    "amber": Said(
        "TLP:AMBER. For your institution and, as far as they need it to protect themselves, its clients. "
        "Block and hunt with it; do not publish it, and do not ask others whether they are concerned.",
        "TLP:AMBER。限貴機構，及為自我防護而有必要知悉之客戶。可用於阻擋與搜尋；不得公開，亦請勿向他人探詢是否受影響。",
    ),
    "amber+strict": Said(
        "TLP:AMBER+STRICT. For your institution alone. Block and hunt with it; do not pass it on, and do not ask "
        "others whether they are concerned.",
        "TLP:AMBER+STRICT。僅限貴機構內部使用。可用於阻擋與搜尋；不得轉傳，亦請勿向他人探詢是否受影響。",
    ),
}

_DRILL: Final = Said("This is a drill. ", "【演練】")


def handling(tlp: str, *, exercise: bool) -> Said:
    said = HANDLING[tlp]
    return Said(_DRILL.text + said.text, _DRILL.text_zh + said.text_zh) if exercise else said


_CHANGED: Final = {
    "status": Said("It is {after} now.", "狀態變更為{after_zh}。"),
    "level": Said("Its level is {after}, before it was {before}.", "等級由{before_zh}變更為{after_zh}。"),
    "concern": Said("No ticket of yours is in it any more.", "貴機構已無事件單列入本告警。"),
    "concerned": Said("Tickets of yours are in it now.", "貴機構事件單已列入本告警。"),
    "own_tickets": Said("Your tickets in it changed: {listed}.", "列入本告警之貴機構事件單異動：{listed_zh}。"),
    "count": Said("{after} institutions or more are concerned now.", "受影響機構至少 {after} 家。"),
    "uncounted": Said("How many institutions there are is told no more.", "受影響機構數不再揭露。"),
    "indicators_added": Said("New indicators: {listed}.", "新增指標：{listed_zh}。"),
    "indicators_gone": Said("No indicators any more: {listed}.", "移除指標：{listed_zh}。"),
    "techniques_added": Said("New techniques: {listed}.", "新增攻擊技術：{listed_zh}。"),
    "techniques_gone": Said("Techniques that no longer hold: {listed}.", "移除攻擊技術：{listed_zh}。"),
    "suppliers_added": Said("New suppliers: {listed}.", "新增委外廠商：{listed_zh}。"),
}
_WORDS_ZH: Final = {**_STATUS_ZH, **_LEVEL_ZH}


def changed(what: str, values: Sequence[str], before: str = "", after: str = "") -> Said:
    """One thing that is otherwise. before, after: where one word took another's place."""
    name = "concerned" if (what, after) == ("concern", "own_tickets") else what
    said = _CHANGED["uncounted" if (what, after) == ("count", "") else name]
    facts = {
        "listed": ", ".join(values),
        "listed_zh": "、".join(values),
        "before": before,
        "after": after,
        "before_zh": _WORDS_ZH.get(before, before),
        "after_zh": _WORDS_ZH.get(after, after),
    }
    return Said(said.text.format(**facts), said.text_zh.format(**facts))


def _hour(time: str) -> str:
    """As a clock in Taipei shows it."""
    at = rfc3339(milliseconds(time) + TAIWAN_MS)
    return f"{at[:10]} {at[11:16]}"
