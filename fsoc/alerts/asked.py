"""What a condition asks for, in the words of two languages. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from fsoc.correlation.conditions import Condition
from fsoc.correlation.exact import exactly, shown

_BOUND: Final = {
    "gte": ("at least {bound}", "至少 {bound}"),
    "gt": ("more than {bound}", "超過 {bound}"),
    "lte": ("at most {bound}", "至多 {bound}"),
    "lt": ("less than {bound}", "少於 {bound}"),
    "eq": ("exactly {bound}", "恰為 {bound}"),
    "neq": ("anything but {bound}", "不等於 {bound}"),
}


class Said(NamedTuple):
    """One sentence, in English and in Traditional Chinese."""

    text: str
    text_zh: str


def asked(condition: Condition) -> Said:
    """`at least 3`, `more than 2 and at most 10`."""
    bounds = [tuple(said.format(bound=shown(exactly(bound))) for said in _BOUND[op]) for op, bound in condition.bounds]
    return Said(" and ".join(text for text, _ in bounds), "且".join(text for _, text in bounds))
