"""Compiled rules: as they were kept, else compiled now and kept. And the detector that they make."""

from __future__ import annotations

from fsoc.detection import Detector, LogsourceMap, PlainDetector
from fsoc.detection.engine import Background, EngineName, make_planned
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.cache import Cache
from fsoc.runtime.compiled import Advance, Compiled, compile_content, decode, encode, key_of
from fsoc.runtime.rule_files import Content


def load(content: Content, cache: Cache, advance: Advance = lambda _: None) -> Compiled:
    """What the content compiles to.

    advance: told how far compiling is; never called where nothing is compiled.

    Raises:
        RefusedToStart: placeholders or pipeline cannot be used, or no rule is usable: with every problem.
    """
    found = kept(content, cache)
    if found is None:
        found = compile_content(content, advance)
        encoded = encode(found)
        if encoded is not None:
            cache.put(key_of(content), encoded)
    return usable(found)


def kept(content: Content, cache: Cache) -> Compiled | None:
    """What was compiled of the same content before, if that is still there."""
    encoded = cache.get(key_of(content))
    return None if encoded is None else decode(encoded)


def usable(compiled: Compiled) -> Compiled:
    """Raises: RefusedToStart: it has no rule: with every problem of those there were."""
    if not compiled.facts:
        raise RefusedToStart(*compiled.problems, Problem("--rules", "no rule can be used"))
    return compiled


def detector_of(
    compiled: Compiled, content: Content, engine: EngineName = "auto", background: Background | None = None
) -> Detector:
    """The rules of this content, ready to match. compiled: of the content.

    Raises:
        RefusedToStart: the mapping of logsources is wrong, or the engine is not installed.
    """
    mapping = LogsourceMap.parse(content.logsources)
    if engine == "plain":
        return PlainDetector(compiled.rules(), mapping)
    return make_planned([facts.id for facts in compiled.facts], mapping, compiled.program, engine, background)
