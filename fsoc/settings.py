"""What a process is told: from a YAML file, from `FSOC_*`, from the command line; the later wins. Starts nothing.

Every setting has one name: `topic_prefix` in the file, `FSOC_TOPIC_PREFIX` in the environment, `--topic-prefix` on the
command line (for those commands that have it). Paths in a file are relative to that file.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.document import Document, unknown_name
from fsoc.institutions.duration import duration_ms
from fsoc.institutions.registry import ALLOWED_LATENESS_MAX_MS, ALLOWED_LATENESS_MS
from fsoc.sharing.caution import ALWAYS, Caution

ENVIRONMENT_PREFIX: Final = "FSOC_"
PRODUCTION_PREFIX: Final = "fsoc."
_LISTS: Final = ("brokers", "rules")
_PATHS: Final = (
    "institutions",
    "rules",
    "logsources",
    "placeholders",
    "pipeline",
    "data",
    "rules_cache",
    "kafka_ca_file",
    "kafka_password_file",
    "gateway_credentials",
    "gateway_certificate",
    "gateway_key",
    "gateway_client_ca",
    "gateway_ca_file",
)
# How alike a name must be to be taken for a slip. Others may be somebody else's: Kubernetes sets FSOC_PORT by itself.
_SLIP: Final = 0.85

_is_broker = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})").fullmatch


def _broker(value: Any) -> str:
    match = _is_broker(value.strip()) if isinstance(value, str) else None
    if match is None or not 1 <= int(match[2]) <= 65535:
        raise ValueError("expected host:port, such as kafka-1.example:9092")
    return match[0]


class Settings(BaseModel):
    """All settings of a process, checked.

    brokers: of a Kafka cluster; none: fsoc starts its own on this machine.
    kafka_protocol: how to speak to that cluster. kafka_ca_file: what its certificates must lead to, where there is TLS;
        none: what the system trusts. kafka_username, kafka_password_file: who we are, where there is SASL (by
        SCRAM-SHA-512); the password is the file's one line, and is never an option or a variable.
    environment: what this installation is for; an exercise or a test never works production's topics.
    topic_prefix: put before every topic's name; by default it follows from the environment.
    exercise_id: of a drill's workers: its id; whatever on its topics is of no exercise, or of another, is refused.
    institutions: the registry's file. rules: folders and files of Sigma rules; none: those fsoc ships.
    logsources: the mapping of events to log sources; none: the one fsoc ships.
    placeholders: values for `expand` in rules. pipeline: a processing pipeline of pySigma's, for all rules.
    engine: what matches the rules; all find the same, and auto is the fastest that is installed.
    group: the consumer group; workers of one group share the work.
    http_host, http_port: where a worker, or a gateway, answers /livez, /readyz and /metrics; port 0 takes a free one.
    gateway_host, gateway_port: where a gateway takes tickets. gateway_credentials: the file that says who may send.
    gateway_certificate, gateway_key: for HTTPS, PEM; none: plain HTTP, on this machine's own address alone.
    gateway_client_ca: what certificates of senders must lead to; none: senders come by token alone.
    gateway_bytes_per_second, gateway_requests_per_second: of each institution at one gateway.
    gateway_url, gateway_ca_file: where institutions find it and what its certificate leads to, for their kits.
    data: the folder of what fsoc keeps on this machine; its own Kafka is in `kafka` below it.
    rules_cache: the folder of compiled rules, which may be lost at any time; none: fsoc/rules/ in the user's own cache.
    feedback_hold: what waits for an analyst's release before institutions are told of it: nothing, all, or alerts below
        a confidence. feedback_k: no count of institutions below it is told. feedback_at_risk: from which level of alert
        on those are told who have no ticket in it.
    alert_key_file: by what it holds alerts' ids are made, so that who is told one cannot try what it stands for; the
        same for every worker, and for good. None: ids that everybody can reckon, told in a warning.
    allowed_lateness_ms: of institutions whose entry in the registry names none; `1h`, or seconds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    brokers: tuple[Annotated[str, BeforeValidator(_broker)], ...] = ()
    kafka_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_ca_file: Path | None = None
    kafka_username: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None = None
    kafka_password_file: Path | None = None
    environment: Literal["production", "exercise", "test"] = "production"
    topic_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}\.$")] = PRODUCTION_PREFIX
    exercise_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$")] | None = None
    institutions: Path | None = None
    rules: tuple[Path, ...] = ()
    logsources: Path | None = None
    placeholders: Path | None = None
    pipeline: Path | None = None
    engine: Literal["auto", "native", "fast", "plain"] = "auto"
    detections_partitions: Annotated[int, Field(ge=1, le=256)] = 8
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = "fsoc"
    http_host: Annotated[str, Field(min_length=1, max_length=255)] = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 0
    gateway_host: Annotated[str, Field(min_length=1, max_length=255)] = "127.0.0.1"
    gateway_port: Annotated[int, Field(ge=0, le=65535)] = 8443
    gateway_credentials: Path | None = None
    gateway_certificate: Path | None = None
    gateway_key: Path | None = None
    gateway_client_ca: Path | None = None
    gateway_url: Annotated[str, Field(pattern="^https?://[^/ ]+$", max_length=255)] | None = None
    gateway_ca_file: Path | None = None
    gateway_bytes_per_second: Annotated[int, Field(ge=1024, le=2**30)] = 2 * 1024 * 1024
    gateway_requests_per_second: Annotated[int, Field(ge=1, le=10_000)] = 20
    data: Path | None = None
    rules_cache: Path | None = None
    allowed_lateness_ms: Annotated[
        int, BeforeValidator(duration_ms), Field(alias="allowed_lateness", le=ALLOWED_LATENESS_MAX_MS)
    ] = ALLOWED_LATENESS_MS
    alert_key_file: Path | None = None
    feedback_hold: Annotated[str, Field(pattern=r"^(never|always|below (100|[1-9]?[0-9]))$")] = "never"
    feedback_k: Annotated[int, Field(ge=3, le=20)] = 3
    feedback_at_risk: Literal["never", "informational", "low", "medium", "high", "critical"] = "high"
    registry_reload_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    rules_reload_seconds: Annotated[int, Field(ge=1, le=3600)] = 5

    @property
    def caution(self) -> Caution:
        """How careful feedback is."""
        word, _, number = self.feedback_hold.partition(" ")
        below = ALWAYS if word == "always" else int(number or 0)
        at_risk = None if self.feedback_at_risk == "never" else self.feedback_at_risk
        return Caution(self.feedback_k, below, at_risk, self.environment)


NAMES: Final = tuple(field.alias or name for name, field in Settings.model_fields.items())


def load(
    file: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Settings:
    """Read and check all settings.

    Args:
        file: a YAML mapping; None: no file.
        environment: the process's own when None.
        options: by setting's name; None values were not given.

    Raises:
        RefusedToStart: every problem at once, each with file:line, variable or option.
    """
    given = _Given()
    if file is not None:
        given.take_file(file)
    given.take_environment(os.environ if environment is None else environment)
    given.take_options(options or {})
    return given.check()


class _Given:
    """What was given so far: values by name, and where each came from."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._places: dict[str, str] = {}
        self._problems: list[Problem] = []

    def take_file(self, file: Path) -> None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            self._problems.append(Problem(str(file), f"settings file cannot be read: {reason}"))
            return
        try:
            document = Document.parse(text, str(file))
        except RefusedToStart as refused:
            self._problems.extend(refused.problems)
            return
        self._problems.extend(document.problems)
        if document.data is None:
            return
        if not isinstance(document.data, dict):
            self._problems.append(Problem(document.place(()), "expected a mapping of settings to values"))
            return
        for name, value in document.data.items():
            place = document.place((name,))
            if name not in NAMES:
                self._problems.append(Problem(place, unknown_name(name, NAMES)))
            elif value is not None:
                listed = _listed(name, value)
                self._set(name, _beside(file, listed) if name in _PATHS else listed, place)

    def take_environment(self, environment: Mapping[str, str]) -> None:
        variables = {ENVIRONMENT_PREFIX + name.upper(): name for name in NAMES}
        for variable in sorted(environment):
            if not variable.startswith(ENVIRONMENT_PREFIX):
                continue
            name = variables.get(variable)
            if name is not None:
                self._set(name, _listed(name, environment[variable]), variable)
            elif slip := difflib.get_close_matches(variable, variables, n=1, cutoff=_SLIP):
                self._problems.append(Problem(variable, f"is unknown; did you mean {slip[0]}?"))

    def take_options(self, options: Mapping[str, Any]) -> None:
        for name, value in options.items():
            if value is None or (name in _LISTS and not value):
                continue
            place = f"--{name.replace('_', '-')}"
            self._set(name, _listed(name, value), place)

    def check(self) -> Settings:
        environment = self._values.get("environment", "production")
        if environment in {"exercise", "test"}:
            self._values.setdefault("topic_prefix", f"fsoc-{environment}.")
            if self._values["topic_prefix"] == PRODUCTION_PREFIX:
                text = f'"{PRODUCTION_PREFIX}" is production\'s; environment is {environment}, choose another'
                self._problems.append(Problem(self._places["topic_prefix"], text))
        self._check_identity()
        settings: Settings | None = None
        try:
            settings = Settings.model_validate(self._values)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                name = str(found["loc"][0])
                message = found["msg"].removeprefix("Value error, ")
                text = f"{name}: {_shown(found['input'])}: {message}"
                self._problems.append(Problem(self._places.get(name, name), text))
        if settings is None or self._problems:
            raise RefusedToStart(*self._problems)
        return settings

    def _check_identity(self) -> None:
        """What a protocol needs is there, and what it has no use for is not: it would be thought to protect."""
        protocol = self._values.get("kafka_protocol", "PLAINTEXT")
        if protocol not in get_args(Settings.model_fields["kafka_protocol"].annotation):
            return  # told by its own check
        has_sasl, has_tls = protocol.startswith("SASL"), protocol.endswith("SSL")
        wanted = {"kafka_username": has_sasl, "kafka_password_file": has_sasl, "kafka_ca_file": has_tls}
        for name, used in wanted.items():
            if name in self._values and not used:
                text = f"{name} is of no use where kafka_protocol is {protocol}; SASL_SSL is mostly meant"
                self._problems.append(Problem(self._places[name], text))
            elif used and name not in self._values and name != "kafka_ca_file":
                place = self._places["kafka_protocol"]
                self._problems.append(Problem(place, f"kafka_protocol {protocol} needs {name}"))

    def _set(self, name: str, value: Any, place: str) -> None:
        self._values[name] = value
        self._places[name] = place


def _listed(name: str, value: Any) -> Any:
    """`a, b` is a list of two where a list is wanted."""
    return [part.strip() for part in value.split(",")] if name in _LISTS and isinstance(value, str) else value


def _beside(file: Path, value: Any) -> Any:
    """Paths of a file are relative to it; what is no path is left for the check to refuse."""
    if isinstance(value, str):
        return file.parent / value
    return [_beside(file, one) for one in value] if isinstance(value, list) else value


def _shown(value: Any) -> str:
    return ascii(str(value) if isinstance(value, Path) else value)[:60]
