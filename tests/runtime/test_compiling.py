"""A child compiles as this process would, and however it ends or misbehaves, that is one error here."""

from __future__ import annotations

import sys

import pytest

from fsoc.errors import RefusedToStart, Retry
from fsoc.runtime import compiling
from fsoc.runtime.compiled import compile_content
from fsoc.runtime.compiling import compile_in_child
from fsoc.runtime.rule_files import RuleFiles

RULE = "title: A rule\nid: {id}\nlogsource: {{category: test}}\ndetection: {{one: {{a: {id}}}, condition: one}}\n"


@pytest.fixture
def content(tmp_path):
    (tmp_path / "one.yml").write_text(RULE.format(id="one"))
    (tmp_path / "bad.yml").write_text("title: bad\nlogsource: {category: x}\n")
    return RuleFiles((tmp_path,)).read()


@pytest.fixture
def child(monkeypatch):
    """Puts a program in the place of the child."""
    return lambda program: monkeypatch.setattr(compiling, "COMMAND", (sys.executable, "-c", program))


async def test_a_child_compiles_what_this_process_would(content):
    found = await compile_in_child(content)

    assert found == compile_content(content)
    assert repr(found.rules()) == repr(compile_content(content).rules())
    assert found.refused == 1


async def test_what_refuses_all_rules_is_told_as_it_is_here(content, tmp_path):
    (tmp_path / "pipeline.txt").write_text("transformations: [{type: nothing-of-the-kind}]\n")
    unusable = RuleFiles((tmp_path / "one.yml",), pipeline=tmp_path / "pipeline.txt").read()
    with pytest.raises(RefusedToStart) as here:
        compile_content(unusable)

    with pytest.raises(RefusedToStart) as there:
        await compile_in_child(unusable)

    assert there.value.problems == here.value.problems


async def test_what_cannot_be_written_down_is_refused_with_the_reason(tmp_path):
    (tmp_path / "one.yml").write_text(RULE.format(id="one") + f"fsoc: {{n: {2**80}}}\n")

    with pytest.raises(RefusedToStart, match="cannot be written down"):
        await compile_in_child(RuleFiles((tmp_path,)).read())


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("raise SystemExit(7)", "code 7: it said nothing"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "code -9"),
        ("import sys; sys.stdin.read(); print('not a rule set')", "code 0: it said nothing"),
        ("import sys; sys.stdin.close(); sys.exit(2)", "code 2"),
        ("import sys; sys.stderr.write('x' * 1_000_000 + 'the end'); sys.exit(1)", "x{1993}the end$"),
    ],
    ids=["fails", "is killed", "answers nonsense", "refuses without a reason", "says very much"],
)
async def test_a_child_that_ends_without_an_answer_may_be_asked_again(content, child, program, says):
    child(program)

    with pytest.raises(Retry, match=says):
        await compile_in_child(content)


async def test_a_child_that_does_not_answer_is_ended(content, child, monkeypatch):
    monkeypatch.setattr(compiling, "CHILD_SECONDS_MAX", 0.2)
    child("import signal; signal.pause()")

    with pytest.raises(Retry, match=r"not compiled within 0\.2 s"):
        await compile_in_child(content)


async def test_an_answer_without_end_is_not_read_to_its_end(content, child, monkeypatch):
    monkeypatch.setattr(compiling, "COMPILED_BYTES_MAX", 1_000_000)
    child("import sys\nwhile True: sys.stdout.write('x' * 65536)")

    with pytest.raises(Retry, match="more than 1000000 bytes"):
        await compile_in_child(content)


async def test_a_child_is_bounded_in_memory(content, child):
    child(
        "import os, resource; from fsoc.runtime import compiling\n"
        "compiling.compile_content = lambda _: bytes(compiling.CHILD_MEMORY_BYTES_MAX)\n"
        "os._exit(compiling.main())"
    )

    with pytest.raises(Retry, match="MemoryError"):
        await compile_in_child(content)
