"""Which SIEM an institution has, and what its fields are called."""

from __future__ import annotations

import pytest

from fsoc.baseline.publish.profiles import DEFAULT, Profile, read_profiles
from fsoc.errors import Problem, RefusedToStart

MAPPING = "name: ours\npriority: 10\ntransformations: []\n"


def file_text(name: str) -> str:
    if name != "maps/ours.yml":
        raise RefusedToStart(Problem(name, "no such file"))
    return MAPPING


def test_each_choice_is_a_profile_beside_every_targets_own():
    text = (
        "institutions:\n  fi-001: {target: splunk, mapping: splunk_cim}\n  fi-002: {target: loki}\n"
        "  fi-003: {target: qradar, mapping: maps/ours.yml}\n"
    )

    found = read_profiles(text, "siems.yml", file_text)

    assert found.chosen["fi-002"] == Profile("loki")
    assert found.chosen["fi-003"].pipeline == MAPPING
    assert [profile.name for profile in found.all[len(DEFAULT) :]] == ["qradar+ours", "splunk+splunk_cim"]
    assert found.all[: len(DEFAULT)] == DEFAULT


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{target: splnk}", 'did you mean "splunk"?'),
        ("{target: splunk, mapping: ecs_windows}", '"ecs_windows" is unknown'),
        ("{target: splunk, mapping: other.yml}", "no such file"),
        ("{target: splunk, maping: x}", 'did you mean "mapping"?'),
        ("splunk", "expected {target: …}"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(entry, told):
    with pytest.raises(RefusedToStart) as refused:
        read_profiles(f"institutions:\n  fi-001: {entry}\n", "siems.yml", file_text)

    assert told in str(refused.value)
    assert str(refused.value).startswith("siems.yml:2")


def test_an_institution_that_is_not_in_the_registry_is_told():
    with pytest.raises(RefusedToStart, match='"fi-009" is unknown'):
        read_profiles("institutions:\n  fi-009: {target: loki}\n", "siems.yml", file_text, ["fi-001"])
