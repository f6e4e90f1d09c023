"""Compiles rules in a process of its own, so that a worker goes on meanwhile. Reads and keeps no files.

    parent ── content as MessagePack on stdin ──► python -m fsoc.runtime.compiling
           ◄── compiled, or the problems, on stdout ──

The child is bounded in time and memory, and what it says is; its crash is the parent's `Retry`.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from contextlib import suppress
from typing import Final

import msgspec

from fsoc.errors import Problem, RefusedToStart, Retry
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.compiled import COMPILED_BYTES_MAX, Compiled, compile_content, decode, encode
from fsoc.runtime.rule_files import Content

CHILD_SECONDS_MAX: Final = 120
"""Of its own time on a core, and of ours while we wait for it."""
CHILD_MEMORY_BYTES_MAX: Final = 4 * 1024**3
"""Of addresses. SigmaHQ's 3,132 rules need a twentieth of it."""
CHILD_NICENESS: Final = 10
SAID_BYTES_MAX: Final = 2_000
"""Kept of what a child says on stderr; the rest is read and forgotten."""
REFUSED: Final = 2

COMMAND: Final = (sys.executable, "-P", "-m", "fsoc.runtime.compiling")


async def compile_in_child(content: Content) -> Compiled:
    """What `compile_content` makes of it.

    Raises:
        RefusedToStart: as `compile_content` does.
        Retry: the child ended without an answer, or gave none in time.
    """
    asked = await asyncio.to_thread(msgspec.msgpack.encode, content)
    child = await asyncio.create_subprocess_exec(
        *COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal is for us
    )
    try:
        async with asyncio.timeout(CHILD_SECONDS_MAX):
            answer, said, _ = await asyncio.gather(_answer(child), _said(child), _ask(child, asked))
            code = await child.wait()
    except TimeoutError as error:
        raise Retry(f"rules were not compiled within {CHILD_SECONDS_MAX} s") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if code == REFUSED and (problems := _problems(answer)):
        raise RefusedToStart(*problems)
    compiled = await asyncio.to_thread(decode, answer) if code == 0 else None
    if compiled is None:
        raise Retry(f"compiling ended with code {code}: {said or 'it said nothing'}")
    return compiled


async def _ask(child: asyncio.subprocess.Process, asked: bytes) -> None:
    assert child.stdin is not None  # noqa: S101 - a pipe was asked for
    with suppress(ConnectionError):  # it has ended; its code says why
        child.stdin.write(asked)
        await child.stdin.drain()
    child.stdin.close()


async def _answer(child: asyncio.subprocess.Process) -> bytes:
    assert child.stdout is not None  # noqa: S101
    parts: list[bytes] = []
    size = 0
    while part := await child.stdout.read(1 << 20):
        size += len(part)
        if size > COMPILED_BYTES_MAX:
            child.kill()
            raise Retry(f"compiled rules are more than {COMPILED_BYTES_MAX} bytes")
        parts.append(part)
    return b"".join(parts)


async def _said(child: asyncio.subprocess.Process) -> str:
    """The end of what it said."""
    assert child.stderr is not None  # noqa: S101
    said = b""
    while part := await child.stderr.read(SAID_BYTES_MAX):
        said = (said + part)[-SAID_BYTES_MAX:]
    return said.decode("utf-8", "replace").strip()


def _problems(answer: bytes) -> list[Problem]:
    with suppress(msgspec.MsgspecError):
        return msgspec.msgpack.decode(answer, type=list[Problem])
    return []


def main() -> int:
    """The child: compile what is on stdin; the exit code says what is on stdout."""
    resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY_BYTES_MAX, CHILD_MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CHILD_SECONDS_MAX, CHILD_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(CHILD_NICENESS)
    content = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Content)
    try:
        with collector_paused():
            encoded = encode(compile_content(content))
    except RefusedToStart as refused:
        sys.stdout.buffer.write(msgspec.msgpack.encode(list(refused.problems)))
        return REFUSED
    if encoded is None:
        text = "something in it cannot be written down, such as a number of more than 64 bits under fsoc:"
        sys.stdout.buffer.write(msgspec.msgpack.encode([Problem("--rules", text)]))
        return REFUSED
    sys.stdout.buffer.write(encoded)
    return 0


if __name__ == "__main__":
    sys.exit(main())
