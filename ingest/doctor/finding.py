"""One thing that was looked at."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Parameters
    ----------
    name
        What was looked at.
    text
        What was found, for a person.
    value
        The same for a program: seconds, bytes, a count, a version; None where there is none.
    fine
        False for what keeps stratigraph from working.
    """

    name: str
    text: str
    value: str | float | None = None
    fine: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the finding as an object with stable keys."""
        return {"name": self.name, "value": self.value, "text": self.text, "fine": self.fine}
