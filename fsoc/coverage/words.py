"""What coverage says, in English and Traditional Chinese, and the signs that tell it without colour. Pure text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from fsoc.coverage.judge import Status
from fsoc.feeds.words import Word


class Look(NamedTuple):
    """How a status is drawn. sign: tells it without colour. fill, ink: colours, at least 4.5 : 1 to each other.

    score: of a Navigator layer, 0 to 100.
    """

    sign: str
    word: Word
    means: Word
    fill: str
    ink: str
    score: int


LOOKS: Final[Mapping[Status, Look]] = {
    "covered": Look(
        "●",
        Word("covered", "已涵蓋"),
        Word("declared as it stands, and a ticket named it within the window", "已宣告現行版本，且期間內有事件單觸發"),
        "#1d6b2f",
        "#ffffff",
        100,
    ),
    "declared-only": Look(
        "◐",
        Word("declared only", "僅宣告"),
        Word("declared as it stands, and no ticket shows that it works", "已宣告現行版本，但期間內無事件單佐證"),
        "#bfe3c6",
        "#123018",
        60,
    ),
    "silent": Look(
        "○",
        Word("silent", "靜默"),
        Word("declared, and no heartbeat has come since", "曾宣告，但心跳已中斷"),
        "#d5d9e0",
        "#1b2430",
        30,
    ),
    "outdated": Look(
        "▲",
        Word("outdated", "版本過舊"),
        Word("an earlier version of the baseline is declared", "宣告之監控基準版本較舊"),
        "#f6d58a",
        "#3b2a00",
        40,
    ),
    "missing": Look(
        "✕",
        Word("missing", "未部署"),
        Word("not declared, or not in the version that is", "未宣告，或所宣告版本無此項目"),
        "#a40000",
        "#ffffff",
        0,
    ),
}


class Step(NamedTuple):
    """How a share of institutions that cover a technique is drawn. least: from here on; 0 is of none at all."""

    least: float
    sign: str
    word: Word
    fill: str
    ink: str


STEPS: Final = (
    Step(0.75, "●", Word("75 % or more cover it", "涵蓋率 75% 以上"), "#1d6b2f", "#ffffff"),
    Step(0.5, "◕", Word("50 % or more", "50% 以上"), "#7cc48c", "#0c1f10"),
    Step(0.25, "◑", Word("25 % or more", "25% 以上"), "#cfeed6", "#123018"),
    Step(0.0, "◔", Word("fewer", "未達 25%"), "#f6d58a", "#3b2a00"),
    Step(-1.0, "○", Word("nobody", "無機構涵蓋"), "#a40000", "#ffffff"),
)
"""Of several institutions, from the best to the worst."""


def step_of(share: float) -> int:
    """Place in STEPS of a share from 0 to 1: none at all is a step of its own."""
    return next(place for place, step in enumerate(STEPS) if share >= step.least and (share > 0 or step.least < 0))


TACTICS_ZH: Final[Mapping[str, str]] = {
    "TA0043": "偵察",
    "TA0042": "資源開發",
    "TA0001": "初始入侵",
    "TA0002": "執行",
    "TA0003": "持續潛伏",
    "TA0004": "權限提升",
    "TA0005": "隱匿",
    "TA0112": "削弱防禦",
    "TA0006": "憑證存取",
    "TA0007": "探索",
    "TA0008": "橫向移動",
    "TA0009": "蒐集",
    "TA0011": "命令與控制",
    "TA0010": "外洩",
    "TA0040": "衝擊",
}
"""By TA id; a tactic that is not here has its English name alone."""
