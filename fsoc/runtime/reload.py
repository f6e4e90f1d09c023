"""Takes up rules that were changed on disk while the stream runs. Compiles nothing in this process, works no records.

    signature ──changed, and at rest──► read ──another digest──► kept? else a child compiles ──► detector ──► swap

What cannot be used changes nothing: the set before stays, and that is told (law 15). The swap is one assignment, made
between slices: a stage works each slice by one set.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from fsoc.correlation.ruleset import RuleSet
from fsoc.detection.engine import Background, EngineName
from fsoc.errors import RefusedToStart, Retry
from fsoc.pipeline import Pipeline
from fsoc.runtime import metrics
from fsoc.runtime.cache import Cache
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.compiled import Compiled, encode, key_of
from fsoc.runtime.compiling import compile_in_child
from fsoc.runtime.loading import kept, usable
from fsoc.runtime.rule_files import Content, FileSignature, RuleFiles
from fsoc.runtime.rules import ruleset_of

PASSED_OVER_MAX: Final = 60
"""Looks that are passed over after a child has failed; one after the first failure, twice as many after each more."""
PROBLEMS_TOLD_MAX: Final = 20

_log = structlog.get_logger(__name__)


class Reloader:
    """Follows the files a pipeline's rules were made of.

    compile_: what compiles them, beside this process.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        files: RuleFiles,
        cache: Cache,
        engine: EngineName = "auto",
        background: Background | None = None,
        compile_: Callable[[Content], Awaitable[Compiled]] = compile_in_child,
    ) -> None:
        self._pipeline = pipeline
        self._files = files
        self._cache = cache
        self._engine = engine
        self._background = background
        self._compile = compile_
        self._seen: frozenset[FileSignature] | None = None
        self._settled: frozenset[FileSignature] | None = None
        self._failures = self._pass_over = 0
        self._hurry = asyncio.Event()
        show(pipeline.rules)

    def hurry(self) -> None:
        """Look now, whether or not anything seems to be changed."""
        self._hurry.set()

    async def follow(self, seconds: float, let_go: Callable[[], None] = lambda: None) -> None:
        """Look for ever, every so often. let_go: told when the rules before, meant to stay for ever, can go."""
        while True:
            try:
                async with asyncio.timeout(seconds):
                    await self._hurry.wait()
            except TimeoutError:
                swapped = await self.look()
            else:
                self._hurry.clear()
                swapped = await self.look(at_once=True)
            if swapped:
                let_go()

    async def look(self, *, at_once: bool = False) -> bool:
        """Take up what was changed, once it was the same in two looks; return whether it was. Raises nothing.

        at_once: though it may still be written to, or has failed before.
        """
        if self._pass_over and not at_once:
            self._pass_over -= 1
            return False
        try:
            signature = await asyncio.to_thread(self._files.signature)
            if not at_once and (signature == self._settled or signature != self._seen):
                self._seen = signature
                return False
            self._seen = self._settled = signature
            swapped = await self._take_up()
        except RefusedToStart as refused:
            self._failures = 0  # it is as it is until somebody changes it
            self._tell_failure(refused)
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, the set in use is good
            self._failures += 1
            self._pass_over = min(2**self._failures - 1, PASSED_OVER_MAX)
            self._settled = None
            self._tell_failure(error)
            return False
        self._failures = 0
        metrics.RULES_STALE.set(0)
        return swapped

    async def _take_up(self) -> bool:
        """Whether there was anything to.

        Raises:
            RefusedToStart, Retry: what is there cannot be used; it could not be found out.
        """
        content = await asyncio.to_thread(self._files.read)
        digest = await asyncio.to_thread(lambda: content.digest)
        if digest == self._pipeline.rules.version.digest:
            return False
        compiled = await asyncio.to_thread(kept, content, self._cache)
        if compiled is None:
            compiled = await self._compile(content)
            await asyncio.to_thread(self._keep, content, compiled)
        rules = await asyncio.to_thread(self._ruleset, usable(compiled), content)
        self._pipeline.rules = rules
        show(rules)
        metrics.RULES_RELOADS.labels("taken_up").inc()
        facts = {"version": rules.version.version, "digest": rules.version.digest, "detections": rules.detections}
        _log.info("rules_reloaded", **facts, correlations=len(rules.correlations), refused=rules.refused)
        tell_refused(rules)
        return True

    def _keep(self, content: Content, compiled: Compiled) -> None:
        encoded = encode(compiled)
        if encoded is not None:
            self._cache.put(key_of(content), encoded)

    def _ruleset(self, compiled: Compiled, content: Content) -> RuleSet:
        with collector_paused(for_ever=False):
            return ruleset_of(compiled, content, self._engine, self._background)

    def _tell_failure(self, error: Exception) -> None:
        metrics.RULES_STALE.set(1)
        metrics.RULES_RELOADS.labels("failed").inc()
        if isinstance(error, RefusedToStart):
            problems = [str(problem) for problem in error.problems]
            told = problems[:PROBLEMS_TOLD_MAX]
            do = "mend them, see fsoc check rules; the set before is in use"
            _log.error("rules_reload_failed", problems=told, more=len(problems) - len(told), do=do)
        else:
            why = str(error) if isinstance(error, Retry) else repr(error)
            do = "nothing, it is tried again; the set before is in use"
            _log.error("rules_reload_failed", why=why, again_after_looks=self._pass_over, do=do)


def hangup_is_for_rules() -> bool:
    """Whether SIGHUP asks to look at the rules: not at a terminal, where it means that the terminal is gone."""
    return sys.stdin is None or not sys.stdin.isatty()


def show(rules: RuleSet) -> None:
    """Set what operators see of the rules in use."""
    metrics.RULES.clear()
    metrics.RULES.labels(rules.version.version, rules.version.digest).set(1)
    metrics.RULES_LOADED.labels("detection").set(rules.detections)
    metrics.RULES_LOADED.labels("correlation").set(len(rules.correlations))
    metrics.RULES_REFUSED.set(rules.refused)


def tell_refused(rules: RuleSet) -> None:
    """Say that rules were refused, and the first reason."""
    if rules.refused:
        first = str(rules.problems[0])
        _log.warning("rules_refused", rules=rules.refused, first=first, do="run fsoc check rules; the others are used")
