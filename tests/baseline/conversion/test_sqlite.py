"""What pySigma makes of our rules for SQLite, run over an exercise's events, finds exactly what our engine finds."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from sigma.backends.sqlite import sqliteBackend
from sigma.rule import SigmaRule

from fsoc.baseline.conversion.mend import mend
from fsoc.baseline.conversion.targets import Target
from fsoc.detection.detector import stated_logsource
from fsoc.exercise.generate import generate
from fsoc.exercise.spec import ExerciseSpec

SQLITE = Target("sqlite", "SQLite", "", "", (), ".sql")
CONDITION = "SELECT * FROM <TABLE_NAME> WHERE "


class Backend(sqliteBackend):
    """Columns by number, for SQLite folds the case of names; and what is unknown is not true, also under NOT."""

    columns: Mapping[str, int]

    def escape_and_quote_field(self, field_name: str) -> str:
        return f"f{self.columns[field_name]}" if field_name in self.columns else "NULL"

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        return f"NOT COALESCE(({self.convert_condition(cond.args[0], state)}), 0)"


@pytest.fixture(scope="module")
def events(loaded):
    """Each evidence item of the exercise once, with its logsource; and, of each item of the baseline, its samples."""
    rules = {rule.id: rule for rule in loaded.rules.rules}
    found: dict[bytes, tuple[dict[str, Any], Any]] = {}
    for _, _, payload in generate(ExerciseSpec(institutions=40, seed=7)).deliveries:
        try:
            body = orjson.loads(payload)
        except orjson.JSONDecodeError:  # planted
            continue
        for item in body.get("evidence") or ():
            found[orjson.dumps(item, option=orjson.OPT_SORT_KEYS)] = (item["fields"], item.get("logsource"))
    exercise = list(found.values())
    samples = [
        (
            dict(sample.fields),
            {
                name: value
                for name in ("product", "category", "service")
                if (value := getattr(rules[sample.rule].logsource, name))
            },
        )
        for item in loaded.baseline.items.values()
        for sample in item.samples
    ]
    assert len(exercise) > 5_000
    return [*exercise, *samples]


def rows_of(fields: Mapping[str, Any], stated: Any, logsources):
    """An event is a row for each logsource it may be of, under the names that rules of that one use."""
    for view in logsources.views(fields, stated_logsource(stated)):
        row = {**fields, **view.over}
        for name, value in row.items():
            if isinstance(value, list):  # flattened: no rule of ours asks for two values of one field in the exercise
                row[name] = value[0] if len(value) == 1 else " ".join(map(str, value))
        for logsource in view.logsources:
            yield logsource, row


@pytest.fixture(scope="module")
def database(events, loaded):
    """(database, columns, logsource of each row, event of each row)."""
    rows = [
        (number, logsource, row)
        for number, (fields, stated) in enumerate(events)
        for logsource, row in rows_of(fields, stated, loaded.logsources)
    ]
    names = sorted({name for _, _, row in rows for name in row})
    columns = {name: place for place, name in enumerate(names)}
    database = sqlite3.connect(":memory:")
    database.create_function(
        "REGEXP", 2, lambda pattern, value: value is not None and re.search(pattern, str(value)) is not None
    )
    database.execute(
        f"CREATE TABLE events (number INTEGER{''.join(f', f{place} COLLATE NOCASE' for place in range(len(names)))})"
    )
    marks = ", ".join("?" * (len(names) + 1))
    database.executemany(
        f"INSERT INTO events VALUES ({marks})",  # noqa: S608 - numbers of our own
        ((place, *(row.get(name) for name in names)) for place, (_, _, row) in enumerate(rows)),
    )
    return database, columns, [logsource for _, logsource, _ in rows], [number for number, _, _ in rows]


def test_each_rule_of_the_baseline_finds_exactly_what_the_engine_finds(loaded, detector, events, database):
    connection, columns, logsources, numbers = database
    backend = Backend()
    backend.columns = columns
    ours: dict[str, set[int]] = {}
    for number, (fields, stated) in enumerate(events):
        for rule in detector.match_event(fields, stated):
            ours.setdefault(rule, set()).add(number)
    different = {}
    for rule in (rule for rule in loaded.rules.rules if rule.id in loaded.baseline.rules):
        sigma = SigmaRule.from_yaml(loaded.texts[rule.path].text)
        mend(sigma, SQLITE)
        theirs: set[int] = set()
        for query in backend.convert_rule(sigma):
            asked = f"SELECT number FROM events WHERE {query.removeprefix(CONDITION)}"  # noqa: S608 - in memory
            theirs |= {
                numbers[place] for (place,) in connection.execute(asked) if rule.logsource.covers(logsources[place])
            }
        if theirs != ours.get(rule.id, set()):
            different[rule.name] = (len(theirs - ours.get(rule.id, set())), len(ours.get(rule.id, set()) - theirs))

    assert different == {}
    assert set(ours) >= set(loaded.baseline.rules), "a rule that nothing matches shows nothing"
