"""The shapes of the gateway's answers, for its OpenAPI document. Nothing is made of them at run time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from fsoc.runtime.gateway.batch import LINES_MAX
from fsoc.tickets.schema import Receipt, ReceiptFault

_Offset = Annotated[int, Field(ge=0)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Entry(_Answer):
    """What became of one line. offset: on the institution's ticket topic."""

    line: Annotated[int, Field(ge=1)]
    outcome: Literal["taken", "quarantined"]
    offset: _Offset | None
    ticket_id: str | None
    revision: Annotated[int, Field(ge=1)] | None
    faults: list[ReceiptFault]


class Taken(_Answer):
    """Kafka has every line durably. received = taken + quarantined. entries: of each line, or none if so preferred."""

    institution: str
    received: Annotated[int, Field(ge=1, le=LINES_MAX)]
    taken: Annotated[int, Field(ge=0)]
    quarantined: Annotated[int, Field(ge=0)]
    entries: list[Entry]


class ReceiptsPage(_Answer):
    """Receipts, and where to ask on."""

    institution: str
    receipts: list[Receipt]
    next: _Offset
    end: bool


class ProblemBody(_Answer):
    """RFC 9457. type: `urn:fsoc:problem:<code>`."""

    type: Annotated[str, Field(pattern="^urn:fsoc:problem:[a-z-]+$")]
    status: Annotated[int, Field(ge=400, le=599)]
    title: str
    title_zh: str
    detail: str
    detail_zh: str
