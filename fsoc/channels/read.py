"""A record of a feedback topic, read back as the model has it. Decides nothing."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter, ValidationError

from fsoc.sharing.model import Feedback

_adapter: Final = TypeAdapter(Feedback)


def read_feedback(value: bytes) -> Feedback:
    """Read one record.

    Raises:
        ValueError: it is none; the first thing that is wrong, and where.
    """
    try:
        return _adapter.validate_json(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = "/".join(map(str, first["loc"]))
        raise ValueError(f"no feedback: /{place}: {first['msg']}") from error
