"""Payloads that are no tickets of `fi-001`, each with the code, pointer and reason it must be refused with.

A plain module: other tests load it by its path and send every one through a pipeline.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson

from fsoc.tickets import sample

INSTITUTION = "fi-001"


def _beside(name: str) -> ModuleType:
    """A module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_fields = _beside("bad_fields")
BadPayload, _ticket, _status, _observable = _fields.BadPayload, _fields.ticket, _fields.status, _fields.observable


def corpus() -> list[BadPayload]:
    """Every bad payload; all distinct, in a fixed order."""
    return [
        *_not_json(),
        *_structure(),
        *_identity(),
        *_fields.bad_fields(),
    ]


def far_future() -> bytes:
    """A good ticket from the year 2126: only intake, which knows when it was received, can refuse it."""
    return _ticket(detected_at="2126-03-02T08:00:00+08:00", occurred_from=..., occurred_to=...)


def _without_end(text: bytes) -> bytes:
    """An object's JSON without its closing brace, to write more after it."""
    return text[:-1]


def _not_json() -> Iterator[BadPayload]:  # noqa: PLR0915 - a list
    good = _ticket()

    def bad(name: str, payload: bytes, code: str = "payload.not-json", reason: str = "") -> BadPayload:
        return BadPayload(name, payload, code, "", reason)

    yield bad("empty", b"", reason="empty")
    yield bad("white space", b" \r\n\t", reason="empty")
    for cut in (1, 2, 17, 100, len(good) // 2, len(good) - 1):
        yield bad(f"truncated after {cut} bytes", good[:cut])
    yield bad("something after the object", good + b"x", reason="after document")
    yield bad("two objects", good + good, reason="after document")
    yield bad("BOM", b"\xef\xbb\xbf" + good, reason="byte order mark")
    yield bad("UTF-16", good.decode().encode("utf-16"))
    yield bad("UTF-32", good.decode().encode("utf-32-le"))
    yield bad("invalid UTF-8", good.replace(b"Web shell", b"Web \xff\xfe"), reason="UTF-8")
    yield bad("overlong UTF-8", good.replace(b"Web shell", b"Web \xc0\xaf"), reason="UTF-8")
    yield bad("UTF-8 cut within a character", good.replace(b"Web shell", "第".encode()[:2]), reason="UTF-8")
    yield bad("encoded surrogate", good.replace(b"Web shell", b"\xed\xa0\x80"), reason="UTF-8")
    yield bad("Big5", good.replace(b"Web shell", "資安".encode("big5")), reason="UTF-8")
    yield bad("single quotes", good.replace(b'"', b"'"))
    yield bad("comment", b"/* hello */" + good)
    yield bad("trailing comma", _without_end(good) + b",}", reason="comma")
    yield bad("no comma", good.replace(b',"kind"', b'"kind"'))
    yield bad("no colon", good.replace(b'"seq":1', b'"seq" 1'))
    yield bad("unquoted key", good.replace(b'"seq":', b"seq:"))
    yield bad("number as key", good.replace(b'"seq":', b"1:"))
    yield bad("leading zero", good.replace(b'"seq":1', b'"seq":01'), reason="zero")
    yield bad("plus sign", good.replace(b'"seq":1', b'"seq":+1'))
    yield bad("hexadecimal", good.replace(b'"seq":1', b'"seq":0x1'))
    yield bad("no digit after the point", good.replace(b'"seq":1', b'"seq":1.'))
    yield bad("undefined", good.replace(b'"seq":1', b'"seq":undefined'))
    yield bad("capital True", good.replace(b'"is_incident":true', b'"is_incident":True'))
    yield bad("raw line feed in a string", good.replace(b"Web shell", b"Web\nshell"), reason="control character")
    yield bad("raw NUL in a string", good.replace(b"Web shell", b"Web\0shell"), reason="control character")
    yield bad("NUL after the object", good + b"\0")
    yield bad("unknown escape", good.replace(b"Web shell", rb"Web \x41"), reason="escape")
    yield bad("cut unicode escape", good.replace(b"Web shell", rb"Web \u12"))
    yield bad("XML", b'<?xml version="1.0"?><ticket/>')
    yield bad("HTML", b"<html><body>502 Bad Gateway</body></html>")
    yield bad("YAML", b"schema: fsoc.ticket/1\nkind: ticket\n")
    yield bad("syslog", b"<34>1 2026-03-02T08:00:00Z host su - ID47 - 'su root' failed")
    yield bad("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")
    yield bad("random bytes", bytes(range(256)))
    for text in ("NaN", "Infinity", "-Infinity"):
        name = f"{text} where a number stands"
        yield bad(name, good.replace(b'"seq":1', f'"seq":{text}'.encode()), "payload.not-finite")
        yield bad(f"{text} alone", text.encode(), "payload.not-finite")
        yield bad(f"{text} in ext", _without_end(good) + f',"ext":{{"a":[{text}]}}}}'.encode(), "payload.not-finite")
    for text in ("1e309", "-1e309", "9" * 400):
        payload = good.replace(b'"seq":1', f'"seq":{text}'.encode())
        yield bad(f"infinite by size: {text[:8]}", payload, "payload.not-finite", "infinity")
    for text in (r"\ud800", r"\udfff", r"\ud800\ud800", r"\ud83dA", r"\udc00\ud800"):
        payload = good.replace(b"Web shell", text.encode())
        yield bad(f"lone surrogate {text}", payload, "payload.surrogate", "surrogate")
    yield bad("lone surrogate in a key", good.replace(b'"seq":1', rb'"\ud800":1'), "payload.surrogate", "surrogate")
    yield bad("a bracket a thousand times over", b"[" * 5000, "payload.too-deep", "deeper than 16")
    yield bad("5,000 deep", b"[" * 5000 + b"]" * 5000, "payload.too-deep", "deeper than 16")
    deep = b'{"a":' * 3000 + b"1" + b"}" * 3000
    yield bad("3,000 deep within ext", _without_end(good) + b',"ext":' + deep + b"}", "payload.too-deep", "deeper")
    huge = _ticket(ext={"a": "x" * 600_000})
    yield bad("huge", huge, "payload.too-large", f"{len(huge)} bytes, limit 524288")
    yield bad("one byte too large", good + b" " * (512 * 1024 + 1 - len(good)), "payload.too-large", "524289 bytes")
    yield bad("a megabyte of nothing", b" " * 1_048_576, "payload.too-large", "1048576 bytes")


def _structure() -> Iterator[BadPayload]:
    good = _ticket()
    objects = {"null": "null", "true": "a boolean", "3": "a number", "1.5": "a number", '"ticket"': "a string"}
    for text, kind in objects.items():
        yield BadPayload(f"{kind} {text} alone", text.encode(), "field.wrong-type", "", f"is {kind}")
    yield BadPayload("empty array", b"[]", "field.wrong-type", "", "is an array")
    yield BadPayload("ticket in an array", b"[" + good + b"]", "field.wrong-type", "", "is an array")
    yield BadPayload("ticket in a string", orjson.dumps(good.decode()), "field.wrong-type", "", "is a string")

    def twice(name: str, payload: bytes, pointer: str) -> BadPayload:
        return BadPayload(f"duplicate key: {name}", payload, "payload.duplicate-key", pointer, "twice")

    yield twice("first and last", _without_end(good) + b',"schema":"fsoc.ticket/1"}', "/schema")
    yield twice("side by side", good.replace(b'"seq":1,', b'"seq":1,"seq":1,'), "/seq")
    yield twice("other value", good.replace(b'"seq":1,', b'"seq":2,"seq":1,'), "/seq")
    yield twice("escaped", good.replace(b'"seq":1,', rb'"\u0073eq":1,"seq":1,'), "/seq")
    yield twice("escaped both", good.replace(b'"seq":1,', rb'"\u0073eq":1,"s\u0065q":1,'), "/seq")
    yield twice("white space before the colon", good.replace(b'"seq":1,', b'"seq" :1,"seq"\n:1,'), "/seq")
    for name, space in {"a blank": b" ", "a tab": b"\t", "a line feed": b"\n", "a carriage return": b"\r"}.items():
        spaced = good.replace(b'"seq":1,', b'"seq":1,"seq"' + space + b":1,")
        yield twice(f"{name} before one colon of the two", spaced, "/seq")
    yield twice(
        "pretty", json.dumps(sample.ticket(), indent=2).encode().replace(b'"seq": 1,', b'"seq": 1, "seq": 1,'), "/seq"
    )
    yield twice("in the trigger", good.replace(b'"rule_id":', b'"rule_id":"x","rule_id":'), "/trigger/rule_id")
    yield twice("in evidence", good.replace(b'"User":', b'"User":"x","User":'), "/evidence/0/fields/User")
    yield twice(
        "in a logsource", good.replace(b'"product":', b'"product":"x","product":'), "/evidence/0/logsource/product"
    )
    yield twice("the fields of evidence", good.replace(b'"fields":', b'"fields":{},"fields":'), "/evidence/0/fields")
    yield twice(
        "in the second observable",
        good.replace(b'"type":"domain"', b'"type":"domain","type":"domain"'),
        "/observables/1/type",
    )
    yield twice(
        "behind a string that looks like a key",
        good.replace(b'"seq":1,', rb'"seq":1,"seq":1,').replace(b"Web shell", rb"\": x"),
        "/seq",
    )
    yield twice(
        "of an object dropped by a duplicate", good.replace(b'"trigger":', b'"trigger":{"a":1},"trigger":'), "/trigger"
    )
    for name, inner, pointer in (
        ("in ext", b'{"a":1,"a":1}', "/ext/a"),
        ("empty key", b'{"":1,"":2}', "/ext/"),
        ("with a slash", b'{"a/b":1,"a/b":2}', "/ext/a~1b"),
        ("with a tilde", b'{"~":1,"~":2}', "/ext/~0"),
        ("in an array in ext", b'{"a":[0,{"b":1,"b":1}]}', "/ext/a/1/b"),
        ("deep in ext", b'{"a":{"b":{"c":{"d":1,"d":2}}}}', "/ext/a/b/c/d"),
        ("CJK, one escaped", '{"機":1,"\\u6a5f":2}'.encode(), "/ext/機"),
        ("with a quote", rb'{"a\"":1,"a\u0022":2}', '/ext/a"'),
        ("with a colon", rb'{"a\":":1,"a\":":2}', '/ext/a":'),
    ):
        yield twice(name, _without_end(good) + b',"ext":' + inner + b"}", pointer)

    def nul(name: str, pointer: str, **changes: Any) -> BadPayload:
        return BadPayload(f"NUL {name}", _ticket(**changes), "payload.nul", pointer, "U+0000")

    yield nul("in the title", "/title", title="a\0b")
    yield nul("alone", "/title", title="\0")
    yield nul("in an observable", "/observables/0/value", observables=[_observable(value="203.0.113.7\0")])
    yield nul("in evidence", "/evidence/0/fields/Image", evidence=[{"fields": {"Image": "cmd.exe\0.txt"}}])
    yield nul("in a list of evidence", "/evidence/0/fields/Image/1", evidence=[{"fields": {"Image": ["a", "\0"]}}])
    yield nul("in a field's name", "/evidence/0/fields", evidence=[{"fields": {"Im\0age": "a"}}])
    yield nul("in ext", "/ext/a/0", ext={"a": ["\0"]})
    yield nul("in a key of ext", "/ext", ext={"\0": 1})
    ladder: Any = 1
    for _ in range(16):
        ladder = [ladder]
    yield BadPayload(
        "17 deep", _ticket(ext={"a": ladder[0]}), "payload.too-deep", "/ext/a" + "/0" * 14, "deeper than 16"
    )
    yield BadPayload(
        "200 deep", _ticket(ext={"a": _nested(200)}), "payload.too-deep", "/ext/a" + "/0" * 14, "deeper than 16"
    )
    deep = _without_end(good) + b',"ext":{"a":' + b"[" * 600 + b"]" * 600 + b"}}"
    yield BadPayload("600 deep", deep, "payload.too-deep", "/ext/a" + "/0" * 14, "deeper than 16")
    payload = _ticket(evidence=[{"fields": {"a": _nested(20)}}])
    place = "/evidence/0/fields/a" + "/0" * 12
    yield BadPayload("deep in evidence", payload, "payload.too-deep", place, "deeper than 16")
    for text in ("9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775809", "1e19"):
        payload = _without_end(good) + f',"ext":{{"n":{text}}}}}'.encode()
        yield BadPayload(f"number beyond 64 bit in ext: {text}", payload, "field.out-of-range", "/ext/n", "64 bit")
        payload = _ticket(evidence=[{"fields": {"n": 0}}]).replace(b'{"n":0}', f'{{"n":{text}}}'.encode())
        yield BadPayload(f"in evidence: {text}", payload, "field.out-of-range", "/evidence/0/fields/n", "64 bit")


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def _identity() -> Iterator[BadPayload]:
    for name, value in (("another", "fi-002"), ("longer", "fi-0011"), ("shorter", "fi-00")):
        payload = _ticket(institution=value)
        yield BadPayload(
            f"{name} institution", payload, "identity.mismatch", "/institution", f"{value!r}, but this topic"
        )
    yield BadPayload("another's status", _status(institution="fi-002"), "identity.mismatch", "/institution", "fi-001")
    for value in ("fsoc.ticket/2", "fsoc.ticket", "FSOC.TICKET/1", "", "ocsf", 1, None, [], {}):
        payload = _ticket(schema=value)
        yield BadPayload(f"schema {value!r}", payload, "schema.unknown", "/schema", "fsoc.ticket/1 is understood")
    yield BadPayload("empty object", b"{}", "field.missing", "/schema", "required")
    for value in ("tickets", "Ticket", "", "source-status"):
        yield BadPayload(
            f"kind {value!r}",
            _ticket(kind=value),
            "field.not-allowed",
            "/kind",
            "allowed: ticket, intel, source_status",
        )
    yield BadPayload("kind null", _ticket(kind=None), "field.not-allowed", "/kind", "None")
    yield BadPayload("kind is an array", _ticket(kind=["ticket"]), "field.not-allowed", "/kind", "an array")
    for name in ("severty", "Severity", "_id", "@timestamp", "__proto__", "a/b"):
        place = name.replace("/", "~1")
        yield BadPayload(f"unknown field {name}", _ticket(**{name: 1}), "field.unknown", f"/{place}", "under ext")
    payload = _ticket(**{"x" * 5000: 1})
    yield BadPayload("unknown field with an endless name", payload, "field.unknown", "/" + "x" * 254 + "…", "ext")
    yield BadPayload("unknown field of a status", _status(severity=1), "field.unknown", "/severity", "under ext")
    for place, changes in {
        "/trigger/rule": {"trigger": {"kind": "manual", "rule": "x"}},
        "/attack/0/name": {"attack": [{"tactic": "impact", "technique": "T1498", "name": "x"}]},
        "/evidence/0/event": {"evidence": [{"fields": {}, "event": {}}]},
        "/evidence/0/logsource/vendor": {"evidence": [{"fields": {}, "logsource": {"vendor": "x"}}]},
        "/observables/0/tags": {"observables": [_observable(tags=[])]},
        "/assets/0/ip": {"assets": [{"ref": "a", "type": "server", "ip": "x"}]},
        "/suppliers/0/name": {"suppliers": [{"supplier_id": "s", "name": "x"}]},
        "/volume/bytes": {"volume": {"bytes": 1}},
        "/impact/cost": {"impact": {"cost": 1}},
        "/relations/parent": {"relations": {"parent": "x"}},
    }.items():
        yield BadPayload(f"unknown field {place}", _ticket(**changes), "field.unknown", place, "under ext")
