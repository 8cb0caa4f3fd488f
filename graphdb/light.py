"""Importing a library without another one that it would load only because it is there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Make modules that nobody has imported yet look absent, as long as the context lasts."""
    absent = [name for name in names if name not in sys.modules]
    # what Python looks up before it searches: None stands for a module that cannot be imported
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
