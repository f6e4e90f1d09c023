"""The baseline and its publishing on a terminal. Pure text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fsoc.baseline.model import Item
from fsoc.baseline.publish.matrix import STATUSES, Matrix, Status
from fsoc.baseline.publish.profiles import Profile
from fsoc.baseline.publish.verify import Verdict
from fsoc.cli.printable import printable
from fsoc.cli.table import Column, table

WORST = "red"


def items_shown(items: Sequence[Item], room: int | None) -> Iterator[str]:
    """A line an item: its title gives way where the terminal is narrow."""
    columns: list[Column] = [
        ("item", lambda item: f"{item.id} {item.title} · {item.title_zh}"),
        ("technique", lambda item: item.technique),
        ("tactic", lambda item: item.tactic),
        ("tiers", lambda item: " ".join(map(str, item.tiers))),
    ]
    return table(columns, items, WORST, lambda _: False, room)


def shares_shown(matrix: Matrix) -> Iterator[str]:
    """A line a target: how many rules have a query, and by what; red where some have none."""

    def counted(status: Status) -> Column:
        return status, lambda profile: str(matrix.counts(profile.name)[status])

    def lacks(profile: Profile) -> bool:
        share, of = matrix.share(profile.name)
        return share < of

    columns: list[Column] = [
        ("target", lambda profile: profile.name),
        ("with a query", lambda profile: "{}/{}".format(*matrix.share(profile.name))),
        *map(counted, STATUSES),
    ]
    return table(columns, matrix.profiles, WORST, lacks)


def verdict_shown(verdict: Verdict) -> str:
    """In one line: which version, how many files, and who signed it."""
    version = printable(verdict.version) or "?"
    return f"baseline {version}: {verdict.files} files, {_signer(verdict)}"


def _signer(verdict: Verdict) -> str:
    if verdict.signed_by is None:
        return "not signed 未簽署"
    name = printable(verdict.signed_by)
    if verdict.believed:
        return f"signed by {name} 已驗證簽章"
    return f"the signature names {name} and was not verified: give --key 簽章未驗證"
