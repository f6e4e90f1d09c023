"""What `fsoc detect` prints, by a Python package that matches Sigma rules. Not an engine: a loop, run in its own venv.

    python in_python.py azuma|sigma_rule_matcher RULES EVENTS

Such packages match one rule with one event. Which rules an event is tried with is decided here, by the logsource it
states, so that a package is not asked about rules that do not concern it. What raises does not match.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

Match = Callable[[dict[str, Any]], bool]
Loaded = tuple[str, tuple[str | None, ...], Match]
ATTRIBUTES = ("product", "category", "service")


def azuma(text: str) -> Loaded:
    rule = import_module("azuma").Rule.model_validate_yaml(text)
    return str(rule.id), tuple(getattr(rule.logsource, name) for name in ATTRIBUTES), rule.match


def sigma_rule_matcher(text: str) -> Loaded:
    rule = import_module("sigma.rule").SigmaRule.from_yaml(text)
    matcher = import_module("sigma_rule_matcher").RuleMatcher(rule)
    return str(rule.id), tuple(getattr(rule.logsource, name) for name in ATTRIBUTES), matcher.match


def covering(rules: list[Loaded], stated: tuple[str | None, ...]) -> list[Loaded]:
    return [rule for rule in rules if all(own in (None, other) for own, other in zip(rule[1], stated, strict=True))]


def holds(match: Match, event: dict[str, Any]) -> bool:
    try:
        return bool(match(event))
    except Exception:  # noqa: BLE001 - a package's own limits; what it misses is counted with the matches
        return False


def main() -> None:
    package, folder, events = sys.argv[1:]
    load = {"azuma": azuma, "sigma_rule_matcher": sigma_rule_matcher}[package]
    rules: list[Loaded] = []
    refused = 0
    for path in sorted(Path(folder).rglob("*.yml")):
        try:
            rules.append(load(path.read_text(encoding="utf-8")))
        except Exception:  # noqa: BLE001 - a rule that the package cannot take
            refused += 1
    print(f"{len(rules)} rules, {refused} refused", file=sys.stderr)
    routes: dict[tuple[str | None, ...], list[Loaded]] = {}
    with Path(events).open("rb") as lines:
        for number, line in enumerate(lines):
            event = json.loads(line)
            logsource = event.pop("logsource")
            stated = tuple(logsource.get(name) for name in ATTRIBUTES)
            if stated not in routes:
                routes[stated] = covering(rules, stated)
            matched = [identity for identity, _, match in routes[stated] if holds(match, event)]
            if matched:
                print(json.dumps({"event": number, "rules": matched}))


if __name__ == "__main__":
    main()
