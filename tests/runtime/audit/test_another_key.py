"""State is held to the key that its workers have."""

from __future__ import annotations


async def test_alerts_whose_ids_were_made_by_another_key_are_others(worked):
    found = (await worked.verify(alert_key=b"of another installation")).findings

    assert {finding.code for finding in found} == {"wrong-alert"}
