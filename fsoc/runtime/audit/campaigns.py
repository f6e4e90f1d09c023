"""The state of the one partition of links: readable, as a worker would restore it, and what was published of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Final, NamedTuple

import msgspec

from fsoc.campaigns.book import CAMPAIGN, Campaign, kept_from
from fsoc.campaigns.stage import Campaigns, newness
from fsoc.campaigns.words import WORD
from fsoc.pipeline import Pipeline
from fsoc.runtime.audit.findings import Place, Verdict
from fsoc.runtime.audit.judging import Published, digest_of
from fsoc.runtime.audit.reading import Cluster, Kept, Tell, newest
from fsoc.runtime.lanes import CAMPAIGN_STATE, LINKS
from fsoc.runtime.log import UnknownTopic
from fsoc.runtime.state import read_all

HEADER: Final = b"header"
TOPIC: Final = "campaigns"


class Named(NamedTuple):
    """Of an alert in correlation's state that is at rest: which campaign it says it is in."""

    place: Place
    campaign: str | None


class _Header(msgspec.Struct):
    offset: int


class _Revision(msgspec.Struct):
    revision: int


_header: Final = msgspec.json.Decoder(_Header).decode
_revision: Final = msgspec.json.Decoder(_Revision).decode


async def committed_links(cluster: Cluster) -> int | None:
    """The offset of links that is committed, to be known before anything else is read; None where there is none."""
    name = cluster.prefix + LINKS, 0
    try:
        await cluster.log.partitions(*_topics(cluster))
    except UnknownTopic:
        return None
    return (await cluster.log.committed(cluster.group, [name]))[name]


async def check_campaigns(
    cluster: Cluster,
    pipeline: Pipeline,
    committed: int | None,
    named: Mapping[str, Named],
    verdict: Verdict,
    tell: Tell,
) -> None:
    """committed: as `committed_links` has it. named: alerts that campaigns were told of, by id.

    A cluster of before there were campaigns has no such topics, and nothing is looked at.
    """
    try:
        await cluster.log.partitions(*_topics(cluster))
    except UnknownTopic:
        return
    topic, links = cluster.prefix + CAMPAIGN_STATE, (cluster.prefix + LINKS, 0)
    published = await _published(cluster, verdict, tell)
    records = (await newest(cluster.log, [(topic, 0)], tell))[topic, 0]
    is_at_rest = (await cluster.log.end_offsets([links]))[links] == (committed or 0)
    if not _is_readable(topic, records, committed, verdict):
        return
    _check_published(topic, records, published, verdict)
    stage = pipeline.campaigns()
    try:
        for key, kept in records.items():
            stage.restore(key, kept.value)
        outputs = stage.restored()
    except Exception as error:  # noqa: BLE001 - whatever it is, a worker would end for it
        verdict.find("restart", Place(topic, 0), f"a worker could not restore campaigns: {error!r}")
        return
    if not is_at_rest:
        return
    for key, value in outputs.state:
        known = records.get(key)
        if key != HEADER and key.startswith((CAMPAIGN, WORD)) and (known is None or not _is_same(key, known, value)):
            is_at = "none is there" if known is None else "another is there"
            verdict.find("restart", Place(topic, 0, key), f"a worker would write this anew; {is_at}")
    _check_named(stage, named, verdict)


def _topics(cluster: Cluster) -> list[str]:
    return [cluster.prefix + name for name in (LINKS, CAMPAIGN_STATE, TOPIC)]


def _is_readable(topic: str, records: Mapping[bytes, Kept], committed: int | None, verdict: Verdict) -> bool:
    """Whether the state can be restored at all; and whether it has everything that is committed."""
    before = len(verdict.findings)
    for key, kept in records.items():
        try:
            newness(key, kept.value)
        except msgspec.MsgspecError as error:
            verdict.find("unreadable", Place(topic, 0, key), f"is not what campaigns write: {error}")
    if len(verdict.findings) > before:
        return False
    header = records.get(HEADER)
    if header is None:
        if committed:  # else the very first write may have been cut short
            verdict.find(
                "no-header", Place(topic, 0), f"offset {committed} of links is committed, and there is no header"
            )
        return False
    offset = _header(header.value).offset
    if committed is not None and committed > offset + 1:
        text = f"offset {committed} is committed, the state ends before {offset + 1}: links are skipped"
        verdict.find("committed-ahead", Place(topic, 0, HEADER), text)
    return True


def _is_same(key: bytes, known: Kept, value: bytes | None) -> bool:
    if value is None:
        return False
    if key.startswith(CAMPAIGN):
        return _wire(key, known.value) == _wire(key, value)
    return known.value == value


def _wire(key: bytes, value: bytes) -> bytes:
    return Campaign(key.removeprefix(CAMPAIGN).decode(), kept_from(value)).wire()


def _check_published(
    topic: str, records: Mapping[bytes, Kept], published: Mapping[bytes, Published], verdict: Verdict
) -> None:
    """As of alerts: what was published, read before the state was, is at most the state's, and the same."""
    for key, kept in records.items():
        if not key.startswith(CAMPAIGN):
            continue
        mine, seen = kept_from(kept.value), published.get(key.removeprefix(CAMPAIGN))
        verdict.looked.campaigns += 1
        if seen is None or seen.revision < mine.revision:
            verdict.looked.unpublished += 1
        elif seen.revision > mine.revision:
            text = f"is at revision {mine.revision}; fsoc.campaigns has revision {seen.revision}"
            verdict.find("published-ahead", Place(topic, 0, key), text)
        elif seen.digest != digest_of(_wire(key, kept.value)):
            text = f"fsoc.campaigns has another body of revision {mine.revision}"
            verdict.find("published-otherwise", Place(topic, 0, key), text)


def _check_named(stage: Campaigns, named: Mapping[str, Named], verdict: Verdict) -> None:
    """What an alert says is what campaigns say of it; not of alerts that they have let go of."""
    for name in sorted(named.keys() & stage.nodes.told.keys()):
        place, campaign = named[name]
        expected = stage.campaign_of(name)
        if campaign != expected:
            verdict.find("wrong-campaign", place, f"says it is in {campaign}, expected {expected}")


async def _published(cluster: Cluster, verdict: Verdict, tell: Tell) -> dict[bytes, Published]:
    topic = cluster.prefix + TOPIC
    found: dict[bytes, Published] = {}
    async with aclosing(read_all(cluster.log, [(topic, 0)])) as slices:
        async for _, records in slices:
            for record in records:
                key = record.key or b""
                if record.value is None:
                    found.pop(key, None)
                    continue
                try:
                    found[key] = Published(_revision(record.value).revision, digest_of(record.value))
                except msgspec.MsgspecError as error:
                    found.pop(key, None)
                    verdict.find("unreadable", Place(topic, 0, record.key), f"is no campaign: {error}")
            tell(f"{topic}: {len(found):,} campaigns read")
    return found
