"""Alerts, dashboards and runbooks speak of metrics that a worker has, in queries that Prometheus can read."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import yaml
from prometheus_client import generate_latest

from fsoc.runtime.gateway.metrics import REGISTRY as GATEWAY_REGISTRY
from fsoc.runtime.metrics import REGISTRY, StateCollector

_NAME = re.compile(r"\bfsoc_[a-z0-9_]+\b")
_SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""], "info": [""]}


@pytest.fixture(scope="module")
def declared():
    """Every series a worker can show, by the name Prometheus stores it under."""
    return _series([*REGISTRY.collect(), *StateCollector(dict, dict, dict).collect()])


@pytest.fixture(scope="module")
def shown(declared):
    """Those of a gateway too."""
    return declared | _series(GATEWAY_REGISTRY.collect())


def _series(families):
    return {family.name + suffix for family in families for suffix in _SUFFIXES[family.type]}


@pytest.fixture(scope="module")
def queries(deploy):
    """Every query of every dashboard, by panel and letter."""
    found = {}
    for path in sorted((deploy / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", []):
                found[f"{path.stem}: {panel['title']} {target['refId']}"] = target["expr"]
    return found


def test_every_alert_asks_for_metrics_a_worker_or_a_gateway_has(alerts, shown):
    unknown = {name: sorted(set(_NAME.findall(rule["expr"])) - shown) for name, rule in alerts.items()}

    assert not {name: metrics for name, metrics in unknown.items() if metrics}


def test_every_panel_asks_for_metrics_a_worker_has(queries, declared):
    unknown = {name: sorted(set(_NAME.findall(query)) - declared) for name, query in queries.items()}

    assert len(queries) > 20
    assert not {name: metrics for name, metrics in unknown.items() if metrics}


def test_every_metric_in_a_runbook_is_one_a_worker_or_a_gateway_has(deploy, shown):
    named = {
        (path.name, name)
        for path in (deploy / "runbooks").glob("*.md")
        for name in _NAME.findall(path.read_text(encoding="utf-8"))
    }

    assert len(named) > 10
    assert not {(path, name) for path, name in named if name not in shown}


def test_every_metric_of_a_worker_is_shown_on_the_dashboard(queries, declared):
    """Of a histogram any of its three series will do."""
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for query in queries.values() for name in _NAME.findall(query)}

    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in declared} - shown == set()


def test_prometheus_can_read_every_query_of_the_dashboards(queries, promtool, tmp_path):
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries.values())]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}), encoding="utf-8")

    checked = subprocess.run([promtool, "check", "rules", path], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_prometheus_finds_no_fault_with_a_workers_or_a_gateways_metrics(promtool):
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=generate_latest(REGISTRY) + generate_latest(GATEWAY_REGISTRY),
        capture_output=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
