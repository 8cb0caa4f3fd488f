"""Layer numbers: the option's text, and what counts as a layer in a release."""

import pytest

from analysis.errors import MisuseError
from ingest.sampling.layers import block_of, format_layers, kind_of, layer_numbers, parse_layers


@pytest.mark.parametrize(("text", "layers"), [("5", (5,)), ("0-3", (0, 1, 2, 3)), ("6-7,0", (0, 6, 7))])
def test_layers_are_read_and_written(text: str, layers: tuple[int, ...]) -> None:
    assert parse_layers(text) == layers
    assert parse_layers(format_layers(layers)) == layers


@pytest.mark.parametrize("text", ["", "a", "3-1", "1,1", "0-3,2", "-1"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(MisuseError, match="--layers"):
        parse_layers(text)


@pytest.mark.parametrize(
    ("name", "block", "kind"),
    [
        ("blocks.11.hook_resid_post", 11, "resid_post"),
        ("layer_20/width_131k/average_l0_13", 20, ""),
        ("l31r_8x", 31, ""),
        ("resid_post_layer_3_trainer_1", 3, "resid_post"),
        ("transcoder/layer_9_width_16k_l0_small_affine", 9, ""),
        ("layer0", 0, ""),
        ("embedding/width_4k/average_l0_6", None, "embed"),
    ],
)
def test_ids_of_releases_say_their_block(name: str, block: int | None, kind: str) -> None:
    assert (block_of(name), kind_of(name)) == (block, kind)


def test_a_resid_post_beside_a_resid_pre_is_the_next_layer() -> None:
    names = [f"blocks.{b}.hook_resid_pre" for b in range(3)]
    assert layer_numbers([*names, "blocks.2.hook_resid_post"]) == [0, 1, 2, 3]
    assert layer_numbers(["blocks.0.hook_resid_post", "blocks.1.hook_resid_post"]) == [0, 1]


def test_every_registered_residual_release_has_at_most_one_hook_a_layer() -> None:
    from ingest.sampling.release import candidates

    assert [c.layer for c in candidates("gpt2-small-res-jb")] == list(range(13))
    assert [c.layer for c in candidates("pythia-70m-deduped-res-sm")] == list(range(7))
