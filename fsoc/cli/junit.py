"""What was checked and what was found, as JUnit XML: a test suite for each file, a test case for each rule in it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from fsoc.detection.lint import Case
from fsoc.errors import Problem

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_THE_FILE: Final = "the file"


def junit(cases: Iterable[Case], problems: Iterable[Problem], warnings: Iterable[Problem]) -> bytes:
    """A case fails where it has a problem; its warnings are its output. What is about no rule is a case of its own."""
    suites: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        suites[case.path].append(case)
    failed, told = (_by_case(suites, found) for found in (problems, warnings))
    for case in (*failed, *told):
        if case not in suites[case.path]:
            suites[case.path].insert(0, case)
    root = Element("testsuites", _counted("fsoc check rules", sum(map(len, suites.values())), len(failed)))
    for path in sorted(suites):
        of_file = sorted(suites[path], key=lambda case: case.line)
        suite = SubElement(root, "testsuite", _counted(path, len(of_file), sum(case in failed for case in of_file)))
        for case in of_file:
            _add(suite, case, failed.get(case, []), told.get(case, []))
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def place(problem: Problem) -> tuple[str, int]:
    """File and line; line 0 where it is about no line."""
    path, _, line = problem.where.rpartition(":")
    return (path, int(line)) if line.isdecimal() else (problem.where, 0)


def _by_case(suites: dict[str, list[Case]], problems: Iterable[Problem]) -> dict[Case, list[Problem]]:
    """Each with the last rule that begins before it."""
    found: dict[Case, list[Problem]] = defaultdict(list)
    for problem in problems:
        path, line = place(problem)
        before = [case for case in suites.get(path, ()) if case.line <= line]
        found[max(before, key=lambda case: case.line, default=Case(path, 0, _THE_FILE))].append(problem)
    return dict(found)


def _counted(name: str, tests: int, failures: int) -> dict[str, str]:
    return {"name": _text(name), "tests": str(tests), "failures": str(failures), "errors": "0"}


def _add(suite: Element, case: Case, problems: Sequence[Problem], warnings: Sequence[Problem]) -> None:
    attributes = {"classname": _text(case.path), "name": _text(case.name), "file": _text(case.path)}
    if case.line:
        attributes["line"] = str(case.line)
    element = SubElement(suite, "testcase", attributes)
    if problems:
        failure = SubElement(element, "failure", message=_text(problems[0].text), type="problem")
        failure.text = _text("\n".join(map(str, problems)))
    if warnings:
        SubElement(element, "system-out").text = _text("\n".join(f"warning: {warning}" for warning in warnings))


def _text(text: str) -> str:
    """XML 1.0 cannot hold every character, not even escaped."""
    return _NOT_XML.sub("\ufffd", text)
