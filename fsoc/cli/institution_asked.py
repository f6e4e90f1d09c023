"""What `fsoc institution` was asked: settings, registry, of whom; refused where it does not fit. Changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fsoc.cli.institution_shown import entry_of
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.duration import duration_ms
from fsoc.institutions.registry import Institution, Registry
from fsoc.runtime.rules import load_registry
from fsoc.settings import Settings, load


def settings_of(options: dict[str, Any], *, needs_brokers: bool) -> tuple[Settings, Path]:
    settings = load(options.pop("settings"), options=options)
    needed = ("brokers", "institutions") if needs_brokers else ("institutions",)
    missing = [name for name in needed if not getattr(settings, name)]
    if missing:
        raise RefusedToStart(*(Problem(f"--{name}", f"is needed (or FSOC_{name.upper()})") for name in missing))
    assert settings.institutions is not None  # noqa: S101 - it is not missing
    return settings, settings.institutions


def registry_at(path: Path, settings: Settings) -> Registry:
    return load_registry(path, settings.allowed_lateness_ms)


def known_to(registry: Registry, name: str, path: Path) -> Registry:
    if name not in registry.institutions:
        raise RefusedToStart(Problem(str(path), f'"{name}" is not registered; `fsoc institution list` tells who is'))
    return registry


def whose_is(registry: Registry, user: str, path: Path) -> str:
    """The institution that a user sends for: itself, or the first that it is a delegate of."""
    if user in registry.institutions:
        return user
    served = [name for name, one in registry.institutions.items() if user in one.delegations]
    if not served:
        text = f'"{user}" is neither registered nor named in `delegations`; `fsoc institution list` tells who is'
        raise RefusedToStart(Problem(str(path), text))
    return served[0]


def refuse_incomplete(entry: dict[str, Any]) -> None:
    """Raises: RefusedToStart: what the registry asks of an entry was not given."""
    needed = {"name": "--name", "sector": "--sector", "tier": "--tier", "feeds": "--feed"}
    missing = [option for key, option in needed.items() if entry[key] is None]
    if missing:
        text = f'is needed of a new institution, which "{entry["id"]}" is 新機構須填'
        raise RefusedToStart(*(Problem(option, text) for option in missing))


def refuse_other(known: Institution, entry: dict[str, Any], path: Path) -> None:
    """Raises: RefusedToStart: what is given of an institution that is registered is not what the registry says."""
    said = {**entry_of(known), "allowed_lateness": known.allowed_lateness_ms}
    if entry["allowed_lateness"] is not None:
        try:
            entry = {**entry, "allowed_lateness": duration_ms(entry["allowed_lateness"])}
        except ValueError as error:
            raise RefusedToStart(Problem("--allowed-lateness", str(error))) from error
    problems = [
        Problem(str(path), f'"{known.id}" is registered with {key}: {said[key]}; found {value}. Edit the file instead')
        for key, value in entry.items()
        if value is not None and said[key] != value
    ]
    if problems:
        raise RefusedToStart(*problems)


def first_feed(registry: Registry, name: str) -> str:
    return registry.institutions[name].feeds[0]


def kit_folder(given: Path | None, name: str) -> Path:
    return (given or Path(f"kit-{name}")).absolute()
