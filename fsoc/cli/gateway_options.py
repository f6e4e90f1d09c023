"""The options of whoever sends to a gateway: where it is, and what one comes with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

_path = click.Path(path_type=Path)

_OPTIONS: Final = (
    click.option("--to", metavar="URL", help="The gateway, such as https://gateway.example:8443."),
    click.option("--token-file", type=_path, metavar="FILE", help="Its one line is the token."),
    click.option("--certificate", type=_path, metavar="FILE", help="A client certificate instead, PEM."),
    click.option("--key", type=_path, metavar="FILE", help="Of that certificate, PEM."),
    click.option("--ca-file", type=_path, metavar="FILE", help="What the gateway's certificate must lead to, PEM."),
    click.option(
        "--sign-with", type=_path, metavar="FILE", help="The private key that `fsoc institution key make` made."
    ),
)


def gateway_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options, in their order."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
