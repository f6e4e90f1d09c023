"""`fsoc exercise`: a simulated sector's tickets, institutions and truth as files. Generates nothing itself."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import click
import orjson

from fsoc.errors import Problem, RefusedToStart
from fsoc.exercise import Exercise, ExerciseSpec, generate

TICKETS, INSTITUTIONS, TRUTH = "tickets.ndjson", "institutions.yml", "truth.ndjson"


def _spec_options(function: Callable[..., None]) -> Callable[..., None]:
    """An option for each field of ExerciseSpec, with the field's default and help."""
    told = dict(re.findall(r"^(\w+): (.+(?:\n +.+)*)", inspect.getdoc(ExerciseSpec) or "", flags=re.MULTILINE))
    hints = typing.get_type_hints(ExerciseSpec)
    for each in reversed(dataclasses.fields(ExerciseSpec)):
        default = each.default
        function = click.option(
            f"--{each.name.replace('_', '-')}",
            each.name,
            type=_type(hints[each.name]),
            default=default.value if isinstance(default, Enum) else default,
            show_default=default is not None,
            metavar=None if _choices(hints[each.name]) else "N",
            help=" ".join(told.get(each.name, "").split()) or None,
        )(function)
    return function


def _type(hint: Any) -> click.ParamType | type:
    choices = _choices(hint)
    if choices:
        return click.Choice([str(choice) for choice in choices])
    return next(part for part in (bool, int, float, str) if part in _parts(hint))


def _choices(hint: Any) -> list[Any]:
    for part in _parts(hint):
        if isinstance(part, type) and issubclass(part, Enum):
            return [member.value for member in part]
        if typing.get_origin(part) is typing.Literal:
            return list(typing.get_args(part))
    return []


def _parts(hint: Any) -> tuple[Any, ...]:
    """`int | None` as its parts."""
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


@click.command("exercise")
@_spec_options
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where the files go.")
def command(out: Path, **asked: Any) -> None:
    """Write an exercise to files: a sector's tickets with planted campaigns, and the truth about them.

    DIR gets tickets.ndjson, in order of arrival, institutions.yml, and truth.ndjson, a line for each ticket of a
    campaign. The same options give the same bytes. fsoc/exercise/README.md says what is simulated.

    \b
    Examples:
      fsoc exercise --out week
      fsoc exercise --institutions 400 --seed 3 --out week
      fsoc replay --tickets week/tickets.ndjson --institutions week/institutions.yml --rules rules --out alerts.ndjson
      fsoc evaluate --alerts alerts.ndjson --truth week/truth.ndjson --tickets week/tickets.ndjson
    """
    exercise = generate(_spec(asked))
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / TICKETS).open("wb") as lines:
            lines.writelines(exercise.tickets_ndjson())
        (out / INSTITUTIONS).write_text(exercise.institutions_yaml(), encoding="utf-8")
        (out / TRUTH).write_bytes(b"".join(_truth_lines(exercise)))
    except OSError as error:
        raise RefusedToStart(Problem(str(error.filename or out), f"cannot be written: {error.strerror}")) from error
    told = f"{len(exercise.deliveries):,} records, {len(exercise.truth)} campaigns"
    click.echo(f"fsoc: wrote {told} to {out}", err=True)


def _spec(asked: dict[str, Any]) -> ExerciseSpec:
    hints = typing.get_type_hints(ExerciseSpec)
    enums = {
        name: part
        for name, hint in hints.items()
        for part in _parts(hint)
        if isinstance(part, type) and issubclass(part, Enum)
    }
    given: dict[str, Any] = {
        name: enums[name](value) if name in enums and value is not None else value for name, value in asked.items()
    }
    try:
        return ExerciseSpec(**given)
    except RefusedToStart as refused:
        problems = (Problem(f"--{one.where.replace('_', '-')}", one.text) for one in refused.problems)
        raise RefusedToStart(*problems) from refused


def _truth_lines(exercise: Exercise) -> Iterator[bytes]:
    """`{"institution": …, "label": "campaign-1 phishing_kit", "ticket_id": …}`, campaign by campaign.

    Who sent a ticket stands in what was sent: ids are unique within an institution only.
    """
    senders: dict[str, set[str]] = {}
    for delivery in exercise.deliveries:
        ticket_id = orjson.loads(delivery.payload).get("ticket_id")
        if ticket_id is not None:
            senders.setdefault(ticket_id, set()).add(delivery.institution)
    for campaign in exercise.truth:
        for ticket_id in campaign.ticket_ids:
            for institution in sorted(senders.get(ticket_id, set()).intersection(campaign.institutions)):
                line = {
                    "institution": institution,
                    "label": f"{campaign.id} {campaign.kind}",
                    "ticket_id": ticket_id,
                }
                yield orjson.dumps(line) + b"\n"
