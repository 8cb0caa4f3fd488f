"""Reads a finished graph: what its strongest edges join, its components, and cosine against strength.

    python -m bench.smollm2.read GRAPH_DIR [--edges 20]

An edge is shown with both ends' labels, their strongest contexts, and the overlap of their firings,
``tokens where both fire / tokens where the rarer one fires``: near 1 one feature fires inside the other, near
0 they exclude each other.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from analysis.components import TINY, components_of
from analysis.layer_graph import LayerGraph
from graphdb.graph_directory import read_graph

_CONTEXTS = 3
_LEFT, _RIGHT = 45, 20


def main(argv: list[str] | None = None) -> None:
    """Write the reading to stdout."""
    options = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    options.add_argument("graph", type=Path, metavar="GRAPH_DIR", help="a finished graph directory")
    options.add_argument("--edges", type=int, default=20, help="strongest edges to show (20)")
    chosen = options.parse_args(argv)
    graph = read_graph(chosen.graph)
    kept = graph.edges.filter("kept")
    core = kept.filter(pl.col("replicates") == graph.n_replicates)
    sys.stdout.write("\n".join(shape("kept", kept, graph.n_features)) + "\n")
    sys.stdout.write("\n".join(shape(f"in all {graph.n_replicates}", core, graph.n_features)) + "\n")
    strongest = kept.sort(pl.col("weight").abs(), descending=True).head(chosen.edges)
    for edge in strongest.iter_rows(named=True):
        sys.stdout.write("\n" + "\n".join(describe(edge, graph)) + "\n")


def shape(name: str, edges: pl.DataFrame, n_features: int) -> list[str]:
    """Describe a set of edges: signs, components, and how cosine goes with weight."""
    if edges.height < 3:
        return [f"{name}: {edges.height} edges"]
    found = components_of(edges["source"].to_numpy(), edges["target"].to_numpy(), n_features)
    sizes = found.size
    weight, cosine = edges["weight"].to_numpy(), edges["decoder_cosine"].to_numpy()
    tiny = int((sizes <= TINY).sum())
    member = found.member[edges["source"].to_numpy()]
    within = [cosine[sizes[member] <= TINY], cosine[sizes[member] > TINY]]
    means = ", ".join(f"{part.mean():.2f}" if len(part) else "-" for part in within)
    return [
        f"{name}: {edges.height} edges, {int((weight < 0).sum())} negative, {int(sizes.sum())} features",
        f"  components: {len(sizes)}; largest {', '.join(map(str, sizes[:8]))}; {tiny} of {TINY} or fewer",
        f"  decoder cosine with weight: Pearson {np.corrcoef(cosine, weight)[0, 1]:.2f}, "
        f"Spearman {spearmanr(cosine, weight).statistic:.2f}; "
        f"mean cosine of edges in components of {TINY} or fewer and in larger ones: {means}",
    ]


def describe(edge: dict[str, Any], graph: LayerGraph) -> list[str]:
    """Show one edge and what its two ends fire on."""
    ends = [graph.features.row(edge[end], named=True) for end in ("source", "target")]
    overlap = edge["coactivation"] / max(1, min(end["activations"] for end in ends))
    lines = [
        f"{edge['source']} -- {edge['target']}: weight {edge['weight']:.2f} in {edge['replicates']}, "
        f"correlation {edge['correlation']:.2f}, cosine {edge['decoder_cosine']:.2f}, overlap {overlap:.2f}"
    ]
    for end in ends:
        lines.append(f"  {end['index']} [{end['label']}] fires on {end['frequency']:.2%}")
        if graph.contexts is None:
            continue
        shown = graph.contexts.filter(pl.col("feature") == end["index"]).sort("rank").head(_CONTEXTS)
        for row in shown.iter_rows(named=True):
            text = f"{row['left'][-_LEFT:]}>>{row['token']}<<{row['right'][:_RIGHT]}"
            lines.append("    " + text.replace("\n", "\\n"))
    return lines


if __name__ == "__main__":
    main()
