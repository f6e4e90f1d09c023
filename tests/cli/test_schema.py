"""`fsoc schema` prints a schema that any validator reads, the same every time."""

import json

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from fsoc.cli.schema import command


@pytest.mark.parametrize("what", ["ticket", "alert", "campaign", "receipt", "feedback"])
def test_each_schema_is_printed_in_a_stable_order(what):
    first, second = CliRunner().invoke(command, [what]), CliRunner().invoke(command, [what])
    schema = json.loads(first.stdout)

    assert first.exit_code == 0
    assert first.stdout == second.stdout == json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    assert schema["$id"] == f"urn:fsoc:fsoc.{what}:1"
    Draft202012Validator.check_schema(schema)


def test_an_unknown_name_is_refused_with_those_there_are():
    result = CliRunner().invoke(command, ["tickets"])

    assert result.exit_code == 2
    assert "'ticket', 'alert', 'campaign', 'receipt', 'feedback'" in result.stderr
