"""The registry: read whole, every problem with its line."""

import pytest

from fsoc.errors import RefusedToStart
from fsoc.institutions.registry import Institution, Registry

GOOD = """\
# who may send
institutions:
  - id: fi-001
    name: First Bank
    name_zh: 第一銀行
    sector: bank
    tier: 1
    group: fh-1
    feeds: [siem, edr]
    allowed_lateness: 2h
  - {id: fi-002, name: Second, sector: insurance, tier: 2, group: fh-1, feeds: [siem]}
  - {id: fi-003, name: Third, sector: securities, tier: 3, group: null, feeds: [siem]}
"""


def problems(text):
    with pytest.raises(RefusedToStart) as refused:
        Registry.parse(text, "who.yml")
    return [str(problem) for problem in refused.value.problems]


def entry(**changes):
    fields = {"id": "fi-001", "name": "A", "sector": "bank", "tier": "1", "feeds": "[siem]"} | changes
    return "institutions:\n  - {" + ", ".join(f"{key}: {value}" for key, value in fields.items()) + "}\n"


def test_a_registry_is_read():
    registry = Registry.parse(GOOD, "who.yml")

    assert list(registry.institutions) == ["fi-001", "fi-002", "fi-003"]
    assert registry.institutions["fi-001"] == Institution(
        "fi-001", "First Bank", "第一銀行", "bank", 1, "fh-1", ("siem", "edr"), 7_200_000
    )
    assert registry.institutions["fi-002"].name_zh == "Second"
    assert registry.institutions["fi-003"].allowed_lateness_ms == 3_600_000
    assert registry.get("fi-009") is None


def test_the_default_lateness_is_the_callers():
    assert Registry.parse(entry(), "x", allowed_lateness_ms=5).institutions["fi-001"].allowed_lateness_ms == 5


def test_affiliates_of_one_group_count_as_one():
    registry = Registry.parse(GOOD, "who.yml")

    assert registry.independent_of("fi-001") == registry.independent_of("fi-002") == "fh-1"
    assert registry.independent_of("fi-003") == "fi-003"
    assert registry.independent_of("never-heard-of") == "never-heard-of"


def test_only_registered_feeds_are_an_institutions_own():
    institution = Registry.parse(GOOD, "who.yml").institutions["fi-002"]

    assert institution.has_feed("siem")
    assert not institution.has_feed("edr")


def test_an_open_registry_takes_every_well_formed_institution_it_meets():
    registry = Registry.open()

    assert registry.institutions == {}
    assert registry.get("new-bank") is registry.institutions["new-bank"]
    assert registry.get("new-bank").has_feed("anything")
    assert registry.independent_of("new-bank") == "new-bank"
    assert registry.get("New Bank") is None
    assert registry.get("x") is None


def test_the_digest_is_of_what_is_said_not_of_how():
    lines = GOOD.splitlines()
    reordered = "\n".join([lines[1], lines[-1], lines[-2], *lines[2:-2]])

    assert Registry.parse(reordered, "y").digest == Registry.parse(GOOD, "x").digest
    assert Registry.parse(GOOD.replace("tier: 3", "tier: 2"), "x").digest != Registry.parse(GOOD, "x").digest


def test_every_problem_of_every_entry_is_told_at_once_in_the_order_of_lines():
    text = """\
institution: 3
institutions:
  - {id: FI, name: 3, sector: bank, tier: 4, grup: x, feeds: []}
  - id: fi-002
    id: fi-003
    tier: yes
    feeds: [a, a, 'b c']
    allowed_lateness: 1w
    group: fi-009
  - {id: fi-002, name: a, sector: B, tier: 1, feeds: [s]}
  - {id: fi-009, name: a, sector: bank, tier: 1, feeds: [s]}
  - 3
"""
    found = problems(text)

    assert [problem.split(":")[1] for problem in found] == sorted((problem.split(":")[1] for problem in found), key=int)
    for expected in (
        'who.yml:1: "institution" is unknown; did you mean "institutions"?',
        'who.yml:3: "grup" is unknown; did you mean "group"?',
        "who.yml:3: id: 'FI'; expected 2 to 32 of a–z, 0–9 and -",
        "who.yml:3: name: 3; expected text",
        "who.yml:3: tier: 4; expected 1, 2 or 3",
        "who.yml:3: feeds: []; expected a list of 1 to 64",
        "who.yml:4: name: is required and missing",
        "who.yml:4: sector: is required and missing",
        'who.yml:5: "id" is written twice, first in line 4',
        "who.yml:6: tier: True; expected 1, 2 or 3",
        'who.yml:7: feeds: "a" is named twice',
        "who.yml:7: feeds: 'b c'; expected 1 to 32 of",
        "who.yml:8: allowed_lateness: '1w' is no duration",
        'who.yml:9: group: "fi-009" is also the id of an institution',
        "who.yml:10: sector: 'B'; expected a lower-case word",
        'who.yml:10: id: "fi-002" is taken, first in line 4',
        "who.yml:12: expected a mapping such as",
    ):
        assert any(problem.startswith(expected) for problem in found), expected
    assert len(found) == 17


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "who.yml:1: expected a mapping with the key institutions"),
        ("- a", "who.yml:1: expected a mapping with the key institutions"),
        ("institutions: []", "who.yml:1: institutions: expected a list with at least one institution"),
        ("institutions: {a: 1}", "who.yml:1: institutions: expected a list with at least one institution"),
        ("a: [", "who.yml:2: not YAML"),
        ("a: 1\n\tb: 2", "who.yml:2: not YAML"),
        ("a: 1\n---\nb: 2", "who.yml:2: not YAML"),
        ("a: \x07", "who.yml: not YAML"),
        ("a: 2026-02-30", "who.yml: not YAML"),
        ("a: &x [*x]", "who.yml:1: holds more than 200000 values or nests deeper than 16"),
        ("a: !!python/object:os.system {}", "who.yml:1: "),
        (entry(allowed_lateness="8d"), "who.yml:2: allowed_lateness: 8d; at most 7d"),
        (entry(allowed_lateness="-1"), "who.yml:2: allowed_lateness: '-1' is no duration"),
        (entry(tier="true"), "who.yml:2: tier: True"),
        (entry(id="a"), "who.yml:2: id: 'a'"),
        (entry(id="'a\\n'"), "who.yml:2: id: "),
        (entry(group="'A B'"), "who.yml:2: group: 'A B'"),
        (entry(feeds="siem"), "who.yml:2: feeds: 'siem'; expected a list"),
        (entry(name="''"), "who.yml:2: name: ''"),
    ],
)
def test_what_is_no_registry_is_refused_with_a_line(text, expected):
    found = problems(text)

    assert any(problem.startswith(expected) for problem in found), found


def test_aliases_that_unfold_without_end_are_refused_quickly():
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    assert "holds more than 200000 values" in problems("\n".join(rows))[0]


def test_a_group_may_be_named_by_its_own_member():
    text = """\
institutions:
  - {id: fh-1, name: Holding, sector: bank, tier: 1, group: fh-1, feeds: [siem]}
  - {id: fi-1, name: Bank, sector: bank, tier: 1, group: fh-1, feeds: [siem]}
"""
    assert Registry.parse(text, "x").independent_of("fi-1") == "fh-1"


def test_four_hundred_institutions_are_read():
    rows = [f"  - {{id: fi-{n:03}, name: N, sector: bank, tier: 1, feeds: [siem]}}" for n in range(400)]

    assert len(Registry.parse("\n".join(["institutions:", *rows]), "x").institutions) == 400


def test_who_may_send_on_behalf_of_whom_is_registered():
    registry = Registry.parse(entry(delegations="[msp-1, fi-002]"), "who.yml")

    assert [registry.may_submit(who, "fi-001") for who in ("fi-001", "msp-1", "fi-002", "msp-2")] == [
        True,
        True,
        True,
        False,
    ]
    assert not registry.may_submit("msp-1", "fi-002")
    assert Registry.open().may_submit("anybody", "for-anybody")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"delegations": "msp-1"}, "delegations: 'msp-1'; expected a list of at most 16 ids"),
        ({"delegations": "[MSP]"}, "delegations: 'MSP'; expected 2 to 32 of"),
        ({"delegations": "[fsoc-console]"}, "delegations: 'fsoc-console'; expected"),
        ({"delegations": "[fi-001]"}, 'delegations: "fi-001" is the institution itself'),
        ({"delegations": "[aa, aa]"}, 'delegations: "aa" is named twice'),
        ({"delegations": f"[{', '.join(f'm-{n}' for n in range(17))}]"}, "delegations: "),
        ({"suspended": "3"}, "suspended: 3; expected true or false"),
        ({"id": "fsoc-worker"}, 'id: "fsoc-worker" is fsoc\'s own name on a cluster'),
        ({"id": "console"}, 'id: "console" is fsoc\'s own name on a cluster'),
    ],
)
def test_a_delegation_or_a_name_that_would_be_another_s_is_refused(changes, expected):
    (problem,) = problems(entry(**changes))
    assert problem.startswith(f"who.yml:2: {expected}")
