"""Long runs, by `make soak` only: what a few seeds show in minutes, shown over many."""

from __future__ import annotations

import os
import subprocess
import sys

import orjson
import pytest

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.skipif(not os.environ.get("FSOC_SOAK"), reason="make soak runs it"),
]


def newest_alerts(*options):
    """Run the demo to its score; return the newest revision of each alert that was not taken back."""
    command = [sys.executable, "-m", "fsoc", "demo", "--once", "--duration", "0", *options]
    done = subprocess.run(command, capture_output=True, check=False, timeout=600)
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (lines[-1:], done.stderr)
    alerts = {line["alert"]["alert_id"]: line["alert"] for line in lines if line["type"] == "alert"}
    return {name: {**alert, "revision": None} for name, alert in alerts.items() if alert["status"] != "retracted"}


@pytest.mark.parametrize("seed", range(1, 9))
def test_every_planted_campaign_is_alerted_and_three_runs_on_kafka_end_as_one_in_process(seed, kafka):
    in_process = newest_alerts("--seed", str(seed), "--in-process")

    for _ in range(3):
        assert newest_alerts("--seed", str(seed), "--brokers", kafka) == in_process
