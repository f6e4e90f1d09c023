"""How far an institution is on its way to a feed that works, and what comes next. Pure; looks nowhere itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

State: TypeAlias = Literal["done", "open", "not needed", "unknown"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found. None: the cluster was not looked at; of rules and credential also: it has no use for them.

    topics: all three are there, as they must be. rules: all of its access rules. quota: its limits are set.
    credential: it has a password. received, used: messages, whatever became of them. ticketed: a ticket of its own was
    used. heard: a heartbeat was in time. receipts: records of receipts written for it.
    asks_who_comes: the cluster has users and passwords, as far as we were told.
    """

    suspended: bool = False
    looked: bool = False
    topics: bool = False
    rules: bool | None = None
    quota: bool = False
    asks_who_comes: bool = False
    credential: bool = False
    received: int = 0
    used: int = 0
    ticketed: bool = False
    heard: bool = False
    receipts: int = 0


class Step(NamedTuple):
    """One line of the list. hint, hint_zh: what to do while it is open."""

    id: str
    state: State
    text: str
    text_zh: str
    hint: str
    hint_zh: str


def checklist(institution: str, standing: Standing) -> list[Step]:
    """Every step in its order."""
    apply = f"fsoc institution add {institution} --apply"
    seen, given = standing.looked, standing.asks_who_comes

    def state(done: bool, *, needed: bool = True) -> State:
        if not seen:
            return "unknown"
        return "not needed" if not needed else "done" if done else "open"

    return [
        Step(
            "registered",
            "open" if standing.suspended else "done",
            "registered, and not suspended",
            "已登錄，未停用",
            f"fsoc institution suspend {institution} --lift",
            "解除停用後即可收送",
        ),
        Step(
            "topics",
            state(standing.topics),
            "topics: tickets, receipts, feedback",
            "主題：事件單、回條、回饋",
            apply,
            "由管理者建立",
        ),
        Step(
            "rules",
            state(bool(standing.rules), needed=standing.rules is not None),
            "access rules: its own and no other's",
            "存取權限：僅限自己的主題",
            apply,
            "由管理者設定",
        ),
        Step(
            "quota",
            state(standing.quota),
            "quota",
            "流量配額",
            apply,
            "由管理者設定",
        ),
        Step(
            "credential",
            state(standing.credential, needed=given),
            "user and password",
            "帳號與密碼",
            f"fsoc institution rotate {institution} --apply",
            "由管理者核發",
        ),
        Step(
            "received",
            state(standing.received > 0),
            f"first message received ({standing.received:,} so far)",
            f"收到第一則訊息（至今 {standing.received:,} 則）",
            "send first-tickets.ndjson of the kit; a worker must run, and have read the registry again (30 s)",
            "送出交付資料夾裡的 first-tickets.ndjson；須有 worker 執行，且已重讀名冊（30 秒）",
        ),
        Step(
            "ticket",
            state(standing.ticketed),
            f"first valid ticket ({standing.used:,} messages used)",
            f"第一張有效事件單（已採用 {standing.used:,} 則訊息）",
            "read the receipts: they name each fault and its field",
            "請讀回條：錯誤與欄位逐一列出",
        ),
        Step(
            "heartbeat",
            state(standing.heard),
            "first heartbeat (source_status) in time",
            "第一張監控設備狀況單（準時）",
            "send a source_status of each feed every five minutes, with the feed's name as it is registered",
            "每個來源每五分鐘送一張 source_status，feed 名稱須與登錄相同",
        ),
        Step(
            "receipt",
            state(standing.receipts > 0),
            "first receipt written",
            "第一則回條",
            "receipts come with the first message that is received",
            "收到第一則訊息後即產生回條",
        ),
    ]


def is_complete(steps: list[Step]) -> bool:
    """Nothing is open, and all of it was looked at."""
    return all(step.state in {"done", "not needed"} for step in steps)
