import itertools

import numpy as np
import pytest

from bench.truth.document import Documents
from bench.truth.firing import Firing
from bench.truth.gate import Gates
from tests.truth.exact import Table, assert_moments, both, firing, graph_of

SMALL = Gates(0, features=6, modules=1, together=0.1, alone=0.15, firing=Firing(mean=0.1, spread=0.4))


def law(family: Gates) -> Table:
    """The law of all states, written out."""
    table = np.zeros((2,) * family.features)
    first, second, *outputs = family.member[0].tolist()
    for state in itertools.product((0, 1), repeat=family.features):
        inputs = state[first], state[second]
        chance = {
            (1, 1): family.together,
            (1, 0): family.alone,
            (0, 1): family.alone,
            (0, 0): 1 - family.together - 2 * family.alone,
        }[inputs]
        opened = family.opened if inputs == (1, 1) else family.closed
        for i in range(family.features):
            if i not in (first, second):
                rate = opened if i in outputs else family.rate[i]
                chance *= rate if state[i] else 1 - rate
        table[state] = chance
    return table


def test_the_pairs_dependent_given_all_others_are_the_edges() -> None:
    assert law(SMALL).sum() == pytest.approx(1)
    assert len(SMALL.edges()) == 1 + 2 * SMALL.outputs
    assert graph_of(law(SMALL), 1e-9) == SMALL.edges()


def test_samples_agree_with_the_enumerated_law() -> None:
    assert_moments(firing(SMALL.draw(np.random.default_rng(0), 60_000)), both(law(SMALL)))


def test_features_keep_to_their_documents_and_to_their_rates() -> None:
    family = Documents(0, 40, length=100, share=0.2, firing=Firing(mean=0.05, spread=0.3))
    fires = firing(family.draw(np.random.default_rng(0), 40_000))
    in_document = fires.reshape(400, 100, 40).sum(axis=1)
    assert (in_document > 0).mean() == pytest.approx(0.2, abs=0.01)
    np.testing.assert_allclose(fires.mean(axis=0), family.forest.rate, rtol=0.35)
