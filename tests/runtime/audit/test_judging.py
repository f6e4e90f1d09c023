"""An alert that is called other than its entries and its time say."""

from __future__ import annotations

import pytest

STATE = "correlation.state"


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [("retracted", "wrong-alert", "is retracted; "), ("final", "wrong-status", "is final, expected open")],
)
async def test_an_open_alert_that_is_called_otherwise_is_found(worked, first, status, code, text):
    partition, key = first(await worked.records(STATE), lambda _, value: b'"status":"open"' in value)
    await worked.change(STATE, partition, key, status=status)

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place.key) == (code, key)
    assert finding.text.startswith(text)
