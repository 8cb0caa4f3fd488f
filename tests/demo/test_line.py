"""The line of links from the first layer to the last whose weakest link is strongest, on links by hand."""

import itertools

import numpy as np
import polars as pl
import pytest

from analysis.layer_links import FATE_COLUMNS, LINK_COLUMNS, LayerLinks
from analysis.run import Run
from analysis.site import Site
from ingest.demo.line import Line, strongest_line

Rows = list[tuple[int, int, float]]


def linked(layer: int, rows: Rows) -> LayerLinks:
    columns = dict(zip(("source", "target", "weight"), zip(*rows, strict=True), strict=True)) if rows else {}
    given = {"kind": ["DRIVES"] * len(rows), **columns}
    frame = pl.DataFrame(
        {name: given.get(name, [None] * len(rows)) for name in LINK_COLUMNS}, schema=dict(LINK_COLUMNS)
    )
    below, above = (Site("tiny", f"{k}-sae", k, f"hook.{k}") for k in (layer, layer + 1))
    run = Run(f"run{layer}", "links", "calibrated", 0.1, 0, {}, "", {}, "")
    fates = pl.DataFrame({"index": range(9), "carried_fraction": [None] * 9}, schema=dict(FATE_COLUMNS))
    return LayerLinks(below, above, run, 9, 9, 1, 1, frame, fates, 0, 0, 0, {})


def test_the_weakest_link_of_the_line_is_strongest() -> None:
    layers = [linked(0, [(0, 0, 0.9), (1, 1, 0.5)]), linked(1, [(0, 2, 0.2), (1, 2, 0.4), (1, 3, -0.9)])]
    line = strongest_line(layers)
    assert line == Line(("tiny/0-sae/1", "tiny/1-sae/1", "tiny/2-sae/2"), 0.4)
    assert line.asked() == ["lineage", "tiny/1-sae/1", "--min-weight", "0.40"]


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_best_of_all_lines(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = list(itertools.product(range(4), range(4)))
    layers = []
    for layer in range(3):
        some = rng.permutation(len(pairs))[:6]
        layers.append(linked(layer, [(*pairs[k], float(rng.normal())) for k in some]))
    weights = [
        {(s, t): w for s, t, w in of.links.select("source", "target", "weight").iter_rows()} for of in layers
    ]
    best = 0.0
    for nodes in itertools.product(range(4), repeat=4):
        steps = [found.get(ends, 0.0) for found, ends in zip(weights, itertools.pairwise(nodes), strict=True)]
        best = max(best, min(steps))
    line = strongest_line(layers)
    assert (line.weakest if line else 0.0) == best


def test_where_no_line_leads_to_the_last_layer_there_is_none() -> None:
    assert strongest_line([]) is None
    assert strongest_line([linked(0, [(0, 0, 0.9)]), linked(1, [(1, 1, 0.9)])]) is None
    assert strongest_line([linked(0, [(0, 0, -0.9)])]) is None
