"""The shippers' files: read, made of documented options, and the requests that follow from them are taken whole.

None of the three tools can be had here; what each makes of its options is as its manual and source say it.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest
import yaml

from fsoc.runtime.gateway.credentials import new_token
from fsoc.runtime.kafka.topics import table
from fsoc.tickets import sample
from tests.deploy.logstash_config import plugins
from tests.runtime.gateway.conftest import INSTITUTIONS, PREFIX, FaultyLog, House

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "shippers"
OPTIONS = yaml.safe_load((Path(__file__).parent / "shipper_options.yml").read_text(encoding="utf-8"))
FLUENT_BIT_ANSWER_BYTES_MAX = 4_096
FLUENT_BIT_CHUNK_BYTES = 2_048_000
TICKETS = [
    json.dumps(
        sample.ticket(ticket_id=f"t-{number}", seq=number, title="第一 \\ \u2028 %{message}"), ensure_ascii=False
    ).encode()
    for number in range(1, 6)
]


def read(path):
    return (FOLDER / path).read_text(encoding="utf-8")


def yaml_of(path):
    return yaml.safe_load(read(path))


def flat(options, prefix=""):
    """Dotted names of what is set; a list is a value."""
    for name, value in options.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def undocumented(tool, component, names):
    known = OPTIONS[tool][component]
    return [
        one for one in names if one not in known and not any(k.endswith("*") and one.startswith(k[:-1]) for k in known)
    ]


@pytest.mark.parametrize("file", ["gateway", "kafka"])
def test_vectors_options_are_documented(file):
    config = yaml_of(f"vector/{file}.yaml")

    assert undocumented("vector", "top", config) == []
    parts = {f"{kind}.{one['type']}": one for kind in ("sources", "sinks") for one in config[kind].values()}
    assert set(parts) == {"sources.file", f"sinks.{'http' if file == 'gateway' else 'kafka'}"}
    for component, options in parts.items():
        assert undocumented("vector", component, flat(options)) == []
    (sink,) = config["sinks"].values()
    assert sink["inputs"] == list(config["sources"])


@pytest.mark.parametrize("file", ["gateway", "kafka"])
def test_fluent_bits_options_are_documented(file):
    config = yaml_of(f"fluent-bit/{file}.yaml")

    assert undocumented("fluent-bit", "service", config["service"]) == []
    for parser in config.get("parsers", ()):
        assert undocumented("fluent-bit", "parsers", parser) == []
    (source,), (sink,) = config["pipeline"]["inputs"], config["pipeline"]["outputs"]
    assert undocumented("fluent-bit", f"inputs.{source['name']}", source) == []
    assert undocumented("fluent-bit", f"outputs.{sink['name']}", sink) == []
    assert sink["match"] == source["tag"]
    assert source.get("parser") in {None, *(one["name"] for one in config.get("parsers", ()))}


@pytest.mark.parametrize("file", ["gateway", "kafka"])
def test_logstashs_options_are_documented(file):
    found = plugins(read(f"logstash/{file}.conf"))

    assert set(found) >= {"input.file", f"output.{'http' if file == 'gateway' else 'kafka'}"}
    for component, options in found.items():
        assert undocumented("logstash", component, options) == []
    assert undocumented("logstash", "logstash.yml", yaml_of("logstash/logstash.yml")) == []
    for pipeline in yaml_of("logstash/pipelines.yml"):
        assert undocumented("logstash", "pipelines.yml", pipeline) == []


@pytest.mark.parametrize("text", ["input { file { path => } }", 'output { http { url => "a" url => "b" } }', "input ("])
def test_what_is_no_pipeline_file_is_not_taken_for_one(text):
    with pytest.raises((ValueError, IndexError)):
        plugins(text)


def test_no_secret_is_written_down_and_tls_is_checked_everywhere():
    for path in FOLDER.glob("*/*.*"):
        text = path.read_text(encoding="utf-8")
        for line in text.splitlines():
            if "password" in line.lower() or "token" in line.lower():
                assert line.lstrip().startswith("#") or "${FSOC_" in line, (path, line)
        assert "verify: off" not in text
        assert "verify_certificate: false" not in text
        assert '"none"' not in text


def test_each_keeps_what_it_has_on_disk():
    for file in ("gateway", "kafka"):
        (vector,) = yaml_of(f"vector/{file}.yaml")["sinks"].values()
        assert (vector["buffer"]["type"], vector["buffer"]["when_full"]) == ("disk", "block")
        assert vector["buffer"]["max_size"] >= 268_435_488  # Vector's own least
        fluent = yaml_of(f"fluent-bit/{file}.yaml")
        assert fluent["service"]["storage.path"]
        assert fluent["pipeline"]["inputs"][0]["storage.type"] == "filesystem"
        assert fluent["pipeline"]["outputs"][0]["retry_limit"] == "no_limits"
    assert yaml_of("logstash/logstash.yml")["queue.type"] == "persisted"


def test_the_longest_ticket_is_read():
    """512 KiB; each tool's default is less, and what is longer is discarded or stops the reading."""
    for file in ("gateway", "kafka"):
        assert yaml_of(f"vector/{file}.yaml")["sources"]["tickets"]["max_line_bytes"] >= 512 * 1024
        assert yaml_of(f"fluent-bit/{file}.yaml")["pipeline"]["inputs"][0]["buffer_max_size"] == "2M"


def test_kafka_is_reached_as_the_kit_says():
    (vector,) = yaml_of("vector/kafka.yaml")["sinks"].values()
    (fluent,) = yaml_of("fluent-bit/kafka.yaml")["pipeline"]["outputs"]
    logstash = plugins(read("logstash/kafka.conf"))["output.kafka"]

    assert vector["topic"] == fluent["topics"] == logstash["topic_id"] == "fsoc.tickets.fi-001"
    assert (
        vector["sasl"]["mechanism"] == fluent["rdkafka.sasl.mechanism"] == logstash["sasl_mechanism"] == "SCRAM-SHA-512"
    )
    assert vector["sasl"]["enabled"] is vector["tls"]["enabled"] is True
    assert (fluent["rdkafka.security.protocol"], logstash["security_protocol"]) == ("sasl_ssl", "SASL_SSL")
    assert vector["librdkafka_options"]["acks"] == fluent["rdkafka.acks"] == logstash["acks"] == "all"
    assert vector["tls"]["ca_file"] == fluent["rdkafka.ssl.ca.location"] == logstash["ssl_truststore_location"]
    # The line alone goes out: no field of the tool's own, which would be an unknown one of a ticket.
    assert vector["encoding"]["codec"] == "text"
    assert (fluent["format"], fluent["raw_log_key"]) == (
        "raw",
        yaml_of("fluent-bit/kafka.yaml")["pipeline"]["inputs"][0]["key"],
    )
    assert logstash["codec"] == {"plain": {"format": "%{message}"}}


# What each makes of its options, as a request: path, headers, body.


def vector_requests(token, lines):
    """src/sinks/http: the codec's own content type, `request.headers` in its place; a line feed after each line."""
    (sink,) = yaml_of("vector/gateway.yaml")["sinks"].values()
    assert (sink["encoding"]["codec"], sink["framing"]["method"], sink["compression"]) == (
        "text",
        "newline_delimited",
        "none",
    )
    headers = {"Content-Type": "text/plain", **sink["request"]["headers"]}
    assert sink["auth"] == {"strategy": "bearer", "token": "${FSOC_TOKEN}"}
    headers["Authorization"] = f"Bearer {token}"
    most = sink["batch"]["max_events"]
    for first in range(0, len(lines), most):
        yield (
            sink["method"].upper(),
            urlsplit(sink["uri"]).path,
            headers,
            b"".join(b"%b\n" % one for one in lines[first : first + most]),
        )


def fluent_bit_requests(token, lines):
    """plugins/out_http: records read by the parser, packed anew as JSON lines; a chunk is one request."""
    (sink,) = yaml_of("fluent-bit/gateway.yaml")["pipeline"]["outputs"]
    assert (sink["format"], sink["json_date_key"]) == ("json_lines", False)
    headers = {"Content-Type": "application/x-ndjson", "User-Agent": "Fluent-Bit"}
    for entry in sink["header"]:
        name, _, value = entry.partition(" ")
        headers[name] = value.replace("${FSOC_TOKEN}", token)
    yield "POST", sink["uri"], headers, b"".join(orjson.dumps(orjson.loads(one)) + b"\n" for one in lines)


def logstash_requests(token, lines):
    """logstash-output-http, format `message`: a request an event, `%{…}` filled in, in headers too."""
    found = plugins(read("logstash/gateway.conf"))
    sink, key = found["output.http"], found["filter.fingerprint"]
    assert (sink["format"], sink["message"], key["method"], key["source"]) == (
        "message",
        "%{message}",
        "SHA256",
        ["message"],
    )
    for line in lines:
        made = {f"%{{{key['target']}}}": hashlib.sha256(line).hexdigest(), "${FSOC_TOKEN}": token}
        headers = {"Content-Type": sink["content_type"]}
        for name, value in sink["headers"].items():
            headers[name] = re.sub("|".join(map(re.escape, made)), lambda found, made=made: made[found[0]], value)
        yield sink["http_method"].upper(), urlsplit(sink["url"]).path, headers, line


REQUESTS = {"vector": vector_requests, "fluent-bit": fluent_bit_requests, "logstash": logstash_requests}


@pytest.fixture
async def house():
    log = FaultyLog()
    await log.create(table(PREFIX, INSTITUTIONS, 2, "test"))
    return House(log)


@pytest.mark.parametrize("tool", REQUESTS)
async def test_what_it_sends_is_taken_each_ticket_whole(house, tool):
    token = house.tokens["fi-001"]

    for method, path, headers, body in REQUESTS[tool](token, TICKETS):
        told = await house.ask(method, path, body, headers)
        assert (told.status, told.json["quarantined"]) == (202, 0), told.body
        assert len(told.body) < FLUENT_BIT_ANSWER_BYTES_MAX

    kept = await house.on_log()
    assert [orjson.loads(one) for one in kept] == [orjson.loads(one) for one in TICKETS]
    if tool != "fluent-bit":
        assert kept == TICKETS


async def test_logstash_sends_twice_and_it_is_written_once(house):
    for _ in range(2):
        for method, path, headers, body in logstash_requests(house.tokens["fi-001"], TICKETS):
            assert (await house.ask(method, path, body, headers)).status == 202

    assert await house.on_log() == TICKETS


async def test_a_whole_chunk_of_fluent_bits_is_taken_and_the_answer_is_short_enough_for_it(house):
    """A longer answer would be a failure to it, and the chunk would come again for ever."""
    line = json.dumps(sample.ticket(), ensure_ascii=False).encode()
    lines = [line] * (FLUENT_BIT_CHUNK_BYTES // len(line))
    assert len(lines) > 500

    (request,) = fluent_bit_requests(house.tokens["fi-001"], lines)
    told = await house.ask(*request[:2], request[3], request[2])

    assert (told.status, told.json["received"]) == (202, len(lines))
    assert len(told.body) + 1_000 < FLUENT_BIT_ANSWER_BYTES_MAX


@pytest.mark.parametrize("tool", REQUESTS)
async def test_a_token_that_is_not_known_is_told_and_nothing_is_taken(house, tool):
    for method, path, headers, body in REQUESTS[tool](new_token("fi-001"), TICKETS):
        assert (await house.ask(method, path, body, headers)).code == "unknown-credential"

    assert await house.on_log() == []
    assert 401 in plugins(read("logstash/gateway.conf"))["output.http"]["retryable_codes"]


async def test_a_gateway_that_is_busy_says_how_long_and_every_tool_counts_it_as_to_be_tried_again(house):
    house.limits = (1_024, 1_000)
    house.restart()
    requests = list(logstash_requests(house.tokens["fi-001"], TICKETS * 3))

    told = [await house.ask(m, path, body, headers) for m, path, headers, body in requests]

    assert told[-1].status == 429
    assert int(told[-1].headers["retry-after"]) >= 1
    assert {429, 503} <= set(plugins(read("logstash/gateway.conf"))["output.http"]["retryable_codes"])


def test_the_manual_names_every_file_in_both_languages():
    manual = read("README.md")

    for path in FOLDER.glob("*/*.*"):
        assert f"({path.relative_to(FOLDER)})" in manual
        assert any("\u4e00" <= letter <= "\u9fff" for letter in path.read_text(encoding="utf-8"))
