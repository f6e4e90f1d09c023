"""The Java that runs the broker: found, old enough, quick to start. Knows nothing of Kafka but its jars."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from fsoc.errors import Problem
from fsoc.runtime.kafka.maven import INSTEAD, KafkaUnavailable, cache_root

OLDEST = 17

# Quick to start and small: C1 only and the serial collector; the broker's work is I/O.
_FLAGS = (
    "-Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xshare:auto -Djava.awt.headless=true "
    "-Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX "
    # Not INFO: twelve hundred topics would be three thousand lines.
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info "
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.utils=info"
).split()


@dataclass(frozen=True, slots=True)
class Java:
    """A Java that is new enough. `said` is all it says of itself: an archive of classes fits this Java alone."""

    path: Path
    said: str

    def command(self, jars: Path) -> list[str]:
        """Everything of a command line before the main class; uses the parsed classes of an earlier run, if any."""
        kept = cache_root() / "kafka" / self._archive(jars)
        archived = [f"-XX:SharedArchiveFile={kept}"] if kept.exists() else []
        return [str(self.path), *_FLAGS, *archived, "-cp", f"{jars}/*"]

    def command_that_leaves_classes(self, jars: Path, scratch: Path) -> list[str]:
        """The same; where no run has left its parsed classes, this one does at its end, in `scratch`.

        Measured on two cores: a broker is ready after 1.6 s, not 3.1 s, for 4 s more at the end of the first run.
        """
        command = self.command(jars)
        if not any(word.startswith("-XX:SharedArchiveFile=") for word in command):
            command.insert(1, f"-XX:ArchiveClassesAtExit={scratch / self._archive(jars)}")
        return command

    def _archive(self, jars: Path) -> str:
        return f"{jars.name}-{hashlib.sha256(self.said.encode()).hexdigest()[:12]}.jsa"


def find_java() -> Java:
    """The Java to run: $JAVA_HOME's, else the one on PATH.

    Raises:
        KafkaUnavailable: there is none, or it is too old, or it does not run.
    """
    home = os.environ.get("JAVA_HOME")
    found = (home and shutil.which("java", path=str(Path(home) / "bin"))) or shutil.which("java")
    if not found:
        text = f"not found; install a Java runtime {OLDEST} or newer (Debian: default-jre-headless), {INSTEAD}"
        raise KafkaUnavailable(Problem("java", text))
    ran = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
    said = ran.stderr + ran.stdout
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is None or int(version[1]) < OLDEST:
        seen = f"Java {version[1]}" if version else "a Java that does not tell its version"
        raise KafkaUnavailable(
            Problem(found, f"is {seen}, needs {OLDEST} or newer (JAVA_HOME picks another), {INSTEAD}")
        )
    return Java(Path(found), said)


def keep_archive(scratch: Path) -> None:
    """After a run that ended in order: keep the parsed classes it left, for all later runs."""
    for left in scratch.glob("*.jsa"):
        kept = cache_root() / "kafka" / left.name
        if not kept.exists() and kept.parent.is_dir():
            # Another file system perhaps: copy, then appear whole or not at all.
            copied = kept.with_name(f".{left.name}.{os.getpid()}")
            shutil.copyfile(left, copied)
            copied.replace(kept)
        left.unlink()
