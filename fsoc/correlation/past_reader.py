"""Reads what a correlation says of each institution's own past, under its `fsoc:` key. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fsoc.correlation.conditions import read_number
from fsoc.correlation.past import COUNTS_WHEN, HOUR_MS, PAST_MAX_MS, WEEK_HOURS, Past
from fsoc.correlation.rules import DAY_MS, timespan_ms

PAST_KEYS: Final = frozenset(
    {"agreed", "counts_when", "surge_factor", "drop", "drop_over", "past", "warm_up", "hub", "past_rules"}
)
HUB_MIN: Final = 2

# What a key says something of, and what its number may be.
_NUMBERS: Final = {"surge_factor": ("surge", 1, 1_000_000), "drop": ("drop", 0.01, 1)}


def read_past(options: Mapping[str, Any], span_ms: int, *, numeric: bool) -> tuple[Past | None, list[str]]:
    """How the rule looks at the past, None where it does not; and what is wrong with what it says.

    span_ms: its timespan. numeric: it looks at numbers.
    """
    counts_when = options.get("counts_when", "always")
    if counts_when not in COUNTS_WHEN:
        return None, [f'fsoc.counts_when is "{counts_when}" — expected one of {", ".join(COUNTS_WHEN)}']
    wrong: list[str] = []
    if counts_when == "drop" and not numeric:
        wrong.append("fsoc.counts_when: drop needs numbers that can drop — expected value_sum or its like")
    asked = _numbers(options, counts_when, wrong) | _spans(options, counts_when, wrong)
    asked |= _drop_over(options, counts_when, wrong) | _agreed(options, counts_when, span_ms, wrong)
    hub = options.get("hub", 0)
    if "hub" in options and (isinstance(hub, bool) or not isinstance(hub, int) or hub < HUB_MIN):
        wrong.append(f'fsoc.hub is "{hub}" — expected a number of institutions, at least {HUB_MIN}')
    if wrong or (counts_when == "always" and not hub):
        return None, wrong
    # Of a shorter window, what came the hour before may be the same event: it is no past yet.
    return Past(counts_when, **asked, hub=hub, gap_hours=1 if span_ms < HOUR_MS else 0), []


def _numbers(options: Mapping[str, Any], counts_when: str, wrong: list[str]) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    for key, (needed, lowest, highest) in _NUMBERS.items():
        if key not in options:
            continue
        asked[key] = found = read_number(options[key])
        if needed not in counts_when:
            wrong.append(f"fsoc.{key} says nothing where counts_when is {counts_when}")
        elif found is None or not lowest <= found <= highest:
            wrong.append(f'fsoc.{key} is "{options[key]}" — expected a number from {lowest} to {highest}')
    return asked


def _drop_over(options: Mapping[str, Any], counts_when: str, wrong: list[str]) -> dict[str, Any]:
    """`drop_over`: whole hours, so many that none is compared with itself."""
    if "drop_over" not in options:
        return {}
    given = options["drop_over"]
    if counts_when != "drop":
        wrong.append(f"fsoc.drop_over says nothing where counts_when is {counts_when}")
    try:
        span = timespan_ms(given)
    except ValueError as error:
        wrong.append(f"fsoc.drop_over: {error}")
        return {}
    if span % HOUR_MS or span > WEEK_HOURS * HOUR_MS:
        wrong.append(f'fsoc.drop_over is "{given}" — expected whole hours, at most {WEEK_HOURS // 24}d')
    return {"drop_hours": span // HOUR_MS}


def _agreed(options: Mapping[str, Any], counts_when: str, span_ms: int, wrong: list[str]) -> dict[str, Any]:
    """`agreed`: a share, within the timespan, of what is news and may be told or not."""
    if "agreed" not in options:
        return {}
    share = read_number(options["agreed"])
    if counts_when in {"always", "drop"}:
        wrong.append(f"fsoc.agreed says nothing where counts_when is {counts_when}")
    elif "past_rules" not in options:
        wrong.append("fsoc.agreed says nothing without past_rules: all that is news is what the rule counts")
    if share is None or not 0 < share <= 1:
        wrong.append(f'fsoc.agreed is "{options["agreed"]}" — expected a share above 0 and up to 1')
    return {"agreed": share, "agreed_hours": -(-span_ms // HOUR_MS)}


def _spans(options: Mapping[str, Any], counts_when: str, wrong: list[str]) -> dict[str, Any]:
    """`past` and `warm_up`: whole hours, at most what is remembered; no warm-up is 0."""
    asked: dict[str, Any] = {}
    for key in ("past", "warm_up"):
        if key not in options:
            continue
        given = options[key]
        if counts_when == "always":
            wrong.append(f"fsoc.{key} says nothing where counts_when is always")
        if key == "warm_up" and given == 0 and not isinstance(given, bool):
            asked["warm_up_ms"] = 0
            continue
        try:
            span = asked[f"{key}_ms"] = timespan_ms(given)
        except ValueError as error:
            wrong.append(f"fsoc.{key}: {error}")
            continue
        if span % HOUR_MS or span > PAST_MAX_MS:
            wrong.append(f'fsoc.{key} is "{given}" — expected whole hours, at most {PAST_MAX_MS // DAY_MS}d')
    return asked
