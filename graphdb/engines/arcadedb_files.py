"""What of an ArcadeDB lies on disk, so that a directory that lost some of it is not taken for an empty one.

Its server opens whatever files it finds, and answers from them: of a database whose files were deleted or cut
off it says that there is nothing. So what is there is noted when a command leaves, and looked for when the
next one comes. Buckets, which hold nodes and relationships, only grow, whatever is deleted of them; an index
may be made anew, under a name that begins alike, and the schema is written again.
"""

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from graphdb.directory import Directory, write_private

_GROWS = (".bucket", ".dict")
_INDEX = "idx"
_SCHEMA = "schema.json"


def note(directory: Directory, database: str) -> None:
    """Write down what is there, if that is another than what was noted; nothing of one that is damaged."""
    found = _sizes(directory.path / "databases" / database)
    noted = _noted(directory)
    if found and found != noted and damage(directory, database) is None:
        write_private(_file(directory), json.dumps(found, indent=1) + "\n")


def damage(directory: Directory, database: str) -> str | None:
    """Return what is no longer as it was noted, in a few words; None if nothing is, or nothing was noted."""
    noted, folder = _noted(directory), directory.path / "databases" / database
    if not noted:
        return None
    found = _sizes(folder)
    indexes, there = Counter(map(_index, noted)), Counter(map(_index, found))
    for name, size in noted.items():
        index = _index(name)
        if name not in found and (index is None or there[index] < indexes[index]):
            return f"{folder / name} is gone"
        if found.get(name, size) < size:
            return f"{folder / name} has {found[name]:,} of {size:,} bytes"
    return _damaged_schema(folder / _SCHEMA)


def _sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of each file that only grows."""
    sizes: dict[str, int] = {}
    for path in folder.glob("*"):
        if path.name.endswith((*_GROWS, _INDEX)):
            # an index may be replaced meanwhile
            with suppress(FileNotFoundError):
                sizes[path.name] = path.stat().st_size
    return sizes


def _index(name: str) -> str | None:
    """Return how the names of an index and of what replaces it begin; None for what is never replaced."""
    return name.rpartition("_")[0] if name.endswith(_INDEX) else None


def _damaged_schema(path: Path) -> str | None:
    try:
        json.loads(path.read_text())
    except FileNotFoundError:
        return f"{path} is gone"
    except (OSError, ValueError):
        return f"{path} cannot be read"
    return None


def _noted(directory: Directory) -> Mapping[str, int]:
    try:
        return {str(name): int(size) for name, size in json.loads(_file(directory).read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _file(directory: Directory) -> Path:
    return directory.path / "files.json"
