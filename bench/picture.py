"""Draw the README's picture from what the demo leaves: both procedures on every layer, and one module.

    python -m bench.picture demo --layer 1 --feature 11 --out docs/picture.png

The module is the component that holds ``--feature`` in the stable core of the calibrated graph, at the weight
from which the demo reads modules.
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
from ingest.demo.comparison import Comparison, compare
from ingest.demo.reading import STRONG
from ingest.samples_directory import open_samples

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

_STANDS, _FALSE = "#1f5f8b", "#c0562b"


def compared(work: Path) -> dict[int, Comparison]:
    """Compare both procedures on every layer of a demo."""
    return {
        layer: compare(graph_of(work, "published", layer), graph_of(work, "calibrated", layer), samples, 0)
        for path in sorted((work / "samples").iterdir())
        for samples in [open_samples(path)]
        for layer in [samples.site.layer]
    }


def graph_of(work: Path, procedure: str, layer: int) -> LayerGraph:
    """Read the graph of a layer by a procedure."""
    return read_graph(work / "graphs" / procedure / str(layer))


def bars(axes: Axes, comparisons: dict[int, Comparison]) -> None:
    """Draw the edges that each procedure keeps, and the part that fresh tokens say is false."""
    names: list[tuple[float, str]] = []
    for layer, found in comparisons.items():
        for k, kept in enumerate((found.published, found.calibrated)):
            place = len(names) + 0.6 * layer
            false = 0.0 if np.isnan(kept.false_firing) else kept.edges * kept.false_firing
            axes.barh(place, kept.edges - false, color=_STANDS, height=0.85)
            axes.barh(place, false, left=kept.edges - false, color=_FALSE, height=0.85)
            axes.annotate(
                f"{kept.false_firing:.0%}",
                (kept.edges, place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=_FALSE,
            )
            names.append((place, f"layer {layer}  published" if k == 0 else "calibrated"))
    axes.set_yticks([place for place, _ in names], [name for _, name in names])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("edges kept; orange: false by fresh tokens (firing)")
    axes.spines[["top", "right", "left"]].set_visible(False)


def module(axes: Axes, graph: LayerGraph, feature: int) -> None:
    """Draw the module of `feature`, its features named by what they fire on."""
    least = STRONG[graph.run.procedure]
    strong = graph.edges.filter("kept").filter(
        (pl.col("replicates") == graph.n_replicates) & (pl.col("weight") >= least)
    )
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
    parser.add_argument("work", type=Path)
    parser.add_argument("--layer", type=int, required=True)
    parser.add_argument("--feature", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), width_ratios=(2, 3), layout="constrained")
    bars(left, compared(options.work))
    module(right, graph_of(options.work, "calibrated", options.layer), options.feature)
    left.set_title("both procedures on the same samples", fontsize=10, loc="left")
    right.set_title(
        f"layer {options.layer}, calibrated: one module of the stable core", fontsize=10, loc="left"
    )
    figure.savefig(options.out, dpi=120)


if __name__ == "__main__":
    main()
