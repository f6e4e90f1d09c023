"""Tickets to an institution's own topic on Kafka, for programs that are not asynchronous. Checks as intake will."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from fsoc.client.signing import Signer, parts
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.registry import Registry
from fsoc.runtime.gateway.batch import Line, Signed, entry
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.log import RecordTooLarge
from fsoc.settings import Settings


class KafkaDestination:
    """One institution's ticket topic. Use it in a `with`: it keeps a connection.

    signer: signs what is sent, in parts that it can.

    Raises:
        RefusedToStart: the cluster does not answer, or has no such topic.
    """

    def __init__(self, settings: Settings, institution: str, signer: Signer | None = None) -> None:
        self._institution = institution
        self._signer = signer
        self._topic = f"{settings.topic_prefix}tickets.{institution}"
        self._registry = Registry.open()
        self._settings = settings
        self._loop = asyncio.Runner()

    def __enter__(self) -> Self:
        try:
            self._log = self._loop.run(KafkaLog.of(self._settings))
        except BaseException:
            self._loop.close()
            raise
        return self

    def send(self, lines: Sequence[bytes], key: str) -> list[dict[str, Any]]:
        """Return an entry per line, as the gateway's, once all are durable.

        Delegations and signatures are for intake to judge: here there is no registry. key: Kafka has no use for it.

        Raises:
            Retry: nothing is acknowledged. RefusedToStart: the topic is not there, or does not take a line.
        """
        offsets: list[int | None] = []
        try:
            for part in parts(self._signer, lines, key):
                signature = None if part.signature is None else part.signature.encode()
                offsets += self._loop.run(
                    self._log.write(((self._topic, 0, None, one) for one in part.lines), signature)
                )
        except RecordTooLarge as error:
            raise RefusedToStart(Problem(self._topic, str(error))) from error
        unsigned = Signed(self._institution, None, 0, self._settings.exercise_id)
        return [
            entry(Line(number, line), self._institution, self._registry, offset, unsigned)
            for number, (line, offset) in enumerate(zip(lines, offsets, strict=True), 1)
        ]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.run(self._log.close())
        self._loop.close()
