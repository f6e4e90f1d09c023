"""`fsoc schema`: print the JSON Schema of what stands on the wire. Checks nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from fsoc.alerts.schema import alert_schema
from fsoc.campaigns.schema import campaign_schema
from fsoc.sharing.model import feedback_schema
from fsoc.tickets.schema import receipt_schema, ticket_schema

SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "ticket": ticket_schema,
    "alert": alert_schema,
    "campaign": campaign_schema,
    "receipt": receipt_schema,
    "feedback": feedback_schema,
}


@click.command("schema", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("what", type=click.Choice(list(SCHEMAS)))
def command(what: str) -> None:
    """Print the JSON Schema (2020-12) of a ticket, an alert, a campaign, a receipt record or feedback.

    \b
    Example, with any validator:
      fsoc schema ticket > ticket.schema.json
      check-jsonschema --schemafile ticket.schema.json mine.json
    """
    click.echo(json.dumps(SCHEMAS[what](), indent=2, ensure_ascii=False, sort_keys=True))
