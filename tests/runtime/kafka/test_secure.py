"""A broker that asks who comes: each member reaches its own, nobody reaches another's, and strangers reach nothing.

What is refused is asked for on the wire, past every check of a client's: only the broker's own answer counts.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import socket
import ssl
import struct
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from fsoc.errors import RefusedToStart
from fsoc.runtime.kafka import broker, credentials, quotas
from fsoc.runtime.kafka.broker import Broker
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.client_files import new_password, write_private
from fsoc.runtime.kafka.connection import connected
from fsoc.runtime.kafka.plan import apply, make_plan
from fsoc.runtime.kafka.secured import FIRST_USERS
from fsoc.runtime.kafka.security import OPEN, Security
from fsoc.runtime.kafka.topics import Quota, acls, table
from fsoc.runtime.kafka.topics import quotas as quota_table
from fsoc.settings import load

pytestmark = pytest.mark.kafka

# Every name begins, ends or goes on as another does.
MEMBERS = ("fi", "fi-1", "fi-10", "fi-1-0", "fi-2", "a-fi-1")
PAIRS = tuple(itertools.permutations(MEMBERS, 2))
# The first question of any client: size, key and version of the request, its number, no name.
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
DONE, TOPIC_REFUSED, GROUP_REFUSED = 0, 29, 30


@dataclass(frozen=True)
class Sector:
    """A broker with the topics, rules, quotas and users of some members."""

    broker: Broker
    prefix: str
    folder: Path

    def security(self, user: str) -> Security:
        secured = self.broker.secured
        if user in FIRST_USERS:
            return secured.security(user)
        return Security("SASL_SSL", secured.ca_file, user, self.folder / user)

    @asynccontextmanager
    async def wire(self, user: str) -> AsyncIterator[Wire]:
        async with connected(self.broker.bootstrap, self.security(user)) as admin:
            yield Wire(admin)


# A broker that has just begun, or a topic or group that is new: not yet led, loaded or known. Neither yes nor no.
NOT_YET = {5, 6, 14, 15, 16}


class Wire:
    """Requests as they are on the wire; each returns the error code of the only broker, once it has decided."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin

    async def write(self, topic: str) -> int:
        return await self._decided(self._write, topic)

    async def read(self, topic: str) -> int:
        return await self._decided(self._read, topic)

    async def look_into_group(self, group: str, topic: str) -> int:
        return await self._decided(self._look_into_group, group, topic)

    async def _decided(self, ask: Callable[..., Awaitable[int]], *arguments: str) -> int:
        async with asyncio.timeout(30):
            while (code := await ask(*arguments)) in NOT_YET:
                pass
        return code

    async def _write(self, topic: str) -> int:
        batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 65_536)
        batch.append(0, 1_772_409_600_000, None, b"{}", [])
        request = ProduceRequest(None, -1, 10_000, [(topic, [(0, bytes(batch.build()))])])
        ((_, ((_, code, *_),)),) = (await self._admin._send_request(request)).topics
        return code

    async def _read(self, topic: str) -> int:
        request = FetchRequest(0, 0, 1_000_000, 0, [(topic, [(0, 0, 1_000_000)])])
        ((_, ((_, code, *_),)),) = (await self._admin._send_request(request)).topics
        return code

    async def _look_into_group(self, group: str, topic: str) -> int:
        response = await self._admin._send_request(OffsetFetchRequest(group, [(topic, [0])]))
        return response.error_code


@pytest.fixture(scope="module")
def sector(secure_kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> Sector:
    made = Sector(secure_kafka, f"s{uuid.uuid4().hex[:8]}.", tmp_path_factory.mktemp("users"))

    async def make() -> None:
        async with connected(secure_kafka.bootstrap, secure_kafka.security) as admin:
            rules = acls(made.prefix, MEMBERS, f"{made.prefix}workers")
            await apply(
                admin,
                await make_plan(admin, made.prefix, table(made.prefix, MEMBERS, 2), rules, quota_table(MEMBERS)),
            )
            for member in MEMBERS:
                password = new_password()
                write_private(made.folder / member, password.encode())
                await credentials.give(admin, member, password)
        for member in MEMBERS:
            log = await KafkaLog.open(secure_kafka.bootstrap, made.security(member))
            await log.commit(f"{made.prefix}{member}", {(f"{made.prefix}receipts.{member}", 0): 0})
            await log.close()

    asyncio.run(make())
    return made


async def test_no_member_of_any_pair_reaches_what_is_the_others_and_each_reaches_its_own(sector: Sector):
    """Six members, thirty ordered pairs: write a ticket, read receipts, read feedback, look into a group."""
    own: Counter[tuple[int, ...]] = Counter()
    others: Counter[tuple[int, ...]] = Counter()
    for me in MEMBERS:
        async with sector.wire(me) as wire:
            for whose in MEMBERS:
                codes = (
                    await wire.write(f"{sector.prefix}tickets.{whose}"),
                    await wire.read(f"{sector.prefix}receipts.{whose}"),
                    await wire.read(f"{sector.prefix}feedback.{whose}"),
                    await wire.look_into_group(f"{sector.prefix}{whose}", f"{sector.prefix}receipts.{whose}"),
                )
                (own if me == whose else others)[codes] += 1

    assert others == {(TOPIC_REFUSED, TOPIC_REFUSED, TOPIC_REFUSED, GROUP_REFUSED): len(PAIRS)}
    assert own == {(DONE, DONE, DONE, DONE): len(MEMBERS)}
    log = await KafkaLog.open(sector.broker.bootstrap, sector.broker.security)
    ends = await log.end_offsets([(f"{sector.prefix}tickets.{member}", 0) for member in MEMBERS])
    await log.close()
    assert set(ends.values()) == {1}, "what was refused was not written either"


async def test_a_member_reaches_no_other_topic_in_any_way(sector: Sector):
    """Not even its own ones the other way round: its tickets are written only, its receipts and feedback read only."""
    mine = {f"{sector.prefix}{kind}.fi-1" for kind in ("tickets", "receipts", "feedback")}
    topics = [spec.name for spec in table(sector.prefix, MEMBERS, 2)]
    async with sector.wire("fi-1") as wire:
        written = {topic for topic in topics if await wire.write(topic) != TOPIC_REFUSED}
        read = {topic for topic in topics if await wire.read(topic) != TOPIC_REFUSED}

    assert written == {f"{sector.prefix}tickets.fi-1"}
    assert read == mine - written


def strangers(sector: Sector) -> Iterator[tuple[str, Security]]:
    member = sector.security("fi-1")
    write_private(sector.folder / "wrong", new_password().encode())
    yield "no credentials", OPEN
    yield "TLS alone", Security("SSL", member.ca_file)
    yield "a wrong password", replace(member, password_file=sector.folder / "wrong")
    yield "another's password", replace(member, username="fi-10")
    yield "the member's password, as the administrator", replace(member, username=FIRST_USERS[0])
    yield "nobody we know", replace(member, username="fi-3")
    yield "a password in the clear", Security("SASL_PLAINTEXT", None, "fi-1", member.password_file)


async def test_without_the_right_password_nothing_works_at_any_door(sector: Sector):
    """The broker has three: for clients, for itself, for its controller."""
    properties = (sector.broker.data_dir / "server.properties").read_text()
    doors = sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", properties)))
    assert len(doors) == 3
    entered, reasons = [], []
    for (who, security), door in itertools.product(strangers(sector), doors):
        try:
            async with connected(f"127.0.0.1:{door}", security, request_timeout_ms=5_000):
                entered.append((who, door))
        except RefusedToStart as refused:
            reasons.append(str(refused))

    assert entered == []
    assert len(reasons) == 21
    assert all("no Kafka answers" in reason for reason in reasons)


async def test_a_cluster_that_another_authority_vouches_for_is_not_trusted(sector: Sector):
    with pytest.raises(RefusedToStart, match="certificate verify failed"):
        await KafkaLog.open(sector.broker.bootstrap, replace(sector.security("fi-1"), ca_file=None))


async def test_a_wrong_password_is_told_as_that(sector: Sector):
    write_private(sector.folder / "old", b"one-that-was\n")
    with pytest.raises(RefusedToStart, match="invalid credentials") as refused:
        await KafkaLog.open(
            sector.broker.bootstrap, replace(sector.security("fi-1"), password_file=sector.folder / "old")
        )

    assert "one-that-was" not in str(refused.value)


async def test_who_is_let_in_no_more_stays_out_and_a_new_password_takes_the_old_ones_place(sector: Sector):
    old, new = (sector.folder / name for name in ("leaver.old", "leaver.new"))
    for file in (old, new):
        write_private(file, new_password().encode())
    leaver = replace(sector.security("fi-1"), username="leaver", password_file=old)
    renewed = replace(leaver, password_file=new)

    async def enters(security: Security) -> bool:
        try:
            async with connected(sector.broker.bootstrap, security, request_timeout_ms=5_000):
                return True
        except RefusedToStart:
            return False

    async with connected(sector.broker.bootstrap, sector.broker.security) as admin:
        await credentials.give(admin, "leaver", old.read_text())
        assert [await enters(leaver), await enters(renewed)] == [True, False]
        await credentials.give(admin, "leaver", new.read_text())
        # Brokers tell of a user at once and know of its new password a moment later.
        async with asyncio.timeout(20):
            while not await enters(renewed):
                pass
        assert not await enters(leaver)
        assert await credentials.take(admin, ["leaver", "nobody"]) == {"leaver"}
        assert await credentials.take(admin, ["leaver"]) == set()
        async with asyncio.timeout(20):
            while await enters(renewed):
                pass
        assert "leaver" not in await credentials.users(admin)


async def test_every_members_quota_is_set_and_what_an_operator_changed_is_seen(sector: Sector):
    async with connected(sector.broker.bootstrap, sector.broker.security) as admin:
        found = await quotas.quotas(admin)
        assert {member: found[member] for member in MEMBERS} == {member: Quota(member).limits for member in MEMBERS}

        await quotas.set_quotas(admin, [Quota("fi-2", producer_bytes_per_second=1)])
        plan = await make_plan(admin, sector.prefix, [], [], quota_table(MEMBERS))
        assert plan.limit == [Quota("fi-2")]
        await apply(admin, plan)
        assert (await quotas.quotas(admin))["fi-2"] == Quota("fi-2").limits


async def test_what_a_member_may_not_do_is_told_with_what_it_is(sector: Sector):
    log = await KafkaLog.open(sector.broker.bootstrap, sector.security("fi-1"))
    try:
        with pytest.raises(RefusedToStart, match=rf"{sector.prefix}alerts: no such topic, or none that fi-1 may"):
            await log.partitions(f"{sector.prefix}alerts")
        await log.partitions(f"{sector.prefix}receipts.fi-1")
        with pytest.raises(RefusedToStart, match=r"does not allow this user to: .*receipts\.fi-1"):
            await log.write([(f"{sector.prefix}receipts.fi-1", 0, None, b"forged")])
        with pytest.raises(RefusedToStart, match="does not allow this user to"):
            await log.commit(f"{sector.prefix}workers", {(f"{sector.prefix}receipts.fi-1", 0): 0})
    finally:
        await log.close()


async def test_who_may_not_make_topics_is_told_what_does(sector: Sector):
    log = await KafkaLog.open(sector.broker.bootstrap, sector.security("fsoc-worker"))
    try:
        with pytest.raises(RefusedToStart, match=r"links: could not be created: [^.]*; `fsoc topics apply`"):
            await log.create(table(f"{sector.prefix}more.", [], 1, "test"))
    finally:
        await log.close()


def test_no_password_is_on_a_command_line_in_a_log_or_for_others_to_read(sector: Sector):
    data_dir, secured = sector.broker.data_dir, sector.broker.secured
    running = broker.running(data_dir)
    assert running is not None
    passwords = [secured.files(user).password.read_text().strip() for user in FIRST_USERS]
    told = [
        broker._arguments(running.pid),
        *((data_dir / name).read_text() for name in ("kafka.log", "server.properties")),
    ]

    assert len(set(passwords)) == len(FIRST_USERS)
    assert not [text for text, password in itertools.product(told, passwords) if password in text]
    assert not [text for text in told if "storedkey" in text.lower()]
    assert {path.stat().st_mode & 0o777 for path in secured.folder.iterdir()} == {0o600}
    assert secured.folder.stat().st_mode & 0o777 == 0o700


def test_what_the_gateway_serves_by_does_not_open_the_brokers_own_listener(sector: Sector):
    """There the broker is whoever has its certificate, and may do everything."""
    secured = sector.broker.secured
    properties = (sector.broker.data_dir / "server.properties").read_text()
    (port,) = re.findall(r"INTERNAL://127\.0\.0\.1:(\d+)", properties)

    def is_answered(certificate: Path, key: Path | None = None) -> bool:
        context = ssl.create_default_context(cafile=secured.ca_file)
        context.load_cert_chain(certificate, key)
        try:
            with (
                socket.create_connection(("127.0.0.1", int(port)), timeout=10) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
            ):
                connection.sendall(API_VERSIONS)
                return connection.recv(1) != b""
        except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
            return False

    assert is_answered(secured.broker_file)
    assert not is_answered(secured.gateway_certificate, secured.gateway_key)
    settings = load(secured.files("fsoc-gateway").settings, environment={})
    assert (settings.gateway_certificate, settings.gateway_key) == (secured.gateway_certificate, secured.gateway_key)


async def test_what_was_begun_secure_stays_so_with_its_users_and_rules(sector: Sector):
    """stop ─ start, not asked to be secure: the same authority and users, other certificates of broker and gateway."""
    secured = sector.broker.secured
    kept = {path.name: path.read_bytes() for path in secured.folder.iterdir()}

    broker.stop(sector.broker.data_dir)
    again = broker.start(sector.broker.data_dir)

    assert (again.is_secure, again.port) == (True, sector.broker.port)
    assert broker.running(sector.broker.data_dir) == broker.start(sector.broker.data_dir, secure=True) == again
    found = {path.name: path.read_bytes() for path in secured.folder.iterdir()}
    assert {name for name in kept if found[name] != kept[name]} == {"broker.pem", "gateway.pem", "gateway.key"}
    async with sector.wire("fi-1") as wire:
        assert await wire.write(f"{sector.prefix}tickets.fi-1") == DONE
        assert await wire.write(f"{sector.prefix}tickets.fi-10") == TOPIC_REFUSED


def test_what_was_begun_open_does_not_become_secure(secure_kafka: Broker, tmp_path: Path):
    begun = tmp_path / "data" / "meta.properties"
    begun.parent.mkdir()
    begun.write_text("version=1\n")

    with pytest.raises(RefusedToStart, match=r"--secure: the records of .* are an open broker's; --fresh forgets them"):
        broker.start(tmp_path, secure=True)
    assert not (tmp_path / "security").exists()
