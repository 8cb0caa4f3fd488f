"""Local things: which of the names given on the command line are files here."""

import glob
from pathlib import Path

_MAGIC = "*?["


def looks_local(value: str) -> bool:
    """Say whether a name can only be meant as a path."""
    return value.startswith(("/", "./", "../", "~")) or any(sign in value for sign in _MAGIC)


def files_of(value: str) -> list[Path]:
    """List the files behind a path, a directory (all below it) or a glob, sorted; empty if there are none."""
    path = Path(value).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p, path))
    if any(sign in value for sign in _MAGIC):
        found = glob.glob(str(path), recursive=True)  # noqa: PTH207  takes absolute patterns too
        return sorted(p for p in map(Path, found) if p.is_file())
    return []


def _hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)
