"""Every modifier of the Sigma specification 2.1.0: what it matches and what it does not."""

from __future__ import annotations

import base64
import ipaddress
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fsoc.detection import Detector, LogsourceMap, PlainDetector, Source, load_rules

MISSING = object()


class Form(NamedTuple):
    """field: what stands in the rule; values of the field `f` that hit, and that miss."""

    name: str
    item: str
    hits: tuple[Any, ...]
    misses: tuple[Any, ...]


def b64(text: str, encoding: str = "utf-8", before: bytes = b"") -> str:
    return base64.b64encode(before + text.encode(encoding)).decode()


FORMS = [
    # No modifier: the whole value, without regard to case.
    Form("text", "f: 'Cmd.exe'", ("cmd.exe", "CMD.EXE"), ("cmd.exe ", "xcmd.exe", "", None, MISSING)),
    Form("text, all of Unicode", "f: 'STRASSE Σίσυφος'", ("straße ΣΊΣΥΦΟΣ",), ("strase σίσυφος",)),
    Form("text, regex characters", "f: 'a.b+(c)'", ("a.b+(c)",), ("axb+(c)", "a.bb(c)")),
    Form("empty text", "f: ''", ("",), ("x", " ", None, MISSING)),
    Form("wildcard *", "f: 'a*z'", ("az", "abcz", "A\nZ"), ("a", "azb", "zaz")),
    Form("wildcard ?", "f: 'a?z'", ("abz", "aéz", "a\nz"), ("az", "abbz")),
    Form("wildcards, several", "f: '*a?c*e'", ("abce", "xxabcyye"), ("ace", "abc", "abcef")),
    Form("wildcard alone", "f: '*'", ("", "x", 0, False), (None, MISSING)),
    Form("wildcard ? alone", "f: '?'", ("x",), ("", "xx")),
    Form("escaped *", r"f: 'a\*z'", ("a*z",), ("abz", r"a\*z")),
    Form("escaped ?", r"f: 'a\?z'", ("a?z",), ("abz",)),
    Form("backslash", r"f: 'C:\Windows\cmd.exe'", (r"C:\WINDOWS\cmd.exe",), (r"C:\\Windows\\cmd.exe",)),
    Form("two backslashes are one", r"f: 'a\\b'", (r"a\b",), (r"a\\b", "ab")),
    Form("escaped backslash before *", r"f: 'a\\*'", ("a\\", r"a\bc"), ("abc", "a*")),
    Form("three backslashes and *", r"f: 'a\\\*'", (r"a\*",), (r"a\b", "a*", r"a\\*")),
    Form("four backslashes are two", r"f: 'a\\\\b'", (r"a\\b",), (r"a\b",)),
    Form("backslash at the end", "f: 'a\\'", ("a\\",), ("a",)),
    Form("list of texts", "f: [a, 'b*']", ("a", "bcd"), ("ab", "c")),
    Form("number", "f: 5", (5, 5.0, "5", "5.0", "05", "+5"), (50, "5a", " 5", "0x5", True, None, MISSING)),
    Form("number, negative", "f: -1", (-1, "-1"), (1, "1")),
    Form("number, fractional", "f: 0.5", (0.5, "0.50", "5e-1"), (0, "0,5")),
    Form("number, huge", "f: 18446744073709551615", (18446744073709551615, "18446744073709551615"), (2.0**64,)),
    Form("number as text", "f: '5'", ("5", 5, 5.0), ("5.0", "05", True)),
    Form("number as text, cased", "f|cased: '5'", ("5", 5), ("5.0",)),
    Form("one as text", "f: '1'", (1, 1.0, "1"), (True, "true")),
    Form("hexadecimal is text", "f: '0x1F'", ("0x1f",), (31, "31")),
    Form("true", "f: true", (True, "true", "True"), (False, 1, "1", "yes", None, MISSING)),
    Form("false", "f: false", (False, "FALSE"), (True, 0, "0", "", None, MISSING)),
    Form("one is not true", "f: 1", (1, "1", 1.0), (True, "true")),
    Form("true as text", "f: 'true'", (True, "TRUE"), (1, False)),
    Form("null", "f: null", (None, MISSING, []), ("", 0, False, "null", ["x"])),
    Form("empty list means null", "f: []", (None, MISSING), ("", "x")),
    Form("null or empty", "f: [null, '']", (None, MISSING, ""), ("x",)),
    # Generic modifiers.
    Form("contains", "f|contains: 'mi?i'", ("xMINIx", "mimi"), ("mii", "", None, MISSING)),
    Form("contains, number in the event", "f|contains: '38'", (4388, "4388"), (4488,)),
    Form("contains, empty", "f|contains: ''", ("", "x"), (None, MISSING)),
    Form("contains, wildcards at the ends", "f|contains: '*a*'", ("xax",), ("x",)),
    Form("startswith", "f|startswith: 'C:\\'", ("c:\\x", "C:\\"), ("xC:\\", "C:", MISSING)),
    Form("startswith, wildcard inside", "f|startswith: 'a*c'", ("abcd", "ac"), ("ab", "bac")),
    Form("endswith", r"f|endswith: '\cmd.exe'", (r"C:\CMD.exe", r"\cmd.exe"), ("cmd.exe", r"\cmd.exe ", None)),
    Form("endswith, escaped wildcard", r"f|endswith: 'a\*'", ("xa*",), ("xab",)),
    Form("all", "f|contains|all: [a, b]", ("xaxbx", "ba"), ("a", "b", "", MISSING)),
    Form("all, one value", "f|contains|all: a", ("xa",), ("b",)),
    Form("all before contains", "f|all|contains: [a, b]", ("ab",), ("a",)),
    Form("exists: true", "f|exists: true", ("x", "", 0, None, [], {}), (MISSING,)),
    Form("exists: false", "f|exists: false", (MISSING,), ("x", "", None)),
    Form("cased", "f|cased: 'Cmd*'", ("Cmd", "Cmd.exe"), ("cmd", "CMD.exe")),
    Form("cased, wildcards inside", "f|cased: 'A*b?C'", ("AxxbyC",), ("axxbyc", "AXXBYC")),
    Form("cased, contains", "f|contains|cased: 'aB'", ("xaBx",), ("xabx", "XABX")),
    Form("cased before contains", "f|cased|contains: 'aB'", ("xaBx",), ("xabx",)),
    Form("cased, windash", "f|cased|windash: '-A'", ("-A", "/A"), ("-a", "/a")),
    Form("neq, text", "f|neq: 'a'", ("b", "", None, MISSING, []), ("a", "A", ["a", "b"])),
    Form("neq, number", "f|neq: 5", (6, "x", MISSING), (5, "5")),
    Form("neq, list: none of them", "f|neq: [a, b]", ("c", MISSING), ("a", "b")),
    Form("neq, wildcard", "f|neq|contains: 'a'", ("b",), ("bab",)),
    Form("neq, all: not every one", "f|contains|all|neq: [a, b]", ("a", "b", "c"), ("ab",)),
    # String modifiers.
    Form(
        "windash",
        "f|windash|contains: ' -foo'",
        (" -foo", " /FOO", " \u2013foo", " \u2014foo", " \u2015foo"),
        (" foo", " +foo", "-foo"),
    ),
    Form("windash, slash in the rule", "f|windash: '/foo'", ("/foo", "-foo", "\u2013foo"), ("foo",)),
    Form("windash, en dash in the rule", "f|windash: '\u2013foo'", ("-foo", "/foo", "\u2013foo"), ("foo",)),
    Form("windash, each dash by itself", "f|windash: '-a /b'", ("/a -b", "-a -b", "\u2014a /b"), ("a b",)),
    Form("windash, not within a word", "f|windash: '-a-b'", ("/a-b",), ("/a/b", "-a/b")),
    Form("windash under all: one form each", "f|windash|contains|all: ['-a', '-b']", ("/a -b", "-a /b"), ("/a", "-b")),
    Form("re", "f|re: 'a.c\\d+'", ("xabc12x", "abc1"), ("ABC1", "abc", "a\nc1", None, MISSING)),
    Form("re, anchors", "f|re: '^a.*z$'", ("az", "abcz"), ("xaz", "azx", "az\n")),
    Form("re, on a number", "f|re: '^4[67]'", (4688, 4700), (4588,)),
    Form("re, on Unicode", "f|re: '^.$'", ("é", "中"), ("", "éé")),
    Form("re, backslashes stay", r"f|re: '\\cmd\.exe$'", (r"C:\cmd.exe",), ("cmd.exe", r"\cmdxexe")),
    Form("re, asterisk stays", r"f|re: '^a\*b*$'", ("a*", "a*bb"), ("ab", "aab")),
    Form("re, list", "f|re: ['^a', 'z$']", ("ab", "yz"), ("b",)),
    Form("re, all", "f|re|all: ['^a', 'z$']", ("abz",), ("ab", "yz")),
    Form("re, i", "f|re|i: 'abc'", ("xABCx", "abc"), ("ab",)),
    Form("re, m", "f|re|m: '^b$'", ("a\nb\nc", "b"), ("ab", "a\nbc")),
    Form("re without m", "f|re: '^b$'", ("b",), ("a\nb\nc",)),
    Form("re, s", "f|re|s: 'a.c'", ("a\nc", "abc"), ("ac",)),
    Form("re, i m s together", "f|re|i|m|s: '^B.C$'", ("a\nb\nc",), ("a\nxb\nc",)),
    Form("re, inline flags", "f|re: '(?i)abc'", ("ABC",), ("abd",)),
    Form("re, startswith", "f|re|startswith: 'a|b'", ("ax", "bx"), ("xa", "xb")),
    Form("re, startswith, m", "f|re|m|startswith: '^a'", ("ax",), ("x\na",)),
    Form("re, endswith", "f|re|endswith: 'a|b'", ("xa", "xb"), ("ax", "bx", "a\n")),
    Form("re, contains", "f|re|contains: 'a+b'", ("xaabx",), ("xax",)),
    Form("re, neq", "f|re|neq: '^a'", ("b", MISSING), ("ab",)),
    # Encodings.
    Form("base64", "f|base64: 'foo bar'", (b64("foo bar"),), ("foo bar", "x" + b64("foo bar"))),
    Form("base64, contains", "f|base64|contains: 'foobar'", ("x" + b64("foobar") + "y",), (b64("xfoobar"),)),
    Form("base64, backslash", r"f|base64: 'C:\x'", (b64(r"C:\x"),), (b64(r"C:\\x"),)),
    Form("base64, escaped wildcard", r"f|base64: 'a\*b'", (b64("a*b"),), (b64(r"a\*b"),)),
    Form("base64, not ASCII", "f|base64: 'é中'", (b64("é中"),), ("é中",)),
    Form(
        "base64offset",
        "f|base64offset|contains: 'http://'",
        tuple(b64("http://x", before=b"?" * before) for before in range(5)),
        (b64("htp://x"), "http://"),
    ),
    Form(
        "base64offset, not ASCII",
        "f|base64offset|contains: '密碼é'",
        tuple(b64("密碼é is", before=b"!" * before) for before in range(5)),
        (b64("密 碼é"),),
    ),
    Form(
        "utf16le, base64offset",
        "f|utf16le|base64offset|contains: 'IEX'",
        tuple(b64("(IEX)", "utf-16-le", b"#" * before) for before in range(4)),
        (b64("(IEX)"), b64("(IEY)", "utf-16-le")),
    ),
    Form("wide, base64", "f|wide|base64: 'cmd'", (b64("cmd", "utf-16-le"),), (b64("cmd"),)),
    Form("wide, base64, not ASCII", "f|wide|base64: '密é'", (b64("密é", "utf-16-le"),), (b64("密é"),)),
    Form("utf16be, base64", "f|utf16be|base64: 'cmd'", (b64("cmd", "utf-16-be"),), (b64("cmd", "utf-16-le"),)),
    Form("utf16, base64", "f|utf16|base64: 'cmd'", (b64("\ufeffcmd", "utf-16-le"),), (b64("cmd", "utf-16-le"),)),
    Form("wide alone", "f|wide: 'ab'", ("a\0b\0",), ("ab", "\0a\0b")),
    Form("utf16be alone", "f|utf16be: 'ab'", ("\0a\0b",), ("ab",)),
    Form(
        "windash, wide, base64offset",
        "f|windash|wide|base64offset|contains: ' -enc'",
        (b64("x /enc y", "utf-16-le"), b64("x -enc y", "utf-16-le")),
        (b64("x -enc y"), b64("x enc y", "utf-16-le")),
    ),
    # Numbers.
    Form("lt", "f|lt: 5", (4, 4.9, "4", -1), (5, "5", 6, "four", True, None, MISSING)),
    Form("lte", "f|lte: 5", (5, "5.0", 4), (5.1, "x", MISSING)),
    Form("gt", "f|gt: 5", (6, 5.1, "6", "10"), (5, 4, "x", True, "", MISSING)),
    Form("gte", "f|gte: 5", (5, "5", 1e9), (4.9, "4", None)),
    Form("gte, fractional", "f|gte: 0.5", (0.5, "0.5", 1), (0.49,)),
    Form("gt, list: any", "f|gt: [5, 100]", (6, 101), (5,)),
    # Time: a part as written, the zone not converted.
    Form("minute", "f|minute: 7", ("2026-03-02T09:07:59Z", "2026-03-02 23:07"), ("2026-03-02T07:08:07Z", "x", MISSING)),
    Form("hour", "f|hour: 23", ("2026-03-02T23:10:00+08:00", "2026-03-02 23:00:00.123"), ("2026-03-02T15:10:00Z",)),
    Form("day", "f|day: 2", ("2026-03-02T00:00:00Z", "2026-03-02"), ("2026-02-03T00:00:00Z", "2026-02-30")),
    Form("week", "f|week: 10", ("2026-03-02T00:00:00Z",), ("2026-03-01T00:00:00Z",)),
    Form("month", "f|month: 3", ("2026-03-02T00:00:00Z",), ("2026-02-03T00:00:00Z",)),
    Form("year", "f|year: 2026", ("2026-03-02T00:00:00Z", 1_772_409_600, 1_772_409_600_000), ("2025-12-31", None)),
    Form("hour, of milliseconds", "f|hour: 1", (1_772_413_200_000, 1_772_413_200.5), (1_772_409_600_000,)),
    Form("year, of milliseconds before 2000", "f|year: 1985", (500_000_000_000, 500_000_000), (50_000_000_000,)),
    Form("hour, list", "f|hour: [22, 23]", ("2026-03-02T22:00:00Z",), ("2026-03-02T21:00:00Z",)),
    Form("hour, gte", "f|hour|gte: 22", ("2026-03-02T22:00:00Z", "2026-03-02T23:59:00Z"), ("2026-03-02T21:59:00Z", 23)),
    # Addresses.
    Form("cidr", "f|cidr: 10.0.0.0/8", ("10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"), ("11.0.0.0", "10.0.0.0/8")),
    Form("cidr, not an address", "f|cidr: 0.0.0.0/0", ("1.2.3.4",), ("1.2.3", "x", "", 16909060, "::1", None, MISSING)),
    Form("cidr, IPv6", "f|cidr: '2001:db8::/32'", ("2001:db8::1", "2001:DB8:ffff::"), ("2001:db9::", "10.0.0.1")),
    Form("cidr, one address", "f|cidr: 10.0.0.1/32", ("10.0.0.1",), ("10.0.0.2",)),
    Form("cidr, list", "f|cidr: [10.0.0.0/8, fe80::/10]", ("10.1.1.1", "fe80::1", "fe80::1%eth0"), ("192.0.2.1",)),
    Form("cidr, neq", "f|cidr|neq: 10.0.0.0/8", ("192.0.2.1", "x", MISSING), ("10.0.0.1",)),
    # Other fields of the event: `other` is "Alice", `number` is 5, `both` is ["x", "Bob"].
    Form("fieldref", "f|fieldref: other", ("alice", "Alice"), ("bob", "Alice ", None, MISSING)),
    Form("fieldref, number", "f|fieldref: number", (5, "5", "5.0"), (6, True, "five")),
    Form("fieldref, missing", "f|fieldref: nowhere", (), ("alice", "", None, MISSING)),
    Form("fieldref, list", "f|fieldref: both", ("bob", ["a", "X"]), ("y",)),
    Form("fieldref, startswith", "f|fieldref|startswith: other", ("alice in", "Alice"), ("in Alice",)),
    Form("fieldref, endswith", "f|fieldref|endswith: other", ("in ALICE",), ("Alice in",)),
    Form("fieldref, contains", "f|fieldref|contains: other", ("an alice in",), ("ali ce",)),
    Form("fieldref, neq", "f|fieldref|neq: other", ("bob", MISSING), ("alice",)),
    Form("fieldref, cased", "f|fieldref|cased: other", ("Alice",), ("alice",)),
    Form("cased before fieldref", "f|cased|fieldref: other", ("Alice",), ("alice",)),
    # Placeholders: `%admins%` is ["root", "adm*"], `%one%` is ["x"].
    Form("expand", "f|expand: '%admins%'", ("root", "ADMIN", "adm"), ("%admins%", "user", "badm")),
    Form("expand, within text", "f|expand: 'a-%one%-%admins%'", ("a-x-root", "a-x-adm1"), ("a-x-", "a-%one%-root")),
    Form("expand, escaped percent", r"f|expand: '\%one%one%'", ("%onex",), ("%one%one%", "x")),
    Form("expand, contains", "f|expand|contains: '%admins%'", ("a root b",), ("a rot b",)),
    Form("contains before expand", "f|contains|expand: '%admins%'", ("a root b",), ("a rot b",)),
    Form("expand, base64", "f|expand|base64: '%one%y'", (b64("xy"),), ("xy",)),
    Form("expand, re", "f|re|expand: '^%admins%\\d$'", ("root1", "admin1"), ("root", "xroot1", "^root1")),
    Form("expand, cased", "f|expand|cased: '%one%'", ("x",), ("X",)),
    Form("expand, all: one of each", "f|expand|contains|all: ['%admins%', '%one%']", ("rootx", "xadm"), ("root", "x")),
    Form("percent without expand", "f: '%one%'", ("%one%",), ("x",)),
]
PLACEHOLDERS = {"admins": ["root", "adm*"], "one": ["x"]}


def event_with(value: Any) -> dict[str, Any]:
    event = {"other": "Alice", "number": 5, "both": ["x", "Bob"]}
    return event if value is MISSING else event | {"f": value}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_modifier_matches_its_hits_and_nothing_else(form, matches):
    detection = f"selection:\n    {form.item}\ncondition: selection"
    wrong = [
        (value, wanted)
        for wanted, values in ((True, form.hits), (False, form.misses))
        for value in values
        if matches(detection, event_with(value), placeholders=PLACEHOLDERS) is not wanted
    ]
    assert not wrong


def test_every_modifier_of_the_specification_is_in_the_table():
    named = {name for form in FORMS for name in form.item.split(":")[0].split("|")[1:]}
    assert named >= {
        *("all", "startswith", "endswith", "contains", "exists", "cased", "neq", "windash", "re", "i", "m", "s"),
        *("base64", "base64offset", "utf16le", "utf16be", "utf16", "wide", "lt", "lte", "gt", "gte"),
        *("minute", "hour", "day", "week", "month", "year", "cidr", "expand", "fieldref"),
    }


REFUSED = [
    ("f|foo: x", 'f|foo: "foo" is no modifier — expected one of all, base64'),
    ("f|contain: x", 'f|contain: "contain" is no modifier — did you mean "contains"?'),
    ("f|contains: 5", "f|contains: contains cannot be applied to 5; quote it if text is meant"),
    ("f|contains: null", "f|contains: contains cannot be applied to"),
    ("f|gt: x", "f|gt: gt cannot be applied to x"),
    ("f|gt: '5'", "f|gt: gt cannot be applied to 5"),
    ("f|hour: x", "f|hour: hour cannot be applied to x"),
    ("f|re: 5", "f|re: re cannot be applied to 5"),
    ("f|re: '(?=a)b'", 'f: regular expression "(?=a)b": '),
    ("f|re: '(?<!a)b'", "expected RE2 syntax, without look-around and back-references"),
    ("f|re: '(a)\\1'", "invalid escape sequence: \\1 — expected RE2 syntax"),
    ("f|re: 'a('", "missing ): a( — expected RE2 syntax"),
    ("f|re: 'a{1,9999}'", "invalid repetition size"),
    ("f|contains|re: x", "f|contains|re: re must stand first"),
    ("f|cidr: 10.0.0.1/8", "f|cidr: Invalid CIDR expression: 10.0.0.1/8 has host bits set"),
    ("f|cidr: x", "f|cidr: Invalid CIDR expression"),
    ("f|exists: yes please", "f|exists: exists cannot be applied to yes please"),
    ("'|exists': true", "|exists: Exists modifier must be applied to field"),
    ("f|base64: 'a*'", "f|base64: wildcards cannot be encoded"),
    ("f|base64offset: 'a*'", "f|base64offset: wildcards cannot be encoded"),
    ("f|base64offset|contains: 'a'", "1 bytes leave no trace in base64; two are the least"),
    ("f|fieldref: 'a*'", "f|fieldref: Field references must not contain wildcards"),
    ("f|expand: '%unknown%'", "f: placeholder %unknown% has no values; give them, or a pipeline that does"),
    ("f|expand|base64: '%unknown%'", "f|expand|base64: a placeholder without values cannot be encoded"),
    ("f|re|expand: '^%unknown%'", "f: placeholder %unknown% has no values"),
    ("f: 2026-03-02", "f: the value is a date — expected text, a number, true, false or null; quote it"),
    ("f: {a: b}", "f: the value is a mapping — expected text"),
    ("f: [[a]]", "f: the value is a list — expected text"),
    ("f: .nan", "f: Invalid number"),
    ("4688: x", '"4688" is no field name; quote it'),
    ("'': null", "null needs a field — a keyword is text or a number"),
]


@pytest.mark.parametrize(("item", "reason"), REFUSED, ids=[item for item, _ in REFUSED])
def test_what_cannot_be_evaluated_is_refused_with_its_line_and_reason(item, reason, refusals):
    found = refusals(f"selection:\n    other: a\n    {item}\ncondition: selection", placeholders=PLACEHOLDERS)
    [problem] = found
    assert problem.startswith("a.yml:8: ")
    assert reason in problem


def wildcard_oracle(pattern: str, text: str) -> bool:
    """The definition itself: try every length for each `*`."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(wildcard_oracle(pattern[1:], text[skip:]) for skip in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and wildcard_oracle(pattern[1:], text[1:])


def rule_with(item: dict[str, Any], **options: Any) -> Detector:
    detection = {"selection": item, "condition": "selection"}
    text = yaml.safe_dump({"title": "t", "id": "i", "logsource": {"category": "test"}, "detection": detection})
    loaded = load_rules([Source("a.yml", text)], **options)
    assert not loaded.problems, loaded.problems
    return PlainDetector(loaded.rules, LogsourceMap())


def hit(detector: Detector, value: Any) -> bool:
    return bool(detector.match_event({"f": value}, {"category": "test"}))


@given(st.text("ab.*?\n", max_size=8), st.text("ab.\n", max_size=8))
def test_wildcards_match_as_their_definition_says(pattern, text):
    assert hit(rule_with({"f": pattern}), text) is wildcard_oracle(pattern, text)


@given(st.text("ab*?", max_size=6), st.text("ab", max_size=8))
def test_contains_startswith_and_endswith_are_wildcards_at_the_ends(pattern, text):
    assert hit(rule_with({"f|contains": pattern}), text) is wildcard_oracle(f"*{pattern}*", text)
    assert hit(rule_with({"f|startswith": pattern}), text) is wildcard_oracle(f"{pattern}*", text)
    assert hit(rule_with({"f|endswith": pattern}), text) is wildcard_oracle(f"*{pattern}", text)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="*?\\"), min_size=1, max_size=8))
def test_a_text_matches_itself_in_any_case(text):
    detector = rule_with({"f": text})
    assert hit(detector, text)
    assert hit(detector, text.casefold())


@given(st.ip_addresses(), st.data())
def test_cidr_agrees_with_ipaddress(address, data):
    bits = address.max_prefixlen
    network = ipaddress.ip_network(f"{address}/{data.draw(st.integers(0, bits))}", strict=False)
    near = type(address)(max(0, min(2**bits - 1, int(address) + data.draw(st.integers(-4096, 4096)))))
    detector = rule_with({"f|cidr": str(network)})
    assert hit(detector, str(address))
    assert hit(detector, str(near)) is (near in network)


@given(
    st.binary(max_size=9),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="*?\\"), min_size=2, max_size=9),
    st.binary(max_size=9),
)
def test_base64offset_finds_a_value_wherever_it_stands_in_what_was_encoded(before, value, after):
    encoded = base64.b64encode(before + value.encode() + after).decode()
    assert hit(rule_with({"f|cased|base64offset|contains": value}), encoded)
