"""The Neo4j of docker-compose.yml: pinned, for this machine only, with a password that must be given."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are not installed

from graphdb.engines import neo4j_jars
from graphdb.engines.java import neo4j_java
from graphdb.engines.neo4j_jars import VERSION
from tests.graphdb.stores import have_neo4j

ROOT = Path(__file__).parents[2]
HOSTILE = "a/b c$d'\"`neo4j/`\\!"
"""A password that a shell could take for something else."""


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


def test_the_health_check_asks_the_database_and_shows_no_password(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    """It is run with a cypher-shell that says what it was given and finds no database."""
    check = compose["services"]["neo4j"]["healthcheck"]
    kind, line = check["test"]
    assert kind == "CMD-SHELL"
    assert {name: check[name] for name in ("interval", "timeout", "retries")} == {
        "interval": "10s",
        "timeout": "10s",
        "retries": 24,
    }
    assert "$" not in line.replace("$$", ""), "compose would put something in itself"
    program = tmp_path / "cypher-shell"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$NEO4J_USERNAME" "$NEO4J_PASSWORD" "$#" "$1"\nexit 3\n')
    program.chmod(0o755)
    # $$ is a dollar sign to compose, so that the shell in the container puts the password in
    command = ["/bin/sh", "-c", line.replace("$$", "$")]
    environment = {"PATH": str(tmp_path), "NEO4J_AUTH": f"neo4j/{HOSTILE}"}
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert asked.stdout.splitlines() == ["neo4j", HOSTILE, "1", "RETURN 1"]
    assert asked.returncode == 3, "a database that does not answer is not healthy"


def test_neo4j_knows_each_setting(compose: dict[str, Any], tmp_path: Path) -> None:
    """The image makes NEO4J_a_b__c the setting a.b_c; the server's own check says what it thinks of them."""
    have_neo4j()
    settings = {
        name.removeprefix("NEO4J_").replace("__", "\0").replace("_", ".").replace("\0", "_"): value
        for name, value in compose["services"]["neo4j"]["environment"].items()
        if name != "NEO4J_AUTH"
    }
    assert settings["server.memory.heap.max_size"] == "1g"
    lines = [f"{name}={value}\n" for name, value in settings.items()]
    assert would_start(tmp_path, lines)
    assert not would_start(tmp_path, [*lines, "server.memory.heap.max__size=1g\n"])


def would_start(home: Path, lines: list[str]) -> bool:
    """Let Neo4j check a file of settings."""
    (home / "conf").mkdir(exist_ok=True)
    (home / "conf" / "neo4j.conf").write_text("".join(lines))
    command = [str(neo4j_java()), "-XX:TieredStopAtLevel=1", "-cp", f"{neo4j_jars.folder()}/*"]
    command += ["org.neo4j.server.startup.Neo4jAdminCommand", "server", "validate-config"]
    there = {"NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf")}
    done = subprocess.run(command, env=there, capture_output=True, text=True, check=False)
    assert "Validating Neo4j configuration" in done.stdout, done.stderr
    return done.returncode == 0


def test_volumes_outlive_the_container(compose: dict[str, Any]) -> None:
    mounted = [volume.split(":") for volume in compose["services"]["neo4j"]["volumes"]]
    assert sorted(place for _, place in mounted) == ["/data", "/logs"]
    assert {name for name, _ in mounted} == set(compose["volumes"])
