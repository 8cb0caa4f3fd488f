"""Measures the SAEs on text held out from training: ``python -m ingest.smollm2.measure`` writes the card.

For each hook: FVU = sum |x - x'|^2 / sum |x - mean(x)|^2, L0 = latents active on a token, the share of
latents that fire nowhere (dead), and the share of loss recovered ``(L_0 - L_sae) / (L_0 - L)``, with L the
model's loss in nats a token, L_sae that with the SAE's reconstruction in place of the stream at all text, and
L_0 that with zeros there.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from sae_lens import SAE

from ingest.progress import progress
from ingest.sampling.model import Model, load
from ingest.sampling.packing import Row
from ingest.smollm2 import CARD, HOOKS, SAE_DIRECTORY, cache
from ingest.smollm2.activations import ROWS, rows_of, stream
from ingest.smollm2.fetch import fetch
from ingest.smollm2.packages import BOOKS, MODEL, SPEECHES
from ingest.smollm2.recipe import Recipe
from ingest.smollm2.texts import held_out, read
from ingest.smollm2.train import MODEL_NAME

_LIBRARIES = ("torch", "transformers", "sae-lens", "transformer-lens")

Change = Callable[[torch.Tensor], torch.Tensor]


class Quality(TypedDict):
    """What is measured of one SAE; losses in nats a token."""

    fvu: float
    l0: float
    dead_share: float
    loss_with_sae: float
    loss_with_zeros: float
    loss_recovered: float


@torch.inference_mode()
def loss(model: Model, rows: list[Row], hook: str = "", change: Change | None = None) -> float:
    """Return the mean loss on all text; with `change`, what passes the hook at text is what it returns."""
    total, count = 0.0, 0
    for at in range(0, len(rows), ROWS):
        tokens = torch.from_numpy(np.stack([row.tokens for row in rows[at : at + ROWS]])).long()
        text = torch.from_numpy(~model.special[tokens.numpy()])

        def spliced(here: torch.Tensor, hook: object, text: torch.Tensor = text) -> torch.Tensor:  # noqa: ARG001  the library's signature
            if change is not None:
                here[text] = change(here[text])
            return here

        hooks = [(hook, spliced)] if hook else []
        each = model.bridge.run_with_hooks(tokens, return_type="loss", loss_per_token=True, fwd_hooks=hooks)
        total += each[text[:, 1:]].sum().item()
        count += int(text[:, 1:].sum())
    return total / count


@torch.inference_mode()
def explained(model: Model, rows: list[Row], saes: dict[str, SAE]) -> dict[str, tuple[float, float, float]]:
    """Return FVU, L0 and the share of dead latents of each SAE."""
    sums = {hook: np.zeros(2) for hook in saes}
    fired = {hook: torch.zeros(sae.cfg.d_sae, dtype=torch.long) for hook, sae in saes.items()}
    mean = {hook: torch.zeros(sae.cfg.d_in, dtype=torch.float64) for hook, sae in saes.items()}
    count = 0
    with progress("explaining", -(-len(rows) // ROWS), unit="passes") as advance:
        for found in stream(model, tuple(saes), rows):
            count += len(found[next(iter(saes))])
            for hook, sae in saes.items():
                latents = sae.encode(found[hook])
                missed = (found[hook] - sae.decode(latents)).double()
                sums[hook] += [missed.square().sum().item(), found[hook].double().square().sum().item()]
                mean[hook] += found[hook].double().sum(0)
                fired[hook] += (latents != 0).sum(0)
            advance(1)
    return {
        hook: (
            sums[hook][0] / (sums[hook][1] - mean[hook].square().sum().item() / count),
            fired[hook].sum().item() / count,
            (fired[hook] == 0).double().mean().item(),
        )
        for hook in saes
    }


def _through(sae: SAE) -> Change:
    return lambda here: sae.decode(sae.encode(here))


def measure(model: Model, rows: list[Row], spliced: list[Row], directory: Path) -> dict[str, Quality]:
    """Measure the SAE of every hook: FVU, L0 and dead on `rows`, the losses on `spliced`."""
    saes = {hook: SAE.load_from_disk(directory / hook, dtype="float32") for hook in HOOKS}
    shares = explained(model, rows, saes)
    whole = loss(model, spliced)
    quality: dict[str, Quality] = {}
    with progress("losses", len(HOOKS), unit="SAEs") as advance:
        for hook, sae in saes.items():
            with_sae = loss(model, spliced, hook, _through(sae))
            with_zeros = loss(model, spliced, hook, torch.zeros_like)
            fvu, l0, dead = shares[hook]
            quality[hook] = {
                "fvu": fvu,
                "l0": l0,
                "dead_share": dead,
                "loss_with_sae": with_sae,
                "loss_with_zeros": with_zeros,
                "loss_recovered": (with_zeros - with_sae) / (with_zeros - whole),
            }
            advance(1)
    return quality


def _main() -> None:
    """Write the card."""
    recipe = Recipe()
    home = fetch(cache())
    model = load(MODEL_NAME, str(home.model), "cpu", None, recipe.context, prepend_bos=True)
    held = [d for file in home.texts for d in read(file) if held_out(d)]
    rows = rows_of(model, iter(held))
    # every eighth of the held-out rows: whole passes are slow, and these say it to the second digit
    part = rows[::8]
    card = {
        "model": f"{MODEL.name} {MODEL.version}, {Path(MODEL.file).name}",
        "texts": [f"{package.name} {package.version}" for package in (BOOKS, SPEECHES)],
        "recipe": asdict(recipe),
        "held_out_tokens": sum(int((~model.special[row.tokens]).sum()) for row in rows),
        "loss": loss(model, part),
        "loss_tokens": sum(int((~model.special[row.tokens]).sum()) for row in part),
        "saes": measure(model, rows, part, SAE_DIRECTORY),
        "versions": {library: version(library) for library in _LIBRARIES},
    }
    CARD.write_text(json.dumps(card, indent=2) + "\n")
    sys.stdout.write(CARD.read_text())


if __name__ == "__main__":
    _main()
