"""The pipeline over the same tickets again and again, with other values in its correlations. Judges nothing.

Rules are compiled once; each run takes the tickets anew. Doing detection once for all of them is not worth its ways:
it is a tenth of a replay of the exercise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from fsoc.correlation.ruleset import RuleSet
from fsoc.detection import Document
from fsoc.errors import Problem, RefusedToStart, together
from fsoc.evaluation.changes import Change, changed, concerned
from fsoc.evaluation.records import Alert, read_alert
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.cache import Cache, cache_folder
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.compiled import Advance, RuleFacts
from fsoc.runtime.direct import Direct
from fsoc.runtime.loading import load
from fsoc.runtime.replay import check_files, registry_of, replay
from fsoc.runtime.rule_files import RuleFiles
from fsoc.runtime.rules import load_registry, ruleset_of


class Runs:
    """Rules and tickets, ready to be run.

    institutions: the institutions file; None: everyone that the tickets name may send.
    standing: made to the rules before anything else is changed.

    Of these follow:
    registry: who may send. documents: the correlations, changed as they stand.
    refused: how many rules cannot be used, whatever is changed.

    Raises:
        RefusedToStart: rules or files cannot be used, or a change in `standing` cannot be made: with every problem.
    """

    def __init__(
        self,
        rules: Sequence[Path],
        tickets: Sequence[Path],
        institutions: Path | None = None,
        standing: Sequence[Change] = (),
        advance: Advance = lambda _: None,
    ) -> None:
        self.documents: list[Document] = []
        self._facts: tuple[RuleFacts, ...] = ()
        loaded, known, _ = together(
            lambda: self._load(rules, advance),
            lambda: load_registry(institutions).without_signing() if institutions is not None else None,
            lambda: check_files(tickets),
        )
        self._ruleset: RuleSet = loaded
        self._tickets = tickets
        self.registry: Registry = known or registry_of(tickets)
        self.refused = self._ruleset.refused
        # Judged together: of two changes one may need the other.
        problems = self.problems(standing, "--set")
        if problems:
            raise RefusedToStart(*problems)
        self._as_written = self.documents
        self.documents = changed(self.documents, standing)

    def _load(self, rules: Sequence[Path], advance: Advance) -> RuleSet:
        with collector_paused():
            content = RuleFiles(tuple(rules)).read()
            compiled = load(content, Cache(cache_folder(None)), advance)
            self._facts = compiled.facts
            self.documents = list(compiled.correlations())
            return ruleset_of(compiled, content)

    @property
    def ticket_bytes(self) -> int:
        """What one run reads."""
        return sum(path.stat().st_size for path in self._tickets)

    def problems(self, changes: Sequence[Change], where: str) -> list[Problem]:
        """Why rules would be refused that are not now; [] where the changes can be made.

        where: what the problems are said of.
        """
        nobody = [change for change in changes if not concerned(self.documents, change)]
        unfit = self._with(changed(self.documents, changes)).problems
        return [Problem(where, f'"{change}" is about no correlation') for change in nobody] + [
            Problem(where, str(problem)) for problem in unfit if problem not in self._ruleset.problems
        ]

    def as_written(self, advance: Callable[[int], None] = lambda _: None) -> list[Alert]:
        """The alerts of the rules as they are on disk, without `standing`."""
        return self._run(self._as_written, advance)

    def alerts(self, changes: Sequence[Change] = (), advance: Callable[[int], None] = lambda _: None) -> list[Alert]:
        """The newest revision of every alert. advance: told the bytes read since it was told last."""
        return self._run(changed(self.documents, changes), advance)

    def _run(self, documents: Sequence[Document], advance: Callable[[int], None]) -> list[Alert]:
        direct = Direct(Pipeline(self._with(documents), self.registry, ends=True))
        replay(direct, self.registry, self._tickets, advance)
        return [alert for body in direct.alerts.values() if (alert := read_alert(body)) is not None]

    def _with(self, documents: Sequence[Document]) -> RuleSet:
        """The rules with these correlations; what detects, and all else that was loaded with them, stays."""
        loaded = self._ruleset
        lists = loaded.feeder.lists
        made = RuleSet.of(loaded.detector, self._facts, documents, loaded.techniques, loaded.version, lists=lists)
        return replace(
            loaded,
            correlations=made.correlations,
            feeder=made.feeder,
            retention_ms=made.retention_ms,
            problems=made.problems,
            refused=made.refused,
        )
