import numpy as np
import pytest

from bench.truth.firing import Firing
from bench.truth.ising import Ising
from tests.truth.exact import assert_moments, both, firing, graph_of

DENSE = Firing(mean=0.1, spread=0.5)


@pytest.mark.parametrize("negative", [0.0, 0.5, 1.0])
def test_the_pairs_dependent_given_all_others_are_the_couplings(negative: float) -> None:
    family = Ising(0, features=20, modules=3, size=6, negative=negative)
    edges = set()
    for module in range(3):
        # State number counts feature 0 in its lowest bit, so a C-ordered table has the last feature first.
        table = family.probability[module].reshape((2,) * 6).transpose()
        inside = graph_of(table)
        assert inside == {(int(a), int(b)) for a, b in np.argwhere(family.coupling[module])}
        ends = family.member[module]
        edges |= {(int(min(ends[a], ends[b])), int(max(ends[a], ends[b]))) for a, b in inside}
    assert edges == family.edges()
    assert len(edges) == 3 * (5 + 3)


def test_negative_couplings_lower_and_positive_ones_raise_the_odds() -> None:
    family = Ising(1, features=12, modules=2, size=6, negative=0.5, module_firing=DENSE)
    assert (family.coupling < 0).any()
    assert (family.coupling > 0).any()


def test_features_fire_at_their_rates() -> None:
    family = Ising(2, features=40, modules=4, size=8)
    np.testing.assert_allclose(family.probability @ family.states, family.rate[family.member], rtol=1e-8)


def test_samples_agree_with_the_enumerated_law() -> None:
    family = Ising(0, features=14, modules=2, size=6, negative=0.3, module_firing=DENSE)
    fires = firing(family.draw(np.random.default_rng(0), 60_000))
    expected = np.outer(family.rate, family.rate)
    np.fill_diagonal(expected, family.rate)
    for module, ends in enumerate(family.member):
        expected[np.ix_(ends, ends)] = both(family.probability[module].reshape((2,) * 6).transpose())
    assert_moments(fires, expected)


def test_all_pairs_of_a_clique_are_coupled() -> None:
    family = Ising(0, features=10, modules=2, size=5, extra=10)
    assert len(family.edges()) == 2 * 10


def test_a_module_too_large_to_enumerate_is_refused() -> None:
    with pytest.raises(ValueError, match="size <= 10"):
        Ising(0, features=100, modules=2, size=11)
