"""Sparse activations of one replicate, by token (CSR) and by feature (CSC).

A token of a language model fires some tens of features out of many thousands, so everything downstream works
on these index lists; nothing is ever tokens x features dense.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import DataError

Int16 = NDArray[np.int16]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Activations:
    """Activations of ``F`` features at ``n`` tokens, CSR by token.

    Parameters
    ----------
    start : shape (n + 1,)
        ``feature[start[t]:start[t + 1]]`` fire at token ``t``.
    feature : shape (nonzero,), strictly ascending within a token
    value : shape (nonzero,), > 0, finite
    n_features
        ``F``.

    Raises
    ------
    DataError
        An array breaks the format; the message names the token where it goes wrong.
    """

    start: Int64
    feature: Int32
    value: Float32
    n_features: int

    def __post_init__(self) -> None:
        problem = _first_problem(self.start, self.feature, self.value, self.n_features)
        if problem:
            raise DataError(problem)

    @property
    def n_tokens(self) -> int:
        """Number of tokens ``n``."""
        return len(self.start) - 1

    @property
    def l0(self) -> float:
        """Mean number of features firing per token."""
        return len(self.feature) / max(1, self.n_tokens)


@dataclass(frozen=True)
class Columns:
    """The same activations, CSC by feature: ``token[start[i]:start[i + 1]]`` ascending, for feature ``i``."""

    start: Int64
    token: Int32
    value: Float32
    n_tokens: int

    @property
    def n_features(self) -> int:
        """Number of features ``F``."""
        return len(self.start) - 1


@dataclass(frozen=True)
class Samples:
    """One replicate: activations, and for each token what is known of where it came from.

    Parameters
    ----------
    activations
        What fired.
    token_id, sequence, position : shape (n,), optional
        Vocabulary id, number of the sequence the token came from, place within it.
    carried
        What this site's encoder reads from the next lower sampled hook, same tokens; None in the lowest.
    document, offset : shape (n,), optional
        Number of the document in the corpus' own order, and place of the token within it.
    """

    activations: Activations
    token_id: Int32 | None = None
    sequence: Int32 | None = None
    position: Int32 | None = None
    carried: Activations | None = None
    document: Int32 | None = None
    offset: Int32 | None = None

    def __post_init__(self) -> None:
        n = self.activations.n_tokens
        for name in ("token_id", "sequence", "position", "document", "offset"):
            array = getattr(self, name)
            if array is not None and array.shape != (n,):
                raise DataError(f"{name} has shape {array.shape}; expected ({n},), one entry per token")
        if self.carried is not None and self.carried.n_tokens != n:
            raise DataError(f"carried activations cover {self.carried.n_tokens} tokens; expected {n}")


def _first_problem(start: Int64, feature: Int32, value: Float32, n_features: int) -> str:
    """Say what is wrong and at which token; empty when nothing is."""
    return _problem_of_start(start, feature, value) or _problem_of_entries(start, feature, value, n_features)


def _problem_of_start(start: Int64, feature: Int32, value: Float32) -> str:
    if start.ndim != 1 or len(start) < 2:
        return f"start has shape {start.shape}; expected one entry per token and one more, at least 2"
    if feature.shape != value.shape or feature.ndim != 1:
        return f"feature has shape {feature.shape} and value {value.shape}; expected the same length"
    if start[0] != 0:
        return f"start[0] is {start[0]}; expected 0"
    falls = np.diff(start) < 0
    if falls.any():
        at = int(np.argmax(falls))
        return f"start falls from {start[at]} to {start[at + 1]} at token {at}; expected it never to fall"
    if start[-1] != len(feature):
        return f"start ends at {start[-1]}; expected {len(feature)}, the number of entries (truncated?)"
    return ""


def _problem_of_entries(start: Int64, feature: Int32, value: Float32, n_features: int) -> str:
    def token_of(entry: int) -> int:
        return int(np.searchsorted(start, entry, side="right")) - 1

    outside = (feature < 0) | (feature >= n_features)
    if outside.any():
        entry = int(np.argmax(outside))
        return f"feature {feature[entry]} at token {token_of(entry)} is out of range 0..{n_features - 1}"
    bad = ~(value > 0) | ~np.isfinite(value)
    if bad.any():
        entry = int(np.argmax(bad))
        return (
            f"value {value[entry]} of feature {feature[entry]} at token {token_of(entry)}; "
            "expected a finite number above 0"
        )
    falls = np.diff(feature) <= 0
    boundary = start[1:-1]
    inner = boundary[(boundary > 0) & (boundary < len(feature))]
    falls[inner - 1] = False
    if falls.any():
        entry = int(np.argmax(falls)) + 1
        return (
            f"feature {feature[entry]} follows {feature[entry - 1]} at token {token_of(entry)}; "
            "expected strictly ascending features within a token"
        )
    return ""
