"""The broker's jars, by Maven coordinates, in a cache outside the checkout. Starts nothing but `mvn`."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fsoc.errors import Problem, RefusedToStart

INSTEAD = "or use a cluster you have: --brokers HOST:PORT or FSOC_BROKERS"
FETCH_SECONDS_MAX = 600
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


class KafkaUnavailable(RefusedToStart):
    """This machine cannot run a broker of its own: Java, Maven or the artifacts are missing."""


def quiet(_: str) -> None:
    """Say nothing: the default listener for progress."""


def pom() -> Path:
    """The pinned coordinates: beside the package when installed, in `deploy/` when run from a checkout."""
    package = Path(__file__).parents[2]
    installed = package / "content" / "kafka" / "pom.xml"
    return installed if installed.exists() else package.parent / "deploy" / "kafka" / "pom.xml"


def kafka_version(pom_path: Path | None = None) -> str:
    """The version of Kafka that the coordinates pin."""
    found = re.search(r"<kafka\.version>([^<]+)<", (pom_path or pom()).read_text("utf-8"))
    if found is None:
        raise RefusedToStart(Problem(str(pom_path or pom()), "no <kafka.version> property found"))
    return found[1]


def cache_root() -> Path:
    """Where jars are kept between runs: $FSOC_CACHE, else $XDG_CACHE_HOME/fsoc, else ~/.cache/fsoc."""
    if chosen := os.environ.get("FSOC_CACHE"):
        return Path(chosen).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fsoc"


def jars(say: Callable[[str], None] = quiet) -> Path:
    """The folder that holds the broker's jars, fetched the first time.

    Safe when several processes ask at once: one fetches, the others wait. The folder appears whole or not at all.

    Raises:
        KafkaUnavailable: not cached, and Maven is missing or could not fetch.
    """
    source = pom()
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    folder = cache_root() / "kafka" / f"{kafka_version(source)}-{digest}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not folder.is_dir():
            say(f"fetching Apache Kafka {kafka_version(source)} by Maven into {folder} (once) …")
            _fetch(source, folder)
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes; it is let go when the process ends, however it ends."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch(source: Path, folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailable(
            Problem("mvn", f"not found; install Apache Maven 3.6 or newer (Debian: maven), {INSTEAD}")
        )
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as scratch:
        # Maven writes beside the pom it reads; a copy keeps the checkout clean.
        work = Path(scratch)
        shutil.copy(source, work / "pom.xml")
        command = [maven, "-q", "-B", "-f", str(work / "pom.xml"), _COPY]
        command += [f"-DoutputDirectory={work / 'jars'}", "-DincludeScope=runtime"]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS_MAX)
        except subprocess.TimeoutExpired as error:
            text = f"did not fetch the artifacts of {source} within {FETCH_SECONDS_MAX} s; is the network up? {INSTEAD}"
            raise KafkaUnavailable(Problem("mvn", text)) from error
        if ran.returncode != 0:
            raise KafkaUnavailable(
                Problem(
                    "mvn",
                    f"could not fetch the artifacts of {source}: {_first_error(ran.stdout + ran.stderr)}; {INSTEAD}",
                )
            )
        (work / "jars").rename(folder)


def _first_error(output: str) -> str:
    """The first line in which Maven says what went wrong, without its colours, bounded."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in output.splitlines()]
    told = [line.removeprefix("[ERROR] ") for line in lines if line.startswith("[ERROR] ")] or [
        line for line in lines if line
    ]
    return told[0][:400] if told else "it said nothing"
