"""Settings: three places, one name each, every problem at once."""

from dataclasses import replace
from pathlib import Path

import pytest

from fsoc import settings
from fsoc.errors import RefusedToStart
from fsoc.sharing.caution import ALWAYS, Caution


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "fsoc.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems(*arguments, **named):
    with pytest.raises(RefusedToStart) as refused:
        settings.load(*arguments, **named)
    return [str(problem) for problem in refused.value.problems]


def test_without_anything_there_are_defaults():
    found = settings.load(environment={})

    assert found.brokers == ()
    assert found.topic_prefix == "fsoc."
    assert found.detections_partitions == 8
    assert found.allowed_lateness_ms == 3_600_000


def test_an_option_wins_over_a_variable_and_a_variable_over_the_file(file):
    path = file("group: from-file\nhttp_port: 1\ndetections_partitions: 2\n")
    environment = {"FSOC_GROUP": "from-variable", "FSOC_HTTP_PORT": "2"}

    found = settings.load(path, environment=environment, options={"group": "from-option", "http_port": None})

    assert (found.group, found.http_port, found.detections_partitions) == ("from-option", 2, 2)


def test_lists_are_written_with_commas_where_there_are_no_lists(file):
    environment = {"FSOC_BROKERS": "kafka-1:9092, [2001:db8::1]:9092", "FSOC_RULES": "a,b"}

    found = settings.load(environment=environment)

    assert found.brokers == ("kafka-1:9092", "[2001:db8::1]:9092")
    assert found.rules == (Path("a"), Path("b"))
    assert settings.load(file("brokers: k:1\n"), environment={}).brokers == ("k:1",)


def test_paths_of_a_file_are_relative_to_it(file):
    path = file("institutions: who.yml\nrules: [mine, /elsewhere]\n")

    found = settings.load(path, environment={})

    assert found.institutions == path.parent / "who.yml"
    assert found.rules == (path.parent / "mine", Path("/elsewhere"))


@pytest.mark.parametrize("environment", ["exercise", "test"])
def test_an_exercise_never_has_productions_topics(environment):
    assert settings.load(environment={"FSOC_ENVIRONMENT": environment}).topic_prefix == f"fsoc-{environment}."
    given = {"FSOC_ENVIRONMENT": environment, "FSOC_TOPIC_PREFIX": "fsoc."}
    assert problems(environment=given) == [
        f'FSOC_TOPIC_PREFIX: "fsoc." is production\'s; environment is {environment}, choose another'
    ]


def test_durations_are_seconds_or_carry_a_unit():
    for text, expected in {"90": 90_000, "90s": 90_000, "15m": 900_000, "2h": 7_200_000, "7d": 604_800_000}.items():
        assert settings.load(environment={"FSOC_ALLOWED_LATENESS": text}).allowed_lateness_ms == expected


def test_every_problem_is_told_at_once_with_its_place(file):
    path = file("brokers: [k:1, k]\ntopicprefix: x.\nhttp_port: 99999\nallowed_lateness: 8d\ngroup: 3\n")

    found = problems(
        path, environment={"FSOC_BROKER": "x", "FSOC_REGISTRY_RELOAD_SECONDS": "soon"}, options={"http_host": ""}
    )

    assert {text.partition(": ")[0] for text in found} == {
        f"{path}:1",
        f"{path}:2",
        f"{path}:3",
        f"{path}:4",
        f"{path}:5",
        "FSOC_BROKER",
        "FSOC_REGISTRY_RELOAD_SECONDS",
        "--http-host",
    }
    assert len(found) == 8
    assert any('did you mean "topic_prefix"?' in text for text in found)
    assert "FSOC_BROKER: is unknown; did you mean FSOC_BROKERS?" in found
    assert any("'k'" in text and "host:port" in text for text in found)


def test_variables_of_others_are_left_alone():
    assert settings.load(environment={"FSOC_PORT": "tcp://10.0.0.1:80", "FSOC_SOAK": "1"}) == settings.load(
        environment={}
    )


def test_a_file_that_cannot_be_read_or_is_no_mapping_is_refused(file, tmp_path):
    assert problems(tmp_path / "none.yml", environment={}) == [
        f"{tmp_path / 'none.yml'}: settings file cannot be read: No such file or directory"
    ]
    path = file("- a\n")
    assert problems(path, environment={}) == [f"{path}:1: expected a mapping of settings to values"]
    path.write_text("a: [\n", encoding="utf-8")
    assert "not YAML" in problems(path, environment={})[0]
    path.write_bytes(b"group: \xff\n")
    assert problems(path, environment={}) == [f"{path}: settings file cannot be read: is not UTF-8"]


def test_an_empty_file_says_nothing(file):
    assert settings.load(file("# nothing yet\n"), environment={}) == settings.load(environment={})


def test_a_key_written_twice_is_refused(file):
    path = file("group: a\ngroup: b\n")
    assert problems(path, environment={}) == [f'{path}:2: "group" is written twice, first in line 1']


def test_who_we_are_to_a_cluster_is_said_whole_or_not_at_all(file):
    """A password file that nobody uses would be thought to protect."""
    whole = file(
        "kafka_protocol: SASL_SSL\nkafka_ca_file: ca.pem\nkafka_username: fi-001\nkafka_password_file: fi-001.pass\n"
    )
    found = settings.load(whole, environment={})
    assert (found.kafka_ca_file, found.kafka_password_file) == (
        whole.parent / "ca.pem",
        whole.parent / "fi-001.pass",
    )

    assert problems(environment={"FSOC_KAFKA_PROTOCOL": "SASL_SSL"}) == [
        "FSOC_KAFKA_PROTOCOL: kafka_protocol SASL_SSL needs kafka_username",
        "FSOC_KAFKA_PROTOCOL: kafka_protocol SASL_SSL needs kafka_password_file",
    ]
    path = file("kafka_username: fi-001\nkafka_ca_file: ca.pem\n")
    assert problems(path, environment={}) == [
        f"{path}:1: kafka_username is of no use where kafka_protocol is PLAINTEXT; SASL_SSL is mostly meant",
        f"{path}:2: kafka_ca_file is of no use where kafka_protocol is PLAINTEXT; SASL_SSL is mostly meant",
    ]
    (wrong,) = problems(environment={"FSOC_KAFKA_PROTOCOL": "SASL", "FSOC_KAFKA_USERNAME": "fi-001"})
    assert wrong.startswith("FSOC_KAFKA_PROTOCOL: kafka_protocol: 'SASL': ")


@pytest.mark.parametrize(
    ("given", "caution"),
    [
        ({}, Caution(3, 0, "high")),
        ({"FSOC_FEEDBACK_HOLD": "always"}, Caution(hold_below=ALWAYS)),
        ({"FSOC_FEEDBACK_HOLD": "below 70"}, Caution(hold_below=70)),
        ({"FSOC_FEEDBACK_HOLD": "below 0", "FSOC_FEEDBACK_K": "5"}, Caution(k=5)),
        ({"FSOC_FEEDBACK_AT_RISK": "never"}, Caution(at_risk=None)),
        ({"FSOC_FEEDBACK_AT_RISK": "critical"}, Caution(at_risk="critical")),
    ],
)
def test_how_careful_feedback_is(given, caution):
    assert settings.load(environment=given).caution == replace(caution, environment="production")


def test_an_exercises_workers_tell_of_exercises_alone():
    assert settings.load(environment={"FSOC_ENVIRONMENT": "exercise"}).caution.environment == "exercise"


@pytest.mark.parametrize(
    ("name", "value"), [("HOLD", "sometimes"), ("HOLD", "below 101"), ("K", "2"), ("K", "21"), ("AT_RISK", "all")]
)
def test_what_feedback_cannot_be_is_refused_by_its_variable(name, value):
    (problem,) = problems(environment={f"FSOC_FEEDBACK_{name}": value})

    assert problem.startswith(f"FSOC_FEEDBACK_{name}: feedback_{name.lower()}: '{value}'")
