"""What fires where, at both layers, in one pass over rows of text."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from analysis.activations import Float64
from ingest.sampling import sparse
from ingest.sampling.autoencoder import Autoencoder, dictionary
from ingest.sampling.packing import Row
from ingest.sampling.reading import Reader, token_arrays


@dataclass(frozen=True)
class Layer:
    """Activations of one site at the tokens of text.

    Parameters
    ----------
    by_token : shape (tokens, F)
        Row by row.
    by_feature : shape (tokens, F)
        The same, column by column, tokens ascending.
    """

    by_token: csr_array
    by_feature: csc_array

    @classmethod
    def of(cls, parts: list[sparse.Csr], n_features: int) -> "Layer":
        """Put blocks one below the other."""
        csr = sparse.arrays(sparse.join(parts))
        rows = csr_array(
            (csr["value"], csr["feature"], csr["start"]), shape=(len(csr["start"]) - 1, n_features)
        )
        return cls(rows, rows.tocsc())

    def column(self, feature: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the tokens at which a feature fires, ascending, and how strongly."""
        where = slice(*self.by_feature.indptr[feature : feature + 2])
        return self.by_feature.indices[where].astype(np.int64), self.by_feature.data[where]

    def at(self, feature: int, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return what a feature does at some tokens, 0 where it is silent."""
        fires, value = self.column(feature)
        found = np.zeros(len(tokens), np.float32)
        if len(fires):
            place = np.minimum(np.searchsorted(fires, tokens), len(fires) - 1)
            found[fires[place] == tokens] = value[place[fires[place] == tokens]]
        return found

    @property
    def rate(self) -> Float64:
        """Share of the tokens at which each feature fires, shape (F,)."""
        share: Float64 = np.diff(self.by_feature.indptr) / self.by_feature.shape[0]
        return share


@dataclass(frozen=True)
class Firing:
    """What was read.

    Parameters
    ----------
    lower, upper
        The earlier and the later layer.
    row, position : shape (tokens,)
        Row of each token of text, ascending, and its place in the row.
    nearness
        Of the later features asked for: by feature, shape (tokens,), how near each is to firing, as its
        encoder reads the stream; larger is nearer.
    """

    lower: Layer
    upper: Layer
    row: NDArray[np.int32]
    position: NDArray[np.int32]
    nearness: dict[int, NDArray[np.float32]]


def read(reader: Reader, rows: list[Row], near: list[int], advance: Callable[[float], None]) -> Firing:
    """Run the rows through the model and both SAEs.

    Parameters
    ----------
    reader
        The model with the SAE of the earlier layer and that of the later one.
    rows
        What is read.
    near
        Later features of which it is asked how near they are to firing where they do not.
    advance
        Told how many tokens were read since the last call.
    """
    parts: tuple[list[sparse.Csr], list[sparse.Csr]] = ([], [])
    nearness: list[NDArray[np.float32]] = []
    encoder = torch.from_numpy(dictionary(reader.saes[1].sae).encoder[near]).to(reader.model.device)
    for streams in reader.batches(rows):
        for part, sae, stream in zip(parts, reader.saes, streams, strict=True):
            part.append(sparse.encode(sae.sae, stream))
        if near:
            nearness.append(_nearness(reader.saes[1], streams[1], encoder))
        advance(len(streams[0]))
    places = token_arrays(rows, reader.model.special, 0)
    found = np.concatenate(nearness).T if near else np.zeros((0, 0), np.float32)
    lower, upper = (Layer.of(part, sae.n_features) for part, sae in zip(parts, reader.saes, strict=True))
    return Firing(
        lower,
        upper,
        places["sequence"],
        places["position"],
        dict(zip(near, found, strict=True)),
    )


@torch.inference_mode()
def _nearness(sae: Autoencoder, stream: torch.Tensor, encoder: torch.Tensor) -> NDArray[np.float32]:
    """Return what some features' encoder directions read of a stream, shape (tokens, features)."""
    found: NDArray[np.float32] = (sae.sae.process_sae_in(stream) @ encoder.T).float().cpu().numpy()
    return found
