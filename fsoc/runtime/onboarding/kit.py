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
GATEWAY_CA: Final = "gateway-ca.pem"
GATEWAY: Final = "https://GATEWAY:8443"
"""Where nobody has told where the gateway is: to be filled in by whoever reads the manual."""
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

    @property
    def token(self) -> Path:
        """For the HTTPS gateway: the token alone, as `fsoc send --token-file` takes it."""
        return self.folder / f"{self.user}.token"

    @property
    def header(self) -> Path:
        """The same as a header, as `curl -H @FILE` takes it: on a command line it would be everyone's to see."""
        return self.folder / f"{self.user}.header"

    def write_token(self, token: str) -> None:
        """Raises: RefusedToStart: the folder cannot be written."""
        self._make()
        write_private(self.header, f"Authorization: Bearer {token}\n".encode())
        write_private(self.token, f"{token}\n".encode())

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
            self._copy(settings.kafka_ca_file, CA)
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
        if settings.gateway_credentials is not None and settings.gateway_ca_file is not None:
            self._copy(settings.gateway_ca_file, GATEWAY_CA)
        lines = first_tickets(institution, feed, now, submitted_by=None if self.user == institution else self.user)
        write_private(self.folder / TICKETS, b"".join(line + b"\n" for line in lines))
        write_private(self.folder / MANUAL, _manual(settings, institution, self.user).encode())

    def _copy(self, certificates: Path, name: str) -> None:
        try:
            shutil.copyfile(certificates, self.folder / name)
        except OSError as error:
            raise RefusedToStart(Problem(str(certificates), f"cannot be read: {error.strerror}")) from error

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
    }{_by_https(settings, user)}
Files 檔案
   {user}.kcat         for kcat, and programs made of librdkafka (Vector, Fluent Bit) 供 kcat 及 librdkafka 程式使用
   {user}.properties   for Java clients (Logstash, Kafka's own tools) 供 Java 用戶端使用
   {user}.yml          for fsoc's own commands, as --settings 供 fsoc 指令以 --settings 使用
{_https_files(settings, user)}   {
        TICKETS
    }   a ticket, its correction and a heartbeat, one a line 事件單、更正與狀況單，一行一張

Whoever has {user}.* can send in this name: keep them as you keep keys, and ask for new ones at once if they are lost.
持有 {user}.* 即可以此名義送件：請比照金鑰保管，遺失請立即申請換發。

Send a source_status for each feed every five minutes; seq counts without gaps within a seq_epoch.
每個來源每五分鐘送一張 source_status；同一 seq_epoch 內 seq 須連續。
"""


def _by_https(settings: Settings, user: str) -> str:
    """How to send by the gateway instead; nothing where there is none."""
    if settings.gateway_credentials is None:
        return ""
    url = settings.gateway_url or GATEWAY
    trusts = settings.gateway_ca_file is not None
    curl = f"curl -H @{user}.header" + (f" --cacert {GATEWAY_CA}" if trusts else "")
    spool = f"fsoc send {TICKETS} --to {url} --token-file {user}.token" + (f" --ca-file {GATEWAY_CA}" if trusts else "")
    return f"""
By HTTPS instead, where Kafka's port is not open to you. fsoc send keeps what it could not send, and sends it later.
無法連線 Kafka 時，改以 HTTPS 送件；fsoc send 會保留未送出者，稍後續送。

   {spool}
   {curl} -H 'Content-Type: application/x-ndjson' \\
     -H "Idempotency-Key: $(sha256sum {TICKETS} | cut -c-64)" --data-binary @{TICKETS} {url}/v1/tickets
   {curl} '{url}/v1/receipts?from=0'

To sign what you send: fsoc institution key make signing.jwk > signing.pub.jwk; give the joint SOC signing.pub.jwk,
and nothing else; add --sign-with signing.jwk. Keep signing.jwk as you keep the token.
如需簽章：以上述指令產製金鑰，僅將 signing.pub.jwk 交聯防中心登錄；
送件時加 --sign-with signing.jwk，私鑰請自行妥善保管。
"""


def _https_files(settings: Settings, user: str) -> str:
    if settings.gateway_credentials is None:
        return ""
    return f"""\
   {user}.token        for the HTTPS gateway; {user}.header is the same for curl 供 HTTPS 閘道及 curl 使用
"""
