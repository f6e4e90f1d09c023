"""Hunting rules become queries of the SIEM that is named; what cannot be said there is told, and never left out."""

from __future__ import annotations

import pytest

from fsoc.baseline.conversion import TARGETS
from fsoc.channels.hunting import profile_of, queries_of
from fsoc.errors import RefusedToStart
from tests.channels.told import feedback, statement

HERE = [name for name in TARGETS if name != "loki"]  # whose backend is installed by those who want it


def test_every_target_has_a_query_of_the_rule():
    told = feedback()
    found = queries_of(told, [profile_of(name) for name in HERE])

    (queries,) = found.values()
    assert [one.system for one in queries] == [TARGETS[name].name for name in HERE]
    for one in queries:
        assert one.text is not None, one.system
        assert "login.update.example" in one.text, one.system


def test_a_mapping_puts_the_fields_of_the_institution():
    (plain, mapped) = next(
        iter(queries_of(feedback(), [profile_of("splunk"), profile_of("splunk+splunk_cim")]).values())
    )

    assert mapped.system == "Splunk SPL (splunk_cim)"
    assert (plain.text, plain.notes) != (mapped.text, mapped.notes)


def test_what_cannot_be_said_is_told_with_its_reason():
    sigma = statement()["hunt"][0]["sigma"].replace("cs-host|contains: login.update.example", "x|re: (?<=a)b")
    hard = [{**statement()["hunt"][0], "sigma": sigma}]
    (query,) = next(iter(queries_of(feedback(statement=statement(hunt=hard)), [profile_of("elastic-lucene")]).values()))

    assert query.text is None
    assert query.notes[0][0]


@pytest.mark.parametrize("name", ["excel", "", "splunk2"])
def test_a_siem_that_is_none_is_refused_and_the_others_are_named(name):
    with pytest.raises(RefusedToStart, match="splunk, elastic-lucene"):
        profile_of(name)


def test_of_an_alert_on_ones_own_feed_there_is_nothing_to_hunt():
    assert queries_of(feedback(statement=None, kind="feed", feed="siem"), [profile_of("splunk")]) == {}
