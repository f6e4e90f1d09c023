"""Events of every shape, as objects and as JSON text written in every way; tickets around them."""

from __future__ import annotations

import json
from functools import cache

from hypothesis import strategies as st

from tests.detection.differential.texts import changed

FIELDS = ["A", "B", "a", "a.b", "a.b.c", "b", "C D", "Ä.ß", "Image", "EventID", "CommandLine"]
"""The fields of rules. Of events too, with parts of the dotted ones, and names that others stand for."""
COMMON = ["A", "B", "a.b", "A", "B"]
"""Fields that stand in most rules and events, so that they meet."""
NAMES = [*FIELDS, "b.c", "c", "a.", ".b", "", "Ä", "ß", "NewProcessName", "Channel", "product", "category", "service"]
NUMBERS = [0, 1, -1, 5, 5.0, 0.5, 1e3, 1000, 1e16, 1e-7, 2**53 + 1, 2.0**53, 2**63, 2**64 - 1, -(2**63), 1.5e300, -0.0]
NUMBERS += [1_772_409_600, 1_772_409_600_000, 1_772_409_600.5, 4688, 4688.0, 8]
ODD = [10**30, -(10**25), float("inf"), float("nan"), 2**64]
"""What JSON text cannot bring, and a caller can."""
LOGSOURCES = [
    *({"category": "test"}, {"product": "windows"}, {"product": "windows", "category": "process_creation"}),
    *({"product": "windows", "service": "security"}, {"service": "sshd"}, {"product": "Windows", "category": "TEST"}),
    *({"product": "fsoc"}, {"product": "x", "category": "unheard of"}, {}),
]
WRONG = [{"product": 5}, {"category": ["test"]}, {"product": None, "service": True}, {"definition": "x"}]

_BROKEN = [
    "",
    " \t",
    "null",
    "[]",
    "5",
    '"a"',
    "{",
    '{"a":1,}',
    '{"a":01}',
    '{"a":1e999}',
    '{"a":"\\ud800"}',
    "{'a':1}",
]
_BROKEN += [
    '{"a":"\x01"}',
    '{"a":1}x',
    '{"a":nan}',
    '{"logsource":5}',
    '{"logsource":{"product":[1]},"a":1}',
    "\ufeff{}",
]
_BROKEN += ['{"a":' + "[" * 2_000 + "]" * 2_000 + "}", '{"a":-}', '{"a":1.}', '{"a":"\\x41"}', '{"a" 1}', '{"\\u12":1}']


@cache
def scalars():
    return st.one_of(
        changed,
        changed,
        st.sampled_from(NUMBERS),
        st.sampled_from([None, True, False, 1, 1.0, "1", 0, "0"]),
    )


@cache
def values():
    return st.one_of(
        scalars(),
        scalars(),
        st.recursive(
            scalars(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["b", "c", "b.c", "A", ""]), inner, max_size=3)
            ),
            max_leaves=6,
        ),
    )


@cache
def flat():
    """An event that JSON text can bring."""
    often, seldom = st.sampled_from([*COMMON, *FIELDS]), st.sampled_from(NAMES)
    return st.dictionaries(st.one_of(often, often, often, seldom), values(), max_size=7)


@cache
@st.composite
def windows(draw):
    """An event whose logsource, and whose other names for fields, follow from itself."""
    event = {"Channel": "Security", "EventID": draw(st.sampled_from([4688, "4688", 4688.0, 4689, [4688, 1], True]))}
    event |= draw(flat())
    other_names = st.dictionaries(st.sampled_from(["NewProcessName", "B", "C D"]), values(), max_size=3)
    return event | draw(other_names)


@cache
def events():
    return st.lists(st.one_of(flat(), windows()), min_size=1, max_size=4)


@cache
def odd_events():
    """Events no JSON text can bring: huge numbers, none at all, tuples for lists."""
    odd = st.sampled_from(ODD) | st.lists(scalars(), max_size=2).map(tuple)
    return st.dictionaries(st.sampled_from(FIELDS), odd | values(), min_size=1, max_size=4)


logsources = st.one_of(st.none(), st.sampled_from(LOGSOURCES), st.sampled_from(LOGSOURCES), st.sampled_from(WRONG))


@st.composite
def lines(draw, event, logsource):
    """The event as JSON text: white space, escapes, numbers and doubled keys as a sender may write them."""
    whole = {**event, "logsource": logsource} if logsource is not None else event
    text = _written(draw, whole, draw(st.integers(0, 3)))
    return (
        draw(st.sampled_from(["", "", " ", "\t"])).encode() + text.encode() + draw(st.sampled_from([b"", b" ", b"\r"]))
    )


broken_lines = st.sampled_from(_BROKEN).map(str.encode) | st.binary(max_size=6).filter(lambda line: b"\n" not in line)


def _written(draw, value, style):
    space = st.sampled_from(["", "", " ", "\n", "\r\t"]) if style else st.just("")
    match value:
        case dict():
            pairs = list(value.items())
            if pairs and style == 3:
                twice = draw(st.sampled_from(pairs))
                pairs.insert(0, (twice[0], draw(st.sampled_from([None, 1, "x", [], {"b": 1}]))))
            parts = [
                f"{draw(space)}{_string(draw, key, style)}{draw(space)}:{draw(space)}{_written(draw, inner, style)}"
                for key, inner in pairs
            ]
            return "{" + f"{draw(space)},".join(parts) + draw(space) + "}"
        case list():
            return "[" + ",".join(f"{draw(space)}{_written(draw, inner, style)}{draw(space)}" for inner in value) + "]"
        case str():
            return _string(draw, value, style)
        case bool() | None:
            return json.dumps(value)
        case _:
            return _number(draw, value, style)


def _string(draw, text, style):
    if style < 2 or len(text) > 50:
        return json.dumps(text, ensure_ascii=style == 1)
    return '"' + "".join(_character(char, draw(st.integers(0, 3))) for char in text) + '"'


def _character(char, kind):
    if kind == 0:
        return "".join(f"\\u{unit:04x}" for unit in _utf16(char))
    if kind == 1:
        return "".join(f"\\u{unit:04X}" for unit in _utf16(char))
    if kind == 2 and char == "/":
        return "\\/"
    return json.dumps(char, ensure_ascii=False)[1:-1]


def _utf16(char):
    octets = char.encode("utf-16-be")
    return [int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets), 2)]


def _number(draw, value, style):
    text = json.dumps(value)
    if style < 2:
        return text
    ways = [
        text,
        text.replace("e", "E"),
        f"{text}{'' if '.' in text or 'e' in text else '.0'}",
        f"{text}e0",
        f"{text}E+00",
    ]
    return draw(st.sampled_from(ways if "e" not in text else ways[:2]))


@cache
@st.composite
def tickets(draw):
    """A ticket's body with evidence, observables and names that rules of product fsoc may ask for."""
    evidence = draw(
        st.lists(
            st.fixed_dictionaries(
                {}, optional={"fields": st.one_of(flat(), windows()), "logsource": st.sampled_from(LOGSOURCES)}
            ),
            max_size=3,
        )
    )
    observables = draw(
        st.lists(
            st.fixed_dictionaries(
                {"role": st.sampled_from(["attacker", "victim", "infrastructure", "c2", "source", "other"])},
                optional={"value": changed},
            ),
            max_size=3,
        )
    )
    body = draw(flat())
    given = {"evidence": evidence, "observables": observables}
    return {**body, **{name: given[name] for name in draw(st.sets(st.sampled_from(sorted(given))))}}
