"""The Cypher texts that stand beside the code, one statement a file."""

from functools import cache
from pathlib import Path


@cache
def statement(name: str) -> str:
    """Return the text of ``graphdb/NAME.cypher``."""
    return Path(__file__).with_name(f"{name}.cypher").read_text(encoding="utf-8")


@cache
def statements(name: str) -> tuple[str, ...]:
    """Return the statements of a file that holds several, without their comments."""
    lines = [line for line in statement(name).splitlines() if not line.startswith("//")]
    return tuple(part.strip() for part in "\n".join(lines).split(";") if part.strip())
