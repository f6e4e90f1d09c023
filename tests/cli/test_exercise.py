"""`fsoc exercise` as a person calls it."""

from __future__ import annotations

import dataclasses

import orjson
import pytest
import yaml
from click.testing import CliRunner

from fsoc.cli.exercise import command
from fsoc.errors import RefusedToStart
from fsoc.exercise import ExerciseSpec, generate

SMALL = {"institutions": 8, "seed": 3, "hours": 24, "tickets_per_institution": 5}


def options():
    return [word for name, value in SMALL.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def written(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_three_files_are_the_exercise(tmp_path):
    result = CliRunner().invoke(command, [*options(), "--out", str(tmp_path / "new" / "folder")])
    files = written(tmp_path / "new" / "folder")
    exercise = generate(ExerciseSpec(**SMALL))

    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert sorted(files) == ["institutions.yml", "tickets.ndjson", "truth.ndjson"]
    assert files["tickets.ndjson"] == b"".join(exercise.tickets_ndjson())
    assert len(yaml.safe_load(files["institutions.yml"])["institutions"]) == 8


def test_the_truth_names_every_ticket_of_every_campaign_with_its_sender(tmp_path):
    CliRunner().invoke(command, [*options(), "--out", str(tmp_path)])
    lines = [orjson.loads(line) for line in (tmp_path / "truth.ndjson").read_bytes().splitlines()]
    exercise = generate(ExerciseSpec(**SMALL))
    senders = {
        (body["institution"], body["ticket_id"])
        for delivery in exercise.deliveries
        if "ticket_id" in (body := orjson.loads(delivery.payload))
    }

    for campaign in exercise.truth:
        own = [line for line in lines if line["label"].split()[0] == campaign.id]
        assert sorted(line["ticket_id"] for line in own) == sorted(campaign.ticket_ids)
        assert {line["institution"] for line in own} == set(campaign.institutions)
        assert {line["label"] for line in own} == {f"{campaign.id} {campaign.kind}"}
    assert len(lines) == sum(len(campaign.ticket_ids) for campaign in exercise.truth)
    assert {(line["institution"], line["ticket_id"]) for line in lines} <= senders


def test_the_same_options_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        CliRunner().invoke(command, [*options(), "--out", str(tmp_path / name)])

    assert written(tmp_path / "a") == written(tmp_path / "b")


def test_every_field_of_the_spec_is_an_option_with_the_fields_default():
    made = {parameter.name: parameter for parameter in command.params}
    for field in dataclasses.fields(ExerciseSpec):
        assert made[field.name].opts == [f"--{field.name.replace('_', '-')}"]
        assert made[field.name].default == field.default


def test_what_is_out_of_bounds_is_refused_by_the_options_name(tmp_path):
    result = CliRunner().invoke(
        command, ["--institutions", "2", "--tickets-per-institution", "0", "--out", str(tmp_path / "x")]
    )

    assert isinstance(result.exception, RefusedToStart)
    assert [problem.where for problem in result.exception.problems] == ["--institutions", "--tickets-per-institution"]
    assert not (tmp_path / "x").exists()


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(command, [*options(), "--out", str(tmp_path / "file")])

    assert isinstance(result.exception, RefusedToStart)
    assert result.exception.problems[0].where == str(tmp_path / "file")


@pytest.mark.parametrize("shape", ["--seed=x", "--nothing=1"])
def test_what_is_no_option_is_refused(shape):
    assert CliRunner().invoke(command, [shape, "--out", "x"]).exit_code == 2
