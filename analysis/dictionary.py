"""The dictionary of an SAE: one direction to read each feature and one to write it."""

from dataclasses import dataclass

import numpy as np

from analysis.activations import Float32, Int32
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
    norm = np.linalg.norm(decoder, axis=1)
    out = np.empty(len(source), np.float32)
    for at in range(0, len(source), block):
        a, b = source[at : at + block], target[at : at + block]
        with np.errstate(invalid="ignore", divide="ignore"):
            out[at : at + block] = np.einsum("ed,ed->e", decoder[a], decoder[b]) / (norm[a] * norm[b])
    return out
