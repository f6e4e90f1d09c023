"""A compiled rule set as plain data, and its way to bytes and back. Reads no rule files and keeps none (cache.py does).

    Content ──compile_content──► Compiled ──encode──► bytes: the cache, a child's answer
                                     ▲◄─────decode──────┘
                                     └─► rules, correlation documents

What comes out is equal, whichever way it came.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

import fsoc
from fsoc.detection import Document, Logsource, Rule, Source, load_rules
from fsoc.detection.collection import unfold
from fsoc.detection.documents import read
from fsoc.detection.given import read_pipeline, read_placeholders
from fsoc.detection.metadata import dated as dated_on
from fsoc.detection.program import FORMAT, Program, flatten, unflatten
from fsoc.detection.rules import Draft
from fsoc.errors import Problem
from fsoc.runtime.rule_files import DIGEST_BYTES, Content

COMPILED_BYTES_MAX: Final = 128 * 1024 * 1024
"""Of one rule set; 3,132 of SigmaHQ's rules are a hundredth of it."""

Advance = Callable[[float], None]
"""Told the share that is done, 0 to 1, growing."""

_READING: Final = 0.4
"""Reading YAML is this share of compiling."""
_DECIDED_BY: Final = ("pysigma", "pyyaml", "google-re2")
"""Packages that decide what a rule means, or whether it is refused."""


class RuleFacts(Struct, frozen=True, array_like=True):
    """A Rule but for its condition and its logsource, which are the program's."""

    id: str
    title: str
    name: str | None
    level: str | None
    status: str | None
    tags: tuple[str, ...]
    path: str
    line: int
    fsoc: dict[Any, Any]


class Compiled(Struct, frozen=True):
    """What the rules of one content compile to.

    dated: the newest day on which a rule says it was modified, or else made: 2026-03-02; "" where none says so.
    correlating: the sources that hold correlations, which are few, and read again whenever they are wanted.
    refused: how many documents, or whole sources, the problems are about.
    """

    digest: str
    dated: str
    program: Program
    facts: tuple[RuleFacts, ...]
    correlating: tuple[Source, ...]
    problems: tuple[Problem, ...]
    refused: int

    def rules(self) -> tuple[Rule, ...]:
        each = zip(self.facts, self.program.logsources, unflatten(self.program), strict=True)
        return tuple(
            Rule(**msgspec.structs.asdict(facts), logsource=Logsource(*logsource), condition=node)
            for facts, logsource, node in each
        )

    def correlations(self) -> tuple[Document, ...]:
        documents, _ = unfold(read(self.correlating)[0])
        return tuple(document for document in documents if "correlation" in document.data)


def compile_content(content: Content, advance: Advance = lambda _: None) -> Compiled:
    """Compile what can be used; a bad rule is refused alone.

    Raises:
        RefusedToStart: placeholders or pipeline cannot be used: with every problem.
    """
    total = max(len(content.rules), 1)
    told = 0
    dated = ""

    def reading() -> Iterator[Source]:
        for done, source in enumerate(content.rules):
            advance(_READING * done / total)
            yield source

    def tell(draft: Draft) -> None:
        nonlocal told, dated
        told += 1
        advance(_READING + (1 - _READING) * min(told / total, 1))
        if draft.rule is not None:
            dated = max(dated, dated_on(draft.document.data))

    loaded = load_rules(
        reading(),
        placeholders=read_placeholders(content.placeholders) if content.placeholders else None,
        pipeline=read_pipeline(content.pipeline) if content.pipeline else None,
        tell=tell,
    )
    for document in loaded.correlations:
        dated = max(dated, dated_on(document.data))
    advance(1)
    correlating = {document.path for document in loaded.correlations}
    return Compiled(
        digest=content.digest,
        dated=dated,
        program=flatten(loaded.rules),
        facts=tuple(map(_facts, loaded.rules)),
        correlating=tuple(source for source in content.rules if source.path in correlating),
        problems=loaded.problems,
        refused=loaded.refused,
    )


def encode(compiled: Compiled) -> bytes | None:
    """As MessagePack; None where it has what that cannot hold: a number of more than 64 bits under `fsoc:`."""
    try:
        encoded = msgspec.msgpack.encode(compiled)
    except (OverflowError, UnicodeEncodeError, TypeError):
        return None
    return encoded if len(encoded) <= COMPILED_BYTES_MAX else None


def decode(encoded: bytes) -> Compiled | None:
    """None where it is no compiled rule set, or one of another make."""
    try:
        return _decoder().decode(encoded)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def key_of(content: Content) -> str:
    """Equal for the same content compiled by the same code on the same libraries; of nothing else."""
    return blake2b(f"{content.digest} {_make()}".encode(), digest_size=DIGEST_BYTES).hexdigest()


@cache
def _decoder() -> msgspec.msgpack.Decoder[Compiled]:
    return msgspec.msgpack.Decoder(Compiled)


@cache
def _make() -> str:
    """All that decides, beside the content, what is compiled; the code too, as a checkout has one version for long."""
    code = blake2b(digest_size=DIGEST_BYTES)
    for path in (*sorted((Path(fsoc.__file__).parent / "detection").glob("*.py")), Path(__file__)):
        code.update(path.read_bytes())
    packages = " ".join(f"{name}={version(name)}" for name in _DECIDED_BY)
    return f"{FORMAT} {fsoc.__version__} {code.hexdigest()} {packages} {sys.version} {unicodedata.unidata_version}"


def _facts(rule: Rule) -> RuleFacts:
    facts = {name: getattr(rule, name) for name in RuleFacts.__struct_fields__}
    # Plain, so that it is the same before and after it was kept: days are text then, mappings know no lines.
    return RuleFacts(**{**facts, "fsoc": msgspec.to_builtins(dict(rule.fsoc))})
