"""How long, in words that people write. Pure."""

from __future__ import annotations


def span_text(span_ms: int) -> str:
    """The timespan in the largest unit that is exact: `4h`, `15m`, `90s`."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)):
        if span_ms % size == 0:
            return f"{span_ms // size}{unit}"
    return f"{span_ms // 1000}s"
