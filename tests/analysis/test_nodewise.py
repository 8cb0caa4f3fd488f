import numpy as np
import pytest

from analysis.activations import Bool, Float64
from analysis.columns import columns_of, moments_of
from analysis.gram import make_links, sparse_products
from analysis.kernel import use_threads
from analysis.lasso import kkt_residual, lasso_path, penalties
from analysis.nodewise import Fits, PathSettings, fold_edges, nodewise
from analysis.screen import Candidates, screen
from tests.analysis.naive import (
    Dense,
    correlations,
    cv_choice,
    ebic_choice,
    path_of,
    products_in_order,
    sparse,
)
from tests.analysis.planted import planted
from tests.analysis.test_backward import eliminated


def fit(x: Dense, settings: PathSettings) -> tuple[Candidates, Fits]:
    activations = sparse(x)
    columns = columns_of(activations)
    moments = moments_of(columns)
    part: Bool = (moments.count >= 5) & (moments.deviation > 0)
    candidates = screen(columns, moments, part, k=12)
    return candidates, nodewise(columns, moments, candidates, settings)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("tune", ["ebic", "bic", "cv"])
def test_coefficients_and_choice_equal_the_slow_twin(seed: int, tune: str) -> None:
    _, x = planted(seed)
    settings = PathSettings(tune=tune)
    candidates, fits = fit(x, settings)
    nodes = [i for i in range(x.shape[1]) if candidates.feature[i, 0] >= 0]
    assert len(nodes) > 10
    for i in nodes:
        chosen = [int(j) for j in candidates.feature[i] if j >= 0]
        path, coefficient = path_of(x, i, chosen, settings.steps, settings.smallest_ratio)
        if tune == "cv":
            step = cv_choice(x, i, chosen, path, settings.folds)
        else:
            step = ebic_choice(x, i, chosen, coefficient, settings.gamma if tune == "ebic" else 0.0)
        assert fits.penalty[i] == pytest.approx(path[step], rel=1e-6)
        np.testing.assert_allclose(fits.coefficient[i, : len(chosen)], coefficient[:, step], atol=1e-6)


def test_every_step_of_the_path_equals_scikit_learn() -> None:
    _, x = planted(7)
    chosen = [0, 1, 2, 5, 9, 11]
    path, coefficient = path_of(x, 4, chosen, 30, 0.02)
    s = np.column_stack([x[:, chosen], x[:, 4]])
    gram = correlations(s)
    ours, gradients, _, converged = lasso_path(gram, gram[-1, :-1].copy(), path, len(chosen))
    assert converged
    np.testing.assert_allclose(ours, coefficient.T, atol=1e-7)
    np.testing.assert_allclose(gradients, gram[-1, :-1] - ours @ gram[:-1, :-1], atol=1e-10)


def test_the_certificate_is_small_where_it_should_be_and_large_where_it_must() -> None:
    _, x = planted(1)
    _, fits = fit(x, PathSettings())
    certificate = fits.certificate()
    assert certificate["not_converged"] == 0
    assert certificate["kkt_residual"] < 1e-6
    gram = np.eye(2)
    moment = np.array([0.5, 0.3])
    assert kkt_residual(gram, moment, np.zeros(2), 0.5, 2) == 0.0
    assert kkt_residual(gram, moment, np.zeros(2), 0.4, 2) == pytest.approx(0.1)
    assert kkt_residual(gram, moment, np.array([0.2, 0.0]), 0.3, 2) == pytest.approx(0.0)
    assert kkt_residual(gram, moment, np.array([-0.2, 0.0]), 0.3, 2) == pytest.approx(1.0)


def test_exact_duplicates_still_end_with_a_certificate() -> None:
    _, x = planted(2)
    x[:, 1] = x[:, 0]
    x[:, 2] = x[:, 0] * 3
    _, fits = fit(x, PathSettings())
    assert fits.certificate()["kkt_residual"] < 1e-4


def test_rescaling_a_feature_changes_no_coefficient() -> None:
    _, x = planted(4)
    _, plain = fit(x, PathSettings())
    scale = 2.0 ** np.arange(-10, x.shape[1] - 10)  # powers of two: exact in float32
    _, scaled = fit(x * scale, PathSettings())
    np.testing.assert_allclose(plain.coefficient, scaled.coefficient, atol=1e-9)


def states_and_fits(
    x: Dense, loading: Float64 | None, *, refit: bool
) -> tuple[Dense, Candidates, Fits, PathSettings]:
    """Fit firing states, as the calibrated procedure does."""
    states = (x > 0).astype(np.float64)
    columns = columns_of(sparse(states))
    moments = moments_of(columns)
    part: Bool = (moments.count >= 5) & (moments.deviation > 0)
    candidates = screen(columns, moments, part, k=12)
    settings = PathSettings()
    return (
        states,
        candidates,
        nodewise(columns, moments, candidates, settings, loading, refit=refit),
        settings,
    )


def cleared(states: Dense, chosen: list[int], loading: Dense) -> Dense:
    """Correlations of some features, the products of their means taken times what their loadings say."""
    mean, deviation = states.mean(axis=0), states.std(axis=0)
    gram = np.empty((len(chosen), len(chosen)))
    for a, i in enumerate(chosen):
        for b, j in enumerate(chosen):
            factor = np.exp(loading[i] * loading[j]) if i != j else 1.0
            product = (states[:, i] * states[:, j]).mean() - factor * mean[i] * mean[j]
            gram[a, b] = product / (deviation[i] * deviation[j])
    return gram


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("spread", [0.0, 0.15])
@pytest.mark.parametrize("refit", [False, True])
def test_activity_is_cleared_and_the_choice_refitted(seed: int, spread: float, refit: bool) -> None:
    loading = spread * np.random.default_rng(seed).normal(size=(30,))
    states, candidates, fits, settings = states_and_fits(planted(seed)[1], loading, refit=refit)
    price = np.log(len(states)) + 2 * settings.gamma * np.log(states.shape[1] - 1)
    fitted = 0
    for i in range(states.shape[1]):
        chosen = [int(j) for j in candidates.feature[i] if j >= 0]
        if not chosen:
            continue
        gram = cleared(states, [*chosen, i], loading)
        assert np.linalg.eigvalsh(gram).min() > 0.01
        moment = gram[-1, :-1].copy()
        path = penalties(np.abs(moment).max(), settings.smallest_ratio, settings.steps)
        betas, gradients, _, _ = lasso_path(gram, moment, path, len(chosen))
        rss = 1 - (betas * (moment + gradients)).sum(axis=1)
        step = int(np.argmin(len(states) * np.log(rss) + price * (betas != 0).sum(axis=1)))
        expected = betas[step].copy()
        if refit:
            expected = eliminated(gram[:-1, :-1], moment, expected, len(states), price)
        np.testing.assert_allclose(fits.coefficient[i, : len(chosen)], expected, atol=1e-6)
        fitted += 1
    assert fitted > 10


def test_refitted_coefficients_are_not_shrunk() -> None:
    _, x = planted(0)
    plain, refitted = (states_and_fits(x, None, refit=refit)[2] for refit in (False, True))
    kept = refitted.coefficient != 0
    assert kept.any()
    assert (plain.coefficient[kept] != 0).all()
    assert np.abs(refitted.coefficient[kept]).sum() > np.abs(plain.coefficient[kept]).sum()


@pytest.mark.parametrize("size", [1.2, 1.5])
def test_an_activity_that_explains_more_than_there_is_explains_nothing(size: float) -> None:
    _, x = planted(0)
    loading = np.full(30, size)
    states, candidates, one, _ = states_and_fits(x, None, refit=True)
    _, _, other, _ = states_and_fits(x, loading, refit=True)
    impossible = []
    for i in np.flatnonzero(candidates.feature[:, 0] >= 0).tolist():
        chosen = [int(j) for j in candidates.feature[i] if j >= 0]
        if np.linalg.eigvalsh(cleared(states, [*chosen, i], loading)).min() < 0:
            impossible.append(i)
    assert len(impossible) > 5
    np.testing.assert_array_equal(other.coefficient[impossible], one.coefficient[impossible])
    assert (one.coefficient[impossible] != 0).any()


@pytest.mark.parametrize("tune", ["ebic", "cv"])
def test_the_same_bytes_for_any_number_of_threads(tune: str) -> None:
    _, x = planted(3)
    most = use_threads(None)
    try:
        use_threads(1)
        _, one = fit(x, PathSettings(tune=tune))
    finally:
        use_threads(most)
    _, many = fit(x, PathSettings(tune=tune))
    assert one.coefficient.tobytes() == many.coefficient.tobytes()


def test_penalties_are_log_spaced_between_their_ends() -> None:
    path = penalties(0.8, 0.02, 30)
    assert path[0] == pytest.approx(0.8)
    assert path[-1] == pytest.approx(0.016)
    np.testing.assert_allclose(np.diff(np.log(path)), np.log(0.02) / 29)


@pytest.mark.parametrize("folds", [1, 4])
def test_moments_of_a_node_equal_sums_in_order_to_the_last_bit(folds: int) -> None:
    activations, x = planted(6)
    columns = columns_of(activations)
    deviation = moments_of(columns).deviation
    edge = fold_edges(len(x), folds)
    links = make_links(len(x), len(columns.token))
    sums, squares = np.zeros((folds, 8)), np.zeros((folds, 8, 8))
    nodes = [[3, 1, 12, 26, 4], [1, 0, 3, 7, 8, 14, 21], [5, 1]]
    for number, node in enumerate(nodes):
        if number == 2:  # all numbers for entries are used up: they begin anew
            links.used[0] = 2**32 - 10
        chosen = np.array(node, np.int32)
        sparse_products(
            columns.start, columns.token, columns.value, deviation, chosen, edge, links, sums, squares
        )
        for fold in range(folds):
            inside = slice(edge[fold], edge[fold + 1])
            scaled = [x[inside, i] / deviation[i] for i in node]
            for a in range(len(node)):
                assert sums[fold, a] == products_in_order(scaled[a], (scaled[a] > 0).astype(np.float64))
                for b in range(len(node)):
                    assert squares[fold, a, b] == products_in_order(scaled[a], scaled[b])


def test_folds_are_contiguous_and_equal_but_for_one() -> None:
    from sklearn.model_selection import KFold

    for n in (10, 11, 14):
        edge = fold_edges(n, 5)
        for number, (_, test) in enumerate(KFold(5).split(np.zeros(n))):
            np.testing.assert_array_equal(np.arange(edge[number], edge[number + 1]), test)
