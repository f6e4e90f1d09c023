"""What does not fit together in a ticket is told, once, where it is, and only that."""

import typing

import pytest

from fsoc.attack import hints as hints_module
from fsoc.attack.hints import Hints
from fsoc.attack.tables import read
from fsoc.tickets.vocabulary import Category


@pytest.fixture(scope="module")
def hints(techniques) -> Hints:
    return Hints(techniques)


def body(category: str, *pairs: tuple[str, str]) -> dict:
    return {"category": category, "attack": [{"tactic": tactic, "technique": technique} for tactic, technique in pairs]}


def told(hints, *arguments) -> list[tuple[str, str]]:
    return [(hint.code, hint.pointer) for hint in hints.of(body(*arguments))]


@pytest.mark.parametrize(
    ("category", "tactic", "technique"),
    [
        ("fraud.phishing", "initial_access", "T1566.002"),  # a sub-technique of what is expected
        ("fraud.phishing", "execution", "T1204"),  # expected by its id, whatever its tactic
        ("availability.ddos", "Impact", "T1498"),
        ("malicious-code.infected-system", "defense_evasion", "T1070.001"),  # 17 and 18 have it there
        ("malicious-code.infected-system", "defense-impairment", "T1685.005"),  # as 19 has it
        ("malicious-code.infected-system", "defense-evasion", "T1112"),  # moved to another tactic by 19
        ("malicious-code.infected-system", "TA0005", "T1055.012"),
        ("other.undetermined", "impact", "T1490"),  # of which nothing is expected
    ],
)
def test_nothing_is_said_of_what_fits_together_in_any_version(hints, category, tactic, technique):
    assert told(hints, category, (tactic, technique)) == []


def test_a_category_with_techniques_that_nobody_expects_of_it_is_told(hints):
    [hint] = hints.of(body("fraud.phishing", ("impact", "T1486")))

    assert (hint.code, hint.pointer) == ("category.technique-unlikely", "/category")
    assert hint.text.startswith(
        "found fraud.phishing with T1486 Data Encrypted for Impact; expected a technique of recon"
    )
    assert hint.text.endswith("or T1204, T1534, T1566, T1598, T1684")


def test_one_technique_that_fits_the_category_is_enough(hints):
    assert told(hints, "fraud.phishing", ("impact", "T1486"), ("initial-access", "T1566")) == []


def test_a_tactic_that_the_technique_was_never_under_is_told_at_its_place(hints):
    [hint] = hints.of(body("availability.ddos", ("impact", "T1498"), ("discovery", "T1490")))

    assert (hint.code, hint.pointer) == ("attack.tactic-unlikely", "/attack/1/tactic")
    assert hint.text == "found 'discovery'; T1490 Inhibit System Recovery is of impact"


@pytest.mark.parametrize(
    ("technique", "text"),
    [
        ("T9999", "found 'T9999', in no ATT&CK of 17.0, 18.1, 19"),
        ("T1059.099", "found 'T1059.099', in no ATT&CK of 17.0, 18.1, 19; its parent is known: T1059 Command"),
    ],
)
def test_a_technique_that_no_version_has_is_told_and_nothing_more_is_made_of_it(hints, technique, text):
    [hint] = hints.of(body("fraud.phishing", ("impact", technique)))

    assert (hint.code, hint.pointer) == ("attack.technique-unknown", "/attack/0/technique")
    assert hint.text.startswith(text)


@pytest.mark.parametrize("ticket", [{}, {"category": "fraud.phishing"}, {"category": "fraud.phishing", "attack": None}])
def test_a_ticket_that_names_no_technique_has_no_hint(hints, ticket):
    assert hints.of(ticket) == ()


def test_the_same_is_looked_at_once_and_what_is_remembered_is_bounded(techniques, monkeypatch):
    monkeypatch.setattr(hints_module, "REMEMBERED_MAX", 3)
    asked = Hints(techniques)
    first = asked.of(body("fraud.phishing", ("impact", "T1486")))

    assert asked.of(body("fraud.phishing", ("impact", "T1486"))) is first
    for number in range(9):
        asked.of(body("fraud.phishing", ("impact", f"T{number:04d}")))
        assert len(asked._remembered) <= 3


def test_what_is_expected_is_expected_of_categories_that_tickets_may_have(techniques):
    assert set(techniques.expected) <= set(typing.get_args(Category))
    assert len(techniques.expected) >= 25


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("fraud.phishing\timpact", "expected three cells: category, tactics, techniques"),
        ("fraud.phishing\t\t", "expected three cells: category, tactics, techniques"),
        ("phishing\timpact\t", "expected three cells"),
        ("fraud.phishing\tsmoke\t", "tactic 'smoke' is not in this table's header"),
        ("fraud.phishing\t\tT9999", "'T9999' is not in use in ATT&CK 19"),
        ("fraud.phishing\t\tT1064", "'T1064' is not in use in ATT&CK 19"),
    ],
)
def test_a_wrong_expectation_is_named_with_file_and_line(table, row, text):
    known = table("19", "T1490\tInhibit\timpact\t", "T1064\tScripting\timpact\tdeprecated")

    [problem] = read([known, ("categories.tsv", f"# categories\t19\n{row}\n")]).problems

    assert problem.where == "categories.tsv:2"
    assert text in problem.text


def test_expectations_of_a_version_that_is_not_there_are_named(table):
    known = table("19", "T1490\tInhibit\timpact\t")

    [problem] = read([known, ("categories.tsv", "# categories\t18\nfraud.phishing\timpact\t\n")]).problems

    assert str(problem) == "categories.tsv:2: of ATT&CK 18, but the tables are: 19"
