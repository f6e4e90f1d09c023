"""Rules that were compiled before are the rules that are compiled now; of anything else nothing is kept or believed."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest

from fsoc import __version__
from fsoc.errors import RefusedToStart
from fsoc.runtime import compiled, loading
from fsoc.runtime.cache import Cache
from fsoc.runtime.compiled import Compiled, compile_content, decode, encode, key_of
from fsoc.runtime.content import shipped
from fsoc.runtime.loading import detector_of, load
from fsoc.runtime.rule_files import RuleFiles
from fsoc.runtime.rules import ruleset_of

RULE = """\
title: A rule
id: {id}
level: high
tags: [attack.t1059.001, attack.execution]
date: 2024-01-31
{more}
logsource: {{category: process_creation, product: windows}}
detection:
    one: {{Image|endswith: '\\{id}.exe', CommandLine|re: 'a+b', EventID: [1, '2']}}
    other: {{Image|expand: '%tools%'}}
    condition: one or other
"""
FILTER = """\
title: Not there
logsource: {category: process_creation, product: windows}
filter:
    rules: any
    selection: {User: admin}
    condition: not selection
"""
CORRELATION = """\
title: Many
id: many
modified: 2025/07/01
correlation:
    type: event_count
    rules: [one]
    group-by: [User]
    timespan: 1h
    condition: {gte: 3}
"""
EVENTS = [
    {"Image": r"C:\one.exe", "CommandLine": "xaab", "EventID": 1},
    {"Image": r"C:\one.exe", "CommandLine": "xaab", "EventID": "2", "User": "Admin"},
    {"Image": r"C:\two.exe", "CommandLine": "AB", "EventID": 1},
    {"Image": "netcat"},
]
LOGSOURCE = {"product": "windows", "category": "process_creation"}


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "one.yml").write_text(RULE.format(id="one", more="fsoc: {since: 2024-02-03, 7: [x]}"))
    (folder / "two.yml").write_text(RULE.format(id="two", more="modified: 2024-05-06"))
    (folder / "filter.yml").write_text(FILTER)
    (folder / "many.yml").write_text(CORRELATION)
    (folder / "bad.yml").write_text("title: bad\nlogsource: {category: x}\n")
    (tmp_path / "placeholders.yml").write_text("tools: [netcat]\n")
    return RuleFiles((folder,), placeholders=tmp_path / "placeholders.yml")


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


@pytest.fixture
def counted(monkeypatch):
    """How often something was compiled."""
    times = []
    monkeypatch.setattr(loading, "compile_content", lambda *given: times.append(1) or compile_content(*given))
    return times


def facts(found: Compiled):
    """All that anything asks a compiled set for; nodes and documents have no better equality than their text."""
    return found, repr(found.rules()), repr(found.correlations())


def test_what_was_kept_is_what_would_be_compiled(files, cache, counted):
    content = files.read()
    cold, warm = load(content, cache), load(content, cache)

    assert counted == [1]
    assert facts(warm) == facts(cold) == facts(compile_content(content))
    assert [rule.id for rule in warm.rules()] == ["one", "two"]
    assert warm.rules()[0].fsoc == {"since": "2024-02-03", 7: ["x"]}
    assert [document.data["id"] for document in warm.correlations()] == ["many"]
    assert (warm.refused, [problem.where.rpartition("/")[2] for problem in warm.problems]) == (1, ["bad.yml:1"])


def test_what_was_kept_matches_what_the_rules_match(files, cache):
    content = files.read()
    found = []
    for _ in range(2):
        compiled_rules = load(content, cache)
        detector = detector_of(compiled_rules, content, "plain")
        found.append([detector.match_event(event, LOGSOURCE) for event in EVENTS])

    assert found == [[["one"], [], [], ["one", "two"]]] * 2


def test_a_rule_set_is_called_after_the_newest_day_of_its_rules_and_the_digest_of_its_texts(files, cache):
    content = files.read()
    rules = ruleset_of(load(content, cache), content)

    assert rules.version == ("2025-07-01", content.digest, "19")
    assert (rules.detections, list(rules.correlations), rules.refused) == (2, ["many"], 1)


def test_allow_lists_are_read_beside_the_rules_and_named_by_them(files, cache, tmp_path):
    folder = tmp_path / "given"
    (folder / "guarded.yml").write_text(f"{CORRELATION.replace('many', 'guarded')}fsoc: {{allow_list: ours}}\n")
    missing = files.read()
    assert list(ruleset_of(load(missing, cache), missing).correlations) == ["many"]
    (folder / "allow_lists.yml").write_text("allow_lists: {ours: {entries: []}}\n")
    content = files.read()

    assert sorted(ruleset_of(load(content, cache), content).correlations) == ["guarded", "many"]
    assert content.digest != missing.digest


def test_wrong_allow_lists_are_refused_with_the_rest_that_is_wrong(files, cache, tmp_path):
    (tmp_path / "given" / "allow_lists.yml").write_text("allow_lists: {ours: 5}\n")
    content = files.read()
    with pytest.raises(RefusedToStart, match=r"allow_lists\.yml:1: list \"ours\""):
        ruleset_of(load(content, cache), content)


def other_text(files, tmp_path, patch):
    (tmp_path / "given" / "two.yml").write_text(RULE.format(id="two", more="description: more"))


def another_file(files, tmp_path, patch):
    (tmp_path / "given" / "three.yml").write_text(RULE.format(id="three", more=""))


def other_name(files, tmp_path, patch):
    (tmp_path / "given" / "two.yml").rename(tmp_path / "given" / "zwei.yml")


def other_allow_list(files, tmp_path, patch):
    (tmp_path / "given" / "allow_lists.yml").write_text("allow_lists: {}\n")


def other_placeholders(files, tmp_path, patch):
    (tmp_path / "placeholders.yml").write_text("tools: [socat]\n")


def other_libraries(files, tmp_path, patch):
    patch.setattr(compiled, "version", lambda _: "another")
    compiled._make.cache_clear()


def other_format(files, tmp_path, patch):
    patch.setattr(compiled, "FORMAT", -1)
    compiled._make.cache_clear()


def other_code(files, tmp_path, patch):
    """In the place of fsoc's own."""
    (tmp_path / "detection").mkdir()
    (tmp_path / "detection" / "rules.py").write_text("")
    patch.setattr(compiled, "fsoc", SimpleNamespace(__file__=str(tmp_path / "x.py"), __version__=__version__))
    compiled._make.cache_clear()


@pytest.mark.parametrize(
    "change",
    [
        other_text,
        another_file,
        other_name,
        other_allow_list,
        other_placeholders,
        other_libraries,
        other_format,
        other_code,
    ],
)
def test_whatever_may_change_what_rules_mean_makes_them_anew(change, files, cache, counted, tmp_path, request):
    load(files.read(), cache)
    with pytest.MonkeyPatch.context() as patch:
        request.addfinalizer(compiled._make.cache_clear)
        change(files, tmp_path, patch)
        load(files.read(), cache)

    assert counted == [1, 1]


@pytest.mark.parametrize("kept", [b"", b"\xc1", b"\x80", msgspec.msgpack.encode({"digest": 5}), b"\x91" * 5_000])
def test_what_was_kept_and_is_no_rule_set_is_made_anew(kept, files, cache, counted):
    content = files.read()
    cache.put(key_of(content), kept)

    assert load(content, cache).facts
    assert counted == [1]
    assert load(content, cache).facts
    assert counted == [1]


def test_no_cache_is_needed(files, tmp_path, counted):
    (tmp_path / "blocked").write_bytes(b"")
    blocked = Cache(tmp_path / "blocked")

    assert facts(load(files.read(), blocked)) == facts(load(files.read(), blocked))
    assert counted == [1, 1]


def test_what_cannot_be_written_down_is_used_all_the_same(files, cache, counted, tmp_path):
    (tmp_path / "given" / "two.yml").write_text(RULE.format(id="two", more=f"fsoc: {{n: {2**80}}}"))
    content = files.read()

    assert encode(load(content, cache)) is None
    assert load(content, cache).facts[1].fsoc == {"n": 2**80}
    assert counted == [1, 1]


def test_progress_only_grows_and_is_told_only_where_something_is_compiled(files, cache):
    told = []
    load(files.read(), cache, told.append)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)

    load(files.read(), cache, pytest.fail)


def test_a_set_without_any_usable_rule_is_refused_whether_it_is_kept_or_not(tmp_path, cache):
    (tmp_path / "bad.yml").write_text("title: bad\nlogsource: {category: x}\n")
    content = RuleFiles((tmp_path / "bad.yml",)).read()
    for _ in range(2):
        with pytest.raises(RefusedToStart) as refused:
            load(content, cache)
        assert [problem.where.rpartition("/")[2] for problem in refused.value.problems] == ["bad.yml:1", "--rules"]


def test_everything_that_cannot_be_read_is_named_at_once(tmp_path):
    with pytest.raises(RefusedToStart) as refused:
        RuleFiles((tmp_path / "a",), tmp_path / "b", tmp_path / "c", tmp_path / "d", tmp_path / "e").read()

    assert [problem.where for problem in refused.value.problems] == [str(tmp_path / name) for name in "abecd"]


def test_the_shipped_rules_are_the_same_before_and_after_they_were_kept():
    content = RuleFiles().read()
    cold = compile_content(content)

    assert facts(decode(encode(cold))) == facts(cold)
    assert not cold.problems
    assert cold.correlating
    assert RuleFiles((shipped("rules"),)).read() == content


def test_a_signature_changes_with_every_write_and_with_nothing_else(files, tmp_path):
    before = files.signature()
    (tmp_path / "given" / "notes.txt").write_text("no rule")
    assert files.signature() == before

    for change in (other_text, another_file, other_name, other_allow_list, other_placeholders):
        change(files, tmp_path, None)
        assert files.signature() != before
        before = files.signature()
