"""The Neo4j of docker-compose.yml: pinned, for this machine only, with a password that must be given."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are not installed

from graphdb.engines.neo4j_jars import VERSION

ROOT = Path(__file__).parents[2]


@pytest.fixture
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return read


def test_it_starts_this_one_service(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"neo4j"}
    assert "network_mode" not in compose["services"]["neo4j"], "the network of the host would show every port"
    assert not {"build", "privileged", "pid", "env_file"} & set(compose["services"]["neo4j"])


def test_the_version_is_that_of_directories(compose: dict[str, Any]) -> None:
    assert compose["services"]["neo4j"]["image"] == f"neo4j:{VERSION}-community"
    assert VERSION.startswith("5.26.")


def test_it_listens_on_this_machine_only(compose: dict[str, Any]) -> None:
    ports = compose["services"]["neo4j"]["ports"]
    found = [re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in ports]
    assert sorted(match[1] if match else "" for match in found) == ["7474", "7687"]


def test_an_empty_password_is_refused(compose: dict[str, Any]) -> None:
    # ${NAME:?words} stops compose where NAME is unset or empty, as it does a shell
    given = compose["services"]["neo4j"]["environment"]["NEO4J_AUTH"]
    assert re.fullmatch(r"neo4j/\$\{NEO4J_PASSWORD:\?[^}]+\}", given)
    for password, out in ((None, ""), ("", ""), ("long enough", "neo4j/long enough")):
        environment = {} if password is None else {"NEO4J_PASSWORD": password}
        command = ["/bin/sh", "-c", f'printf %s "{given}"']
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.stdout == out
        assert (done.returncode != 0) == ("at least eight characters" in done.stderr) == (not out)


def test_no_other_setting_holds_a_password(compose: dict[str, Any]) -> None:
    settings = {**compose["services"]["neo4j"]["environment"]}
    del settings["NEO4J_AUTH"]
    assert not [name for name in settings if re.search("(?i)auth|password|secret", name)]
    assert all("$" not in value for value in settings.values())


def test_the_health_check_asks_the_database_and_shows_no_password(compose: dict[str, Any]) -> None:
    check = compose["services"]["neo4j"]["healthcheck"]
    kind, line = check["test"]
    assert kind == "CMD-SHELL"
    command = line.split(" cypher-shell ")[1]
    assert command == "'RETURN 1'"
    assert "--password" not in line
    assert {name: check[name] for name in ("interval", "timeout", "retries")} == {
        "interval": "10s",
        "timeout": "10s",
        "retries": 24,
    }
    # $$ is a dollar sign to compose, so that the shell in the container puts the password in
    assert 'NEO4J_PASSWORD="$${NEO4J_AUTH#neo4j/}"' in line


def test_volumes_outlive_the_container(compose: dict[str, Any]) -> None:
    mounted = [volume.split(":") for volume in compose["services"]["neo4j"]["volumes"]]
    assert sorted(place for _, place in mounted) == ["/data", "/logs"]
    assert {name for name, _ in mounted} == set(compose["volumes"])
