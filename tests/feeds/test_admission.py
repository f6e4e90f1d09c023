"""Who sends on another's behalf is registered, or the ticket is quarantined; what was decided stands."""

from __future__ import annotations

import orjson
import pytest

from fsoc.errors import InvalidTicket
from fsoc.feeds.admission import admit
from fsoc.feeds.outcomes import Outcome
from fsoc.institutions.registry import Registry
from fsoc.tickets import sample

REGISTRY = Registry.parse(
    "institutions: [{id: fi-001, name: A, sector: bank, tier: 1, feeds: [siem], delegations: [msp-1]}]", "who.yml"
)


def payload(**changes):
    return orjson.dumps(sample.ticket(**changes))


def refused(*arguments):
    with pytest.raises(InvalidTicket) as raised:
        admit(*arguments)
    return [(fault.code, fault.pointer) for fault in raised.value.faults]


@pytest.mark.parametrize("submitter", [..., None, "fi-001", "msp-1"])
def test_the_institution_and_who_is_registered_may_send(submitter):
    assert admit(payload(submitted_by=submitter), "fi-001", REGISTRY, None).ticket_id == "T-20260302-0001"


def test_who_is_not_registered_may_not_whatever_they_send():
    for body in (sample.ticket(submitted_by="msp-2"), sample.source_status(submitted_by="msp-2")):
        assert refused(orjson.dumps(body), "fi-001", REGISTRY, None) == [("identity.delegation", "/submitted_by")]


def test_a_delegation_is_of_one_institution():
    assert refused(payload(institution="fi-002", submitted_by="msp-1"), "fi-002", REGISTRY, None) == [
        ("identity.delegation", "/submitted_by")
    ]
    assert refused(payload(institution="fi-002", submitted_by="msp-1"), "fi-001", REGISTRY, None) == [
        ("identity.mismatch", "/institution")
    ]


@pytest.mark.parametrize("decided", [Outcome.USED, Outcome.DUPLICATE, Outcome.LATE])
def test_what_was_decided_before_the_delegation_was_taken_back_stands(decided):
    assert admit(payload(submitted_by="msp-2"), "fi-001", REGISTRY, decided).revision == 1


def test_what_was_refused_for_it_is_refused_again_in_the_same_words():
    assert refused(payload(submitted_by="msp-2"), "fi-001", REGISTRY, Outcome.QUARANTINED) == [
        ("identity.delegation", "/submitted_by")
    ]


def test_without_a_registry_everybody_may():
    assert admit(payload(submitted_by="msp-2"), "fi-001", Registry.open(), None).institution == "fi-001"
