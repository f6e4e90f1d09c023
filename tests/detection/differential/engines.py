"""Every engine there is, made of the same rules; and what each finds, so that it can be compared with the oracle."""

from __future__ import annotations

import importlib.util
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from fsoc.detection import Detector, LogsourceMap, PlainDetector
from fsoc.detection.engine import Replanned, make_detector
from fsoc.detection.plan import Anchor, Rates, plan
from fsoc.detection.program import Program, flatten, unflatten
from fsoc.detection.rules import Rule

UNFLATTENED = "unflattened"
"""The plain evaluator over what is left of the rules when they have been through a Program, and it through bytes."""


def _is_there(engine: str) -> bool:
    if engine == "native" and os.environ.get("FSOC_REQUIRE_NATIVE") == "1":
        return True
    modules = {"native": ("fsoc_native", "fsoc.detection.native"), "fast": ("fsoc.detection.fast",)}
    return all(importlib.util.find_spec(name) for name in modules[engine])


ENGINES = [engine for engine in os.environ.get("FSOC_ENGINES", "fast,native").split(",") if _is_there(engine)]
"""Those to be compared with the plain evaluator; FSOC_ENGINES names fewer."""


def make(engine: str, rules: Sequence[Rule], mapping: LogsourceMap) -> Detector:
    if engine != UNFLATTENED:
        return make_detector(rules, mapping, engine)
    program = msgspec.msgpack.decode(msgspec.msgpack.encode(flatten(rules)), type=Program)
    conditions = unflatten(program)
    again = [replace(rule, condition=condition) for rule, condition in zip(rules, conditions, strict=True)]
    return PlainDetector(again, mapping)


def adopt_other_anchors(detector: Detector, rules: Sequence[Rule], seed: int) -> None:
    """Search by anchors as good as any: drawn, not measured; now and then a rule is tried always."""
    if isinstance(detector, Replanned):
        detector.engine.adopt(detector.engine.prepare(drawn_anchors(flatten(rules), random.Random(seed))))


def drawn_anchors(program: Program, draw: random.Random) -> list[Anchor]:
    tried = [1_000_000] * len(program.clauses)
    hits = [draw.randrange(1_000_000) for _ in program.clauses]
    return [None if draw.random() < 0.1 else anchor for anchor in plan(program, Rates(tried, hits))]


def outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    """What a call returns; or what it raises, where the interface says that it may."""
    try:
        return call(*arguments)
    except ValueError as error:
        return type(error), str(error)
