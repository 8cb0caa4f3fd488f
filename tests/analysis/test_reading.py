import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from analysis.agreement import fires_any, phi
from analysis.components import components_of
from tests.analysis.planted import planted


@given(st.lists(st.tuples(st.integers(0, 14), st.integers(15, 29)), max_size=25))
def test_components_equal_networkx(pairs: list[tuple[int, int]]) -> None:
    source = np.array([a for a, _ in pairs], np.int32)
    target = np.array([b for _, b in pairs], np.int32)
    found = components_of(source, target, 30)
    graph = nx.Graph(pairs)
    expected = sorted((sorted(c) for c in nx.connected_components(graph)), key=lambda c: (-len(c), c[0]))
    assert [found.features(k).tolist() for k in range(len(found.size))] == expected
    assert found.size.tolist() == [len(c) for c in expected]
    assert set(np.flatnonzero(found.member < 0).tolist()) == set(range(30)) - set(graph.nodes)


def test_phi_is_the_correlation_of_indicators() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((200, 4)) < 0.3, rng.random((200, 3)) < 0.5
    a[:, 3] = False
    b[:, 0] = a[:, 0]
    found = phi(csr_array(a.astype(np.int32)), csr_array(b.astype(np.int32)))
    for i in range(3):
        for j in range(3):
            assert found[i, j] == pytest.approx(np.corrcoef(a[:, i], b[:, j])[0, 1])
    assert found[0, 0] == pytest.approx(1.0)
    assert (found[3] == 0).all()


def test_a_group_fires_where_any_of_its_features_does() -> None:
    activations, x = planted(0)
    group = np.full(30, -1, np.int32)
    group[[0, 4]] = 0
    group[7] = 1
    found = fires_any(activations, group, 2).toarray()
    np.testing.assert_array_equal(found[:, 0], (x[:, 0] > 0) | (x[:, 4] > 0))
    np.testing.assert_array_equal(found[:, 1], x[:, 7] > 0)
