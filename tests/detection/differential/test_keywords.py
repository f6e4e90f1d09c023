"""Keywords in lines, however the line is written: an engine may look for them before anything is made of it."""

from __future__ import annotations

import json

import orjson
import pytest

from fsoc.detection import LogsourceMap, PlainDetector, matchers, nodes
from fsoc.detection.logsource import Logsource
from tests.detection.differential.engines import ENGINES, adopt_other_anchors, make
from tests.detection.differential.rules import rule_of

KEYWORDS = ["failed password", "straße strasse", "kelvin grad", "c:\\windows\\system32", "https://x.example/a/b"]
KEYWORDS += [
    'say "hello" now',
    "tab\there now",
    "eins\x0bzwei",
    "größe",
    "日本語のログ",
    "path\\",
    "4625 4625",
    "true",
    "finds",
]
VALUES = [form for word in KEYWORDS for form in (word, f"x {word.upper()} y", word[:-1], word.replace("s", "ſ"))]
VALUES += [
    "\u212aELVIN grad",
    "STRAẞE straße",
    "c:\\\\windows\\\\system32",
    "https:\\/\\/x.example\\/a\\/b",
    True,
    4625,
    None,
]


def of_keywords(chosen):
    texts = [matchers.Text(word.casefold(), "anywhere") for word in chosen]
    wild = [matchers.Wildcards((0, word[:3].casefold(), 0, word[-3:].casefold(), 0)) for word in chosen]
    return [
        rule_of(index, nodes.Item(None, (matcher,)), Logsource(category="test"))
        for index, matcher in enumerate([*texts, *wild])
    ]


def by_number(text):
    return '"' + "".join(f"\\u{unit:04X}" for unit in memoryview(text.encode("utf-16-le")).cast("H")) + '"'


def written(value):
    """One value in the ways JSON has for it."""
    yield json.dumps(value)
    yield json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        yield by_number(value)
        yield json.dumps(value, ensure_ascii=False).replace("/", "\\/")
        yield json.dumps(value, ensure_ascii=False).replace("a", "\\u0061").replace("w", "\\u0077")


def lines():
    for value in VALUES:
        for text in written(value):
            yield f'{{"m":{text},"logsource":{{"category":"test"}}}}'
            yield f'{{"logsource":{{"category":"test"}},"a":1,"o":{{"i":[[{text}],2.5]}}}}'
            yield f'{{"n":1,"m":{text},"m":"none","logsource":{{"category":"test"}}}}'
            if isinstance(value, str):
                half = len(value) // 2
                yield f'{{{text}:"in a name","logsource":{{"category":"test"}}}}'
                first, second = json.dumps(value[:half]), json.dumps(value[half:])
                yield f'{{"a":{first},"b":{second},"logsource":{{"category":"test"}}}}'


@pytest.mark.parametrize("chosen", [KEYWORDS, KEYWORDS[:1], KEYWORDS[:3], KEYWORDS[3:6], KEYWORDS[6:]], ids=len)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_keyword_is_found_however_its_line_is_written(engine, chosen):
    made = of_keywords(chosen)
    plain, detector = PlainDetector(made, LogsourceMap()), make(engine, made, LogsourceMap())
    several = [line.encode() for line in lines()]
    expected = plain.match_lines(several)

    assert not expected.unreadable
    assert expected.matched
    assert detector.match_lines(several) == expected
    adopt_other_anchors(detector, made, 3)
    assert detector.match_lines(several) == expected
    events = [orjson.loads(line) for line in several]
    found = [detector.match_event(event, event.pop("logsource")) for event in events]
    assert [(place, ids) for place, ids in enumerate(found) if ids] == expected.matched
