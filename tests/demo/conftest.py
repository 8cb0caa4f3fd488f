"""The demo on two layers, run once as a person would."""

import subprocess
import sys
from pathlib import Path

import pytest

DEMO = ("demo", "--replicates", 3, "--layers", "0,2")


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """One command."""
    command = [sys.executable, "-m", "stratigraph", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it runs."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def told(home: Path) -> str:
    """What it says; its database is then in ``graph.db``."""
    done = run(*DEMO, cwd=home)
    assert done.returncode == 0, done.stderr
    return done.stdout
