"""Taking a feature out and running on, against the whole model with hooks."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GPT2LMHeadModel

from analysis.errors import DataError
from ingest.sampling import SampleConfig
from ingest.sampling.loading import load_reader, load_saes
from ingest.sampling.packing import Row
from ingest.sampling.release import choose
from ingest.sampling.untyped import Json
from ingest.verification.ablation import Bench, run_trials
from ingest.verification.firing import read
from ingest.verification.onward import Onward
from ingest.verification.trials import Trial
from tests.sampling.conftest import Tiny
from tests.sampling.tiny import make_sae
from tests.verification import naive
from tests.verification.small import Read, together


def tokens_of(rows: list[Row]) -> torch.Tensor:
    return torch.from_numpy(np.stack([row.tokens for row in rows])).long()


def busy_pairs(found: Read, most: int) -> list[Trial]:
    """The pairs that fire together most, each read at a few tokens."""
    counts = together(found.firing)
    pairs = np.column_stack(np.unravel_index(np.argsort(-counts, axis=None)[:most], counts.shape))
    trials = []
    for source, target in pairs.tolist():
        both = np.intersect1d(found.firing.lower.column(source)[0], found.firing.upper.column(target)[0])
        trials.append(Trial(source, target, -1, both[:: max(1, len(both) // 4)][:4], 1.0))
    return trials


def compared(found: Read, trials: list[Trial]) -> None:
    """All trials in batches equal one pass of the whole model for each token."""
    bench = Bench.of(found.reader, found.firing, found.rows)
    changes = run_trials(bench, trials, lambda _: None)
    for trial, change in zip(trials, changes, strict=True):
        places = np.column_stack([found.firing.row, found.firing.position])[trial.tokens]
        expected = naive.changes_of(found.reader, found.rows, places, trial.source, trial.target)
        assert change == pytest.approx(expected, abs=2e-4)
    assert max(np.abs(change).max() for change in changes) > 0.01


def test_batches_equal_one_token_at_a_time_on_the_small_model(small: Read) -> None:
    assert Bench.of(small.reader, small.firing, small.rows).way.skips
    compared(small, busy_pairs(small, 6))


def test_running_the_blocks_before_too_changes_nothing(small: Read) -> None:
    lower, upper = small.reader.saes
    tokens = tokens_of(small.rows[:5])
    quick = Onward.between(small.reader.model, lower.hook, upper.hook, tokens)
    whole = Onward(small.reader.model, lower.hook, upper.hook, quick.start)
    assert (quick.skips, whole.skips, quick.start) == (True, False, 2)
    clean = quick.clean(tokens)
    change = torch.randn(clean.lower.shape, generator=torch.Generator().manual_seed(0))
    one, other = (way.changed(tokens, clean.entry, change) for way in (quick, whole))
    assert torch.allclose(one, other, atol=1e-4)
    assert (one - clean.upper).abs().max() > 0.1
    # and the model is as it was
    assert torch.equal(quick.clean(tokens).upper, clean.upper)


def test_taking_out_what_never_fires_changes_nothing(small: Read) -> None:
    fires = np.diff(small.firing.lower.by_feature.indptr)
    dead = int(np.flatnonzero(fires == 0)[0])
    target = int(np.diff(small.firing.upper.by_feature.indptr).argmax())
    trial = Trial(dead, target, -1, small.firing.upper.column(target)[0][::40], 1.0)
    bench = Bench.of(small.reader, small.firing, small.rows)
    (change,) = run_trials(bench, [trial], lambda _: None)
    assert np.abs(change).max() < 1e-4


def tiny_read(tiny: Tiny, saes: Path, layers: tuple[int, ...], model: Path | None = None) -> Read:
    config = SampleConfig(str(model or tiny.model), str(saes), str(tiny.corpus), Path("/dev/null"), layers)
    reader, shape = load_reader(config, load_saes(config, choose(str(saes), layers)))
    random = np.random.default_rng(0)
    rows = []
    for _ in range(12):
        tokens = random.integers(1, 300, shape.context).astype(np.int32)
        tokens[0] = 0
        rows.append(Row(tokens, np.zeros_like(tokens), np.arange(shape.context, dtype=np.int32)))
    return Read(reader, rows, read(reader, rows, [], lambda _: None))


@pytest.mark.parametrize(
    ("lower", "architecture", "changes"),
    [
        ("blocks.0.hook_resid_pre", "topk", {}),
        ("blocks.1.hook_resid_pre", "topk", {"rescale_acts_by_decoder_norm": True}),
        ("blocks.1.hook_resid_mid", "topk", {}),
        ("blocks.1.hook_mlp_out", "jumprelu", {}),
        ("blocks.0.hook_resid_post", "standard", {"normalize_activations": "layer_norm"}),
        ("blocks.1.hook_resid_pre", "standard", {"normalize_activations": "constant_norm_rescale"}),
        ("blocks.1.hook_resid_post", "gated", {}),
    ],
)
def test_every_kind_of_hook_and_sae(
    tiny: Tiny, tmp_path: Path, lower: str, architecture: str, changes: dict[str, Json]
) -> None:
    make_sae(tmp_path / "saes" / "a", lower, architecture, **changes)
    make_sae(
        tmp_path / "saes" / "b",
        "blocks.2.hook_resid_pre" if lower.startswith("blocks.0") else "blocks.2.hook_resid_mid",
    )
    found = tiny_read(tiny, tmp_path / "saes", ())
    compared(found, busy_pairs(found, 6))


def test_where_the_blocks_between_write_nothing_it_is_the_virtual_weight(tiny: Tiny, tmp_path: Path) -> None:
    model = GPT2LMHeadModel.from_pretrained(tiny.model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".h.1." in name and "c_proj" in name:
                parameter.zero_()
    model.save_pretrained(tmp_path / "model")
    for file in tiny.model.glob("tokenizer*"):
        (tmp_path / "model" / file.name).write_bytes(file.read_bytes())
    for block in (0, 1):
        hook = f"blocks.{block}.hook_resid_post"
        make_sae(tmp_path / "saes" / hook, hook, "standard")
    found = tiny_read(tiny, tmp_path / "saes", (), tmp_path / "model")
    trials = busy_pairs(found, 20)
    changes = run_trials(Bench.of(found.reader, found.firing, found.rows), trials, lambda _: None)
    lower, upper = (sae.sae for sae in found.reader.saes)
    for trial, change in zip(trials, changes, strict=True):
        virtual = float(lower.W_dec[trial.source] @ upper.W_enc[:, trial.target])
        written = found.firing.lower.at(trial.source, trial.tokens) * virtual
        there = found.firing.upper.at(trial.target, trial.tokens)
        assert change == pytest.approx(np.maximum(there - written, 0) - there, abs=1e-3)


def test_a_later_hook_that_comes_before_is_refused(small: Read) -> None:
    hooks = [sae.hook for sae in small.reader.saes]
    with pytest.raises(DataError, match=r"does not come after blocks\.2\.hook_resid_post"):
        Onward.between(small.reader.model, hooks[1], hooks[0], tokens_of(small.rows[:1]))
