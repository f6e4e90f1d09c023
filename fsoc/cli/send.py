"""`fsoc send`: tickets of a file or a pipe to a gateway or to Kafka, by way of a spool that survives restarts."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from fsoc.cli.gateway_options import gateway_options
from fsoc.cli.printable import printable
from fsoc.cli.progress import ProgressLine
from fsoc.cli.send_shown import Shown
from fsoc.client import Destination, Gateway, Refused, Signer, Spool, SpoolFull, drain
from fsoc.client.spool import LINE_BYTES_MAX, default_folder
from fsoc.errors import FsocError, Problem, RefusedToStart, Retry
from fsoc.settings import load

STDIN: Final = "-"
GIVE_UP_SECONDS: Final = 60.0
CHUNK_LINES: Final = 500
# What a pipe gave is added to the spool when nothing more came for so long.
LULL_SECONDS: Final = 0.2
AGAIN_SECONDS: Final = 1.0
_path = click.Path(path_type=Path)


@click.command("send", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", required=False, metavar="[FILE|-]")
@gateway_options
@click.option("--brokers", metavar="HOST:PORT,…", help="To Kafka instead of a gateway; needs --institution.")
@click.option("--institution", metavar="ID", help="Whose ticket topic, on Kafka.")
@click.option("--topic-prefix", metavar="PREFIX", help="Before every topic's name. Default: fsoc.")
@click.option("--environment", metavar="NAME", help="production (default), exercise or test.")
@click.option("--settings", "settings_file", type=_path, metavar="FILE", help="How to reach Kafka, as YAML.")
@click.option("--spool", "folder", type=_path, metavar="DIR", help="Default: ~/.local/share/fsoc/spool.")
@click.option(
    "--give-up-after", type=click.FloatRange(0), default=GIVE_UP_SECONDS, metavar="SECONDS", help="Default: 60."
)
@click.option("--status", is_flag=True, help="Only say what waits in the spool.")
@click.option("--json", "as_json", is_flag=True, help="NDJSON: an entry per line that arrived, a summary last.")
def command(file: str | None, folder: Path | None, status: bool, as_json: bool, **options: Any) -> None:
    """Send tickets, one a line, and say what became of each; without FILE, only what waits in the spool.

    Lines are put into the spool first, durably, and leave it when they are acknowledged: whatever is killed or does
    not answer, each line is one or the other. Exit code 0 when all arrived and none is refused, 1 when some are
    refused or still wait (--give-up-after seconds without any arriving), 2 when something must be changed first.

    \b
    傳送事件單：先寫入本機暫存，確認收妥後才移除；中斷或重啟後再執行即可續送。

    \b
    Examples:
      fsoc send tickets.ndjson --to https://gateway.example:8443 --token-file token --ca-file ca.pem
      tail -F tickets.ndjson | fsoc send - --to https://gateway.example:8443 --token-file token
      fsoc send tickets.ndjson --brokers kafka.example:9092 --institution fi-001
      fsoc send tickets.ndjson --to https://gateway.example:8443 --token-file token --sign-with signing.jwk
      fsoc send --status --json
    """
    folder = folder or default_folder()
    if status:
        _tell_status(folder, as_json=as_json)
        return
    shown = Shown(as_json=as_json)
    with destination(options) as (place, name), Spool(folder, name) as spool:
        _run(file, spool, name, place, shown, options["give_up_after"])
        waiting = spool.standing().lines
    shown.end(waiting)
    if shown.refused or waiting:
        sys.exit(1)


def _run(
    file: str | None, spool: Spool, name: str, destination: Destination, shown: Shown, patience_seconds: float
) -> None:
    progress = ProgressLine()
    feeder: _Feeder | None = None
    if file == STDIN:
        feeder = _Feeder(spool.folder, name, shown)
        feeder.start()
    elif file is not None:
        _add_file(Path(file), spool, shown)

    def waits(seconds: float, error: Retry) -> None:
        progress.clear()
        click.echo(f"fsoc: {printable(str(error))}; again in {seconds:.0f} s, nothing is lost", err=True)

    with _own_turn(spool, patience_seconds):
        while True:
            feeding = feeder is not None and feeder.is_alive()
            try:
                done = drain(
                    spool,
                    destination,
                    # While lines come there is nothing to give up for.
                    patience_seconds=float("inf") if feeding else patience_seconds,
                    arrived=lambda _, entries: shown.arrived(entries, progress),
                    waits=waits,
                )
            except Refused as error:
                text = f"{error}; what is not acknowledged waits in {spool.folder}"
                raise RefusedToStart(Problem(name, text)) from error
            if not feeding:
                break
            if done:
                time.sleep(LULL_SECONDS)
    progress.clear()
    if feeder is not None and feeder.failed is not None:
        raise feeder.failed


def _add_file(path: Path, spool: Spool, shown: Shown) -> None:
    """Add the whole file, or nothing of it."""
    try:
        with path.open("rb") as stream:
            spool.add(_sound(enumerate(stream, 1), shown))
    except OSError as error:
        raise RefusedToStart(Problem(str(path), error.strerror or str(error))) from error
    except SpoolFull as error:
        raise RefusedToStart(Problem(str(path), f"nothing of it was added: {error}")) from error


def _sound(lines: Iterator[tuple[int, bytes]] | enumerate[bytes], shown: Shown) -> Iterator[bytes]:
    """Lines without their ends; those that no record can hold are told and left out, empty ones are left out."""
    for number, line in lines:
        stripped = line.strip()
        if len(stripped) > LINE_BYTES_MAX:
            shown.too_large(number, len(stripped))
        elif stripped:
            yield stripped


class _Feeder(threading.Thread):
    """Puts what a pipe gives into the spool while the spool is sent. failed: why it ended, if not at the end."""

    def __init__(self, folder: Path, name: str, shown: Shown) -> None:
        super().__init__(daemon=True)
        self.failed: FsocError | None = None
        self._place = (folder, name)
        self._shown = shown
        self._number = 0

    def run(self) -> None:
        try:
            with Spool(*self._place) as spool:
                for lines in _chunks(sys.stdin.fileno()):
                    self._add(spool, lines)
        except FsocError as error:
            self.failed = error

    def _add(self, spool: Spool, lines: list[bytes]) -> None:
        sound = list(_sound(enumerate(lines, self._number + 1), self._shown))
        self._number += len(lines)
        while True:
            try:
                spool.add(sound)
            except SpoolFull:
                time.sleep(AGAIN_SECONDS)  # whoever writes into the pipe waits with us
            else:
                return


def _chunks(descriptor: int) -> Iterator[list[bytes]]:
    """Lines as they come: so many at a time, or as many as came before a lull. Of an endless line the beginning."""
    lines: list[bytes] = []
    rest = b""
    while True:
        ready = select.select([descriptor], [], [], LULL_SECONDS if lines else None)[0]
        got = os.read(descriptor, 65_536) if ready else None
        if got:
            *whole, rest = (rest + got).split(b"\n")
            lines += whole
            rest = rest[: LINE_BYTES_MAX + 1]
        if got == b"":
            yield [*lines, rest]
            return
        if lines and (not ready or len(lines) >= CHUNK_LINES):
            yield lines
            lines = []


@contextmanager
def _own_turn(spool: Spool, patience_seconds: float) -> Iterator[None]:
    """Send alone. Raises: RefusedToStart: another process goes on sending this spool."""
    until = time.monotonic() + patience_seconds
    while True:
        with spool.sender() as ours:
            if ours:
                yield
                return
        if time.monotonic() >= until:
            text = "another fsoc send is sending it; what was added will be sent with it, or by the next"
            raise RefusedToStart(Problem(str(spool.folder), text))
        time.sleep(LULL_SECONDS)


@contextmanager
def destination(options: dict[str, Any]) -> Iterator[tuple[Destination, str]]:
    """Where to, and its name as the spool knows it."""
    signer = None if options["sign_with"] is None else Signer.from_file(options["sign_with"])
    paths = {name: options[name] and str(options[name]) for name in ("certificate", "key", "ca_file")}
    if options["to"] is not None:
        if options["brokers"] or options["institution"] or options["settings_file"]:
            raise click.UsageError("--to is a gateway; --brokers, --institution and --settings are for Kafka.")
        token = _token(options["token_file"])
        certificate, key, ca_file = (paths[name] for name in ("certificate", "key", "ca_file"))
        gateway = Gateway(options["to"], token=token, certificate=certificate, key=key, ca_file=ca_file, signer=signer)
        yield gateway, gateway.name
        return
    if options["token_file"] or any(paths.values()):
        raise click.UsageError("--token-file, --certificate, --key and --ca-file are for a gateway: --to URL.")
    settings = load(
        options["settings_file"], options={n: options[n] for n in ("brokers", "topic_prefix", "environment")}
    )
    if not settings.brokers:
        raise RefusedToStart(Problem("--to", "is needed: a gateway's URL; or --brokers (or FSOC_BROKERS)"))
    institution = options["institution"] or settings.kafka_username
    if institution is None:
        raise RefusedToStart(Problem("--institution", "is needed with --brokers: whose ticket topic?"))
    from fsoc.runtime.direct_send import KafkaDestination  # late: it needs aiokafka

    with KafkaDestination(settings, institution, signer) as kafka:
        yield kafka, f"{settings.topic_prefix}tickets.{institution} on {','.join(settings.brokers)}"


def _token(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not ASCII"
        raise RefusedToStart(Problem(str(file), f"token cannot be read: {reason}")) from error


def _tell_status(folder: Path, *, as_json: bool) -> None:
    """Exit code 1 where something waits."""
    import json

    with Spool(folder, None) as spool:
        now = spool.standing()
    since = None if now.oldest is None else datetime.fromtimestamp(now.oldest, UTC).isoformat(timespec="seconds")
    if as_json:
        facts = {"waiting": now.lines, "bytes": now.bytes, "oldest": since, "destination": now.destination}
        click.echo(json.dumps({"spool": str(folder), **facts}))
    elif now.lines:
        click.echo(f"{now.lines:,} lines wait ({now.bytes:,} bytes), the oldest since {since}, for {now.destination}")
    else:
        click.echo("nothing waits  沒有待送之事件單")
    if now.lines:
        sys.exit(1)
