"""Java, Maven and artifacts, or a sentence that says which is missing and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fsoc.runtime.kafka import jvm, maven
from fsoc.runtime.kafka.maven import KafkaUnavailable


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH but for the shell; the cache is empty, and there is no JAVA_HOME."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("FSOC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_without_java_the_error_says_what_to_install_and_what_else_can_be_done(programs: Path):
    with pytest.raises(KafkaUnavailable, match=r"java: not found; install .* 17 or newer .*--brokers.*FSOC_BROKERS"):
        jvm.find_java()


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ('openjdk version "11.0.2" 2019-01-15', "Java 11"),
        ('java version "1.8.0_391"', "Java 8"),
        ("?", "a Java that does"),
    ],
)
def test_a_java_that_is_too_old_is_refused_with_both_versions(programs: Path, said: str, seen: str):
    program(programs / "java", f"echo '{said}' >&2")

    with pytest.raises(KafkaUnavailable, match=rf"bin/java: is {seen}.* needs 17 or newer"):
        jvm.find_java()


def test_java_home_is_preferred_to_the_path(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program(programs / "java", "echo 'openjdk version \"11\"' >&2")
    program(tmp_path / "jdk" / "bin" / "java", "echo 'openjdk version \"21.0.1\" 2023-10-17' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))

    assert jvm.find_java().path == tmp_path / "jdk" / "bin" / "java"


def test_without_maven_and_without_cached_jars_the_error_says_so(programs: Path):
    with pytest.raises(KafkaUnavailable, match=r"mvn: not found; install Apache Maven .*--brokers"):
        maven.jars()


def test_what_maven_could_not_fetch_is_told_in_one_line_and_nothing_is_left_behind(programs: Path, tmp_path: Path):
    program(programs / "mvn", r"printf '\033[1;31m[ERROR]\033[m x\n[ERROR] Could not resolve host\n'; exit 1")

    with pytest.raises(KafkaUnavailable, match=r"mvn: could not fetch the artifacts of .*pom.xml: .*; or use") as error:
        maven.jars()

    assert "\n" not in str(error.value)
    assert "\x1b" not in str(error.value)
    assert [path.suffix for path in (tmp_path / "cache" / "kafka").iterdir()] == [".lock"]


def test_jars_are_fetched_once_however_many_ask(programs: Path, tmp_path: Path):
    """Four processes at once: one runs Maven, the others wait for the whole folder."""
    program(
        programs / "mvn",
        f"""
        /bin/echo run >> {tmp_path}/runs
        for word in "$@"; do case $word in -DoutputDirectory=*) out=${{word#*=}};; esac; done
        /bin/mkdir -p "$out" && /bin/sleep 0.2 && /bin/touch "$out/kafka.jar"
        """,
    )
    ask = "from fsoc.runtime.kafka.maven import jars; print([jar.name for jar in jars().iterdir()])"
    asking = [subprocess.Popen([sys.executable, "-c", ask], stdout=subprocess.PIPE, env=os.environ) for _ in range(4)]

    assert {one.communicate()[0] for one in asking} == {b"['kafka.jar']\n"}
    assert (tmp_path / "runs").read_text() == "run\n"


def test_the_cache_is_outside_the_checkout_and_named_by_version_and_coordinates(
    programs: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("FSOC_CACHE")
    checkout = Path(maven.__file__).parents[3]
    assert not maven.cache_root().is_relative_to(checkout)
    assert maven.kafka_version().startswith("4.")


def test_classes_left_by_an_ordered_end_are_used_by_the_next_start(programs: Path, tmp_path: Path):
    java, jars, scratch = jvm.Java(Path("java"), "17.0.1"), tmp_path / "cache" / "kafka" / "4.4.0-abc", tmp_path / "own"
    jars.mkdir(parents=True)
    scratch.mkdir()
    first = java.command_that_leaves_classes(jars, scratch)[1]
    assert first.startswith(f"-XX:ArchiveClassesAtExit={scratch}/")

    Path(first.partition("=")[2]).write_bytes(b"classes")
    jvm.keep_archive(scratch)

    (kept,) = [
        word for word in java.command(jars) if word.startswith(f"-XX:SharedArchiveFile={jars.parent}/4.4.0-abc-")
    ]
    assert Path(kept.partition("=")[2]).read_bytes() == b"classes"
    assert java.command_that_leaves_classes(jars, scratch) == java.command(jars), "once is enough"
    assert list(scratch.iterdir()) == []
    other = jvm.Java(Path("java"), "21.0.2")
    assert kept not in other.command(jars), "it fits one Java only"
