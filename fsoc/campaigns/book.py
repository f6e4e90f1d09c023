"""The campaigns there are and were: open, final, merged, retracted. Pure.

What stands is a function of what belongs together now. Which campaigns were published before it, and so are `merged`
or `retracted` now, is history: two runs may differ in it. A revision rises only where the record changes, and is
written to the state before it is published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
import orjson

Status = Literal["open", "final", "merged", "retracted"]

CAMPAIGN: Final = b"campaign/"
"""What the keys of campaigns begin with in the state; the id follows."""


class Kept(msgspec.Struct):
    """A campaign as the state keeps it.

    root: its oldest link. members: of its links and alerts, all, when it stood last. last_ms: its last ticket's event
    time then.
    """

    revision: int
    status: Status
    merged_into: str | None
    root: str
    members: list[str]
    last_ms: int
    body: dict[str, Any]


@dataclass(slots=True)
class Campaign:
    """The newest revision of one campaign."""

    id: str
    kept: Kept

    @property
    def key(self) -> bytes:
        return CAMPAIGN + self.id.encode()

    @property
    def stands(self) -> bool:
        return self.kept.status in {"open", "final"}

    def wire(self) -> bytes:
        """What is on `fsoc.campaigns`: byte for byte equal for equal campaigns."""
        kept = self.kept
        said = {"revision": kept.revision, "status": kept.status, "merged_into": kept.merged_into}
        return orjson.dumps({**kept.body, **said}, option=orjson.OPT_SORT_KEYS)

    def state(self) -> bytes:
        return msgspec.json.encode(self.kept)


kept_from: Final = msgspec.json.Decoder(Kept).decode


class Book:
    """Every campaign that may still change."""

    def __init__(self) -> None:
        self.campaigns: dict[str, Campaign] = {}
        self.raised_total = 0

    def __iter__(self) -> Iterator[Campaign]:
        return iter(self.campaigns.values())

    def stand(
        self, root: str, members: Iterable[str], last_ms: int, body: dict[str, Any], *, final: bool
    ) -> Campaign | None:
        """A component is a campaign now; return it if that changes its record.

        final: nothing that is still to come can add to it.
        """
        name = body["campaign_id"]
        known = self.campaigns.get(name)
        if known is None:
            self.campaigns[name] = known = Campaign(name, Kept(0, "retracted", None, root, [], last_ms, {}))
            self.raised_total += 1
        known.kept.members, known.kept.last_ms = sorted(members), last_ms
        return self._revise(known, "final" if final else "open", None, body)

    def retire(self, name: str, into: str | None) -> Campaign | None:
        """It stands no more; into: the campaign that has what it had, if one has. Return it if that changes it."""
        known = self.campaigns[name]
        return self._revise(known, "retracted" if into is None else "merged", into, known.kept.body)

    def finish(self, name: str) -> Campaign | None:
        """Nothing that is still to come can add to it; return it if that is new."""
        known = self.campaigns[name]
        return self._revise(known, "final", None, known.kept.body)

    def retired(self) -> list[Campaign]:
        return [campaign for campaign in self if not campaign.stands]

    def heir(self, retired: Campaign, campaign_of: Callable[[str], str | None]) -> str | None:
        """Where the story of one that stands no more goes on: where its oldest link is, else where most of it is."""
        kept = retired.kept
        if (heir := campaign_of(kept.root)) is not None:
            return heir
        found: dict[str, int] = {}
        for member in kept.members:
            if (heir := campaign_of(member)) is not None:
                found[heir] = found.get(heir, 0) + 1
        return min(found, key=lambda name: (-found[name], name), default=None)

    def let_go(self, name: str) -> bytes:
        """Forget it; return its key in the state."""
        return self.campaigns.pop(name).key

    def restore(self, records: Mapping[str, bytes]) -> None:
        for name, value in records.items():
            self.campaigns[name] = Campaign(name, kept_from(value))

    @staticmethod
    def _revise(known: Campaign, status: Status, into: str | None, body: dict[str, Any]) -> Campaign | None:
        kept = known.kept
        if (kept.status, kept.merged_into, kept.body) == (status, into, body):
            return None
        kept.status, kept.merged_into, kept.body = status, into, body
        kept.revision += 1
        return known
