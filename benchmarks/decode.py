"""What one ticket costs to decode: msgspec against pydantic for the same contract. Not a benchmark of the pipeline.

    python -m benchmarks.decode [--tickets 2000] [--rounds 9] [--json]

Lanes over the same tickets, one pass each per round, in turn, so that a busy machine slows all alike; CPU time,
medians. What follows from it is said in `fsoc/tickets/README.md`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson

from benchmarks.machine import describe
from benchmarks.workload import deliveries
from fsoc.tickets import model, structure, wire
from fsoc.tickets.conditions import broken_conditions
from fsoc.tickets.decode import decode, digest
from fsoc.tickets.times import milliseconds

Payloads = Sequence[tuple[str, bytes]]


def orjson_alone(payloads: Payloads) -> None:
    """The floor: bytes to a dict, nothing checked."""
    for _, payload in payloads:
        orjson.loads(payload)


def with_msgspec(payloads: Payloads) -> None:
    """The hot path as it is."""
    for institution, payload in payloads:
        decode(payload, institution=institution)


def with_pydantic(payloads: Payloads) -> None:
    """The same answer with the pydantic model in the place of the structs: dict, checks, times, digest."""
    for institution, payload in payloads:
        body: dict[str, Any] = orjson.loads(payload)
        ticket = model.Ticket.model_validate(body)
        if broken_conditions(body) or ticket.institution != institution or not structure.is_sound(payload, body):
            raise AssertionError("the workload holds only valid tickets")
        for text in (ticket.occurred_from, ticket.occurred_to, ticket.detected_at, ticket.sent_at, ticket.received_at):
            if text is not None:
                milliseconds(text)
        digest(body)


def check_with_msgspec(payloads: Payloads) -> None:
    """Decode and check the fields, no more."""
    for _, payload in payloads:
        msgspec.convert(orjson.loads(payload), wire.Ticket)


def check_with_pydantic(payloads: Payloads) -> None:
    """Decode and check the fields, no more; the model reads the times as well."""
    for _, payload in payloads:
        model.Ticket.model_validate(orjson.loads(payload))


LANES: dict[str, Callable[[Payloads], None]] = {
    "orjson": orjson_alone,
    "msgspec": with_msgspec,
    "pydantic": with_pydantic,
    "msgspec_fields": check_with_msgspec,
    "pydantic_fields": check_with_pydantic,
}


def measure(tickets: int, rounds: int) -> dict[str, Any]:
    """Median microseconds per ticket of each lane, and the ratios between them."""
    payloads = [(delivery.institution, delivery.payload) for delivery in deliveries(tickets, 40)]
    spent: dict[str, list[float]] = {name: [] for name in LANES}
    for _ in range(rounds):
        for name, lane in LANES.items():
            before = time.process_time()
            lane(payloads)
            spent[name].append((time.process_time() - before) / tickets * 1e6)
    medians = {name: statistics.median(values) for name, values in spent.items()}
    return {
        "tickets": tickets,
        "rounds": rounds,
        "payload_bytes_mean": round(sum(len(payload) for _, payload in payloads) / tickets),
        "microseconds": {name: round(value, 2) for name, value in medians.items()},
        "pydantic_over_msgspec": round(medians["pydantic"] / medians["msgspec"], 2),
        "pydantic_over_msgspec_fields": round(
            (medians["pydantic_fields"] - medians["orjson"]) / (medians["msgspec_fields"] - medians["orjson"]), 2
        ),
        "msgspec_over_orjson": round(medians["msgspec"] / medians["orjson"], 2),
        "tickets_per_cpu_second": round(1e6 / medians["msgspec"]),
        "machine": describe(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="the whole result as one JSON object")
    options = parser.parse_args()
    result = measure(max(1, options.tickets), max(5, options.rounds))
    if options.json:
        print(json.dumps(result, indent=2))
        return
    for name, value in result["microseconds"].items():
        print(f"{name:16} {value:8.2f} µs/ticket")
    print(f"fields alone, without orjson: pydantic / msgspec {result['pydantic_over_msgspec_fields']}")
    print(f"pydantic / msgspec {result['pydantic_over_msgspec']}   msgspec / orjson {result['msgspec_over_orjson']}")


if __name__ == "__main__":
    main()
