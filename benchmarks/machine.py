"""The machine a figure was measured on: cores, memory, versions. Measures nothing, names no machine or owner."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import TypedDict

# Whose version moves a figure; one that is not installed is reported as such.
PACKAGES = ("aiokafka", "faust-streaming", "google-re2", "msgspec", "orjson", "pydantic", "pysigma", "vectorscan")

_CPUINFO = Path("/proc/cpuinfo")
_MEMINFO = Path("/proc/meminfo")


class Machine(TypedDict):
    """What a reader needs to judge a figure.

    cores: those this process may run on, not those the machine has.
    packages: name → version, for those of `PACKAGES` that are installed.
    """

    cpu: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    packages: dict[str, str]


def describe() -> Machine:
    """Describe this machine: cores as scheduled, memory as installed, versions as imported."""
    return Machine(
        cpu=_field(_CPUINFO, "model name") or platform.processor() or platform.machine(),
        cores=_cores(),
        memory_bytes=_memory_bytes(),
        system=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages=_versions(),
    )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_bytes() -> int:
    kibibytes = _field(_MEMINFO, "MemTotal").removesuffix(" kB")
    return int(kibibytes) * 1024 if kibibytes.isdecimal() else 0


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _field(path: Path, name: str) -> str:
    """First value of `name : value` in a /proc file; empty where there is none (another system)."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    for line in lines:
        key, colon, value = line.partition(":")
        if colon and key.strip() == name:
            return value.strip()
    return ""
