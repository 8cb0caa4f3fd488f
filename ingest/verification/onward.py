"""From one hook of a model on to a later one, without the blocks before.

What enters the first block that has to run is kept from a clean pass. Later passes put it, changed, in the
place of what enters there, and the blocks before hand on what they get. Rows are full, so masks and positions
are the model's own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from analysis.errors import DataError
from ingest.sampling.layers import block_of, kind_of
from ingest.sampling.model import Model, residuals

_ALIKE = 1e-4
"""Largest difference, as a share of the largest number there, at which two passes are the same."""


@dataclass(frozen=True)
class Clean:
    """What a batch of rows does with nothing taken out, each of shape (rows, context, ...).

    Parameters
    ----------
    entry
        What enters the first block that has to run again.
    lower, upper
        What passes the earlier and the later hook.
    """

    entry: torch.Tensor
    lower: torch.Tensor
    upper: torch.Tensor


@dataclass(frozen=True)
class Onward:
    """The way from one hook to a later one.

    Parameters
    ----------
    model
        The model.
    lower, upper
        The two hooks.
    start
        First block that has to run.
    skips
        Whether the blocks before are left out: not where there are none, nor where a model passes more from
        block to block than the stream, so that leaving them out would change what follows.
    wraps
        Whether a block returns the stream as a tuple of one.
    """

    model: Model
    lower: str
    upper: str
    start: int
    skips: bool = False
    wraps: bool = False

    @classmethod
    def between(cls, model: Model, lower: str, upper: str, tokens: torch.Tensor) -> "Onward":
        """Find the way, and try on some rows of `tokens` whether blocks can be left out.

        Raises
        ------
        DataError
            The second hook does not come after the first.
        """
        start = int(block_of(lower) or 0) + (kind_of(lower) == "resid_post")
        if int(block_of(upper) or 0) < start:
            raise DataError(
                f"{upper} does not come after {lower}; expected links from an earlier layer to a later one, "
                "make the links again"
            )
        way = cls(model, lower, upper, start)
        clean, returned = way.clean(tokens), way._returned(tokens)
        if not (isinstance(returned, torch.Tensor) or (isinstance(returned, tuple) and len(returned) == 1)):
            return way
        quick = replace(way, skips=True, wraps=isinstance(returned, tuple))
        again = quick.changed(tokens, clean.entry, torch.zeros_like(clean.lower))
        same = (again - clean.upper).abs().max() <= _ALIKE * clean.upper.abs().max()
        return quick if same else way

    def _returned(self, tokens: torch.Tensor) -> object:
        """Return what the block before the first returns; None where there is none."""
        found: list[object] = []
        if self.start:
            block = self.model.bridge.blocks[self.start - 1]
            handle = block.register_forward_hook(lambda _module, _inputs, output: found.append(output))
            try:
                residuals(self.model, tokens, [self._entry])
            finally:
                handle.remove()
        return found[0] if found else None

    @property
    def _entry(self) -> str:
        return f"blocks.{self.start}.hook_in"

    @property
    def _on_entry(self) -> bool:
        """Whether what enters the first block is what passes the earlier hook."""
        return kind_of(self.lower) in {"resid_pre", "resid_post"}

    def clean(self, tokens: torch.Tensor) -> Clean:
        """Run rows of token ids, shape (rows, context), as they are."""
        found = residuals(self.model, tokens, [self._entry, self.lower, self.upper])
        return Clean(found[self._entry], found[self.lower], found[self.upper])

    @torch.inference_mode()
    def changed(self, tokens: torch.Tensor, entry: torch.Tensor, change: torch.Tensor) -> torch.Tensor:
        """Return what passes the later hook when `change` is added at the earlier one.

        Parameters
        ----------
        tokens : shape (rows, context)
            The rows.
        entry : shape (rows, context, d)
            What a clean pass saw enter the first block.
        change : shape (rows, context, ...)
            As what passes the earlier hook.
        """
        if not self._on_entry:
            with self._running(entry):
                return self._through(tokens, self.lower, lambda there: there + change)
        if not self.skips:
            return self._through(tokens, self._entry, lambda there: there + change)
        with self._running(entry + change):
            return self._through(tokens)

    def _through(
        self,
        tokens: torch.Tensor,
        hook: str | None = None,
        change: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> torch.Tensor:
        changes = None if hook is None or change is None else (hook, change)
        return residuals(self.model, tokens, [self.upper], changes)[self.upper]

    @contextmanager
    def _running(self, entry: torch.Tensor) -> Iterator[None]:
        """Let the blocks before the first hand on `entry` without running, where they are left out."""
        blocks = [self.model.bridge.blocks[number] for number in range(self.start if self.skips else 0)]
        handed = (entry,) if self.wraps else entry
        try:
            for block in blocks:
                # past the bridge's own way of setting attributes, which looks for hooks in them
                block.__dict__["forward"] = lambda *_, **__: handed
            yield
        finally:
            for block in blocks:
                block.__dict__.pop("forward", None)
