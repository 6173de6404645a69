"""deploy/compose.yaml: what its services are, and who reaches what."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
WORKSPACE = yaml.safe_load((DEPLOY.parent / "workspace.yaml").read_text())["load_from"]
LOCATIONS = [entry["python_module"]["location_name"] for entry in WORKSPACE]
SECRET = re.compile("(?i)password|secret|token|passphrase|_hash|url$")


def environments() -> list[tuple[str, str, str]]:
    """Each variable of each service, with its value."""
    return [
        (service, name, str(value))
        for service, of in SERVICES.items()
        for name, value in of.get("environment", {}).items()
    ]


def test_compose_file_is_one_by_its_published_schema() -> None:
    folder = files("check_jsonschema.builtin_schemas.vendor")
    schema = json.loads(folder.joinpath("compose-spec.json").read_text())

    jsonschema.validate(COMPOSE, schema)


def test_every_code_location_is_a_service_of_its_own_image() -> None:
    servers = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"]

    assert [entry["grpc_server"]["location_name"] for entry in servers] == LOCATIONS
    assert [entry["grpc_server"]["host"] for entry in servers] == LOCATIONS
    assert {entry["grpc_server"]["port"] for entry in servers} == {4000}
    for location in LOCATIONS:
        service = SERVICES[location]
        assert service["build"]["args"] == {"LOCATION": location}
        assert service["build"]["target"] == "code-location"
        assert service["image"].startswith(f"${{{location.upper()}_IMAGE:?")
        assert set(service["depends_on"]) == {"postgres"}


def test_no_secret_stands_in_the_file() -> None:
    told = [
        (service, name, value)
        for service, name, value in environments()
        if SECRET.search(name) and "${" not in value
    ]

    assert told == []
    assert {Path(secret["file"]).parts[0] for secret in COMPOSE["secrets"].values()} == {"secrets"}
    ignored = (DEPLOY.parent / ".gitignore").read_text().splitlines()
    assert {"deploy/.env", "deploy/env/", "deploy/secrets/"} <= set(ignored)


def test_each_code_location_has_its_own_key_and_login_alone() -> None:
    for location in LOCATIONS:
        (key,) = SERVICES[location]["secrets"]
        assert key == {"source": f"snowflake_{location}", "target": "snowflake_key"}
        assert SERVICES[location]["env_file"] == ["env/platform.env", f"env/{location}.env"]
        assert SERVICES[location]["environment"]["SNOWFLAKE_ROLE"] == location.upper()
    for service in SERVICES.keys() - set(LOCATIONS):
        assert "secrets" not in SERVICES[service]
        assert "env_file" not in SERVICES[service]


def test_the_proxy_alone_is_reached_from_outside() -> None:
    published = {name for name, service in SERVICES.items() if "ports" in service}
    networks = {name: set(service["networks"]) for name, service in SERVICES.items()}

    assert published == {"proxy"}
    assert {name for name, of in networks.items() if "ui" in of} == {"proxy", "webserver"}
    assert not networks["proxy"] & {"code", "storage"}
    assert COMPOSE["networks"]["storage"] == COMPOSE["networks"]["ui"] == {"internal": True}
    caddy = (DEPLOY / "Caddyfile").read_text()
    site, login = re.findall(r"^\s*(\S+).*\{$", caddy, re.MULTILINE)
    assert (site, login) == ("{$DAGSTER_HOST}", "basic_auth")


def test_dagster_reads_the_configuration_of_production() -> None:
    for name in ("daemon", "webserver"):
        targets = {config["source"]: config["target"] for config in SERVICES[name]["configs"]}
        home = SERVICES[name]["environment"]["DAGSTER_HOME"]
        assert targets["dagster"] == f"{home}/dagster.yaml"
        assert any(targets["workspace"] in word for word in SERVICES[name]["command"])
    for config in COMPOSE["configs"].values():
        assert (DEPLOY / config["file"]).is_file()


@pytest.mark.parametrize("name", [*LOCATIONS, "daemon", "webserver"])
def test_container_may_do_little_and_write_little(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["volumes"] == ["data:/data", {"type": "volume", "target": "/tmp"}]
