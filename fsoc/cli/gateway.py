"""`fsoc gateway`: take tickets by HTTPS, until told to stop; and make the tokens that senders come with."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import click

from fsoc.settings import load

_path = click.Path(path_type=Path)


_NAMED = ("brokers", "institutions", "topic_prefix", "environment", "exercise_id")
"""Options that are settings by the same name; all others are the gateway's."""


@click.group("gateway", invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--brokers", metavar="HOST:PORT,…", help="The Kafka cluster.")
@click.option("--institutions", type=_path, metavar="FILE", help="Who takes part: the registry, looked at every 30 s.")
@click.option("--credentials", type=_path, metavar="FILE", help="Who may send: a YAML file, looked at every 30 s.")
@click.option("--certificate", type=_path, metavar="FILE", help="Of the gateway, PEM. Without: plain HTTP here.")
@click.option("--key", type=_path, metavar="FILE", help="Of that certificate, PEM.")
@click.option("--client-ca", type=_path, metavar="FILE", help="What senders' certificates must lead to, PEM.")
@click.option("--host", metavar="HOST", help="Where tickets are taken. Default: 127.0.0.1.")
@click.option("--port", type=int, metavar="PORT", help="Default: 8443; 0 is any free one.")
@click.option("--topic-prefix", metavar="PREFIX", help="Before every topic's name. Default: fsoc.")
@click.option("--environment", metavar="NAME", help="production (default), exercise or test.")
@click.option("--exercise-id", metavar="ID", help="Of a drill's gateway: what is not of this exercise will be refused.")
@click.option("--health-port", type=int, metavar="PORT", help="Of /livez, /readyz, /metrics. Default: any free one.")
@click.option("--settings", "file", type=_path, metavar="FILE", help="All of these, as YAML.")
@click.pass_context
def command(context: click.Context, /, file: Path | None, health_port: int | None, **options: Any) -> None:
    """Take tickets by HTTPS and put them on Kafka: POST /v1/tickets, GET /v1/receipts, /openapi.json.

    Nothing is acknowledged before Kafka has it. Each sender comes by a token or a client certificate, which says
    whose tickets they are. SIGTERM: what was taken is written and answered, then it ends. Every option may also be
    given as FSOC_GATEWAY_CREDENTIALS and so on. Exit code 0 when told to stop, 2 when something must be changed first.

    \b
    以 HTTPS 收取事件單並寫入 Kafka；Kafka 確實收妥後才回覆。

    \b
    Examples:
      fsoc gateway token fi-001 >> credentials.yml
      fsoc gateway --brokers 127.0.0.1:9092 --institutions institutions.yml --credentials credentials.yml
      fsoc gateway --settings gateway.yml --host 0.0.0.0 --certificate gateway.pem --key gateway.key
    """
    if context.invoked_subcommand is not None:
        return
    named = {name: options.pop(name) for name in _NAMED}
    ours = {f"gateway_{name}": value for name, value in options.items()}
    settings = load(file, options={**named, **ours, "http_port": health_port})
    # Late: FastAPI and aiokafka take a second to import, and bad settings are told at once.
    from fsoc.runtime.gateway.server import check, run
    from fsoc.runtime.loglines import log_as_json

    check(settings)
    log_as_json()
    raise SystemExit(asyncio.run(run(settings, click.echo)))


@command.command("certificate")
@click.argument("folder", type=_path)
def certificate_command(folder: Path) -> None:
    """Make a certificate for this machine alone, to try a gateway with: gateway.pem, gateway.key, gateway-ca.pem.

    It is for 127.0.0.1 and localhost, 397 days long; one that is good for 30 days more is left as it is. The authority
    that signs it signs nothing else: its key is thrown away. Elsewhere take a certificate of your own authority.

    \b
    產製僅供本機測試之憑證；正式環境請使用自有憑證機構核發者。

    \b
    Example:
      fsoc gateway certificate ~/gateway
    """
    from fsoc.runtime.gateway.local_certificate import make

    made = make(folder, dt.datetime.now(dt.UTC))
    click.echo(f"{folder}: {'made 已產製' if made else 'left as it is 維持不變'}")


@command.command("token")
@click.argument("institution")
@click.option("--not-after", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Its last day, such as 2027-06-30.")
@click.option("--name", metavar="TEXT", help="What people call it, such as siem-1.")
def token_command(institution: str, not_after: dt.datetime | None, name: str | None) -> None:
    """Make a token for INSTITUTION: the entry for the credentials file on stdout, the token itself on stderr, once.

    Only a digest is kept, so that it cannot be had back from the file; another is made instead.

    \b
    Examples:
      fsoc gateway token fi-001 >> credentials.yml
      fsoc gateway token fi-001 --not-after 2027-06-30 --name siem-1 2> fi-001.token >> credentials.yml
    """
    from fsoc.runtime.gateway.credential_edit import entry_lines
    from fsoc.runtime.gateway.credentials import Credential, digest_of, new_token

    token = new_token(institution)
    last_day = None if not_after is None else not_after.date()
    click.echo("\n".join(entry_lines(Credential(institution, digest_of(token.encode()), last_day, name or ""))))
    click.echo(token, err=True)
