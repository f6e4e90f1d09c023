"""`fsoc kafka start|stop|status`: this machine's own single-node broker. No cluster is touched by it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fsoc.runtime.kafka.broker import Broker, default_data_dir, running, start, stop
from fsoc.runtime.kafka.secured import FIRST_USERS, Secured


@click.group(name="kafka", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Start, stop or look at this machine's own single-node Kafka.

    Needs Java 17 or newer and, the first time, Maven. Listens on 127.0.0.1 only. For development and
    demonstrations; production uses a cluster (--brokers or FSOC_BROKERS of the other commands).
    """


_data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_data_dir,
    show_default="$FSOC_DATA/kafka or ~/.local/share/fsoc/kafka",
    help="Where the broker keeps its records, its log (kafka.log) and its pid (kafka.pid).",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout instead of a sentence.")


@command.command("start")
@_data_dir
@click.option(
    "--port", type=click.IntRange(1, 65535), help="For clients. Default: the last one used here, else any free one."
)
@click.option("--fresh", is_flag=True, help="Forget all topics and records first, and all keys and users.")
@click.option("--secure", is_flag=True, help="TLS, SASL/SCRAM-SHA-512 and access rules. 啟用 TLS、帳號密碼與存取權限。")
@_as_json
def start_command(data_dir: Path, port: int | None, fresh: bool, secure: bool, as_json: bool) -> None:
    """Start the broker and return once it answers; one that already runs is left as it is.

    With --secure nobody may do what no access rule allows. It gets an authority and certificates of its own, and four
    users: fsoc-admin, fsoc-worker, fsoc-gateway, fsoc-console. Their files are in DATA_DIR/security, for you alone. A
    directory that was begun so stays so.

    \b
    Examples:
      fsoc kafka start
      fsoc kafka start --secure
      fsoc kafka start --data-dir /tmp/kafka --port 9092 --fresh
      export FSOC_BROKERS=$(fsoc kafka start --json | jq -r .brokers)
    """
    broker = start(data_dir, port=port, fresh=fresh, secure=secure, say=lambda line: click.echo(line, err=True))
    _tell(data_dir, broker, f"Kafka is ready at {broker.bootstrap} (pid {broker.pid}, {broker.data_dir}).", as_json)


@command.command("stop")
@_data_dir
@_as_json
def stop_command(data_dir: Path, as_json: bool) -> None:
    """Stop the broker; its records are kept.

    \b
    Example:
      fsoc kafka stop
    """
    stopped = stop(data_dir)
    _tell(
        data_dir, None, f"Kafka stopped (pid {stopped.pid})." if stopped else f"No broker runs on {data_dir}.", as_json
    )


@command.command("status")
@_data_dir
@_as_json
def status_command(data_dir: Path, as_json: bool) -> None:
    """Say whether the broker runs, and where. Exit code 0 when it runs, 1 when not.

    \b
    Example:
      fsoc kafka status --json
    """
    broker = running(data_dir.absolute())
    if broker is None:
        _tell(data_dir, None, f"No broker runs on {data_dir}.", as_json)
        raise SystemExit(1)
    _tell(data_dir, broker, f"Kafka runs at {broker.bootstrap} (pid {broker.pid}, {data_dir}).", as_json)


def _tell(data_dir: Path, broker: Broker | None, sentence: str, as_json: bool) -> None:
    is_secure = broker is not None and broker.is_secure
    secured = Secured(data_dir.absolute())
    facts = {
        "running": broker is not None,
        "brokers": broker.bootstrap if broker else None,
        "pid": broker.pid if broker else None,
        "data_dir": str(data_dir.absolute()),
        "log": str(data_dir.absolute() / "kafka.log"),
        "secure": is_secure,
        "ca_file": str(secured.ca_file) if is_secure else None,
        "settings": {user: str(secured.files(user).settings) for user in FIRST_USERS} if is_secure else {},
    }
    click.echo(
        json.dumps(facts) if as_json else "\n".join([sentence, *(_how_to_connect(secured) if is_secure else [])])
    )


def _how_to_connect(secured: Secured) -> list[str]:
    """Which file is for what; no password is shown."""
    admin, worker, gateway, console = (secured.files(user) for user in FIRST_USERS)
    return [
        "It asks who comes. 連線須驗證身分：",
        f"  topics and rules 建立主題與權限   fsoc topics apply --institutions FILE --settings {admin.settings}",
        f"  workers 工作程序                  fsoc up --institutions FILE --settings {worker.settings}",
        f"  HTTPS gateway HTTPS 閘道          fsoc gateway --institutions FILE --settings {gateway.settings}",
        f"  joint alerts 聯防告警             fsoc alerts watch --settings {console.settings}",
        f"  any other program 其他程式        kcat -L -F {admin.kcat}",
        f"  Kafka's own tools Kafka 工具      kafka-topics.sh --command-config {admin.java}",
    ]
