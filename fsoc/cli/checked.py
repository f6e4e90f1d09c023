"""What the commands under `fsoc check` have in common: how problems, warnings and counts are told."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

import click
import orjson

from fsoc.cli.junit import place
from fsoc.cli.printable import printable
from fsoc.errors import Problem

as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout: counts and problems.")


def tell(
    counts: Mapping[str, int], problems: Iterable[Problem], as_json: bool, warnings: Iterable[Problem] = ()
) -> None:
    """Problems and warnings in the order of files and lines, then the counts; leaves with 1 if there is a problem."""
    found, warned = in_order(problems), in_order(warnings)
    if as_json:
        told = {
            name: [{"where": each.where, "text": each.text} for each in several]
            for name, several in (("problems", found), ("warnings", warned))
        }
        click.echo(orjson.dumps({**counts, **told}))
    else:
        for each in in_order([*found, *(Problem(each.where, f"warning: {each.text}") for each in warned)]):
            click.echo(printable(str(each)))
        line = ", ".join(counted(number, name) for name, number in counts.items())
        more = f", {counted(len(warned), 'warnings')}" if warned else ""
        click.echo(f"{line}: {counted(len(found), 'problems')}{more}")
    if found:
        sys.exit(1)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(dict.fromkeys(problems), key=place)


def counted(number: int, things: str) -> str:
    return f"{number:,} {things.removesuffix('s') if number == 1 else things}"
