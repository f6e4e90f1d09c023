"""One name for each technique and tactic, whatever version a sender uses."""

import pytest

from fsoc.attack import Techniques
from fsoc.errors import RefusedToStart

KILL_CHAIN = (
    "reconnaissance resource-development initial-access execution persistence privilege-escalation stealth "
    "defense-impairment credential-access discovery lateral-movement collection command-and-control exfiltration impact"
).split()


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("T1490", "T1490"),
        ("t1490", "T1490"),
        (" T1490 ", "T1490"),
        ("T1685.005", "T1685.005"),
        ("T1070.001", "T1685.005"),  # moved by 19
        ("T1562", "T1685"),  # dropped by 19, its children scattered
        ("T1562.009", "T1688"),
        ("T1089", "T1685"),  # revoked for T1562.001 years before 19 revoked that
        ("T1002", "T1560"),
        ("T1574.002", "T1574.001"),
    ],
)
def test_an_id_of_any_version_becomes_the_newest_id(techniques, written, normalised):
    assert techniques.resolve(written).id == normalised


def test_a_ticket_on_18_and_one_on_19_join(techniques):
    assert techniques.resolve("T1070.001") is techniques.resolve("T1070.001")
    assert techniques.resolve("T1070.001") == techniques.resolve("T1685.005")


@pytest.mark.parametrize(("version", "number"), [("17.0", 679), ("18.1", 691 + 132)])
def test_every_id_in_use_in_an_older_table_leads_to_one_in_use_in_the_newest(techniques, shipped, version, number):
    [text] = [text for name, text in shipped if name == f"enterprise-{version}.tsv"]
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    in_use = [row[0] for row in rows if row[3] != "deprecated"]

    assert len(in_use) == number
    assert [technique for technique in in_use if not techniques.resolve(technique).in_use] == []


def test_a_technique_dropped_without_a_successor_keeps_its_last_name(techniques):
    launchd = techniques.resolve("T1053.004")

    assert (launchd.name, launchd.in_use) == ("Launchd", False)


@pytest.mark.parametrize(
    "nonsense", ["", "T9999", "T1562.099", "1490", "TA0005", "impact", "T1490" + " " * 200 + "x", "Τ1490"]
)
def test_an_unknown_id_is_none(techniques, nonsense):
    assert techniques.resolve(nonsense) is None


@pytest.mark.parametrize(
    "written", ["defense_evasion", "defense-evasion", "Defense Evasion", "stealth", "Stealth", "TA0005"]
)
def test_defense_evasion_and_stealth_are_one_tactic(techniques, written):
    assert techniques.tactic(written) == "stealth"


def test_an_unknown_tactic_is_none(techniques):
    assert techniques.tactic("cyber") is None


def test_tactics_stand_in_kill_chain_order(techniques):
    assert list(techniques.tactic_order()) == KILL_CHAIN
    assert techniques.resolve("T1078").tactics == ("initial-access", "persistence", "privilege-escalation", "stealth")


def test_tactics_of_a_technique_are_the_newest_versions(techniques):
    assert techniques.resolve("T1112").tactics == ("persistence", "defense-impairment")


def test_tags_of_a_rule_become_techniques_earliest_tactic_first(techniques):
    tags = ["attack.impact", "attack.t1490", "attack.T1070.001", "attack.t1685.005", "car.2016-04-002", "attack.t9999"]

    assert [technique.id for technique in techniques.techniques(tags)] == ["T1685.005", "T1490"]


def test_complaints_name_unknown_and_outdated_tags_and_only_these(techniques):
    fine = [
        "attack.t1490",
        "attack.stealth",
        "attack.defense_evasion",
        "attack.g0016",
        "attack.s0029",
        "attack.DS0029",
        "tlp.amber",
    ]
    tags = [*fine, "attack.t1070.001", "attack.t9999", "attack.staelth", "attack.t1053.004"]
    told = [complaint.text for tag in tags if (complaint := techniques.complaint(tag)) is not None]
    outdated, unknown, mistyped, dropped = told

    assert outdated == "tag 'attack.t1070.001': in ATT&CK 19 it is T1685.005 Clear Windows Event Logs"
    assert unknown.startswith("tag 'attack.t9999' is not in ATT&CK 19; near: T")
    assert mistyped == "tag 'attack.staelth' is not in ATT&CK 19; near: stealth"
    assert dropped == "tag 'attack.t1053.004': in ATT&CK 19 it is out of use, without a successor"


def test_an_outdated_tag_is_understood_and_an_unknown_one_is_not(techniques):
    told = [techniques.complaint(f"attack.{name}") for name in ("t1070.001", "t1053.004", "t9999", "t1490")]

    assert [complaint and complaint.understood for complaint in told] == [True, True, False, None]


def test_a_hint_names_the_parent_of_an_unknown_sub_technique(techniques):
    assert techniques.hint("T1562.099") == "its parent is known: T1685 Disable or Modify Tools"


def test_a_hint_on_hostile_text_is_short(techniques):
    assert len(techniques.hint("T1" * 100_000)) < 400
    assert len(techniques.hint("\n" * 100_000)) < 400


def test_bad_tables_refuse_to_start_with_every_problem(table):
    name, text = table("19", "T1490\tInhibit\timpact\t", "nonsense", "T1490\tAgain\timpact\t")

    with pytest.raises(RefusedToStart) as refused:
        Techniques.parse([(name, text)])

    assert [problem.where for problem in refused.value.problems] == ["enterprise-19.tsv:5", "enterprise-19.tsv:6"]


def test_the_newest_version_is_the_greatest_number_not_the_last_file(table):
    old = table("9.1", "T1490\tOld\timpact\t")
    new = table("19", "T1490\tNew\timpact\t")

    assert Techniques.parse([new, old]).version == "19"
    assert Techniques.parse([new, old]).resolve("T1490").name == "New"


def test_a_tactic_that_the_newest_version_dropped_is_left_out_of_its_techniques(table):
    old = table("18", "T1490\tInhibit\timpact,gone\tdeprecated", tactics=("TA0040 impact Impact", "TA0099 gone Gone"))
    new = table("19", tactics=("TA0040 impact Impact",))

    found = Techniques.parse([old, new])

    assert found.tactic("gone") is None
    assert found.resolve("T1490").tactics == ("impact",)


@pytest.mark.parametrize(
    ("tactic", "technique", "meant"),
    [
        ("impact", "T1490", "impact"),
        ("defense_evasion", "T1562.001", "defense-impairment"),  # its id and its tactic are others now
        ("defense-evasion", "T1685", None),  # 19 made the id, and has it nowhere else
        ("defense_evasion", "T1112", "defense-impairment"),  # its tactic alone is another
        ("persistence", "T1112", "persistence"),
        ("TA0005", "T1055", "stealth"),
        ("defense_evasion", "T1548.002", "privilege-escalation"),  # it left one of its two
        ("discovery", "T1490", None),
        ("impact", "T9999", None),
        ("smoke", "T1490", None),
    ],
)
def test_a_tactic_is_what_it_means_for_this_technique_today(techniques, tactic, technique, meant):
    assert techniques.under(tactic, technique) == meant


def test_a_pair_of_an_older_version_is_the_newest_versions_pair(techniques):
    assert techniques.pair("defense_evasion", "t1562.001") == ("defense-impairment", "T1685")
    assert techniques.pair("Defense Evasion", "T1055.012") == ("stealth", "T1055.012")


def test_a_pair_that_no_version_has_stays_as_far_as_it_is_not_known(techniques):
    assert techniques.pair("discovery", "T1490") == ("discovery", "T1490")
    assert techniques.pair("smoke", "T9999") == ("smoke", "T9999")
    assert techniques.pair("defense_evasion", "T9999") == ("stealth", "T9999")


def test_what_is_remembered_of_pairs_is_bounded(shipped, monkeypatch):
    monkeypatch.setattr("fsoc.attack.techniques.PAIRS_MAX", 3)
    asked = Techniques.parse(shipped)

    for number in range(9):
        assert asked.pair("impact", f"T{number:04d}") == ("impact", f"T{number:04d}")
        assert len(asked._pairs) <= 3


@pytest.mark.parametrize(
    ("tags", "tactics"),
    [
        (["attack.t1562.001", "attack.defense-evasion"], {"defense-impairment"}),
        (["attack.t1078", "attack.persistence", "attack.discovery"], {"persistence"}),
        (["attack.t1490", "attack.discovery"], set()),
        (["attack.t1490"], set()),
    ],
)
def test_the_tactics_that_a_rule_names_for_its_technique(techniques, tags, tactics):
    [technique] = techniques.techniques(tags)

    assert techniques.named_tactics(tags, technique) == tactics


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        (["attack.t1490", "attack.impact"], []),
        (["attack.t1490"], []),
        (["attack.impact"], []),
        (["attack.t1562.001", "attack.defense-evasion"], []),  # as 18 has it
        (["attack.t1685", "attack.defense-impairment"], []),
        (["attack.t9999", "attack.impact"], []),  # another complaint says that
        (["cve.2024.1", "attack.g0016", "attack.t1490", "attack.impact"], []),
        (
            ["attack.t1490", "attack.discovery"],
            [
                "0 tag 'attack.t1490': T1490 Inhibit System Recovery is of impact; the rule names discovery",
                "1 tag 'attack.discovery': none of the rule's techniques is of this tactic",
            ],
        ),
        (
            ["attack.impact", "attack.t1490", "attack.persistence"],
            ["2 tag 'attack.persistence': none of the rule's techniques is of this tactic"],
        ),
    ],
)
def test_techniques_and_tactics_of_a_rule_that_do_not_belong_together_are_told(techniques, tags, told):
    assert [f"{place} {text}" for place, text in techniques.misplaced(tags)] == told
