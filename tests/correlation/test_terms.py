"""Under which terms a ticket may be told of: what its sender says, in as few bytes as it can be said."""

from __future__ import annotations

import msgspec
import orjson
import pytest

from fsoc.correlation.entries import Entry, entry_of, put_value
from fsoc.correlation.terms import NO_TERMS, OFFER_BYTES_MAX, OFFERS_MAX, Offer, Terms, TicketTerms, written
from tests.builders import VERSION


def ticket(*observables, **changes):
    return {"confidence": 80, "tlp": "amber", "attribution": "anonymous", "observables": list(observables), **changes}


def seen(value, role="attacker", kind="domain", **more):
    return {"type": kind, "value": value, "role": role, **more}


def of(body, *group):
    return TicketTerms(body).of(orjson.dumps(group).decode())


def test_what_is_usual_is_one_number():
    terms = of(ticket(seen("evil.example")), "evil.example")

    assert (terms, written(terms)) == (Terms(80), (80,))
    assert written(NO_TERMS) == ()


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (NO_TERMS, b""),
        (Terms(90), b",[90]"),
        (Terms(90, "red"), b',[90,"red"]'),
        (Terms(None, "amber", "named"), b',[null,"amber","named"]'),
        (
            Terms(9, offers=(Offer("ipv4", "1.2.3.4", "attacker"),)),
            b',[9,"amber","anonymous","attacker",[["ipv4","1.2.3.4","attacker"]]]',
        ),
    ],
)
def test_an_entry_carries_them_behind_the_version_and_is_read_as_it_was_written(terms, said):
    entry = Entry(7, "aa", "T-1", 1, (), "aa", 3, (), ("rule",), terms=terms)
    value = put_value(entry, VERSION)

    assert value.endswith(orjson.dumps([*VERSION])[1:-1] + said + b"]")
    assert entry_of(value) == entry


def test_an_entry_from_before_there_were_terms_has_none():
    entry = Entry(7, "aa", "T-1", 1, (), "aa", 3, (), ("rule",))

    assert entry_of(msgspec.json.encode((entry[:9], *VERSION))) == entry


@pytest.mark.parametrize(
    ("group", "key"),
    [
        (("evil.example",), "attacker"),
        (("c2.example",), "infrastructure"),
        (("victim.example",), "own"),
        (("c2.example", "victim.example"), "own"),
        (("c2.example", "endpoint"), "infrastructure"),
        (("T1486",), "attacker"),
    ],
)
def test_what_the_groups_value_is_to_the_ticket(group, key):
    body = ticket(
        seen("EVIL.example"),
        seen("c2.example", "infrastructure"),
        seen("Victim.example"),
        seen("victim.example", "victim"),
        seen("host-7"),
        assets=[{"ref": "HOST-7"}],
    )

    assert of(body, *group).key == key
    assert of(body, "host-7").key == "own"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (ticket(assets=[{"ref": "WWW.own.example"}]), "www.OWN.example"),
        (ticket(seen("victim.example", "victim")), "victim.example"),
        (ticket(seen("0f" * 32, "attacker", "account_token")), "0f" * 32),
        (ticket(seen("harbtwtp", "infrastructure", "swift_bic")), "harbtwtp"),
    ],
)
def test_what_is_ones_own_is_so_where_no_observable_calls_it_the_attackers(body, value):
    """A rule may group by what is in the evidence, as a proxy's host."""
    assert of(body, value).key == "own"


def test_a_weakness_is_nobodys_whoever_has_it():
    assert of(ticket(seen("CVE-2026-1234", "victim", "cve")), "cve-2026-1234").key == "attacker"


@pytest.mark.parametrize(
    ("share", "attribution", "tlp", "offered"),
    [
        (None, "anonymous", "amber", False),
        (True, "anonymous", "amber", True),
        (True, "anonymous", "amber+strict", True),
        (True, "named", "red", False),
        (None, "sector_only", "amber", True),
        (None, "named", "green", True),
        (False, "named", "clear", False),
    ],
)
def test_what_a_sender_offers(share, attribution, tlp, offered):
    body = ticket(seen("Evil.example", share=share), attribution=attribution, tlp=tlp)

    assert of(body, "x").offers == ((Offer("domain", "evil.example", "attacker"),) if offered else ())


@pytest.mark.parametrize(
    "observable",
    [
        seen("evil.example", "victim", share=True),
        seen("evil.example", "artefact", share=True),
        seen("0f" * 16, kind="account_token", share=True),
        seen("curl/8", kind="user_agent", share=True),
        seen("own.example", share=True),
        seen("x" * OFFER_BYTES_MAX + ".example", share=True),
    ],
)
def test_what_may_be_a_victims_is_no_offer(observable):
    assert of(ticket(observable, assets=[{"ref": "OWN.example"}]), "x").offers == ()


def test_offers_are_bounded():
    many = [seen(f"{number}.example", share=True) for number in range(OFFERS_MAX + 3)]

    assert [offer.value for offer in of(ticket(*many), "x").offers] == [f"{n}.example" for n in range(OFFERS_MAX)]
