"""Alerts' ids: the same in every run, and nobody's to reckon who does not know the installation's key."""

from __future__ import annotations

from fsoc.alerts.identity import alert_id
from fsoc.correlation.entries import GroupKey

KEY = GroupKey("rule", "production", '["bank-login.example"]')


def test_an_id_is_a_function_of_rule_environment_group_and_episode():
    assert alert_id(KEY, 7, b"k" * 16) == alert_id(GroupKey(*KEY), 7, b"k" * 16)
    others = [KEY._replace(rule="other"), KEY._replace(environment="exercise"), KEY._replace(group='["x"]')]
    assert len({alert_id(each, 7, b"k" * 16) for each in (KEY, *others)} | {alert_id(KEY, 8, b"k" * 16)}) == 5


def test_who_does_not_know_the_key_cannot_try_what_a_group_is():
    """An institution is told the id; the rule is published, and episodes are few."""
    told = alert_id(KEY, 7, b"of the installation alone")
    guesses = [alert_id(KEY, episode, key) for episode in range(20) for key in (b"", b"another key, as long")]

    assert told not in guesses
    assert alert_id(KEY, 7) != told
