"""The compose file fits its schema, and what it says fits the rest: image, ports, settings, mounts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fsoc.institutions.registry import Registry
from fsoc.runtime.alert_key import alert_key
from fsoc.runtime.gateway.credential_edit import entry_lines
from fsoc.runtime.gateway.credentials import Credential, Credentials
from fsoc.runtime.gateway.server import check
from fsoc.settings import load

WORKERS = ["worker-1", "worker-2"]


@pytest.fixture(scope="session")
def workers(compose):
    return [compose["services"][name] for name in WORKERS]


def test_what_is_deployed_passes_its_own_check(deploy):
    checked = subprocess.run([deploy / "check"], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.startswith("deploy: compose.yml and the dashboards fit their schemas\n")


def test_the_check_says_in_one_line_when_promtool_is_not_here(deploy, tmp_path):
    """PATH holds what the script needs of the system, and nothing else."""
    for program in ("bash", "dirname", "env"):
        (tmp_path / program).symlink_to(shutil.which(program))
    checked = subprocess.run(
        [deploy / "check"], capture_output=True, text=True, check=False, env=os.environ | {"PATH": str(tmp_path)}
    )

    assert checked.returncode == 0, checked.stderr
    assert len([line for line in checked.stdout.splitlines() if "promtool" in line]) == 1


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("compose.yml", "services:", "servces:"),
        ("grafana/dashboards/fsoc.json", '"fsoc-prometheus"', '"another"'),
        ("prometheus/alerts.test.yml", "severity: page", "severity: pager"),
    ],
)
def test_the_check_fails_on_a_fault_in_what_any_of_its_tools_reads(deploy, tmp_path, promtool, file, right, wrong):
    """A copy of deploy/ with one fault; the tools are those of this environment."""
    shutil.copytree(deploy, tmp_path / "deploy")
    (tmp_path / ".venv").symlink_to(deploy.parent / ".venv")
    copy = tmp_path / "deploy" / file
    text = copy.read_text(encoding="utf-8")
    assert right in text
    copy.write_text(text.replace(right, wrong), encoding="utf-8")

    checked = subprocess.run([tmp_path / "deploy" / "check"], capture_output=True, text=True, check=False)

    assert checked.returncode != 0


def test_kafka_is_the_version_that_is_tested(compose, deploy):
    pom = (deploy / "kafka" / "pom.xml").read_text(encoding="utf-8")
    tested = re.search(r"<kafka\.version>([0-9.]+)</kafka\.version>", pom)

    assert tested
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{tested[1]}"


def test_workers_understand_their_settings(workers):
    for worker in workers:
        settings = load(environment=worker["environment"])
        assert settings.brokers == ("kafka:19092",)
        assert settings.http_host == "0.0.0.0"  # noqa: S104 - inside a container's own network
        assert str(settings.institutions) == "/etc/fsoc/institutions.yml"


def test_workers_reach_kafka_by_the_name_it_gives_for_itself(compose, workers):
    advertised = compose["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")

    for worker in workers:
        assert f"INSIDE://{worker['environment']['FSOC_BROKERS']}" in advertised


def test_prometheus_scrapes_every_worker_where_it_answers(workers, deploy):
    config = yaml.safe_load((deploy / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    targets = config["scrape_configs"][0]["static_configs"][0]["targets"]
    ports = [load(environment=worker["environment"]).http_port for worker in workers]

    assert targets == [f"{name}:{port}" for name, port in zip(WORKERS, ports, strict=True)]


def test_the_gateway_understands_its_settings_and_serves_https_alone(compose):
    gateway = compose["services"]["gateway"]
    settings = load(environment=gateway["environment"])

    check(settings)
    assert settings.brokers == ("kafka:19092",)
    assert settings.gateway_certificate is not None
    assert settings.gateway_key is not None
    assert f"127.0.0.1:{settings.gateway_port}:{settings.gateway_port}" in gateway["ports"]
    mounted = {mount.split(":")[1] for mount in gateway["volumes"]}
    assert {str(settings.institutions), str(settings.gateway_credentials)} <= mounted
    assert str(settings.gateway_certificate.parent) in mounted


def test_the_gateways_certificate_is_made_where_it_looks_for_it_before_it_starts(compose, deploy):
    gateway, making = compose["services"]["gateway"], compose["services"]["gateway-certificate"]
    folder = Path(load(environment=gateway["environment"]).gateway_certificate or "").parent

    assert making["command"] == ["gateway", "certificate", str(folder)]
    assert making["volumes"] == [f"gateway:{folder}"]
    assert gateway["depends_on"]["gateway-certificate"] == {"condition": "service_completed_successfully"}
    assert folder in folders_of_its_user(deploy)


def test_every_worker_has_the_key_of_alerts_ids_which_is_made_once_before_they_start(
    compose, workers, deploy, tmp_path
):
    making = compose["services"]["alert-key"]
    (script,) = making["command"]
    assert making["entrypoint"] == ["python", "-c"]
    for worker in workers:
        settings = load(environment=worker["environment"])
        folder = Path(settings.alert_key_file or "").parent
        assert f"alert:{folder}:ro" in worker["volumes"]
        assert making["volumes"] == [f"alert:{folder}"]
        assert worker["depends_on"]["alert-key"] == {"condition": "service_completed_successfully"}
        assert folder in folders_of_its_user(deploy)
        here = script.replace(str(folder), str(tmp_path))
        assert str(settings.alert_key_file) in script
        subprocess.run([sys.executable, "-c", here], check=True)

    made = load(environment=workers[0]["environment"], options={"alert_key_file": tmp_path / "alert.key"})
    key = alert_key(made, warns=True)
    assert len(key) == 64
    subprocess.run([sys.executable, "-c", here], check=True)
    assert alert_key(made) == key, "the one there is stays"
    assert (tmp_path / "alert.key").stat().st_mode & 0o777 == 0o600


def folders_of_its_user(deploy):
    """Those of the image that belong to its user: a volume begins as the image's folder does."""
    dockerfile = (deploy / "Dockerfile").read_text(encoding="utf-8")
    assert "WORKDIR /var/lib/fsoc\n" in dockerfile
    made = re.search(r"^RUN mkdir ([a-z ]+) && chown fsoc:fsoc \. \1$", dockerfile, re.MULTILINE)
    assert made
    return [Path("/var/lib/fsoc") / name for name in made[1].split()]


def test_prometheus_scrapes_the_gateway_where_it_answers(compose, deploy):
    config = yaml.safe_load((deploy / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = (one for one in config["scrape_configs"] if one["job_name"] == "fsoc-gateway")
    settings = load(environment=compose["services"]["gateway"]["environment"])

    assert job["static_configs"] == [{"targets": [f"gateway:{settings.http_port}"]}]
    assert settings.http_host == "0.0.0.0"  # noqa: S104 - inside a container's own network


def test_the_credentials_that_come_with_it_let_nobody_in_and_take_a_token(deploy):
    text = (deploy / "credentials.yml").read_text(encoding="utf-8")
    token = Credential("fi-001", "0" * 64)

    assert Credentials.parse(text, "credentials.yml").all == ()
    appended = text + "\n".join(entry_lines(token)) + "\n"
    assert Credentials.parse(appended, "credentials.yml").all == (token,)


def test_health_is_asked_where_a_worker_or_the_gateway_answers(compose, workers):
    for worker in (*workers, compose["services"]["gateway"]):
        port = load(environment=worker["environment"]).http_port
        assert f"http://127.0.0.1:{port}/livez" in worker["healthcheck"]["test"][-1]


def test_every_port_is_published_to_this_machine_alone(compose):
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_everything_that_is_mounted_or_built_from_is_there(compose, deploy):
    mounts = [mount for service in compose["services"].values() for mount in service.get("volumes", [])]
    sources = {mount.split(":")[0] for mount in mounts}

    assert {source for source in sources if source.startswith(".") and not (deploy / source).exists()} == set()
    assert {source for source in sources if not source.startswith(".")} == set(compose["volumes"])
    build = compose["services"]["worker-1"]["build"]
    assert (deploy / build["context"] / build["dockerfile"]).is_file()


def test_every_image_is_of_one_version(compose):
    images = {service["image"] for service in compose["services"].values()}

    assert {image for image in images if not re.fullmatch(r"[a-z/]+:(v?\d+\.\d+\.\d+|local)", image)} == set()


def test_the_institutions_that_come_with_it_are_a_registry(deploy):
    registry = Registry.parse((deploy / "institutions.yml").read_text(encoding="utf-8"), "institutions.yml")

    assert len(registry.institutions) >= 3


def test_grafana_finds_its_source_and_its_dashboards(compose, deploy):
    provisioning = deploy / "grafana" / "provisioning"
    source = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))
    provider = yaml.safe_load((provisioning / "dashboards" / "fsoc.yml").read_text(encoding="utf-8"))
    mounts = dict(mount.split(":")[:2] for mount in compose["services"]["grafana"]["volumes"])

    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert provider["providers"][0]["options"]["path"] == mounts["./grafana/dashboards"]
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    for path in (deploy / "grafana" / "dashboards").glob("*.json"):
        panels = json.loads(path.read_text(encoding="utf-8"))["panels"]
        uids = {target["datasource"]["uid"] for panel in panels for target in panel.get("targets", [])}
        assert uids == {source["datasources"][0]["uid"]}


def test_no_two_panels_share_a_number_or_a_place(deploy):
    for path in (deploy / "grafana" / "dashboards").glob("*.json"):
        panels = json.loads(path.read_text(encoding="utf-8"))["panels"]
        taken: dict[tuple[int, int], str] = {}
        for panel in panels:
            at = panel["gridPos"]
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    assert (x, y) not in taken, (panel["title"], taken.get((x, y)))
                    taken[x, y] = panel["title"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        assert max(x for x, _ in taken) == 23


def test_the_image_installs_only_packages_that_the_developers_lock_names(deploy):
    def pins(path: Path) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            if pin := re.match(r"[a-z0-9._-]+==\S+", line):
                current = found.setdefault(pin[0], set())
            elif digest := re.search(r"--hash=(sha256:\w{64})", line):
                current.add(digest[1])
        return found

    runtime, developers = pins(deploy / "requirements.lock"), pins(deploy.parent / "requirements.lock")

    assert len(runtime) > 40
    assert {pin for pin, digests in runtime.items() if not digests or digests != developers.get(pin)} == set()
    assert not {pin.partition("==")[0] for pin in runtime} & {"pytest", "mypy", "ruff", "hatchling"}


def test_the_image_runs_as_nobody_in_particular_and_checks_every_hash(deploy):
    text = (deploy / "Dockerfile").read_text(encoding="utf-8")
    installs = re.findall(r"pip install (.*?)(?:$|&&)", text, flags=re.MULTILINE)

    assert re.findall(r"^USER (.*)$", text, flags=re.MULTILINE)[-1] == "10001:10001"
    assert installs
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)


def test_the_image_is_built_from_what_its_ignore_file_lets_through(deploy):
    text = (deploy / "Dockerfile").read_text(encoding="utf-8")
    let_through = set(re.findall(r"^!(.*)$", (deploy / "Dockerfile.dockerignore").read_text(), flags=re.MULTILINE))
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", text, flags=re.MULTILINE)
        for source in line.split()[:-1]
    }

    assert copied == let_through
    assert {source for source in copied if not (deploy.parent / source).exists()} == set()
