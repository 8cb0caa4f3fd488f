"""The whole published procedure against a dense, slow twin: trials, table, edges, cosines."""

import numpy as np
import polars as pl
import pytest

from analysis.activations import Activations, Columns
from analysis.columns import columns_of
from analysis.layer_graph import LayerGraph
from analysis.shuffle import shuffled
from graphdb.graph_directory import read_graph
from ingest.inference import InferConfig, infer
from ingest.samples_directory import SamplesDirectory, open_samples
from tests.analysis.naive import dense, ebic_choice, mutual, path_of, screened
from tests.support.foreign_samples import write_samples

REPLICATES, STREAMS, SEED = 3, 2, 7
Weights = dict[tuple[int, int], float]


def trial(activations: Activations | Columns) -> Weights:
    """One trial by dense arrays, lists and scikit-learn."""
    x = dense(activations)
    part = ((x > 0).sum(axis=0) >= 5) & (x.std(axis=0) > 0)
    neighbours, _, _ = screened(x, part, q=0.05, k=64)
    coefficients = []
    for i, chosen in enumerate(neighbours):
        if not chosen:
            coefficients.append(np.empty(0))
            continue
        _, path = path_of(x, i, chosen, 30, 0.02)
        coefficients.append(path[:, ebic_choice(x, i, chosen, path, 0.5)])
    edges, _ = mutual(neighbours, coefficients)
    return edges


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> SamplesDirectory:
    path = tmp_path_factory.mktemp("twin") / "s"
    return open_samples(write_samples(path, replicates=REPLICATES, n=300, n_features=19, seed=3))


@pytest.fixture(scope="module")
def graph(samples: SamplesDirectory, tmp_path_factory: pytest.TempPathFactory) -> LayerGraph:
    out = tmp_path_factory.mktemp("twin") / "g"
    infer(samples.path, out, InferConfig("published", nulls=STREAMS, seed=SEED))
    return read_graph(out)


@pytest.fixture(scope="module")
def twin(samples: SamplesDirectory) -> tuple[list[Weights], list[list[Weights]]]:
    real = [samples.read(k).activations for k in range(REPLICATES)]
    null = [
        [trial(shuffled(columns_of(a), SEED, k, stream)) for k, a in enumerate(real)]
        for stream in range(STREAMS)
    ]
    return [trial(a) for a in real], null


def counts(trials: list[Weights]) -> dict[tuple[int, int], int]:
    found: dict[tuple[int, int], int] = {}
    for edges in trials:
        for pair in edges:
            found[pair] = found.get(pair, 0) + 1
    return found


def test_the_table_is_that_of_the_twin(
    graph: LayerGraph, twin: tuple[list[Weights], list[list[Weights]]]
) -> None:
    real, null = twin
    assert any(null[0]) or any(null[1]), "the twin's nulls must find something, or nothing is compared"
    least = 1.0
    for row in graph.replicate_table.to_dicts():
        r = row["replicates"]
        observed = sum(c >= r for c in counts(real).values())
        expected = sum(sum(c >= r for c in counts(stream).values()) for stream in null) / STREAMS
        least = min(least, min(1.0, expected / observed) if observed else 0.0)
        assert row["observed"] == observed
        assert row["null"] == pytest.approx(expected)
        assert row["fdr"] == pytest.approx(least)


def test_the_edges_are_those_of_the_twin(
    graph: LayerGraph, twin: tuple[list[Weights], list[list[Weights]]]
) -> None:
    real, null = twin
    seen, by_chance = counts(real), counts([t for stream in null for t in stream])
    fdr = graph.replicate_table["fdr"].to_list()
    stored = {pair for pair, c in seen.items() if c >= 2 or (graph.r_star is not None and c >= graph.r_star)}
    assert {(e["source"], e["target"]) for e in graph.edges.to_dicts()} == stored
    for edge in graph.edges.to_dicts():
        pair = edge["source"], edge["target"]
        assert edge["replicates"] == seen[pair]
        assert edge["null_replicates"] == by_chance.get(pair, 0)
        assert edge["q_shuffle"] == pytest.approx(fdr[seen[pair] - 1])
        assert edge["weight"] == pytest.approx(np.mean([t[pair] for t in real if pair in t]), abs=1e-6)


def test_cosines_are_of_the_decoder_and_means_of_firings(
    graph: LayerGraph, samples: SamplesDirectory
) -> None:
    assert samples.dictionary is not None
    decoder = samples.dictionary.decoder / np.linalg.norm(samples.dictionary.decoder, axis=1)[:, np.newaxis]
    for edge in graph.edges.to_dicts():
        expected = decoder[edge["source"]] @ decoder[edge["target"]]
        assert edge["decoder_cosine"] == pytest.approx(expected, abs=1e-6)
    x = np.concatenate([dense(samples.read(k).activations) for k in range(REPLICATES)])
    live = graph.features.filter(pl.col("activations") > 0)
    for index, mean in zip(live["index"], live["mean_activation"], strict=True):
        assert mean == pytest.approx(x[x[:, index] > 0, index].mean())
