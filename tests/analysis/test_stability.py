import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.edges import Edges
from analysis.stability import at_least, count_edges, least_stable, replicate_table


def edges(pairs: list[tuple[int, int]]) -> Edges:
    ordered = sorted(set(pairs))
    source = np.array([a for a, _ in ordered], np.int32)
    target = np.array([b for _, b in ordered], np.int32)
    return Edges(source, target, source.astype(np.float64) + 0.5, target.astype(np.float64) + 0.25, 0)


def test_the_posts_own_table() -> None:
    # "Preliminary Results on Building Graphs from SAEs", gemma-2-27b, layer 10, 131k: counts at the
    # replicates that it prints; those between repeat the last one, which leaves the printed ones as they are.
    printed = [1, 2, 3, 5, 10, 20, 30]
    observed = [204609, 57047, 31429, 15165, 5286, 1389, 302]
    null = [196273, 1981, 110, 1, 0, 0, 0]
    place = np.searchsorted(printed, np.arange(1, 31), side="right") - 1
    table = replicate_table(np.array(observed)[place], np.array(null, float)[place])
    fdr = table["fdr"].to_numpy()[np.array(printed) - 1]
    np.testing.assert_allclose(fdr, [9.59e-1, 3.47e-2, 3.50e-3, 6.59e-5, 0, 0, 0], rtol=2e-3)
    assert least_stable(table, 0.1) == 2
    assert table.row(1, named=True)["observed"] == 57047


pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(6, 11)), max_size=12)


@given(st.lists(pairs, min_size=1, max_size=6))
def test_counts_equal_a_dictionary(trials: list[list[tuple[int, int]]]) -> None:
    found = count_edges([edges(t) for t in trials], 12)
    twin: dict[tuple[int, int], int] = {}
    for trial in trials:
        for pair in set(trial):
            twin[pair] = twin.get(pair, 0) + 1
    assert {
        (int(a), int(b)): int(c) for a, b, c in zip(found.source, found.target, found.count, strict=True)
    } == twin
    np.testing.assert_allclose(found.weight, found.source + 0.5)
    np.testing.assert_allclose(found.correlation, found.target + 0.25)
    replicates = len(trials)
    assert at_least(found.count, replicates).tolist() == [
        sum(c >= r for c in twin.values()) for r in range(1, replicates + 1)
    ]


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=10), st.floats(0.01, 0.9)
)
def test_the_table_follows_its_definition(rows: list[tuple[int, int]], alpha: float) -> None:
    observed = np.sort([o for o, _ in rows])[::-1]
    null = np.sort([float(m) for _, m in rows])[::-1]
    table = replicate_table(observed, null)
    least = 1.0
    r_star = None
    for r in range(1, len(rows) + 1):
        raw = 0.0 if observed[r - 1] == 0 else min(1.0, null[r - 1] / observed[r - 1])
        least = min(least, raw)
        assert table["fdr"][r - 1] == pytest.approx(least)
        if r_star is None and least <= alpha:
            r_star = r
    assert least_stable(table, alpha) == r_star


def test_nothing_is_stable_where_the_null_is_as_rich() -> None:
    table = replicate_table(np.array([100, 50, 20]), np.array([100.0, 50.0, 19.0]))
    assert least_stable(table, 0.1) is None
