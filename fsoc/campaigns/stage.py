"""The one partition of links: links, joint alerts and decisions in; campaigns, and each alert's campaign, out. Pure.

What stands is a function of the newest record of each link and alert, of the decisions and of how many institutions
there are: not of the order in which they came. Nothing is let go of before no partition of detections can reach it any
more, so that forgetting changes nothing either, but where a bound is reached, which is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from fsoc.campaigns.book import CAMPAIGN, Book, Campaign, kept_from
from fsoc.campaigns.components import LINK_LIVES_MS
from fsoc.campaigns.compose import campaign_id, compose, is_campaign, oldest_link
from fsoc.campaigns.decisions import DECISIONS_MAX
from fsoc.campaigns.nodes import Nodes, hub_above
from fsoc.campaigns.records import DECISION, Decision, Reach, Told, decision_from, record_of, told_from
from fsoc.campaigns.words import WORD, Words, said_from
from fsoc.correlation.ruleset import RuleSet
from fsoc.feeds.ledger import END_MS
from fsoc.feeds.newest import Newest
from fsoc.feeds.record import Outgoing, Outputs, Record
from fsoc.institutions.registry import Registry

NODE: Final = b"node/"
"""What the keys of links and alerts begin with in the state; the id follows."""

HEADER: Final = b"header"


class Setting(Protocol):
    """What all stages share, and what may be replaced between two slices but for the number of partitions."""

    @property
    def rules(self) -> RuleSet: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def detections_partitions(self) -> int: ...


class Campaigns:
    """The stage."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._restoring = Newest(lambda key, late, known: newness(key, late) < newness(key, known))
        self.nodes = Nodes(self._hub_above)
        self.words = Words()
        self.book = Book()
        self.malformed_total, self.refused_total, self._offset = 0, 0, -1
        self._reach: dict[int, int] = {}
        self._campaign_of: dict[str, str] = {}  # link or alert → the campaign it stands in
        self._members: dict[str, frozenset[str]] = {}  # the inverse
        self._let_go_below_ms: int | None = None

    def work(self, records: Sequence[Record]) -> Outputs:
        outputs = Outputs()
        taken: set[str] = set()
        for record in records:
            key, value = record.key or b"", record.value or b""
            try:
                said = record_of(key, value)
            except msgspec.MsgspecError:
                self.malformed_total += 1  # only fsoc and the console may write here; whoever did, the rest goes on
                continue
            if isinstance(said, Reach):
                self._reach[said.partition] = max(said.reach_ms, self._reach.get(said.partition, said.reach_ms))
            elif isinstance(said, Decision):
                if said.decision_id in self.nodes.decisions.all:
                    continue
                if len(self.nodes.decisions) >= DECISIONS_MAX:
                    self.refused_total += 1
                    continue
                self.nodes.decide(said)
                outputs.state.append((key, value))
            elif self._is_over(said):
                self.words.release(said)
            elif self.nodes.take(said):
                outputs.state.append((NODE + key, value))
                taken.add(said.id)
        if records:
            self._offset = max(self._offset, records[-1].offset)
        self._judge(outputs, taken)
        return outputs

    def idle(self) -> Outputs:
        """Time alone changes nothing; another registry may make of a rare value a hub, or of a hub a rare value."""
        return Outputs() if self.nodes.hub_above == self._hub_above else self.work(())

    def campaign_of(self, name: str) -> str | None:
        """In which campaign a link or alert is now."""
        return self._campaign_of.get(name)

    @property
    def reach_ms(self) -> int | None:
        """Nothing is still to come of tickets before this event time; None while a partition has not spoken."""
        partitions = range(self._setting.detections_partitions)
        if not all(number in self._reach for number in partitions):
            return None
        return min(self._reach[number] for number in partitions)

    @property
    def _hub_above(self) -> int:
        return hub_above(len(self._setting.registry.institutions))

    def _is_over(self, told: Told) -> bool:
        """Whether it is of a time that nothing is known of any more: it was let go of, and is told once again."""
        return told.id not in self.nodes.told and self._is_settled(told.last_ms)

    def _is_settled(self, last_ms: int) -> bool:
        """Whether nothing that is still to come can join what had its last ticket then."""
        reach_ms = self.reach_ms
        return reach_ms is not None and last_ms + LINK_LIVES_MS < reach_ms

    def _judge(self, outputs: Outputs, taken: set[str], *, republish: bool = False) -> None:
        """Work out again what has changed, say so, and let go of what is settled."""
        evicted = self.nodes.evict()
        for told in evicted:
            self.words.release(told)
        gone, come = self.nodes.settle(self._hub_above)
        changed: dict[str, Campaign] = {one.id: one for one in self.book} if republish else {}
        for members in gone:
            self._members.pop(self._campaign_of.get(next(iter(members)), ""), None)
            for name in members:
                self._campaign_of.pop(name, None)
        for campaign in [*self._stand(come), *self._retire(anything=republish or bool(gone or come)), *self._finish()]:
            changed[campaign.id] = campaign
        for name in sorted(taken.union(*gone, *come)):
            one = self.nodes.told.get(name)
            if one is not None and one.what == "alert":
                self.words.assign(one, self._campaign_of.get(name))
        leaving = list(self._settled())
        for told in leaving:
            self.words.release(told)
        outputs.state.extend((one.key, one.state()) for one in changed.values())
        outputs.state.extend(self.words.state())
        # Of what is left; but in the state before anything of it is published, as all else.
        outputs.forgotten.extend(self._forget(leaving))
        outputs.state.append((HEADER, self._header()))
        outputs.published.extend(Outgoing("campaigns", 0, one.id.encode(), one.wire()) for one in changed.values())
        outputs.published.extend(self.words.publish(everything=republish))
        outputs.forgotten.extend(key for told in evicted for key in _keys(told.id))

    def _stand(self, come: Iterable[frozenset[str]]) -> Iterator[Campaign]:
        """Those of these components that are campaigns, as far as that is new."""
        for names in come:
            members = self.nodes.of(names)
            root = oldest_link(members)
            if root is None or not is_campaign(members):
                continue
            name = campaign_id(root.id)
            self._members[name] = names
            self._campaign_of.update(dict.fromkeys(names, name))
            last_ms = max(told.last_ms for told in members)
            body = compose(members, self._setting.rules.tactics)
            campaign = self.book.stand(root.id, names, last_ms, body, final=self._is_settled(last_ms))
            if campaign is not None:
                yield campaign

    def _retire(self, *, anything: bool) -> Iterator[Campaign]:
        """Campaigns that stand no more; and where those that did not before have gone to. anything: has changed."""
        for campaign in list(self.book) if anything else ():
            kept = campaign.kept
            if campaign.id in self._members or (kept.status == "final" and kept.root not in self.nodes.told):
                continue  # it stands; or it is over, and what it was of is let go
            into = self.book.heir(campaign, self._campaign_of.get)
            if self.book.retire(campaign.id, into) is not None:
                yield campaign

    def _finish(self) -> Iterator[Campaign]:
        """Campaigns that nothing can be added to any more."""
        for name in list(self._members):
            if self._is_settled(self.book.campaigns[name].kept.last_ms) and self.book.finish(name) is not None:
                yield self.book.campaigns[name]

    def _settled(self) -> Iterator[Told]:
        """Links and alerts that nothing can change any more; none where no reach was told since it was asked last."""
        reach_ms = self.reach_ms
        if reach_ms is None or reach_ms >= END_MS or reach_ms == self._let_go_below_ms:
            return  # an exercise that is over keeps its state to be read
        self._let_go_below_ms = reach_ms
        for names in list(self.nodes.components):
            members = self.nodes.of(names)
            if self._is_settled(max(told.last_ms for told in members)):
                yield from members
        yield from [told for told in self.nodes.alone() if self._is_settled(told.last_ms)]

    def _forget(self, leaving: Sequence[Told]) -> Iterator[bytes]:
        """Forget these, and the campaigns of which nothing is left that could change; yield their keys."""
        for told in leaving:
            yield from _keys(told.id)
            self._members.pop(self._campaign_of.pop(told.id, ""), None)
        if leaving:
            self.nodes.drop(told.id for told in leaving)
            self.nodes.components.settle()
            yield from self._forget_campaigns()

    def _forget_campaigns(self) -> Iterator[bytes]:
        for campaign in list(self.book):
            if self._is_settled(campaign.kept.last_ms) and campaign.kept.root not in self.nodes.told:
                yield self.book.let_go(campaign.id)

    def _header(self) -> bytes:
        statuses = [campaign.kept.status for campaign in self.book]
        links = sum(told.what == "link" for told in self.nodes.told.values())
        return msgspec.json.encode(
            {
                "offset": self._offset,
                "reach": self._reach,
                "reach_ms": self.reach_ms,
                "raised_total": self.book.raised_total,
                "campaigns_open": statuses.count("open"),
                "links": links,
                "alerts": len(self.nodes) - links,
                "hubs": len(self.nodes.hubs),
                "decisions": len(self.nodes.decisions),
                "evicted_total": self.nodes.evicted_total,
                "malformed_total": self.malformed_total,
                "refused_total": self.refused_total,
            }
        )

    def restore(self, key: bytes, value: bytes | None) -> None:
        self._restoring.take(key, value)

    def restored(self) -> Outputs:
        """Rebuild, then judge everything once: a crash may have kept links and lost the campaign they make.

        What is settled is not judged: a crash may have let go of a part of it.
        """
        records = self._restoring.records
        if not records:
            return Outputs()
        outputs = Outputs(state=list(self._restoring.written_over()))
        found: dict[bytes, dict[str, bytes]] = {}
        for key, value in records.items():
            kind, slash, name = key.partition(b"/")
            found.setdefault(kind + slash, {})[name.decode()] = value
        for value in found.get(HEADER, {}).values():
            self._restore_header(_header(value))
        for value in found.get(DECISION, {}).values():
            self.nodes.decide(decision_from(value))
        for value in found.get(NODE, {}).values():
            self.nodes.take(told_from(value))
        self.words.restore(found.get(WORD, {}))
        self.book.restore(found.get(CAMPAIGN, {}))
        self._restoring.clear()
        self.nodes.settle(self._hub_above)
        over = list(self._settled())
        for told in over:
            self.words.release(told)
        self.nodes.drop(told.id for told in over)
        self.nodes.components.tear()
        self._judge(outputs, set(self.nodes.told), republish=True)
        outputs.forgotten.extend(key for told in over for key in _keys(told.id))
        outputs.forgotten.extend(self._forget_campaigns())
        return outputs

    def _restore_header(self, header: _Header) -> None:
        self._offset, self._reach = header.offset, header.reach
        self.book.raised_total = header.raised_total
        self.nodes.evicted_total = header.evicted_total
        self.malformed_total, self.refused_total = header.malformed_total, header.refused_total


def _keys(name: str) -> tuple[bytes, bytes]:
    """What the state has of a link or alert; its word goes first, for it is found again by its node."""
    return WORD + name.encode(), NODE + name.encode()


class _Header(msgspec.Struct):
    offset: int
    reach: dict[int, int]
    raised_total: int
    evicted_total: int
    malformed_total: int
    refused_total: int


_header: Final = msgspec.json.Decoder(_Header).decode


def newness(key: bytes, value: bytes) -> int:
    """Rises with what a record of the state says, whoever wrote it and when.

    Raises:
        msgspec.MsgspecError: it is no such record.
    """
    if key == HEADER:
        return _header(value).offset
    if key.startswith(NODE):
        return told_from(value).told
    if key.startswith(WORD):
        return said_from(value).revision
    return kept_from(value).revision if key.startswith(CAMPAIGN) else 0
