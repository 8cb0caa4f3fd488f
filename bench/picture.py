"""Draw the README's picture from graph directories: the replicate curves, and one module with its words.

    python -m bench.picture demo/graphs/1 --feature 11 --out docs/picture.png

The module is the component of the stable core at weight 0.2 or more that holds ``--feature``.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import networkx as nx
import numpy as np
import polars as pl

from analysis.components import components_of
from analysis.layer_graph import LayerGraph
from graphdb.graph_directory import read_graph

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

_STRONG = 0.2


def curves(axes: Axes, graph: LayerGraph) -> None:
    """Draw edges seen in at least r replicates, real and shuffled."""
    table = graph.replicate_table
    r = table["replicates"].to_numpy()
    null = table["null"].to_numpy()
    axes.plot(r, table["observed"], color="#1f5f8b", marker="o", markersize=3, label="observed")
    shown = null > 0
    axes.plot(r[shown], null[shown], color="#c0562b", marker="o", markersize=3, label="shuffled")
    axes.set_yscale("log")
    if graph.r_star is not None:
        axes.axvline(graph.r_star, color="#888888", linewidth=1, linestyle=":")
        axes.annotate(
            f"r* = {graph.r_star}\n{graph.kept:,} kept",
            (graph.r_star, 300),
            xytext=(8, 0),
            textcoords="offset points",
        )
    axes.set_xlabel("seen in at least r replicates")
    axes.set_ylabel("edges")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def module(axes: Axes, graph: LayerGraph, feature: int) -> None:
    """Draw the module of `feature`, its features named by what they fire on."""
    strong = graph.edges.filter((pl.col("replicates") == graph.n_replicates) & (pl.col("weight") >= _STRONG))
    found = components_of(strong["source"].to_numpy(), strong["target"].to_numpy(), graph.n_features)
    members = set(found.features(int(found.member[feature])).tolist())
    drawn = nx.Graph()
    for row in strong.filter(pl.col("source").is_in(list(members))).to_dicts():
        drawn.add_edge(row["source"], row["target"], weight=row["weight"])
    place = nx.kamada_kawai_layout(drawn, weight=None)
    width = np.array([8 * d["weight"] for *_, d in drawn.edges(data=True)])
    nx.draw_networkx_edges(drawn, place, ax=axes, width=width, edge_color="#1f5f8b", alpha=0.45)
    nx.draw_networkx_nodes(drawn, place, ax=axes, node_size=24, node_color="#1f5f8b")
    labels = dict(zip(graph.features["index"], graph.features["label"], strict=True))
    for node, (x, y) in place.items():
        axes.annotate(
            str(labels[node]).replace(" · ", "\n"),
            (x, y),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=7,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
        )
    axes.margins(0.16)
    axes.axis("off")


def main() -> None:
    """Draw both panels side by side."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("graph", type=Path)
    parser.add_argument("--feature", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    graph = read_graph(options.graph)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), width_ratios=(2, 3), layout="constrained")
    curves(left, graph)
    module(right, graph, options.feature)
    left.set_title(f"layer {graph.site.layer}: edges against shuffles", fontsize=10, loc="left")
    right.set_title("one module of the stable core, weight 0.2 or more", fontsize=10, loc="left")
    figure.savefig(options.out, dpi=120)


if __name__ == "__main__":
    main()
