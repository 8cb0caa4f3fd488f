import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from analysis.background import Background, background_of
from analysis.bursts import LAGS, SPANS
from analysis.calibrated import CalibratedSettings, Dependence, calibrated_trial, dependence_of, q_values
from analysis.errors import MisuseError
from analysis.firings import Firings
from analysis.kernel import use_threads
from analysis.nodewise import PathSettings
from tests.analysis.calibrated_twins import firings_from
from tests.analysis.naive import Dense
from tests.analysis.test_conditional import hub

SETTINGS = CalibratedSettings(PathSettings())


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=30), st.integers(0, 40))
def test_q_values_equal_benjamini_hochberg_with_all_others_at_one(p: list[float], others: int) -> None:
    found = q_values(np.array(p), len(p) + others)
    if p:
        expected = multipletests([*p, *([1.0] * others)], method="fdr_bh")[1][: len(p)]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    assert found.shape == (len(p),)


def forest(seed: int, replicates: int = 3, n: int = 4000) -> list[Dense]:
    """Six trees: a parent, two children that follow it on their own, and a child of the first; and noise."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.uniform(np.log(0.02), np.log(0.1), 40))
    drawn = []
    for _ in range(replicates):
        x = rng.random((n, 40)) < rate
        for root in range(0, 24, 4):
            for child, parent in ((root + 1, root), (root + 2, root), (root + 3, root + 1)):
                x[:, child] = np.where(rng.random(n) < 0.5, x[:, parent], x[:, child])
        drawn.append(x * rng.lognormal(0.0, 0.5, x.shape))
    return drawn


PLANTED = {(r + a, r + b) for r in range(0, 24, 4) for a, b in ((0, 1), (0, 2), (1, 3))}
KIN = {(r + a, r + b) for r in range(0, 24, 4) for a, b in ((1, 2), (0, 3), (2, 3))}


def neutral(firings: Firings) -> Background:
    return Background(np.zeros(firings.n_features), np.zeros((firings.n_features, LAGS + SPANS), np.float32))


def kept(dependence: Dependence, level: float = 0.1) -> set[tuple[int, int]]:
    below = dependence.q_value <= level
    return set(zip(dependence.source[below].tolist(), dependence.target[below].tolist(), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_parents_and_children_are_kept_and_their_kin_are_not(seed: int) -> None:
    firings = firings_from(forest(seed))
    found = dependence_of(firings, background_of(firings), SETTINGS)
    assert kept(found) >= PLANTED
    # At level 0.1 of 18 true ones 2 false are expected at most; kin would be 18.
    assert len(kept(found) - PLANTED) <= 4
    assert len(kept(found) & KIN) <= 2
    assert found.candidates.passed > len(PLANTED) + 6  # that the kin depend on each other marginally is seen
    assert (found.source < found.target).all()
    assert (np.diff(found.source * 40 + found.target) > 0).all()
    strong = [e for e, pair in enumerate(zip(found.source, found.target, strict=True)) if pair in PLANTED]
    assert (found.partial_correlation[strong] > 2 * found.standard_error[strong]).all()
    assert found.not_converged == 0


def test_noise_keeps_nothing() -> None:
    false = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        firings = firings_from([(rng.random((3000, 40)) < 0.05).astype(np.float64) for _ in range(2)])
        false += len(kept(dependence_of(firings, background_of(firings), SETTINGS))) > 0
    # Of noise anything kept is false, so at level 0.1 one draw in ten may keep some: 4 or more of 10 has 1 %.
    assert false <= 3


def test_renaming_the_features_renames_the_answer() -> None:
    drawn = forest(0)
    order = np.random.default_rng(0).permutation(40)
    plain, renamed = (firings_from(x) for x in (drawn, [r[:, order] for r in drawn]))
    found, other = (dependence_of(f, neutral(f), SETTINGS) for f in (plain, renamed))
    table = {
        tuple(sorted((int(order[i]), int(order[j])))): (q, r)
        for i, j, q, r in zip(
            other.source, other.target, other.q_value, other.partial_correlation, strict=True
        )
    }
    assert len(table) > 18
    assert set(table) == set(zip(found.source.tolist(), found.target.tolist(), strict=True))
    for i, j, q, r in zip(found.source, found.target, found.q_value, found.partial_correlation, strict=True):
        assert table[int(i), int(j)] == pytest.approx((q, r), rel=1e-3, abs=1e-9)


def test_the_same_bytes_for_any_number_of_threads() -> None:
    firings = firings_from(forest(1))
    most = use_threads(None)
    try:
        use_threads(1)
        one = dependence_of(firings, background_of(firings), SETTINGS)
        first = calibrated_trial(firings, background_of(firings), SETTINGS)
    finally:
        use_threads(most)
    many = dependence_of(firings, background_of(firings), SETTINGS)
    for name in ("source", "target", "q_value", "partial_correlation", "standard_error"):
        assert getattr(one, name).tobytes() == getattr(many, name).tobytes()
    again = calibrated_trial(firings, background_of(firings), SETTINGS)
    assert first.edges.weight.tobytes() == again.edges.weight.tobytes()
    assert first.counts == again.counts


def test_a_trial_keeps_what_both_ends_chose() -> None:
    firings = firings_from(forest(0, replicates=1, n=8000))
    trial = calibrated_trial(firings, neutral(firings), SETTINGS)
    edges = set(zip(trial.edges.source.tolist(), trial.edges.target.tolist(), strict=True))
    assert len(edges & PLANTED) >= 16
    assert edges.isdisjoint({(j, i) for i, j in edges})
    either = dependence_of(firings, neutral(firings), SETTINGS)
    chosen = set(zip(either.source.tolist(), either.target.tolist(), strict=True))
    assert edges <= chosen
    # Each chosen pair has one coefficient, or two and is an edge, or two of opposite signs.
    assert trial.counts["coefficients"] == len(chosen) + len(edges) + trial.counts["opposite_signs"]


def test_what_takes_no_part_is_counted_and_never_tested() -> None:
    x = forest(0, replicates=2)
    for replicate in x:
        replicate[:, 39] = 1.0
        replicate[:, 36:39] = 0.0
    x[0][5, 38] = x[0][17, 37] = x[1][17, 37] = 1.0
    firings = firings_from(x)
    background = background_of(firings)
    counts = calibrated_trial(firings, background, SETTINGS).counts
    assert counts["features_too_rare"] == 3
    assert counts["features_without_variance"] == 1
    assert counts["features_taking_part"] == 36
    found = dependence_of(firings, background, SETTINGS)
    assert max(found.target) < 36
    # One firing is enough where one is asked for.
    least = dataclasses.replace(SETTINGS, min_activations=1)
    assert np.isfinite(dependence_of(firings, background, least).q_value).all()


@pytest.mark.parametrize("n_features", [1, 2, 12])
@pytest.mark.parametrize("fires", [0.0, 1.0], ids=["silent", "always"])
def test_where_nothing_takes_part_nothing_is_found(n_features: int, fires: float) -> None:
    firings = firings_from([np.full((60, n_features), fires)])
    found = dependence_of(firings, background_of(firings), SETTINGS)
    assert len(found.source) == 0
    assert len(calibrated_trial(firings, background_of(firings), SETTINGS).edges.source) == 0


def test_duplicates_and_the_or_of_two_are_kept_for_what_they_are() -> None:
    drawn = forest(0)
    for x in drawn:
        x[:, 30] = x[:, 31]
        x[:, 32] = np.maximum(x[:, 33], x[:, 34])
    firings = firings_from(drawn)
    found = dependence_of(firings, background_of(firings), SETTINGS)
    assert {(30, 31), (32, 33), (32, 34)} <= kept(found)
    assert np.isfinite(found.partial_correlation).all()


def test_pairs_that_one_end_alone_shows_are_counted_and_kept() -> None:
    firings = firings_from([hub(seed) for seed in range(2)])
    found = dependence_of(firings, neutral(firings), SETTINGS)
    assert {(0, j) for j in range(1, 13)} <= kept(found)
    assert 0 <= found.joint <= len(found.source)


@pytest.mark.parametrize("wrong", [{"q": 0.0}, {"q": 1.0}, {"candidates": 0}, {"min_activations": 0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(MisuseError, match="expected"):
        CalibratedSettings(PathSettings(), **wrong)  # type: ignore[arg-type]  # on purpose
