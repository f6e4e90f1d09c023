"""What must be known of an evaluation: which figures cannot be given, which are less than they seem, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from fsoc.evaluation.figures import Note
from fsoc.evaluation.judging import Judged
from fsoc.evaluation.records import TicketKey
from fsoc.evaluation.tickets import Tickets
from fsoc.evaluation.truth import Label, Truth

FEW: Final = 10
"""Of fewer labels, or alerts, a share says little."""


def notes(
    truth: Truth,
    labels: Mapping[str, Label],
    known: AbstractSet[TicketKey],
    tickets: Tickets | None,
    judged: Sequence[Judged],
) -> Iterator[Note]:
    """known: the tickets of which it is known who sent them."""
    if tickets is None:
        yield from _without_tickets(labels)
    else:
        yield from _with_tickets(labels, tickets)
    shared = truth.shared_ids(known)
    if shared:
        yield Note(
            f"{shared} ticket ids of the truth name no institution and are borne by tickets of several, all of which "
            "take the label. Name the institution.",
            f"真值檔中有 {shared} 個事件單編號未註明機構，且為多家機構共用，均視為具該標籤；請註明機構。",
        )
    if not judged:
        yield Note(
            "No joint alert stands: precision cannot be given.",
            "無有效聯防告警，無法計算精確率。",
        )
    joint = sum(label.is_joint for label in labels.values())
    if not joint:
        yield Note(
            "No label struck two institutions: recall cannot be given.",
            "真值檔中無跨兩家以上機構之標籤，無法計算召回率。",
        )
    elif joint < FEW or 0 < len(judged) < FEW:
        yield Note(
            f"{joint} labels and {len(judged)} joint alerts are few: read the intervals, not the shares.",
            f"僅 {joint} 個標籤、{len(judged)} 則聯防告警，樣本偏少，請以信賴區間為準。",
        )


def _without_tickets(labels: Mapping[str, Label]) -> Iterator[Note]:
    yield Note(
        "No tickets were given. Times from a label's first ticket are from the first ticket that an alert on it names, "
        "and may be longer in truth; from the third institution, and from the deciding ticket, none can be given.",
        "未提供事件單檔：「自首張事件單」之時間以告警所列最早事件單起算，實際可能更長；"
        "「自第三家機構」及「自關鍵事件單」之時間無法計算。",
    )
    yield Note(
        "No tickets were given. Days are counted from the first to the last ticket of any joint alert; quiet days "
        "before and after are not known, so that alerts per day may be fewer in truth.",
        "未提供事件單檔：天數僅計聯防告警所及之首末事件單，前後無告警之日未計入，實際每日告警數可能更低。",
    )
    unknown = sum(bool(label.elsewhere) for label in labels.values())
    if unknown:
        yield Note(
            f"Of {unknown} labels not every ticket's institution is known: each counts as one that should be alerted.",
            f"有 {unknown} 個標籤之部分事件單機構不明，均視為應有聯防告警者。",
        )


def _with_tickets(labels: Mapping[str, Label], tickets: Tickets) -> Iterator[Note]:
    if not len(tickets):
        yield Note(
            f"None of the {tickets.lines} lines of the ticket files is a ticket.",
            f"事件單檔共 {tickets.lines} 行，無任何有效事件單。",
        )
    absent = sum(
        sum(tickets.get(key) is None for key in label.tickets) + len(label.elsewhere) for label in labels.values()
    )
    if absent:
        yield Note(
            f"{absent} labelled tickets are not in the ticket files, or were refused: times are reckoned without them.",
            f"有 {absent} 張具標籤之事件單不在事件單檔中或遭退件，時間計算未納入。",
        )
