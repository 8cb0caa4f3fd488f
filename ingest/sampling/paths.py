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


def files_beside(value: str, out: Path) -> list[Path]:
    """List the files behind a corpus without those of the job itself, which are written under `out`.

    Left out is all below `out` where the corpus is a directory or glob around it, and all below the
    directories in `out` where it is `out` itself. A corpus inside `out` was put there by the user.
    """
    files = files_of(value)
    root, out = _root(value), out.expanduser().resolve()
    if out == root:
        return [file for file in files if file.resolve().parent == out]
    if root in out.parents:
        return [file for file in files if out not in file.resolve().parents]
    return files


def _root(value: str) -> Path:
    """Return the directory a path or glob starts from; a file is its own."""
    parts = Path(value).expanduser().parts
    if Path(value).expanduser().exists():
        return Path(value).expanduser().resolve()
    fixed = next((i for i, part in enumerate(parts) if any(sign in part for sign in _MAGIC)), len(parts))
    return Path(*parts[:fixed]).resolve()


def _hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)
