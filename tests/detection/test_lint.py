"""What is wrong with rules that load: told where it is, and only where it is certain."""

from __future__ import annotations

import pytest

from fsoc.attack import Techniques
from fsoc.detection import Logsource
from fsoc.detection.lint import Case, Review

KNOWN = [Logsource(category="test"), Logsource("windows", "process_creation")]
TABLE = (
    "# attack\t19\t(c)\n# tactic\tTA0040\timpact\tImpact\nT1490\tInhibit System Recovery\timpact\t\n"
    "T1485\tData Destruction\timpact\t\nT1488\tDisk Content Wipe\timpact\tT1485\nT1053\tTask\timpact\tdeprecated\n"
)


@pytest.fixture
def review(load):
    def review(*texts: str, **options: object) -> Review:
        found = Review(Techniques.parse([("attack.tsv", TABLE)]))
        found.see_all(load(*texts, tell=found.see, **options), KNOWN)
        return found

    return review


def told(problems):
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("detection", "problems"),
    [
        ("one: {a: 1}\ntwo: {b: 1}\ncondition: one", ['a.yml:7: "two" is used in no condition: nothing comes of it']),
        ("one: {a: 1}\n_two: {b: 1}\ncondition: all of them", ['a.yml:7: "_two" is used in no condition']),
        ("one: {a: 1}\ntwo: {b: 1}\ncondition: [one, not two]", []),
        ("one_a: {a: 1}\none_b: {b: 1}\ncondition: 1 of one_*", []),
        ("one: {a: x, 'a|exists': false}\ncondition: one", ['a.yml:6: "one" can never be true: its lines exclude']),
        (
            "one: {a: x, 'a|exists': false}\ntwo: {b: 1}\ncondition: one or two",
            ['a.yml:6: "one" can never be true: its lines exclude each other'],
        ),
        ("one: {a: 1}\ncondition: one and not one", ['a.yml:7: condition "one and not one" can never be true: its']),
        (
            "one: {a: 1}\ncondition:\n  - one\n  - one and not one",
            ['a.yml:9: condition "one and not one" can never be true: its parts exclude each other'],
        ),
        (
            "sel: {'Image|endswith': '\\cmd.exe'}\nban: {'Image|endswith': [.EXE, .com]}\ncondition: sel and not ban",
            ['a.yml:8: condition "sel and not ban" can never be true'],
        ),
        ("one: {a: 1, 'a|neq': 1}\ncondition: one", ['a.yml:6: "one" can never be true']),
        ("one: {a: [1, 2]}\ntwo: {a: 3}\ncondition: one and two", []),
        (
            "one: {'a|re': '(?=x)'}\ntwo: {b: 1}\nthree: {c: 1}\ncondition: one and two",
            ['a.yml:8: "three" is used in no'],
        ),
    ],
)
def test_parts_that_nothing_can_reach_are_problems(detection, problems, rule, review):
    found = review(rule(detection))
    assert len(found.problems) == len(problems), told(found.problems)
    assert all(str(each).startswith(start) for each, start in zip(found.problems, problems, strict=True))


def test_what_is_refused_already_is_not_told_again(rule, review):
    assert review(rule("one: {a: 1}\ntwo: {b: 1}\ncondition: one and")).problems == []
    assert review(rule("one: {a: 1}\ntwo: {b: 1}\ncondition: []")).problems == []
    broken = review(rule("one: {'a|foo': 1}\ntwo: {b: 1}\nthree: {c: 1}\ncondition: one and two"))
    assert told(broken.problems) == ['a.yml:8: "three" is used in no condition: nothing comes of it']


@pytest.mark.parametrize("condition", ["one or not one", "one or two or not (one and two)"])
def test_a_condition_that_every_event_satisfies_is_a_warning(condition, rule, review):
    found = review(rule(f"one: {{a: 1}}\ntwo: {{b: 1}}\ncondition: {condition} or two"))
    assert "a.yml:8: the condition is true of every event, whatever it holds" in told(found.warnings)
    assert found.problems == []


def test_a_filter_that_leaves_nothing_of_a_rule_is_a_problem_of_the_rule(rule, review):
    ban = "title: Ban\nlogsource: {category: test}\nfilter:\n    rules: any\n    own: {a: 1}\n    spare: {b: 1}\n"
    found = review(rule("one: {a: 1}\ncondition: one"), ban + "    condition: not own\n")
    assert told(found.problems) == [
        "a.yml:7: left out by its filters, it can never be true: Ban",
        'b.yml:6: "spare" is used in no condition: nothing comes of it',
    ]


def test_a_rule_that_can_never_hold_is_not_the_filters_fault(rule, review):
    ban = "title: Ban\nlogsource: {category: test}\nfilter:\n    rules: any\n    own: {b: 1}\n    condition: not own\n"
    found = review(rule("one: {a: 1}\ncondition: one and not one"), ban)
    assert told(found.problems) == [
        'a.yml:7: condition "one and not one" can never be true: its parts exclude each other'
    ]


def test_a_filter_that_can_never_hold_is_a_problem_of_the_filter(rule, review):
    ban = "title: Ban\nlogsource: {category: test}\nfilter:\n    rules: any\n    own: {a: 1}\n"
    found = review(rule("one: {c: 1}\ncondition: one"), ban + "    condition: own and not own\n")
    assert 'b.yml:6: condition "own and not own" can never be true: its parts exclude each other' in told(
        found.problems
    )


def test_a_tag_is_told_with_its_own_line_and_what_became_of_it(load, rule, review):
    head = (
        "title: A rule\nlogsource: {category: test}\ntags:\n    - attack.impact\n    - attack.t1488\n"
        "    - attack.t1053\n    - attack.t1491\n    - attack.t1490\n"
    )
    found = review(rule("one: {a: 1}\ncondition: one", head=head))
    assert told(found.problems) == ["a.yml:7: tag 'attack.t1491' is not in ATT&CK 19; near: T1490, T1488, T1485"]
    assert told(found.warnings) == [
        "a.yml:5: tag 'attack.t1488': in ATT&CK 19 it is T1485 Data Destruction",
        "a.yml:6: tag 'attack.t1053': in ATT&CK 19 it is out of use, without a successor",
    ]


def test_tags_of_correlations_and_of_refused_rules_are_looked_at_too(rule, review):
    correlation = "title: c\ntags: [attack.t1491]\ncorrelation: {}\n"
    refused = rule(
        "one: {'a|foo': 1}\ncondition: one", head="title: r\ntags: [attack.t1491]\nlogsource: {category: a}\n"
    )
    found = review(correlation, refused)
    assert [problem.where for problem in found.problems] == ["b.yml:2", "a.yml:2"]


def test_a_logsource_that_is_not_known_is_one_warning_however_many_rules_have_it(rule, review):
    head = "title: rule {}\nlogsource:\n    product: windows\n    category: {}\n"
    texts = [
        rule("one: {a: 1}\ncondition: one", head=head.format(title, category))
        for title, category in (
            ("1", "proces_creation"),
            ("2", "proces_creation"),
            ("3", "x"),
            ("4", "process_creation"),
        )
    ]
    found = review(*texts, rule("one: {a: 1}\ncondition: one", head="title: 5\nlogsource: {product: fsoc}\n"))
    first, second = told(found.warnings)
    assert first.startswith(
        "a.yml:2: this rule, and 1 more, runs only on events whose sender states {product: windows, "
    )
    assert first.endswith("category: proces_creation}: did you mean {product: windows, category: process_creation}?")
    assert second.startswith("c.yml:2: this rule runs only")
    assert second.endswith("category: x}: logsources.yml neither derives it nor says that senders state it")


@pytest.mark.parametrize(
    ("detection", "slow"),
    [
        ("one: {a: null}\ncondition: one", True),
        ("one: {a: 1}\ncondition: not one", True),
        ("one: {a: 1}\ntwo: {'b|exists': true}\ncondition: one or two", True),
        ("one: {a: 1}\ntwo: {'b|exists': true}\ncondition: one and two", False),
    ],
)
def test_a_rule_that_must_be_tried_on_every_event_is_a_warning(detection, slow, rule, review):
    assert [("slow: " in each) for each in told(review(rule(detection)).warnings)] == [True] * slow


def test_rules_on_tickets_may_be_tried_on_every_ticket(rule, review):
    found = review(rule("one: {a: null}\ncondition: one", head="title: t\nlogsource: {product: fsoc}\n"))
    assert found.warnings == []


def test_every_document_is_a_case(rule, review):
    found = review(rule("one: {a: 1}\ncondition: one") + "---\ntitle: c\ncorrelation: {}\n", "x: 1\n")
    assert found.cases == [Case("a.yml", 1, "A rule"), Case("b.yml", 1, "line 1"), Case("a.yml", 9, "c")]
