"""Alert rules say what they mean, and each has its cases and its runbook. Whether they are right: `deploy/check`."""

from __future__ import annotations

import re

import yaml


def test_every_alert_has_a_case_in_which_it_fires(alerts, deploy):
    files = (deploy / "prometheus").glob("*.test.yml")
    cases = [case for path in files for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]]
    fired = {test["alertname"] for case in cases for test in case["alert_rule_test"] if test["exp_alerts"]}

    assert fired == set(alerts)


def test_every_alert_says_how_urgent_it_is_and_what_it_means(alerts):
    for name, rule in alerts.items():
        assert rule["labels"]["severity"] in {"page", "ticket"}, name
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}, name


def test_every_alert_has_a_runbook_of_its_own_with_its_name_on_it(alerts, deploy):
    runbooks = {name: deploy.parent / rule["annotations"]["runbook"] for name, rule in alerts.items()}

    for name, path in runbooks.items():
        assert path.read_text(encoding="utf-8").startswith(f"# {name}\n")
    assert len(set(runbooks.values())) == len(alerts)
    assert set((deploy / "runbooks").glob("*.md")) - set(runbooks.values()) == {deploy / "runbooks" / "README.md"}


def test_every_runbook_tells_what_it_means_what_to_look_at_what_to_do_and_when_it_is_over(alerts, deploy):
    for rule in alerts.values():
        text = (deploy.parent / rule["annotations"]["runbook"]).read_text(encoding="utf-8")
        assert re.findall(r"^\*\*(Means|Look at|Do|Over)", text, flags=re.MULTILINE) == [
            "Means",
            "Look at",
            "Do",
            "Over",
        ]


def test_the_index_of_runbooks_names_every_alert_with_its_severity(alerts, deploy):
    index = (deploy / "runbooks" / "README.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"^\| \[(\w+)\]\([a-z-]+\.md\) \| (\w+) \|", index, flags=re.MULTILINE))

    assert named == {name: rule["labels"]["severity"] for name, rule in alerts.items()}
