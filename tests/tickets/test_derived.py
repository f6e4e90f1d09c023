"""What follows from a ticket's own fields."""

from __future__ import annotations

import pytest

from fsoc.tickets.derived import with_derived


def test_the_failure_ratio_is_failed_logins_of_all():
    ticket = {"severity": 3, "volume": {"failed_logins": 99, "successful_logins": 1, "count": 7}}
    derived = with_derived(ticket)

    assert derived["volume"] == {**ticket["volume"], "failure_ratio": 0.99}
    assert derived["severity"] == 3
    assert "failure_ratio" not in ticket["volume"]


@pytest.mark.parametrize(
    "volume",
    [
        None,
        {},
        {"failed_logins": 5},
        {"successful_logins": 5},
        {"failed_logins": 0, "successful_logins": 0},
        {"failed_logins": None, "successful_logins": 5},
        {"failed_logins": "5", "successful_logins": 5},
        [5],
    ],
)
def test_where_either_number_is_missing_nothing_is_reckoned(volume):
    ticket = {"volume": volume}

    assert with_derived(ticket) is ticket


@pytest.mark.parametrize(("failed", "successful", "ratio"), [(0, 5, 0), (5, 0, 1), (1, 1, 0.5)])
def test_the_ratio_reaches_from_nought_to_one(failed, successful, ratio):
    volume = {"failed_logins": failed, "successful_logins": successful}

    assert with_derived({"volume": volume})["volume"]["failure_ratio"] == ratio
