"""Failures of the model libraries, told in a sentence.

What went wrong lies somewhere in the chain of causes: a missing network surfaces as an OSError about a
config file, an unknown repository as a hint to log in. The chain is walked and judged by class names, so that
none of those libraries is imported here.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from analysis.errors import MisuseError, StratigraphError

_NO_NETWORK = {
    "ConnectionError",
    "ConnectError",
    "ConnectTimeout",
    "ConnectTimeoutError",
    "ReadTimeout",
    "LocalEntryNotFoundError",
    "MaxRetryError",
    "NameResolutionError",
    "NewConnectionError",
    "OfflineModeIsEnabled",
    "ProxyError",
}
_NOT_THERE = {
    "DatasetNotFoundError",
    "EntryNotFoundError",
    "GatedRepoError",
    "HFValidationError",
    "RemoteEntryNotFoundError",
    "RepositoryNotFoundError",
    "RevisionNotFoundError",
}


def causes(error: BaseException) -> Iterator[BaseException]:
    """Walk an exception, what it was raised from, and what was being handled."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending += [one.__context__, one.__cause__]


def is_missing_network(error: BaseException) -> bool:
    """Say whether an error comes from there being no network, or from being told to do without."""
    return any(
        isinstance(one, (ConnectionError, socket.gaierror)) or type(one).__name__ in _NO_NETWORK
        for one in causes(error)
    )


def is_not_there(error: BaseException) -> bool:
    """Say whether an error comes from a name that the hub does not know, or does not let this user see."""
    return any(type(one).__name__ in _NOT_THERE for one in causes(error))


@contextmanager
def told(what: str, flag: str) -> Iterator[None]:
    """Turn whatever a library raises while it loads `what` (asked for by `flag`) into one sentence.

    Raises
    ------
    MisuseError
        The hub has no such thing.
    StratigraphError
        There is no network, or loading failed in another way.
    """
    try:
        yield
    except StratigraphError:
        raise
    except Exception as error:
        if is_not_there(error) and not is_missing_network(error):
            raise MisuseError(
                f"{what} is not on the hub, or needs a login (set HF_TOKEN); "
                f"check {flag}, or give a directory"
            ) from error
        if is_missing_network(error):
            raise StratigraphError(
                f"{what} is not in the local cache and the hub cannot be reached; "
                "connect to the network (or unset HF_HUB_OFFLINE), or give a directory"
            ) from error
        raise StratigraphError(f"{what} could not be loaded: {first_line(error)}; check {flag}") from error


def first_line(error: BaseException) -> str:
    """Return what an exception says, in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."


def nearest(name: str, names: list[str], most: int = 5) -> str:
    """List the names nearest to a wrong one: those that hold it, then those spelt like it."""
    lower = name.lower()
    holding = [n for n in names if lower in n.lower()]
    alike = get_close_matches(name, names, n=most, cutoff=0.4)
    found = list(dict.fromkeys([*holding[:most], *alike]))[:most]
    return ", ".join(found or names[:most])
