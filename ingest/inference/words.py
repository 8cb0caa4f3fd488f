"""What the features fire on, in words: contexts, top tokens and a first label.

Gathered replicate by replicate, a window of token ids around each of the strongest firings and a sum of
activation for each (feature, token id); turned into text at the end.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.activations import Bool, Columns, Float32, Float64, Int32, Int64, Samples
from analysis.contexts import strongest
from analysis.layer_graph import CONTEXT_COLUMNS, TOP_TOKENS
from analysis.token_mass import TokenMass

CONTEXTS = 5
LEFT, RIGHT = 16, 8
TOP = 5
_LABEL_TOKENS = 3
_LABEL_SHARE = 0.05
_NO_TOKEN = -1


@dataclass(frozen=True)
class Words:
    """What was gathered so far.

    Parameters
    ----------
    value : shape (F, CONTEXTS)
        Strongest firings of each feature, falling; 0 behind the last.
    window : shape (F, CONTEXTS, LEFT + 1 + RIGHT)
        Token ids around each; -1 outside its sequence.
    mass
        Activation of each feature on its heaviest tokens.
    total : shape (F,)
        Activation of each feature on all tokens.
    """

    value: Float32
    window: Int32
    mass: TokenMass
    total: Float64

    @classmethod
    def none(cls, n_features: int) -> "Words":
        """Return what is known before any replicate."""
        return cls(
            np.zeros((n_features, CONTEXTS), np.float32),
            np.full((n_features, CONTEXTS, LEFT + 1 + RIGHT), _NO_TOKEN, np.int32),
            TokenMass.none(n_features),
            np.zeros(n_features),
        )

    def plus(self, samples: Samples, columns: Columns) -> "Words":
        """Return what is known with one more replicate, which must have token ids, by its `columns`."""
        ids = samples.token_id
        assert ids is not None
        sequence = samples.sequence
        if sequence is None:
            sequence = np.arange(len(ids), dtype=np.int32)
        found = strongest(columns, sequence, CONTEXTS)
        window = _windows(found.token, ids, _joined(samples))
        value = np.concatenate([self.value, found.value], axis=1)
        best = np.argsort(-value, axis=1, kind="stable")[:, :CONTEXTS]
        window = np.take_along_axis(
            np.concatenate([self.window, window], axis=1), best[:, :, np.newaxis], axis=1
        )
        owner = np.repeat(np.arange(columns.n_features), np.diff(columns.start))
        total = np.bincount(owner, weights=columns.value, minlength=len(self.total))
        return Words(
            np.take_along_axis(value, best, axis=1),
            window,
            self.mass.plus(columns, ids),
            self.total + total,
        )

    def contexts(self, vocabulary: pl.DataFrame) -> pl.DataFrame:
        """Return the contexts as text, columns of ``CONTEXT_COLUMNS``."""
        feature, rank = np.nonzero(self.value > 0)
        window = self.window[feature, rank]
        text = _texts(window.ravel(), vocabulary).reshape(window.shape)
        return pl.DataFrame(
            {
                "feature": feature.astype(np.int32),
                "rank": (rank + 1).astype(np.int32),
                "value": self.value[feature, rank].astype(np.float64),
                "left": ["".join(row) for row in text[:, :LEFT]],
                "token": list(text[:, LEFT]),
                "right": ["".join(row) for row in text[:, LEFT + 1 :]],
            },
            schema=dict(CONTEXT_COLUMNS),
        )

    def top_tokens(self, vocabulary: pl.DataFrame) -> pl.DataFrame:
        """Return ``feature``, ``top_tokens`` (those with most of its activation) and a first ``label``."""
        best = np.argsort(-self.mass.mass, axis=1, kind="stable")[:, :TOP]
        mass = np.take_along_axis(self.mass.mass, best, axis=1)
        feature, rank = np.nonzero(mass > 0)
        ranked = pl.DataFrame(
            {
                "feature": feature.astype(np.int32),
                "token_id": np.take_along_axis(self.mass.token_id, best, axis=1)[feature, rank],
                "share": mass[feature, rank] / self.total[feature],
            }
        )
        text = _texts(ranked["token_id"].to_numpy(), vocabulary)
        ranked = ranked.with_columns(token=pl.Series(list(text), dtype=pl.String))
        counts = (pl.col("share") >= _LABEL_SHARE) | (pl.col("share") == pl.col("share").max())
        return ranked.group_by("feature", maintain_order=True).agg(
            top_tokens=pl.struct("token", "share").cast(TOP_TOKENS.inner),
            label=readable(pl.col("token").filter(counts))
            .unique(maintain_order=True)
            .head(_LABEL_TOKENS)
            .str.join(" · "),
        )


def readable(token: pl.Expr) -> pl.Expr:
    """Strip a token for a label; one that is nothing but blanks is written with signs for them."""
    blanks = token.str.replace_all(" ", "␣").str.replace_all("\n", "↵").str.replace_all("\t", "⇥")
    stripped = token.str.strip_chars()
    return pl.when(stripped == "").then(blanks).otherwise(stripped)


def _joined(samples: Samples) -> Bool:
    """Whether token ``t`` stands right behind ``t - 1`` in one text, shape (n,)."""
    n = samples.activations.n_tokens
    joined = np.ones(n, bool)
    joined[0] = False
    if samples.sequence is not None:
        joined[1:] &= np.diff(samples.sequence) == 0
    if samples.position is not None:
        # A dropped special token between two documents leaves a gap.
        joined[1:] &= np.diff(samples.position) == 1
    return joined


def _windows(centre: Int32, ids: Int32, joined: Bool) -> Int32:
    """Token ids around each `centre` (-1 for none), cut where the text is not joined."""
    n = len(ids)
    there = centre >= 0
    window = np.full((*centre.shape, LEFT + 1 + RIGHT), _NO_TOKEN, np.int32)
    window[..., LEFT] = np.where(there, ids[centre], _NO_TOKEN)
    for step in (-1, 1):
        inside = there.copy()
        for distance in range(1, (LEFT if step < 0 else RIGHT) + 1):
            place = centre + step * distance
            inside &= (place >= 0) & (place < n)
            safe: Int64 = np.where(inside, place, 0)
            # The link between two neighbours belongs to the later one.
            inside &= joined[safe if step > 0 else np.minimum(safe + 1, n - 1)]
            window[..., LEFT + step * distance] = np.where(inside, ids[safe], _NO_TOKEN)
    return window


def _texts(ids: Int32, vocabulary: pl.DataFrame) -> "np.ndarray[tuple[int, ...], np.dtype[np.object_]]":
    """Text of each token id: empty for -1, the number in brackets where the vocabulary lacks it."""
    words = dict(zip(vocabulary["token_id"].to_list(), vocabulary["text"].to_list(), strict=True))
    words[_NO_TOKEN] = ""
    unique, inverse = np.unique(ids, return_inverse=True)
    texts = np.array([words.get(int(i), f"[{i}]") for i in unique], dtype=object)
    return texts[inverse] if len(unique) else np.empty(0, dtype=object)
