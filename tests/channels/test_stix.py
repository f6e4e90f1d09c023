"""A bundle is strict STIX 2.1, says no more than feedback, and a revision updates the objects of the one before."""

from __future__ import annotations

import json
import re

import pytest
import stix2
import stix2validator
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.channels.stix import bundle_of
from fsoc.channels.stix_ids import uuid5
from fsoc.channels.stix_patterns import literal
from tests.channels.told import EVIL, feedback, full, indicator, statement

TLP_AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
# All that it recommends but one: it would have version 4 of every id, and of what follows from content it is 5.
OPTIONS = stix2validator.ValidationOptions(strict=True, version="2.1", enforce_refs=True, disabled=["uuid-check"])


def objects(told):
    return json.loads(bundle_of(told))["objects"]


def of_kind(told, kind):
    return [one for one in objects(told) if one["type"] == kind]


def of_alert(told):
    """What is of the alert, and not the same in every bundle."""
    return {
        one["id"]: one
        for one in objects(told)
        if one.get("modified", "")[:4] == "2026" and "T00:00:00.000Z" not in one["modified"]
    }


VARIANTS = {
    "plain": feedback(),
    "full": full(),
    "retracted": full(status="retracted"),
    "drill": full(exercise=True, environment="exercise"),
    "own feed": feedback(statement=None, kind="feed", feed="siem"),
    "strict": full(tlp="amber+strict"),
    "no count": feedback(statement=statement(institution_count_at_least=None, indicators=[])),
}


@pytest.mark.parametrize("told", VARIANTS.values(), ids=VARIANTS)
def test_a_bundle_is_strict_stix(told):
    text = bundle_of(told)

    bundle = stix2.parse(text, allow_custom=False, version="2.1")
    assert {one["type"] for one in bundle.objects} >= {"identity", "marking-definition", "report"}
    found = stix2validator.validate_string(text, OPTIONS)
    assert found.is_valid, [str(one) for one in found.errors]


@pytest.mark.parametrize("told", VARIANTS.values(), ids=VARIANTS)
def test_every_reference_is_within_the_bundle_and_every_object_is_marked(told):
    found = {one["id"]: one for one in objects(told)}
    for one in found.values():
        refs = [value for name, value in one.items() if name.endswith("_ref")]
        refs += [value for name, values in one.items() if name.endswith("_refs") for value in values]
        assert set(refs) <= set(found), one["type"]
        assert one["type"] == "marking-definition" or one["object_marking_refs"]


def test_it_has_what_the_record_says():
    told = full()

    assert {one["pattern_type"] for one in of_kind(told, "indicator")} == {"stix", "sigma"}
    patterns = [one["pattern"] for one in of_kind(told, "indicator") if one["pattern_type"] == "stix"]
    assert len(patterns) == 11, "of 14 types STIX has no property for JA4 and free text, and a CVE is a vulnerability"
    assert of_kind(told, "vulnerability")[0]["external_references"][0]["external_id"] == "CVE-2026-0001"
    (pattern,) = of_kind(told, "attack-pattern")
    assert pattern["external_references"][0]["external_id"] == "T1566.002"
    (action,) = of_kind(told, "course-of-action")
    assert action["external_references"][0]["external_id"] == "M1017"
    (against,) = of_kind(told, "relationship")
    assert (against["source_ref"], against["target_ref"]) == (action["id"], pattern["id"])
    (report,) = of_kind(told, "report")
    assert {"source_name": "own-ticket", "external_id": "T-20260302-0001"} in report["external_references"]
    assert report["object_marking_refs"] == [TLP_AMBER]
    (chinese,) = of_kind(told, "language-content")
    assert chinese["contents"]["zh-TW"]["name"] == told.title_zh
    assert chinese["object_ref"] == report["id"]


def test_a_sighting_says_the_rounded_number_and_never_where():
    for one in of_kind(full(), "sighting"):
        assert one["count"] == 5
        assert "where_sighted_refs" not in one
        assert one["summary"] is True
    for one in of_kind(VARIANTS["no count"], "sighting"):
        assert "count" not in one


def test_a_revision_updates_the_same_objects_and_a_retraction_revokes_them():
    first, second = full(revision=1, told_at="2026-03-02T08:30:00.000Z"), full(revision=2)
    last = full(revision=3, status="retracted")
    before, after, gone = of_alert(first), of_alert(second), of_alert(last)

    assert set(before) == set(after) == set(gone)
    assert len(before) > 20
    for name, one in before.items():
        assert one["created"] == after[name]["created"] == gone[name]["created"]
        assert one["modified"] < after[name]["modified"] < gone[name]["modified"]
        assert "revoked" not in after[name]
        assert gone[name]["revoked"] is True
    fixed = [{name: one for name, one in by_id(told).items() if name not in before} for told in (first, last)]
    assert fixed[0] == fixed[1], "what is the same for all alerts has one version for ever"


def by_id(told):
    return {one["id"]: one for one in objects(told)}


def test_two_revisions_of_one_millisecond_are_two_versions():
    one, two = (full(revision=revision, told_at="2026-03-02T09:30:00.000Z") for revision in (2, 3))

    assert of_kind(one, "report")[0]["modified"] < of_kind(two, "report")[0]["modified"]


def test_the_objects_of_two_institutions_do_not_meet():
    assert not set(of_alert(full())) & set(of_alert(full(institution="fi-002")))


def test_the_same_record_is_always_the_same_bundle():
    assert bundle_of(full()) == bundle_of(full())


def test_a_drill_is_marked_on_every_title():
    told = VARIANTS["drill"]
    titled = [one for one in of_alert(told).values() if "name" in one and one["type"] in {"report", "indicator"}]

    assert titled
    assert all("演練" in one["name"] and "exercise" in one["labels"] for one in titled)
    assert "演練" in of_kind(told, "language-content")[0]["contents"]["zh-TW"]["name"]


def test_a_number_of_version_five():
    name = uuid5("a", "b")

    assert name[14] == "5"
    assert name[19] in "89ab"
    assert name != uuid5("ab") != uuid5("a,b")


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_whatever_a_value_is_it_is_one_string_of_a_pattern(value):
    """The plain twin unquotes it."""
    quoted = literal(value)

    assert quoted[0] == quoted[-1] == "'"
    inner, back, escaped = quoted[1:-1], "", False
    for char in inner:
        if escaped or char not in "'\\":
            back, escaped = back + char, False
        else:
            assert char == "\\", "nothing ends the string before its end"
            escaped = True
    assert back == value


@pytest.mark.parametrize(
    ("kind", "value", "seen", "other"),
    [
        (
            "url",
            "https://evil.example/pay.php/it's",
            "https://evil.example/Pay.PHP/it's",
            "https://evil.example/payxphp",
        ),
        ("user_agent", "kit/1.0 (a+b\\c)", "Kit/1.0 (A+b\\C)", "kit/1.0 (aab\\c)"),
    ],
)
def test_what_is_told_in_lower_case_is_matched_in_any(kind, value, seen, other):
    """The plain twin unquotes the pattern, and matches as a tool does."""
    told = feedback(statement=statement(indicators=[indicator(kind, value)]))

    (found,) = [one for one in of_kind(told, "indicator") if one["pattern_type"] == "stix"]
    _, _, quoted = found["pattern"].removesuffix("']").partition(" MATCHES '")
    pattern = re.sub(r"\\(.)", r"\1", quoted)
    assert re.search(pattern, value)
    assert re.search(pattern, seen)
    assert not re.search(pattern, other)
    assert not re.search(pattern, f"x{value}x")


@pytest.mark.parametrize("kind", ["domain", "url", "user_agent", "email"])
def test_a_hostile_value_stays_a_value(kind):
    told = feedback(statement=statement(indicators=[indicator(kind, "x'] OR [file:name = 'y" + EVIL)]))

    (found,) = [one for one in of_kind(told, "indicator") if one["pattern_type"] == "stix"]
    assert found["pattern"].count("[") - found["pattern"].count("\\'] OR [") >= 1
    stix2.parse(bundle_of(told), allow_custom=False)
