"""The planted classes of sampled tokens, found again from where each token came from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ingest.organism.classes import CLASSES
from ingest.organism.grammar import document


def planted_classes(
    seed: int, documents: NDArray[np.int32], offsets: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Sequence[str]]:
    """Find the classes of tokens drawn from the generator.

    Parameters
    ----------
    seed
        Seed of the corpus.
    documents, offsets : shape (n,)
        Number of each token's document, and its place there.

    Returns
    -------
    Token and class of every label, as two arrays of one length, and the class names by number.
    """
    names = list(CLASSES)
    number = {name: i for i, name in enumerate(names)}
    wanted, at = np.unique(documents, return_inverse=True)
    labels = [document(seed, int(d)).labels for d in wanted]
    token, kind = [], []
    for t, (d, offset) in enumerate(zip(at, offsets, strict=True)):
        for name in labels[d][offset]:
            token.append(t)
            kind.append(number[name])
    return np.array(token, np.int64), np.array(kind, np.int64), names
