import numpy as np
import pytest

from bench.truth.activity import Activity
from bench.truth.catalogue import CATALOGUE, FIRST_SEED, Entry
from bench.truth.crowd import Crowds
from bench.truth.exclusive import Exclusive
from bench.truth.family import tokens_of
from bench.truth.gate import Gates
from bench.truth.ising import Ising
from bench.truth.limits import Limits
from bench.truth.parents import Parents
from bench.truth.tree import Trees
from tests.truth.exact import firing

FEATURES = 256
EACH = pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)


@EACH
def test_a_seed_plants_and_draws_the_same_again(entry: Entry) -> None:
    once, twice = entry.plant(5, FEATURES), entry.plant(5, FEATURES)
    assert once.edges() == twice.edges()
    assert once.excluded() == twice.excluded()
    a, b = once.draw(tokens_of(5, 0), 1500), twice.draw(tokens_of(5, 0), 1500)
    assert (a.n_tokens, a.n_features) == (1500, FEATURES)
    np.testing.assert_array_equal(a.feature, b.feature)
    np.testing.assert_array_equal(a.value, b.value)
    other = once.draw(tokens_of(5, 1), 1500)
    assert other.feature.tobytes() != a.feature.tobytes()


@EACH
def test_pairs_are_ordered_within_range_and_scored_once(entry: Entry) -> None:
    family = entry.plant(5, FEATURES)
    assert not family.edges() & family.excluded()
    for i, j in family.edges() | family.excluded():
        assert 0 <= i < j < FEATURES
    if "noise" not in entry.name:
        assert len(family.edges()) > 20
        assert entry.plant(6, FEATURES).edges() != family.edges()
    else:
        assert not family.edges()


@EACH
def test_every_feature_fires_at_its_rate(entry: Entry) -> None:
    family = entry.plant(5, FEATURES)
    assert isinstance(family, Trees | Ising | Gates | Limits | Parents | Exclusive)
    rate = family.rate
    n = 12_000
    found = firing(family.draw(tokens_of(5, 0), n)).mean(axis=0)
    # Tokens that are alike are worth fewer: a third at stay 0.5, a quarter at 0.6.
    variance = rate * (1 - rate) / (n / 4 if "sequence" in entry.name else n)
    # A passage of 20 tokens has one activity.
    passage = 20 if "activity-sequences" in entry.name else 1
    # What changes the rate from token to token, or for 50 tokens, adds its own: at a loading of 2
    # rate^2 (exp(l^2 spread^2) - 1), and under a topic rate^2 0.1 0.9 (6 - 0.44)^2, 50 tokens at a time.
    busy = isinstance(family, Activity)
    if busy:
        variance += rate**2 * (np.exp(4 * 0.25) - 1) * passage / n
    if "lasting" in entry.name:
        variance += rate**2 * 2.8 * 50 / n
    # A feature is ten times as frequent in a tenth of the documents, 512 tokens each.
    if "documents" in entry.name:
        variance += rate**2 * 9 * 512 / n
    # At a crowded token the rate is up to 0.3 higher.
    if isinstance(family, Crowds):
        variance += family.share * 0.3**2 / n
    # A rate of 0.1 under a loading of 2 may pass the limit of 0.95, which trims its mean.
    within = rate < 0.1 if busy else rate < 1
    assert (np.abs(found - rate) < 5 * np.sqrt(variance) + 1 / n)[within].all()


def test_tuning_and_reporting_share_neither_names_nor_seeds() -> None:
    names = [entry.name for entry in CATALOGUE]
    assert len(set(names)) == len(names)
    assert FIRST_SEED["reporting"] - FIRST_SEED["tuning"] >= 1000
    tuning = {repr(e.plant(0, FEATURES)) for e in CATALOGUE if e.purpose == "tuning"}
    reporting = {repr(e.plant(0, FEATURES)) for e in CATALOGUE if e.purpose == "reporting"}
    # Noise has no parameter to differ in; its seeds do.
    assert tuning & reporting == {repr(e.plant(0, FEATURES)) for e in CATALOGUE if e.name == "tune-noise"}
