"""The dictionary of an SAE: one direction to read each feature and one to write it."""

from dataclasses import dataclass

import numpy as np

from analysis.activations import Float32, Float64, Int32
from analysis.errors import DataError


@dataclass(frozen=True)
class Dictionary:
    """Decoder and encoder directions of ``F`` features in a residual stream of width ``d``.

    Parameters
    ----------
    decoder : shape (F, d)
        What feature ``i`` adds to the residual stream per unit of activation; norms may differ from 1.
    encoder : shape (F, d)
        What it reads, input scalings folded in.
    threshold : shape (F,)
        Activation below which it does not fire (0 where the SAE has none).
    """

    decoder: Float32
    encoder: Float32
    threshold: Float32

    def __post_init__(self) -> None:
        if self.decoder.ndim != 2 or self.decoder.shape != self.encoder.shape:
            raise DataError(
                f"dictionary has decoder {self.decoder.shape} and encoder {self.encoder.shape}; "
                "expected the same two-dimensional shape (features, d_model)"
            )
        if self.threshold.shape != (len(self.decoder),):
            raise DataError(f"threshold has shape {self.threshold.shape}; expected ({len(self.decoder)},)")
        for name in ("decoder", "encoder", "threshold"):
            array = getattr(self, name)
            if not np.isfinite(array).all():
                feature = int(np.argwhere(~np.isfinite(array))[0, 0])
                raise DataError(
                    f"{name} of feature {feature} is not finite; expected numbers, write it again"
                )


def decoder_cosines(decoder: Float32, source: Int32, target: Int32, block: int = 1 << 16) -> Float32:
    """Cosine between the decoder directions of each pair ``(source[e], target[e])``, shape (edges,).

    A zero direction has cosine NaN with everything. Works through `block` pairs at a time.
    """
    return _cosines(decoder, decoder, source, target, block)


def cosines_across(lower: Dictionary, upper: Dictionary, source: Int32, target: Int32) -> Float64:
    """Cosine between decoder direction ``source[e]`` of a site and ``target[e]`` of another, shape (links,).

    A zero direction has cosine NaN with everything.
    """
    return _cosines(lower.decoder, upper.decoder, source, target).astype(np.float64)


def virtual_weights(lower: Dictionary, upper: Dictionary, source: Int32, target: Int32) -> Float64:
    """Return what encoder ``target[e]`` of a site reads of decoder direction ``source[e]`` of another."""
    return _products(lower.decoder, upper.encoder, source, target).astype(np.float64)


def _cosines(one: Float32, other: Float32, source: Int32, target: Int32, block: int = 1 << 16) -> Float32:
    length = np.linalg.norm(one, axis=1)[source] * np.linalg.norm(other, axis=1)[target]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(_products(one, other, source, target, block) / length, np.float32)


def _products(one: Float32, other: Float32, source: Int32, target: Int32, block: int = 1 << 16) -> Float32:
    """Inner product of each pair of rows, `block` pairs at a time."""
    out = np.empty(len(source), np.float32)
    for at in range(0, len(source), block):
        a, b = source[at : at + block], target[at : at + block]
        out[at : at + block] = np.einsum("ed,ed->e", one[a], other[b])
    return out
