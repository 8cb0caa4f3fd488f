"""Directions of every architecture: what the encoder reads and the decoder writes, per unit of activation."""

from pathlib import Path

import pytest
import torch

from ingest.sampling.autoencoder import Autoencoder, dictionary, load
from ingest.sampling.release import choose
from ingest.sampling.untyped import Json
from tests.sampling.tiny import D_MODEL, make_sae

HOOK = "blocks.0.hook_resid_post"


def _loaded(directory: Path, architecture: str, **changes: Json) -> Autoencoder:
    make_sae(directory / "saes" / HOOK, HOOK, architecture, **changes)
    return load(choose(str(directory / "saes"), ())[0], "cpu")


@pytest.mark.parametrize(
    ("architecture", "changes"),
    [
        ("topk", {}),
        ("topk", {"rescale_acts_by_decoder_norm": True}),
        ("standard", {}),
        ("jumprelu", {}),
        ("gated", {}),
    ],
)
def test_directions_are_the_slopes_of_encode_and_decode(
    tmp_path: Path, architecture: str, changes: Json
) -> None:
    sae = _loaded(tmp_path, architecture, **changes).sae
    found = dictionary(sae)
    x = torch.randn(1, D_MODEL, generator=torch.Generator().manual_seed(1), requires_grad=True)
    fired = sae.encode(x)
    for feature in fired[0].nonzero().flatten().tolist()[:5]:
        slope = torch.autograd.grad(sae.encode(x)[0, feature], x)[0][0]
        torch.testing.assert_close(slope, torch.from_numpy(found.encoder[feature]), rtol=1e-4, atol=1e-4)
        one = torch.zeros(1, sae.cfg.d_sae)
        written = sae.decode(one + torch.eye(sae.cfg.d_sae)[feature]) - sae.decode(one)
        torch.testing.assert_close(
            written[0].detach(), torch.from_numpy(found.decoder[feature]), rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize("architecture", ["jumprelu", "gated", "standard"])
def test_what_fires_is_above_the_threshold(tmp_path: Path, architecture: str) -> None:
    sae = _loaded(tmp_path, architecture).sae
    threshold = torch.from_numpy(dictionary(sae).threshold)
    acts = sae.encode(torch.randn(500, D_MODEL, generator=torch.Generator().manual_seed(2)))
    assert ((acts == 0) | (acts >= threshold - 1e-5)).all()
    if architecture != "standard":
        assert (threshold > 0).any()


def test_a_scale_beside_the_weights_is_folded_in(tmp_path: Path) -> None:
    directory = make_sae(
        tmp_path / "saes" / HOOK, HOOK, "standard", normalize_activations="expected_average_only_in"
    )
    (directory / "activation_scaler.json").write_text('{"scaling_factor": 0.25}')
    folded = load(choose(str(tmp_path / "saes"), ())[0], "cpu").sae
    plain = _loaded(tmp_path / "plain", "standard").sae
    x = torch.randn(20, D_MODEL)
    torch.testing.assert_close(folded.encode(x), plain.encode(0.25 * x))
    torch.testing.assert_close(folded(x), plain(0.25 * x) / 0.25)
    torch.testing.assert_close(
        torch.from_numpy(dictionary(folded).encoder), 0.25 * torch.from_numpy(dictionary(plain).encoder)
    )


def test_layer_norm_is_saelens_own(tmp_path: Path) -> None:
    normed = _loaded(tmp_path, "standard", normalize_activations="layer_norm").sae
    x = torch.randn(20, D_MODEL)
    torch.testing.assert_close(normed.encode(7 * x + 3), normed.encode(x), rtol=1e-3, atol=1e-3)
