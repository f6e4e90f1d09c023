"""The sample is a valid ticket that can be bent."""

from fsoc.tickets import sample


def test_changes_replace_and_dots_remove():
    body = sample.ticket(severity=1, occurred_to=...)

    assert body["severity"] == 1
    assert "occurred_to" not in body
    assert sample.ticket() == sample.ticket()
    assert sample.ticket() is not sample.ticket()
