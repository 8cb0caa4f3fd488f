"""One SAE, loaded and checked: what it reads, where, and how it was trained to read it.

Encoding is SAELens' own throughout, so that every architecture and normalisation means here what it means
there. Scalings that a plain matrix can carry are folded into the weights at loading.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from analysis.dictionary import Dictionary
from analysis.errors import DataError, MisuseError
from ingest.sampling.failure import first_line, told
from ingest.sampling.layers import block_of
from ingest.sampling.release import Choice
from ingest.sampling.untyped import Json, Metadata, Sae

_SCALER = "activation_scaler.json"
_WHOLE_SEQUENCE = ("temporal",)
_SIGNED = ("abstopk",)


@dataclass(frozen=True)
class Autoencoder:
    """An SAE at one hook.

    Parameters
    ----------
    choice
        Where it came from.
    sae
        The SAELens module, float32, in evaluation mode.
    hook
        Hook point whose tensor it reads.
    layer
        Layer it stands for.
    """

    choice: Choice
    sae: Sae
    hook: str
    layer: int

    @property
    def n_features(self) -> int:
        """Width of the dictionary."""
        return int(self.sae.cfg.d_sae)

    @property
    def metadata(self) -> Metadata:
        """SAELens metadata: an absent entry reads as None."""
        return self.sae.cfg.metadata

    @property
    def reads_stream(self) -> bool:
        """Whether its hook is a point of the residual stream."""
        return "resid_" in self.hook

    def describe(self) -> dict[str, Any]:
        """Return what a samples directory records of it."""
        return {
            "release": self.choice.release,
            "sae_id": self.choice.sae_id,
            "architecture": self.sae.cfg.architecture(),
            "normalize_activations": self.sae.cfg.normalize_activations,
            "context_size": self.metadata.context_size,
            "prepend_bos": self.metadata.prepend_bos,
        }


def load(choice: Choice, device: str) -> Autoencoder:
    """Load the SAE of one layer.

    Raises
    ------
    MisuseError
        It is a transcoder, reads a single head, needs whole sequences or has negative activations.
    DataError
        Its files do not fit together.
    """
    what = f"SAE {choice.release}/{choice.sae_id}"
    sae = _from_disk(choice.directory, what, device) if choice.directory else _from_hub(choice, what, device)
    sae = sae.eval().requires_grad_(False)
    metadata = sae.cfg.metadata
    architecture = sae.cfg.architecture()
    if metadata.hook_name_out not in {None, metadata.hook_name} or "transcoder" in architecture:
        raise MisuseError(
            f"{what} is a transcoder: it reads {metadata.hook_name} and writes {metadata.hook_name_out}; "
            "name an SAE, which reads and writes the same hook"
        )
    if metadata.hook_head_index is not None:
        raise MisuseError(
            f"{what} reads head {metadata.hook_head_index} of {metadata.hook_name} alone; "
            "name an SAE of the whole hook"
        )
    if architecture in _WHOLE_SEQUENCE:
        raise MisuseError(
            f"{what} ({architecture}) reads whole sequences; name one that reads token by token"
        )
    if architecture in _SIGNED:
        raise MisuseError(
            f"{what} ({architecture}) has negative activations; name one whose features are >= 0"
        )
    if not metadata.hook_name or block_of(metadata.hook_name) is None:
        raise MisuseError(
            f"{what} names the hook {metadata.hook_name!r}; "
            "expected a hook of a block, such as blocks.3.hook_resid_post"
        )
    if choice.layer is None or not 0 <= choice.layer - int(block_of(metadata.hook_name) or 0) <= 1:
        raise DataError(
            f"{what} stands for layer {choice.layer} but reads {metadata.hook_name}; name another"
        )
    return Autoencoder(choice, sae, metadata.hook_name, choice.layer)


def _from_disk(directory: Path, what: str, device: str) -> Sae:
    from sae_lens import SAE  # noqa: PLC0415  takes seconds

    try:
        sae = SAE.load_from_disk(directory, device=device, dtype="float32")
    except Exception as error:
        raise DataError(
            f"{what}: {directory} cannot be loaded: {first_line(error)}; fetch it again"
        ) from error
    scaler = directory / _SCALER
    if sae.cfg.normalize_activations == "expected_average_only_in" and scaler.is_file():
        sae.fold_activation_norm_scaling_factor(float(json.loads(scaler.read_text())["scaling_factor"]))
    return _normalised(
        sae, what, f"put {_SCALER} with its scaling_factor beside its {directory.name}/cfg.json"
    )


def _from_hub(choice: Choice, what: str, device: str) -> Sae:
    from sae_lens import SAE  # noqa: PLC0415  takes seconds

    with told(what, "--sae"):
        sae = SAE.from_pretrained(choice.release, choice.sae_id, device=device, dtype="float32")
    return _normalised(sae, what, "load it from a directory that holds activation_scaler.json")


def _normalised(sae: Sae, what: str, remedy: str) -> Sae:
    """Refuse an SAE that expects scaled activations when the scale is nowhere to be had."""
    if sae.cfg.normalize_activations in {"expected_average_only_in", "covariance_whitening"}:
        raise MisuseError(
            f"{what} reads activations normalised by {sae.cfg.normalize_activations}, "
            f"and how far they were scaled is not recorded; {remedy}"
        )
    return sae


@torch.no_grad()
def dictionary(sae: Sae) -> Dictionary:
    """Return the directions of an SAE, per unit of activation.

    A gated SAE's encoder is its magnitude path, and its threshold the activation at which the gate opens.
    Scalings of the input that vary by token (layer_norm, constant_norm_rescale) cannot be folded in; the
    encoder then reads the normalised stream.
    """
    encoder, decoder = sae.W_enc.T, sae.W_dec
    threshold = torch.zeros(sae.cfg.d_sae)
    architecture = sae.cfg.architecture()
    if architecture == "gated":
        encoder = encoder * sae.r_mag.exp()[:, None]
        threshold = (sae.b_mag - sae.b_gate * sae.r_mag.exp()).clamp(min=0)
    elif architecture == "jumprelu":
        threshold = sae.threshold.clamp(min=0)
    if getattr(sae.cfg, "rescale_acts_by_decoder_norm", False):
        norm = sae.W_dec.norm(dim=-1)
        encoder, decoder = encoder * norm[:, None], decoder / norm[:, None]
    return Dictionary(_rows(decoder), _rows(encoder), _rows(threshold))


def _rows(tensor: torch.Tensor) -> "np.ndarray[Any, np.dtype[np.float32]]":
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())


def agreed(found: list[Autoencoder], name: str) -> Json:
    """Return what the SAEs say of `name` (an entry of their metadata), None if none says anything.

    Raises
    ------
    MisuseError
        They disagree, so that one forward pass cannot serve them all.
    """
    said = {json.dumps(a.metadata[name], sort_keys=True): a for a in found if a.metadata[name] is not None}
    if len(said) > 1:
        (one, a), (other, b) = list(said.items())[:2]
        raise MisuseError(
            f"the SAEs disagree on {name}: {a.choice.sae_id} has {one}, {b.choice.sae_id} has {other}; "
            "sample them in separate runs"
        )
    return json.loads(next(iter(said))) if said else None
