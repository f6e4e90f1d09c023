"""Files of alerts, truth and tickets: every bad line with its place, all at once."""

from __future__ import annotations

import orjson
import pytest

from fsoc.errors import RefusedToStart
from fsoc.institutions.registry import Registry
from fsoc.runtime.evaluation.reading import PROBLEMS_MAX, read_alerts, read_tickets, read_truth_file
from fsoc.tickets.sample import ticket


def refusals(step):
    with pytest.raises(RefusedToStart) as refused:
        step()
    return [str(problem) for problem in refused.value.problems]


def test_every_bad_line_of_the_truth_is_named_with_its_place(tmp_path):
    path = tmp_path / "truth.ndjson"
    path.write_text(
        '{"ticket_id": "1", "label": "kit"}\n'
        "\n"
        "{broken\n"
        '{"label": "kit"}\n'
        '{"ticket_id": "1", "label": "flood"}\n'
        '{"ticket_id": "2", "label": 7}\n'
        '{"ticket_id": "3"}'
    )
    found = refusals(lambda: read_truth_file(path))

    assert [line.split(": ")[0] for line in found] == [f"{path}:{number}" for number in (3, 4, 5, 6)]
    assert "ticket_id" in found[1]
    assert '"flood" here, "kit" before' in found[2]
    assert "label" in found[3]


def test_bad_lines_without_end_are_counted(tmp_path):
    path = tmp_path / "alerts.ndjson"
    path.write_text("{}\n" * (PROBLEMS_MAX + 5))
    found = refusals(lambda: read_alerts(path))

    assert len(found) == PROBLEMS_MAX + 1
    assert found[-1] == f"{path}: 5 more lines like these"


def test_files_that_cannot_be_read_are_named(tmp_path):
    for step in (read_alerts, read_truth_file, lambda path: read_tickets([path], None)):
        assert refusals(lambda step=step: step(tmp_path / "none"))[0].startswith(str(tmp_path / "none"))
        assert refusals(lambda step=step: step(tmp_path))[0].startswith(str(tmp_path))


def test_empty_files_say_nothing(tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"\n")

    assert read_alerts(path) == []
    assert list(read_truth_file(path).labels([])) == []


def test_tickets_are_read_over_all_files_by_the_registrys_allowed_lateness(tmp_path):
    early = {"occurred_from": "2026-03-02T00:00:00Z", "detected_at": "2026-03-02T02:00:00Z"}
    early["sent_at"] = "2026-03-02T02:01:00Z"
    bodies = [ticket(institution=name, ticket_id="t", **early) for name in ("fi-001", "fi-002")]
    for number, body in enumerate(bodies):
        (tmp_path / f"{number}.ndjson").write_bytes(orjson.dumps(body) + b"\n{no ticket\n")
    registry = Registry.parse(
        "institutions:\n"
        "  - {id: fi-001, name: One, sector: bank, tier: 1, feeds: [siem], allowed_lateness: 3h}\n"
        "  - {id: fi-002, name: Two, sector: bank, tier: 1, feeds: [siem]}\n",
        "institutions.yml",
    )
    tickets = read_tickets([tmp_path / "0.ndjson", tmp_path / "1.ndjson"], registry)
    first, second = (tickets.get((name, "t")).event_ms for name in ("fi-001", "fi-002"))

    assert (tickets.lines, len(tickets)) == (4, 2)
    assert second - first == 2 * 3_600_000
