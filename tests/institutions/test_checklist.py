"""The list ticks itself, in order, and says what comes next."""

from dataclasses import replace

from fsoc.institutions.checklist import Standing, checklist, is_complete

DONE = Standing(
    looked=True,
    topics=True,
    rules=True,
    quota=True,
    asks_who_comes=True,
    credential=True,
    received=3,
    used=2,
    ticketed=True,
    heard=True,
    receipts=1,
)


def states(standing):
    return {step.id: step.state for step in checklist("fi-001", standing)}


def test_where_everything_was_found_nothing_is_open():
    assert set(states(DONE).values()) == {"done"}
    assert is_complete(checklist("fi-001", DONE))


def test_each_thing_that_is_missing_opens_its_own_step_and_no_other():
    for step, missing in {
        "registered": {"suspended": True},
        "topics": {"topics": False},
        "rules": {"rules": False},
        "quota": {"quota": False},
        "credential": {"credential": False},
        "received": {"received": 0},
        "ticket": {"ticketed": False},
        "heartbeat": {"heard": False},
        "receipt": {"receipts": 0},
    }.items():
        found = states(replace(DONE, **missing))
        assert [name for name, state in found.items() if state == "open"] == [step]
        assert not is_complete(checklist("fi-001", replace(DONE, **missing)))


def test_a_cluster_that_asks_nobody_needs_no_rules_and_no_password():
    found = states(replace(DONE, rules=None, asks_who_comes=False, credential=False))

    assert (found["rules"], found["credential"]) == ("not needed", "not needed")
    assert is_complete(checklist("fi-001", replace(DONE, rules=None, asks_who_comes=False, credential=False)))


def test_where_nobody_looked_nothing_is_known_but_the_registry():
    found = states(Standing())

    assert found.pop("registered") == "done"
    assert set(found.values()) == {"unknown"}
    assert not is_complete(checklist("fi-001", Standing()))


def test_every_step_says_what_to_do_in_two_languages():
    for step in checklist("fi-001", DONE):
        assert step.text
        assert step.hint
        assert any("\u4e00" <= letter <= "\u9fff" for letter in step.text_zh)
        assert any("\u4e00" <= letter <= "\u9fff" for letter in step.hint_zh)
