"""What an institution is handed: how to reach the cluster, first tickets to send, and how, in two languages.

A folder that only its owner reads: there is a password in it. Makes no user on a cluster.
"""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.kafka.client_files import ClientFiles, new_password, write_private
from fsoc.runtime.onboarding.commands import scram_properties
from fsoc.runtime.onboarding.member import asks_who_comes
from fsoc.settings import Settings
from fsoc.tickets import sample

CA: Final = "ca.pem"
TICKETS: Final = "first-tickets.ndjson"
MANUAL: Final = "README.txt"


@dataclass(frozen=True, slots=True)
class Kit:
    """The folder of one user."""

    folder: Path
    user: str

    @property
    def files(self) -> ClientFiles:
        return ClientFiles(self.folder, self.user)

    @property
    def scram(self) -> Path:
        """For the administrator, not to be handed on: the password as Kafka's own tools take it."""
        return self.folder / f"{self.user}.scram"

    def write_access(self, settings: Settings, *, keep: bool = False) -> str | None:
        """How to reach the cluster, with a password where it asks for one; return that password.

        keep: the password that the folder has, if it has one; else always a new one.

        Raises:
            RefusedToStart: the folder cannot be written, or the certificates cannot be read.
        """
        self._make()
        ca_file = None
        if settings.kafka_ca_file is not None:
            ca_file = Path(CA)
            try:
                shutil.copyfile(settings.kafka_ca_file, self.folder / CA)
            except OSError as error:
                raise RefusedToStart(
                    Problem(str(settings.kafka_ca_file), f"cannot be read: {error.strerror}")
                ) from error
        password = None
        if asks_who_comes(settings):
            has_one = keep and self.files.password.exists()
            password = self.files.password.read_text("ascii").strip() if has_one else new_password()
        brokers = ",".join(settings.brokers)
        self.files.write(brokers, settings.kafka_protocol, ca_file, password, settings.topic_prefix)
        if password is not None:
            write_private(self.scram, scram_properties(password))
        return password

    def write_first_steps(self, settings: Settings, institution: str, feed: str, now: dt.datetime) -> None:
        """First tickets and a manual.

        Raises:
            RefusedToStart: the folder cannot be written.
        """
        self._make()
        lines = first_tickets(institution, feed, now, submitted_by=None if self.user == institution else self.user)
        write_private(self.folder / TICKETS, b"".join(line + b"\n" for line in lines))
        write_private(self.folder / MANUAL, _manual(settings, institution, self.user).encode())

    def _make(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise RefusedToStart(Problem(str(self.folder), f"cannot be made: {error.strerror}")) from error


def first_tickets(institution: str, feed: str, now: dt.datetime, submitted_by: str | None = None) -> list[bytes]:
    """A ticket, its correction, and a heartbeat that says how many there were; they say `environment: test`, which no
    production alert counts.
    """
    at = [_rfc3339(now - dt.timedelta(minutes=minutes)) for minutes in (0, 1, 5, 10)]
    epoch = f"first-{now:%Y%m%dT%H%M%SZ}"
    by = {} if submitted_by is None else {"submitted_by": submitted_by}
    common = {"institution": institution, "feed": feed, "seq_epoch": epoch, "environment": "test", **by}
    opened = sample.ticket(
        **common,
        ticket_id=f"{institution}-{epoch}"[:64],
        title="First ticket of a new feed: a test",
        occurred_from=at[3],
        occurred_to=at[2],
        detected_at=at[2],
        created_at=at[1],
        sent_at=at[0],
    )
    updated = {**opened, "seq": 2, "revision": 2, "action": "update", "severity": 3}
    status = sample.source_status(**common, last_seq=2, period_from=at[2], period_to=at[0], tickets_opened=1)
    return [orjson.dumps(line) for line in (opened, updated, status)]


def _rfc3339(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _manual(settings: Settings, institution: str, user: str) -> str:
    prefix, brokers = settings.topic_prefix, ",".join(settings.brokers)
    java = (
        f"kafka-console-producer.sh --bootstrap-server {brokers} --command-config {user}.properties \\\n"
        f"     --topic {prefix}tickets.{institution} < {TICKETS}"
    )
    send = f"kcat -P -F {user}.kcat -t {prefix}tickets.{institution} -l {TICKETS}"
    read = f"kcat -C -F {user}.kcat -t {prefix}receipts.{institution} -o beginning -e"
    feedback = f"kcat -C -F {user}.kcat -t {prefix}feedback.{institution} -o beginning -e"
    own = institution == user
    return f"""\
{institution}{"" if own else f", sent by {user}"}: first steps 開始送事件單

Run these in this folder. Any Kafka client will do. `kcat -V` must tell librdkafka 2.6.1 or newer: Kafka 4 refuses
older ones as "invalid credentials". Or take Kafka's own tools (before Kafka 4.2 their option is --producer.config).
請在本資料夾執行，任何 Kafka 用戶端皆可。kcat 須以 librdkafka 2.6.1 以上編譯（kcat -V），
較舊者會被 Kafka 4 以 invalid credentials 拒絕；亦可改用 Kafka 內附工具（4.2 以前參數為 --producer.config）。

1. Send the first tickets. They say environment: test, and raise no production alert.
   送出第一批事件單；其 environment 為 test，不會觸發正式告警。

   {send}
   {java}

2. Read the receipts: one for every message, with each fault, its field and the reason in both languages.
   讀取回條：每則訊息一張，錯誤、欄位與原因以中英文列出。

   {read}
{
        f'''
3. What the joint SOC tells you of its alerts.
   聯防中心給貴機構的回饋。

   {feedback}
'''
        if own
        else ""
    }
Files 檔案
   {user}.kcat         for kcat, and programs made of librdkafka (Vector, Fluent Bit) 供 kcat 及 librdkafka 程式使用
   {user}.properties   for Java clients (Logstash, Kafka's own tools) 供 Java 用戶端使用
   {user}.yml          for fsoc's own commands, as --settings 供 fsoc 指令以 --settings 使用
   {TICKETS}   a ticket, its correction and a heartbeat, one a line 事件單、更正與狀況單，一行一張

Whoever has {user}.* can send in this name: keep them as you keep keys, and ask for new ones at once if they are lost.
持有 {user}.* 即可以此名義送件：請比照金鑰保管，遺失請立即申請換發。

Send a source_status for each feed every five minutes; seq counts without gaps within a seq_epoch.
每個來源每五分鐘送一張 source_status；同一 seq_epoch 內 seq 須連續。
"""
