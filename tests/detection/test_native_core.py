"""What the native engine does for itself is done as Python does it: numbers, JSON, patterns, addresses."""

from __future__ import annotations

import ipaddress
import operator
import os

import orjson
import pytest
import re2
from hypothesis import example, given
from hypothesis import strategies as st

from fsoc.detection.event import number_of

if os.environ.get("FSOC_REQUIRE_NATIVE") != "1":
    pytest.importorskip("fsoc_native", reason="the native engine is not built: make install builds it with cargo")

import fsoc_native

wholes = st.integers() | st.integers(-(10**45), 10**45) | st.sampled_from([2**53, 2**63, 2**64, 2**127, -(2**127)])
floats = st.floats() | wholes.map(float)


@given(st.floats())
@example(1e16)
@example(1e-5)
@example(9999999999999998.0)
@example(-0.0)
@example(5e-324)
@example(600000000000000.25)  # as near to .2 as to .3
def test_a_float_is_written_as_python_writes_it(number):
    assert fsoc_native.repr_of_float(number) == repr(number)


@given(wholes | floats, wholes | floats)
@example(2**53 + 1, float(2**53))
@example(10**40, 1e40)
@example(2**127, 2.0**127)
@example(float("nan"), 1)
def test_numbers_are_ordered_as_python_orders_them(mine, its):
    expected = next(
        (sign for sign, is_so in ((-1, operator.lt), (0, operator.eq), (1, operator.gt)) if is_so(mine, its)), None
    )
    assert fsoc_native.compare(repr(mine), repr(its)) == expected


@given(st.from_regex(r"[+-]?[0-9]{1,41}(\.[0-9]{1,41})?([eE][+-]?[0-9]{1,4})?\n?", fullmatch=True) | st.text())
@example("1e999")
@example("٣")
@example("0x1")
def test_a_text_is_a_number_where_it_is_one_to_python(text):
    expected = number_of(text)
    assert fsoc_native.number_of(text) == (None if expected is None else repr(expected))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values), st.data())
def test_no_line_is_accepted_that_orjson_refuses(event, data):
    line = bytearray(orjson.dumps(event))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(line)))
        kept = data.draw(st.integers(0, 2))
        line[place : place + kept] = data.draw(st.sampled_from(PIECES) | st.binary(max_size=3))
    line = bytes(line)
    try:
        is_event = isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        is_event = False
    assert is_event or not fsoc_native.accepts(line)


PIECES = [
    *(
        b'"',
        b"\\",
        b"\\u",
        b"\\ud800",
        b"\\udc00",
        b"\\ud83d\\ude00",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\x0b",
    ),
    *(
        b"0",
        b"-",
        b"01",
        b"1.",
        b".5",
        b"1e",
        b"1e400",
        b"-0",
        b"nul",
        b"true",
        b"\x00",
        b"\x1f",
        b"\x7f",
        b"\xff",
        b"\xc3",
    ),
]


@pytest.mark.parametrize(
    "text", ["{}", ' {"a": [1, {"b": null}]}\r\n', '{"a": "\\ud83d\\ude00\\n", "b": -0, "c": 1E5}']
)
def test_lines_of_every_kind_of_value_are_read_here(text):
    assert fsoc_native.accepts(text.encode())


SIMPLE = st.sampled_from(
    [
        *"abkKsS01 .-_\\",
        r"\d",
        r"\s",
        r"\W",
        r"\b",
        r"\B",
        "^",
        "$",
        "[a-c]",
        "[^a]",
        r"[\w-]",
        "[[:alpha:]]",
        r"\x41",
        r"\.",
    ]
)
PATTERNS = st.recursive(
    SIMPLE,
    lambda inner: (
        st.builds("{}{}".format, inner, inner)
        | st.builds("({}|{})".format, inner, inner)
        | st.builds("(?{}:{})".format, st.sampled_from(["i", "s", "m", "U", "i-s"]), inner)
        | st.builds("(?:{}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "*?", "{,2}", "{2,}"]))
    ),
    max_leaves=8,
)
OPTIONS = re2.Options()
OPTIONS.log_errors = False


@given(PATTERNS | st.text("ab[]()^&-~\\{}1,?<>", max_size=12), st.text("abkKsS01 .-_\\\n\t\x0b\x00ſK", max_size=12))
@example("[[a]", "[")
@example(r"\<a", "<a")
@example("a{,2}", "a{,2}")
@example("[a&&b]", "&")
@example(r"\s", "\x0b")
@example("(?i)k", "K")
def test_a_pattern_that_is_run_here_means_what_it_means_to_re2(pattern, text):
    try:
        compiled = re2.compile(pattern, OPTIONS)
    except re2.error:
        return
    held = fsoc_native.pattern_holds(pattern, text.encode())
    assert held is None or held is (compiled.search(text.encode()) is not None)


ADDRESSES = st.ip_addresses().map(str) | st.from_regex(r"[0-9a-f:.]{0,20}", fullmatch=True) | st.text(max_size=20)
NETWORKS = ["10.0.0.0/8", "0.0.0.0/0", "192.168.1.1/32", "fe80::/10", "::/0", "::ffff:0:0/96", "::1/128"]


@given(ADDRESSES, st.sampled_from(NETWORKS))
@example("::ffff:10.0.0.1", "10.0.0.0/8")
@example("010.0.0.1", "10.0.0.0/8")
@example("10.0.0.1 ", "10.0.0.0/8")
def test_an_address_lies_in_a_network_as_python_sees_it(text, network):
    if "%" in text:
        return
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        assert fsoc_native.in_network(text.encode(), network) is None
        return
    mapped = getattr(address, "ipv4_mapped", None)
    expected = any(each in ipaddress.ip_network(network) for each in (address, mapped) if each is not None)
    assert fsoc_native.in_network(text.encode(), network) is expected


@given(st.binary(max_size=60) | st.text('{}[]",:\\ua0 1e-.', max_size=40).map(str.encode))
def test_no_line_makes_it_fall(line):
    fsoc_native.accepts(line)
    fsoc_native.accepts(b'{"a":' + line + b"}")
