"""Taking features out: each trial's earlier feature is subtracted from the stream, the later one read again.

In the row of a token that is read, ``x_i(t) W_dec[i]`` is subtracted at the earlier hook at every token of
text at which ``i`` fires, and the blocks between run on. Rows of several trials go through in one batch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ingest.sampling.autoencoder import Autoencoder, dictionary
from ingest.sampling.packing import Row
from ingest.sampling.reading import Reader
from ingest.sampling.untyped import Sae
from ingest.verification.firing import Firing
from ingest.verification.onward import Clean, Onward
from ingest.verification.trials import Trial


@dataclass(frozen=True)
class Bench:
    """What trials are made with.

    Parameters
    ----------
    reader
        The model with the SAE of the earlier layer and that of the later one.
    firing, rows
        What fires where in which rows.
    way
        From the one hook to the other.
    decoder : shape (F lower, d)
        Directions of the earlier SAE, per unit of activation.
    """

    reader: Reader
    firing: Firing
    rows: list[Row]
    way: Onward
    decoder: torch.Tensor

    @classmethod
    def of(cls, reader: Reader, firing: Firing, rows: list[Row]) -> "Bench":
        """Make it; tries on some of the rows which blocks can be left out."""
        lower, upper = reader.saes
        way = Onward.between(reader.model, lower.hook, upper.hook, _tokens(rows[: reader.rows]))
        decoder = torch.from_numpy(dictionary(lower.sae).decoder).to(reader.model.device)
        return cls(reader, firing, rows, way, decoder)


def run_trials(
    bench: Bench, trials: list[Trial], advance: Callable[[float], None]
) -> list[NDArray[np.float32]]:
    """Return for each trial the change of its later feature at each of its tokens.

    `advance` is told how many tokens were read since the last call.
    """
    changes = [np.zeros(len(trial.tokens), np.float32) for trial in trials]
    # every token of every trial: which trial, which of its tokens, in the order of the rows
    trial = np.repeat(np.arange(len(trials)), [len(t.tokens) for t in trials])
    place = np.concatenate([np.arange(len(t.tokens)) for t in trials])
    row = bench.firing.row[np.concatenate([t.tokens for t in trials])]
    order = np.argsort(row, kind="stable")
    size = bench.reader.rows
    for numbers in _parts(np.unique(row), size):
        clean = bench.way.clean(_tokens([bench.rows[number] for number in numbers]))
        for part in _parts(order[np.isin(row[order], numbers)], size):
            at = np.searchsorted(numbers, row[part])
            chosen = [
                (trials[k], int(trials[k].tokens[p])) for k, p in zip(trial[part], place[part], strict=True)
            ]
            for k, p, value in zip(
                trial[part], place[part], _read_again(bench, clean, numbers, at, chosen), strict=True
            ):
                changes[k][p] = value
            advance(len(part))
    return [
        change - bench.firing.upper.at(trial.target, trial.tokens)
        for change, trial in zip(changes, trials, strict=True)
    ]


def _parts(array: NDArray[np.integer], size: int) -> Iterator[NDArray[np.integer]]:
    return (array[at : at + size] for at in range(0, len(array), size))


@torch.inference_mode()
def _read_again(
    bench: Bench,
    clean: Clean,
    numbers: NDArray[np.integer],
    at: NDArray[np.integer],
    chosen: list[tuple[Trial, int]],
) -> NDArray[np.float32]:
    """Run rows, each with a feature taken out, and read the later feature at one token of each.

    `numbers` are the rows that `clean` is of, and `at` the places of the rows in it.
    """
    firing, lower, upper = bench.firing, *bench.reader.saes
    stream = clean.lower[at]
    change = torch.zeros_like(stream).flatten(2)
    for k, (trial, _) in enumerate(chosen):
        first, last = np.searchsorted(firing.row, numbers[at[k]] + np.arange(2))
        fires, value = firing.lower.column(trial.source)
        here = slice(*np.searchsorted(fires, (first, last)))
        position = torch.from_numpy(firing.position[fires[here]]).long().to(change.device)
        strength = torch.from_numpy(value[here]).to(change.device)
        written = strength[:, None] * bench.decoder[trial.source]
        change[k, position] = -_unscaled(lower.sae, stream[k].flatten(1)[position].float(), written)
    tokens = _tokens([bench.rows[number] for number in numbers[at]])
    passed = bench.way.changed(tokens, clean.entry[at], change.view_as(stream))
    position = torch.from_numpy(firing.position[[token for _, token in chosen]]).long()
    read = passed.flatten(2)[torch.arange(len(chosen)), position].float()
    target = torch.tensor([trial.target for trial, _ in chosen])
    return _activations(upper, read)[torch.arange(len(chosen)), target].cpu().numpy()


def _activations(sae: Autoencoder, stream: torch.Tensor) -> torch.Tensor:
    activations: torch.Tensor = sae.sae.encode(stream)
    return activations.float()


def _unscaled(sae: Sae, stream: torch.Tensor, written: torch.Tensor) -> torch.Tensor:
    """Return what an SAE writes in the units of the stream, where it reads it scaled token by token.

    SAELens' own functions do the scaling: they keep what they saw on the way in, and forget it going out.
    """
    if sae.cfg.normalize_activations not in {"layer_norm", "constant_norm_rescale"}:
        return written
    sae.run_time_activation_norm_fn_in(stream)
    with_it = sae.run_time_activation_norm_fn_out(written)
    sae.run_time_activation_norm_fn_in(stream)
    scaled: torch.Tensor = with_it - sae.run_time_activation_norm_fn_out(torch.zeros_like(written))
    return scaled


def _tokens(rows: list[Row]) -> torch.Tensor:
    return torch.from_numpy(np.stack([row.tokens for row in rows])).long()
