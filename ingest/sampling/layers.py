"""Which layers: the text of ``--layers``, and the number of a hook point.

A layer is a place in the residual stream that people number by its block. A release has either one SAE per
block, at whichever hook, and then layer ``N`` is block ``N``; or it has resid_pre and resid_post of the same
block side by side (gpt2-small-res-jb ends so), and then its resid_post of block ``N`` is layer ``N + 1``, the
stream before the next block.
"""

import re
from collections.abc import Iterable

from analysis.errors import MisuseError

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_BLOCK = re.compile(r"blocks\.(\d+)\.|(?:^|[/_.-])layers?[_.-]?(\d+)|^l(\d+)[a-z]")
_KIND = re.compile(r"resid_(?:pre|mid|post)|mlp_out|attn_out|hook_z|mlp_in|embed")


def parse_layers(text: str) -> tuple[int, ...]:
    """Read ``0-3``, ``5`` or ``0,2,6-8`` into ascending layer numbers.

    Raises
    ------
    MisuseError
        The text is something else, or names a layer twice.
    """
    layers: list[int] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if not match:
            raise MisuseError(
                f"--layers {text!r}: {part!r} is no layer; expected numbers such as 5, 0-3 or 0,2,6-8"
            )
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if last < first:
            raise MisuseError(f"--layers {text!r}: {part!r} runs backwards; write {last}-{first}")
        layers.extend(range(first, last + 1))
    if len(set(layers)) < len(layers):
        raise MisuseError(f"--layers {text!r} names a layer twice; name each once")
    return tuple(sorted(layers))


def format_layers(layers: Iterable[int]) -> str:
    """Write layer numbers as ``--layers`` reads them: ``0-3,6``."""
    spans: list[list[int]] = []
    for layer in sorted(layers):
        if spans and spans[-1][1] == layer - 1:
            spans[-1][1] = layer
        else:
            spans.append([layer, layer])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def block_of(name: str) -> int | None:
    """Return the block number in a hook name or SAE id; None if there is none."""
    match = _BLOCK.search(name)
    return int(next(group for group in match.groups() if group)) if match else None


def kind_of(name: str) -> str:
    """Return the kind of hook a name speaks of, such as ``resid_pre``; empty if it does not say."""
    match = _KIND.search(name)
    return match[0] if match else ""


def layer_numbers(names: Iterable[str]) -> list[int | None]:
    """Return the layer of each hook (or id) of one release; None where a name has no block."""
    names = list(names)
    blocks = [block_of(name) for name in names]
    kinds = [kind_of(name) for name in names]
    before = {b for b, kind in zip(blocks, kinds, strict=True) if kind == "resid_pre"}
    after = {b for b, kind in zip(blocks, kinds, strict=True) if kind == "resid_post"}
    shift = 1 if before & after else 0
    return [
        b if b is None or kind != "resid_post" else b + shift for b, kind in zip(blocks, kinds, strict=True)
    ]
