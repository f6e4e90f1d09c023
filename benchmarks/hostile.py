"""What a hostile sender can cost: 8 KiB texts made to hurt each rule, the longest time one of them takes. By engine.

    python -m benchmarks.hostile [--rules DIR …] [--engine plain|fast|native …] [--json] [--save]

Two lots: patterns known to hurt engines that backtrack, with many texts; and every regular expression and text with
wildcards of the rules given, with texts of its own alphabet: what it almost matches, over and over. The fast engines
try all rules of the event's logsource; plain would take seconds for that, and is timed on the one rule. CPU time of the
thread; the better of two tries, both with a text that was not met before.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypedDict

from benchmarks.corpus import default_rules, load
from benchmarks.patterns import text_for
from benchmarks.report import save
from fsoc.detection import LogsourceMap, Source, load_rules
from fsoc.detection.engine import EngineName, make_detector
from fsoc.detection.event import Event
from fsoc.detection.logsource import ATTRIBUTES
from fsoc.detection.program import EVERYTHING, Program, Regex, Wildcards, flatten
from fsoc.detection.rules import Rule
from fsoc.errors import RefusedToStart

LENGTH: Final = 8192
LIMIT_MS: Final = 100.0
ENGINES: Final[tuple[EngineName, ...]] = ("plain", "fast", "native")

# Each of these takes an engine that backtracks longer than anyone waits, or quadratic time; large counts fill the
# memory of one that makes its states as it goes.
PATTERNS: Final = (
    *("(a+)+$", "(a|a)*b", "(a|aa)+$", "([a-zA-Z]+)*1", "(.*a){20}", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a*)*b"),
    *(r"\s+$", r"^\s+|\s+$", ".*.*=.*", r"(\w+\s?)*!$", r"^(\d+)*$", r"(x+x+)+y", "(?:a?){50}a{50}", "a*a*a*a*a*b"),
    *("(?i)(k|\u212a)+s$", "[^b]*[^c]*[^d]*e", r"((\\[^\\]+)*)+\.exe$", "(foo|foobar|fo|f|o)*z", "(.+)+,(.+)+;"),
    *(r"(\S+)@(\S+)\.x", "(a{1,30}){1,30}b", "(x?){1000}y", "(.{1,50}){1,10}z", ".{550}b", "[^a]{450}a"),
    *("(?i)(?:[a-zß-ü]{1,20}){1,16}=", r"(?:\w{1,60}\s){1,15}z", "(a|b|ab|ba|aab){1,200}z"),
    "|".join(f"{chr(97 + first)}{chr(97 + second)}+z" for first in range(26) for second in range(26)),
)
WILDCARDS: Final = (
    *("a*" * 32 + "b", "*a" * 32 + "b*", "?*" * 32 + "b", "*" + "a?" * 64 + "*b", "*aaaa*aaab*aaaa*b"),
    *("*ab*ab*ab*ab*c", "*" + "?" * 400 + "b", "*" + "\\\\a*" * 16 + "\\\\b", "a?" * 200 + "*z"),
)
_SEEDS: Final = ("a", "ab", " ", "aA", "x", "\\a", "k\u212a", "ß", "foo", "0", "a=", "\n", "\x00", "a b ", "İ")


class Trial(NamedTuple):
    """One event of one field that holds a long text; rule: its index."""

    rule: int
    field: str
    text: str


class Figures(TypedDict):
    """Of one engine: trials, the longest, which rule's it was, and the share of trials below a tenth of the limit."""

    engine: str
    trials: int
    max_ms: float
    rule: str
    below_tenth: float


def hostile_rules() -> tuple[Rule, ...]:
    """A rule for each known pattern, on the field `f` of category test."""
    lines = [("f|re", pattern) for pattern in PATTERNS] + [("f", wildcards) for wildcards in WILDCARDS]
    documents = [
        {
            "title": f"Hostile {number}",
            "logsource": {"category": "test"},
            "detection": {"s": {name: value}, "condition": "s"},
        }
        for number, (name, value) in enumerate(lines)
    ]
    loaded = load_rules(Source(f"{number}.yml", json.dumps(each)) for number, each in enumerate(documents))
    if loaded.problems:
        raise RefusedToStart(*loaded.problems)
    return loaded.rules


def hostile_trials() -> list[Trial]:
    """For one rule on the field `f`: every seed over and over, with several ends."""
    return [Trial(0, "f", _long(seed, end)) for seed in _SEEDS for end in ("", "!", "b", "1")]


def trials(program: Program, draw: random.Random) -> Iterator[Trial]:
    """For every rule with a pattern, texts of the pattern's own alphabet."""
    for rule, condition in enumerate(program.conditions):
        for index in sorted(_clauses(condition)):
            clause = program.clauses[index]
            field = "Message" if clause.field == EVERYTHING else program.fields[clause.field]
            for text in _texts(clause, draw):
                yield Trial(rule, field, text)


def measure(engine: EngineName, rules: Sequence[Rule], mapping: LogsourceMap, tried: Sequence[Trial]) -> Figures:
    """Time every trial."""
    stated = [{name: getattr(rule.logsource, name) for name in ATTRIBUTES} for rule in rules]
    if engine == "plain":
        conditions = [rule.condition for rule in rules]

        def match(trial: Trial, text: str) -> None:
            conditions[trial.rule](Event({trial.field: text}))
    else:
        detector = make_detector(rules, mapping, engine)

        def match(trial: Trial, text: str) -> None:
            detector.match_event({trial.field: text}, stated[trial.rule])

        # They try every rule on each event: once is enough.
        tried = list({(trial.field, trial.text, *stated[trial.rule].values()): trial for trial in tried}.values())
    longest, rule, short = 0.0, "", 0
    for trial in tried:
        took = min(_timed(match, trial, trial.text[start:]) for start in range(2))
        short += took < LIMIT_MS / 10
        if took > longest:
            longest, rule = took, rules[trial.rule].title
    return Figures(
        engine=engine,
        trials=len(tried),
        max_ms=round(longest, 3),
        rule=rule,
        below_tenth=round(short / max(len(tried), 1), 5),
    )


def _longest(several: Sequence[Figures]) -> Figures:
    """The longest of them, as the figures of all."""
    trials = sum(one["trials"] for one in several)
    below = sum(one["below_tenth"] * one["trials"] for one in several)
    longest = max(several, key=lambda one: one["max_ms"])
    return Figures(**{**longest, "trials": trials, "below_tenth": round(below / trials, 5)})


def _timed(match: Callable[[Trial, str], None], trial: Trial, text: str) -> float:
    started = time.thread_time()
    match(trial, text)
    return (time.thread_time() - started) * 1_000


def _clauses(condition: Any) -> set[int]:
    inner = getattr(condition, "parts", None) or [part for part in (getattr(condition, "part", None),) if part]
    own = {condition.clause} if hasattr(condition, "clause") else set()
    return own.union(*map(_clauses, inner))


def _texts(clause: Any, draw: random.Random) -> Iterator[str]:
    match clause:
        case Regex(pattern=pattern):
            drawn = text_for(pattern, draw) or pattern
            yield from (
                _long(drawn, "\x00"),
                _long(drawn[:-1] or "a", drawn),
                _long(drawn[: len(drawn) // 2 or 1], "!"),
            )
        case Wildcards(parts=parts):
            literal = [part for part in parts if isinstance(part, str)] or ["a"]
            yield from (
                _long("".join(literal), "!"),
                _long(max(literal, key=len)[:-1] or "a", "!"),
                _long(literal[0], "!"),
            )


def _long(seed: str, end: str) -> str:
    return (seed * (LENGTH // len(seed) + 1))[: LENGTH - len(end)] + end


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--rules", type=Path, nargs="+", help="rule files or folders; default: SigmaHQ's, else fsoc's own"
    )
    parser.add_argument("--engine", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--save", action="store_true", help="keep the figures in results/hostile.json")
    asked = parser.parse_args()
    loaded, mapping = load(asked.rules or [default_rules()])
    rules, known = loaded.rules, hostile_rules()
    of_rules = list(trials(flatten(rules), random.Random(7)))
    figures: dict[str, list[Figures]] = {"rules": [], "known": []}
    for engine in asked.engine:
        try:
            each = [measure(engine, [rule], LogsourceMap(), hostile_trials()) for rule in known]
            figures["known"].append(_longest(each))
            figures["rules"].append(measure(engine, rules, mapping, of_rules))
        except RefusedToStart as refusal:
            print(f"{engine} is left out: {refusal}", file=sys.stderr)
    if asked.save:
        save("hostile", figures)
    if asked.json:
        print(json.dumps(figures))
        return
    for lot, several in figures.items():
        for one in several:
            longest = f"longest {one['max_ms']:>8.2f} ms  {one['rule']}"
            print(f"{lot:<6} {one['engine']:<7} {one['trials']:>7,} texts  {longest}")


if __name__ == "__main__":
    main()
