"""Every bad payload is refused with its code, its place and its reason."""

import pytest

from fsoc.errors import InvalidTicket
from fsoc.tickets.codes import CODES
from fsoc.tickets.decode import decode


def test_a_bad_payload_is_refused_with_code_pointer_and_reason(bad):
    with pytest.raises(InvalidTicket) as refused:
        decode(bad.payload, institution="fi-001")

    faults = refused.value.faults
    found = [fault for fault in faults if (fault.code, fault.pointer) == (bad.code, bad.pointer)]
    assert found, faults
    assert bad.reason in found[0].text
    for fault in faults:
        assert fault.code in CODES
        assert len(fault.text) <= 200
        assert len(fault.pointer) <= 256
        assert fault.text.isprintable()


def test_the_corpus_is_large_and_holds_nothing_twice(bad_payloads):
    corpus = bad_payloads.corpus()

    assert len(corpus) >= 200
    assert len({bad.payload for bad in corpus}) == len(corpus)
    assert len({bad.name for bad in corpus}) == len(corpus)


def test_every_code_decoding_can_give_is_in_the_corpus(bad_payloads):
    from_intake = {"time.future", "time.late", "revision.conflict", "identity.delegation", "payload.more-faults"}
    from_intake |= {"identity.exercise"}
    from_intake |= {code for code in CODES if code.startswith(("signature.", "attack.", "category."))}
    assert {bad.code for bad in bad_payloads.corpus()} == set(CODES) - from_intake


def test_what_lies_in_the_future_is_left_to_intake(bad_payloads):
    assert decode(bad_payloads.far_future(), institution="fi-001").detected_at_ms > 4_900_000_000_000
