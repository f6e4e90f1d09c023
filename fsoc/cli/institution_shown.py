"""Institutions and their checklists as lines and as JSON. Looks nowhere itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click
import orjson

from fsoc.cli.printable import printable
from fsoc.cli.table import Column, table
from fsoc.institutions.checklist import State, Step
from fsoc.institutions.registry import Institution, Registry

_MARKS: Final[dict[State, tuple[str, str]]] = {
    "done": ("✓", "green"),
    "open": ("✗", "yellow"),
    "not needed": ("–", "white"),
    "unknown": ("?", "white"),
}
_COLUMNS: Final[tuple[Column, ...]] = (
    ("institution 機構", lambda one: one.id),
    ("name 名稱", lambda one: printable(one.name_zh)),
    ("sector 業別", lambda one: one.sector),
    ("tier 級", lambda one: str(one.tier)),
    ("group 金控", lambda one: one.group or "–"),
    ("feeds 來源", lambda one: ",".join(one.feeds)),
    ("delegates 代送", lambda one: ",".join(one.delegations) or "–"),
    ("state 狀態", lambda one: "suspended 停用" if one.suspended else "active 使用中"),
)


def listed(institutions: Sequence[Institution]) -> Iterator[str]:
    """A table, those who are suspended in yellow."""
    yield from table(_COLUMNS, institutions, "yellow", lambda one: one.suspended)


def entry_of(institution: Institution) -> dict[str, Any]:
    """What the registry says of it, by the file's keys."""
    return {
        "id": institution.id,
        "name": institution.name,
        "name_zh": institution.name_zh,
        "sector": institution.sector,
        "tier": institution.tier,
        "group": institution.group,
        "feeds": list(institution.feeds),
        "delegations": list(institution.delegations),
        "suspended": institution.suspended,
        "signing": institution.signing.as_written(),
        "allowed_lateness_s": institution.allowed_lateness_ms // 1000,
    }


def entry_lines(institution: Institution) -> Iterator[str]:
    names = dict.fromkeys((institution.name, institution.name_zh))
    yield click.style(f"{institution.id}  {printable(' '.join(names))}", bold=True)
    group = f", group 金控 {institution.group}" if institution.group else ""
    delegates = f", on its behalf 代送 {', '.join(institution.delegations)}" if institution.delegations else ""
    feeds = ", ".join(institution.feeds)
    yield f"{institution.sector}, tier 級別 {institution.tier}{group}, feeds 來源 {feeds}{delegates}"
    signing = institution.signing
    if signing.keys:
        since = signing.as_written().get("required_from", "never 不要求")
        yield f"signing keys 簽章金鑰 {len(signing.keys)}, required from 要求起始 {since}"


def steps_lines(steps: Sequence[Step]) -> Iterator[str]:
    """Each step, and under the first that is open what to do next."""
    hinted = False
    for step in steps:
        mark, colour = _MARKS[step.state]
        yield click.style(f" {mark} {step.text} · {step.text_zh}", fg=colour)
        if step.state == "open" and not hinted:
            hinted = True
            yield f"     → {step.hint}"
            yield f"     → {step.hint_zh}"


def steps_json(steps: Sequence[Step]) -> list[dict[str, str]]:
    return [step._asdict() for step in steps]


_SAID: Sequence[tuple[str, str]] = (
    ("registered", "Registered. 已登錄。"),
    ("lifted", "No longer suspended. 已解除停用。"),
    ("suspended", "Suspended. 已停用。"),
)


def tell(name: str, registry: Registry, facts: Mapping[str, Any], as_json: bool) -> None:
    """What a change has made of an institution. Beside commands, which may be piped, what follows is told on stderr."""
    if as_json:
        click.echo(orjson.dumps({"id": name, **facts}))
        return
    for key, text in _SAID:
        if facts.get(key):
            click.echo(f"{name}: {text}")
    if "topics_created" in facts:
        made = (
            f"{facts['topics_created']} topics, {facts['rules_added']} access rules, {facts['quotas_set']} quotas made"
        )
        click.echo(f"{name}: {made}; password {facts['password']}.")
    if "rules_taken" in facts and facts["applied"]:
        password = "and its password" if facts["password_taken"] else "it had no password"
        click.echo(f"{name}: {facts['rules_taken']} access rules taken back, {password}.")
    _tell_tokens(name, facts)
    for line in facts["commands"]:
        click.echo(line)
    if "kit" in facts:
        click.echo(f"Hand over 請交付: {facts['kit']}", err=bool(facts["commands"]))
        if name in registry.institutions:
            click.echo(f"Then 接著: fsoc institution show {name} …", err=bool(facts["commands"]))
            for delegate in registry.institutions[name].delegations:
                text = f"{delegate} sends on its behalf 代送: fsoc institution rotate {delegate} …"
                click.echo(text, err=bool(facts["commands"]))


def _tell_tokens(name: str, facts: Mapping[str, Any]) -> None:
    """Of the gateway, and never the token itself."""
    if "token" in facts:
        click.echo(f"{name}: gateway token 閘道權杖: {facts['token']}, in the kit.", err=bool(facts["commands"]))
    if "tokens_taken" in facts:
        text = f"{name}: {facts['tokens_taken']} credentials taken out of the gateway's file 已自閘道移除."
        click.echo(text, err=bool(facts["commands"]))
