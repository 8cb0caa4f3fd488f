"""The names of an answer's columns, read from what a server says of how it would find the answer.

ArcadeDB names the columns of an answer by its first row, so that an answer without rows has none; its plans
end in ``+ FINAL PROJECTION [id, count(*)]``. Of a ``UNION`` they do not, nor of ``RETURN *``.
"""

import re

_LAST = re.compile(r"^\+ FINAL PROJECTION \[(.*)\]$", re.MULTILINE)
_OPEN, _CLOSE = "([{", ")]}"


def columns(plan: str) -> list[str]:
    """Return the names in the last projection of a plan of ArcadeDB; none where there is none."""
    found = _LAST.findall(plan)
    names, depth = [""], 0
    for letter in found[-1] if found else "":
        depth += (letter in _OPEN) - (letter in _CLOSE)
        # a comma inside a call is none between columns
        if letter == "," and depth == 0:
            names.append("")
        else:
            names[-1] += letter
    return [name.strip() for name in names if name.strip()]
