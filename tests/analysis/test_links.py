"""Links between two planted layers, against slow twins on dense arrays."""

import numpy as np
import pytest

from analysis.across import inhibitors_of, screen_across
from analysis.activations import Activations, Float32
from analysis.background import background_of
from analysis.bursts import LAGS, SPANS
from analysis.calibrated import CalibratedSettings
from analysis.carrying import CARRIES, DRIVES, Moments, kinds_of
from analysis.columns import columns_of
from analysis.dictionary import Dictionary
from analysis.errors import DataError
from analysis.excess import MOST
from analysis.firings import Firings, lay_out
from analysis.interference import Interference, interference_of
from analysis.links import LinkTests, earlier_of, link_tests_of, side_by_side
from analysis.nodewise import PathSettings
from analysis.poisson import evidence
from tests.analysis.naive import Dense, sparse

LOWER, UPPER, TOKENS = 14, 7, 6000


def drawn(seed: int, tokens: int = TOKENS) -> tuple[Dense, Dense]:
    """An earlier layer of pairs that fire together, and a later one made of it.

    Later features 0 to 2 are 0, 4 and 8 passed on; 3 fires where 2 and 3 do, 4 where 6 or 10 does, 5 where 12
    does and 13 does not, 6 of itself.
    """
    rng = np.random.default_rng(seed)
    x = (rng.random((tokens, LOWER)) < 0.06) * rng.lognormal(0.0, 0.4, (tokens, LOWER))
    for child in range(1, LOWER, 2):
        also = (rng.random(tokens) < 0.5) & (x[:, child - 1] > 0)
        x[:, child] = np.where(also, rng.lognormal(0.0, 0.4, tokens), x[:, child])
    on = x > 0
    fires = np.stack([on[:, 2] & on[:, 3], on[:, 6] | on[:, 10], on[:, 12] & ~on[:, 13]], axis=1)
    made = fires & (rng.random(fires.shape) < 0.9)
    alone = rng.random((tokens, 1)) < 0.05
    passed = x[:, [0, 4, 8]] * rng.lognormal(0.0, 0.1, (tokens, 3))
    y = np.concatenate(
        [passed, np.concatenate([made, alone], axis=1) * rng.lognormal(0.0, 0.3, (tokens, 4))], 1
    )
    return x, y


LINKS = {(0, 0), (4, 1), (8, 2), (2, 3), (3, 3), (6, 4), (10, 4), (12, 5), (13, 5)}


def joint(*parts: tuple[Dense, Dense]) -> Firings:
    """Both layers side by side, one replicate a part."""
    both = [side_by_side(columns_of(sparse(x)), columns_of(sparse(y))) for x, y in parts]
    return lay_out(lambda k: both[k], len(both))


def links_found(firings: Firings) -> LinkTests:
    return link_tests_of(firings, LOWER, background_of(firings), CalibratedSettings(PathSettings()))


def kept(found: LinkTests) -> set[tuple[int, int]]:
    keep = found.q_value <= 0.1
    return set(zip(found.source[keep].tolist(), found.target[keep].tolist(), strict=True))


def test_planted_links_are_found_and_no_indirect_ones() -> None:
    found = links_found(joint(drawn(0), drawn(1)))
    assert kept(found) == LINKS
    prevents = (found.source == 13) & (found.target == 5)
    assert found.partial_correlation[prevents][0] < 0
    assert (found.partial_correlation[~prevents & (found.q_value <= 0.1)] > 0).all()


def test_the_order_of_features_does_not_matter() -> None:
    x, y = drawn(2)
    rng = np.random.default_rng(0)
    below, above = rng.permutation(LOWER), rng.permutation(UPPER)
    one, other = links_found(joint((x, y))), links_found(joint((x[:, below], y[:, above])))
    assert {(int(below[i]), int(above[j])) for i, j in kept(other)} == kept(one)
    back = np.lexsort((below[other.source], above[other.target]))
    np.testing.assert_allclose(other.q_value[back], one.q_value, rtol=1e-6)


def test_layers_that_have_nothing_to_do_with_each_other_are_not_linked() -> None:
    assert not kept(links_found(joint((drawn(3)[0], drawn(4)[1]))))


def test_side_by_side_needs_the_same_tokens() -> None:
    x, y = drawn(0, 100)
    both = side_by_side(columns_of(sparse(x)), columns_of(sparse(y)))
    assert both.n_features == LOWER + UPPER
    np.testing.assert_array_equal(np.diff(both.start), np.concatenate([(x > 0).sum(0), (y > 0).sum(0)]))
    with pytest.raises(DataError, match="same tokens"):
        side_by_side(columns_of(sparse(x)), columns_of(sparse(y[:-1])))


def test_the_earlier_layer_alone_is_what_it_was() -> None:
    x, y = drawn(0, 500)
    alone = earlier_of(joint((x, y)), LOWER)
    expected = lay_out(lambda _: columns_of(sparse(x)), 1)
    for name in ("start", "token", "level", "bounds"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(expected, name))


@pytest.mark.parametrize("seed", range(3))
def test_the_screen_equals_tails_pair_by_pair(seed: int) -> None:
    x, y = drawn(seed, 1500)
    firings, n = joint((x, y)), 1500
    nothing, calm = np.zeros(LOWER + UPPER), np.zeros((LOWER + UPPER, LAGS + SPANS), np.float32)
    found = screen_across(firings, LOWER, nothing, calm, np.ones(LOWER + UPPER, bool), k=LOWER)
    assert (found.feature[:LOWER] == -1).all()
    one, other = x > 0, y > 0
    scores = {}
    for i in range(LOWER):
        for j in range(UPPER):
            rate, more = one[:, i].mean(), other[:, j].mean()
            count, mean = float((one[:, i] & other[:, j]).sum()), n * rate * more
            spread = (1 - rate) * (1 - more)
            if count > mean:
                count, mean = count - mean * (1 - spread), mean * spread
            scores[i, j] = evidence(count, mean)
    # Benjamini-Hochberg over all pairs, and none with a p above MOST
    strengths = np.sort(np.abs(list(scores.values())))[::-1]
    passing = np.exp(-strengths) <= 0.1 * np.arange(1, len(strengths) + 1) / len(strengths)
    least = max(found.threshold, -np.log(MOST))
    assert found.passed == (strengths >= least).sum()
    assert found.passed == (strengths[: np.flatnonzero(passing).max() + 1] >= -np.log(MOST)).sum()
    for j in range(UPPER):
        listed = {int(i) for i in found.feature[LOWER + j] if i >= 0}
        assert listed == {i for i in range(LOWER) if abs(scores[i, j]) >= least}
        for i, score in zip(found.feature[LOWER + j], found.correlation[LOWER + j], strict=True):
            assert i < 0 or score == pytest.approx(scores[int(i), j])


def test_what_prevents_is_found_at_the_tokens_of_what_makes() -> None:
    x, y = drawn(5)
    firings = joint((x, y))
    calm = np.zeros((LOWER + UPPER, LAGS + SPANS), np.float32)
    members = {LOWER + 5: [12], LOWER + 3: [2, 3], LOWER: [0]}
    start = np.cumsum([0, *(len(members.get(i, [])) for i in range(LOWER + UPPER))]).astype(np.int64)
    member = np.array([i for j in sorted(members) for i in members[j]], np.int64)
    enough = 8.0
    of, prevents = inhibitors_of(firings, LOWER, calm, start, member, enough)
    one, other = x > 0, y > 0
    expected = set()
    for j, parents in members.items():
        for a in parents:
            at = one[:, a]
            for b in range(LOWER):
                met = float((at & one[:, b] & other[:, j - LOWER]).sum())
                mean = (at & one[:, b]).sum() * (at & other[:, j - LOWER]).sum() / at.sum()
                if b != a and met < mean and -evidence(met, mean) + np.log(2.0) >= enough:
                    expected.add((j, b))
    assert set(zip(of.tolist(), prevents.tolist(), strict=True)) == expected
    assert (LOWER + 5, 13) in expected


def test_carried_shares_equal_least_squares() -> None:
    parts = [drawn(seed, 800) for seed in (6, 7)]
    carried = [np.maximum(0.0, 0.7 * x[:, [0, 4, 8, 2, 6, 12, 1]] - 0.1) for x, _ in parts]
    links = sorted(LINKS | {(9, 2)}, key=lambda link: (link[1], link[0]))
    source, target = (np.array([link[end] for link in links], np.int32) for end in (0, 1))
    moments = Moments.none(source, target, UPPER)
    for (x, y), c in zip(parts, carried, strict=True):
        moments = moments.plus(columns_of(sparse(x)), columns_of(sparse(y)), columns_of(sparse(c)))
    x, y = (np.concatenate([part[end] for part in parts]) for end in (0, 1))
    c = np.concatenate(carried)
    shares = moments.carried_shares()
    for j in range(UPPER):
        of = source[target == j]
        if not len(of):
            continue
        design = np.column_stack([np.ones(len(x)), x[:, of]])
        slope = [np.linalg.lstsq(design, values[:, j])[0][1:] for values in (y, c)]
        np.testing.assert_allclose(shares[target == j], np.clip(slope[1] / slope[0], 0, 1), atol=1e-5)
    fractions = 1 - ((y - c) ** 2).mean(0) / y.var(0)
    np.testing.assert_allclose(moments.carried_fractions(), np.clip(fractions, 0, 1), atol=1e-4)
    # what is passed on of an opposite direction is not the same content
    kinds = kinds_of(np.array([0.5, 0.49, 1.0, 1.0]), np.array([0.1, 0.1, 0.9, -0.9]))
    assert kinds == [CARRIES, DRIVES, CARRIES, DRIVES]


def test_a_feature_that_never_fires_has_no_fraction() -> None:
    x, y = drawn(0, 200)
    y[:, 6] = 0
    nothing = np.empty(0, np.int32)
    moments = Moments.none(nothing, nothing, UPPER).plus(
        columns_of(sparse(x)), columns_of(sparse(y)), columns_of(sparse(y))
    )
    fractions = moments.carried_fractions()
    assert np.isnan(fractions[6])
    np.testing.assert_allclose(fractions[:6], 1.0)
    assert len(moments.carried_shares()) == 0


def directions(rng: np.random.Generator, features: int, width: int) -> Float32:
    found = rng.normal(size=(features, width))
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def by_loops(
    source: np.ndarray,
    target: np.ndarray,
    lower: Dictionary,
    upper: Dictionary,
    parts: list[tuple[Dense, Dense]],
) -> Dense:
    """What pairs owe to overlap, by the definition."""
    x, y = (np.concatenate([part[end] for part in parts]) for end in (0, 1))
    e, d = upper.encoder.astype(float), upper.decoder.astype(float)
    own = np.einsum("fd,fd->f", e, d) / np.linalg.norm(d, axis=1)
    found = np.zeros((len(source), 2))
    for pair, (i, j) in enumerate(zip(source, target, strict=True)):
        below = lower.decoder[i].astype(float)
        if abs(e[j] @ below) / np.linalg.norm(below) >= own[j] / 2:
            continue
        other = [k for k in range(len(e)) if k != j and abs(e[j] @ d[k]) / np.linalg.norm(d[k]) < own[j] / 2]
        moved = y[:, other] @ d[other] @ e[j]
        there, fires = x[:, i] > 0, y[:, j] > 0
        found[pair, 1] = (there & fires & (y[:, j] - moved < upper.threshold[j])).sum()
        down = max(0.0, moved.mean() - moved[there].mean())
        near = fires & (y[:, j] < upper.threshold[j] + down)
        if down > 0:
            found[pair, 0] = -max((near & there).sum(), near.sum() * there.mean())
    return found


@pytest.mark.parametrize("seed", range(4))
def test_what_overlap_makes_equals_its_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [drawn(10 * seed + k, 700) for k in range(2)]
    parts = [(x.astype(np.float32).astype(float), y.astype(np.float32).astype(float)) for x, y in parts]
    below, above = directions(rng, LOWER, 10), directions(rng, UPPER, 10)
    above[1] = below[4]
    above[2] = 0.8 * above[1] + 0.6 * above[2]
    lower = Dictionary(below, below, np.zeros(LOWER, np.float32))
    upper = Dictionary(
        above, above * rng.uniform(0.5, 1, (UPPER, 1)).astype(np.float32), np.full(UPPER, 0.6, np.float32)
    )
    target, source = np.divmod(np.arange(LOWER * UPPER, dtype=np.int32), np.int32(LOWER))
    owed = interference_of(source, target, lower, upper)
    for add in (Interference.seen, Interference.plus):
        for x, y in parts:
            owed = add(owed, sparse(x), sparse(y))
    expected = by_loops(source, target, lower, upper, parts)
    # a reading at the very threshold may fall to either side in single precision
    np.testing.assert_allclose(owed.firings, expected, atol=1.01)
    assert (np.abs(owed.firings - expected) > 0.01).mean() < 0.05
    assert (owed.firings[:, 0] <= 0).all()
    assert (owed.firings[:, 1] >= 0).all()
    content = (source == 4) & (target == 1)
    assert (owed.firings[content] == 0).all()
    assert (expected[:, 1] > 0).any()
    assert (expected[:, 0] < 0).any()


def test_no_tokens_owe_nothing() -> None:
    rng = np.random.default_rng(0)
    below, above = directions(rng, LOWER, 10), directions(rng, UPPER, 10)
    lower = Dictionary(below, below, np.zeros(LOWER, np.float32))
    upper = Dictionary(above, above, np.zeros(UPPER, np.float32))
    silent = Activations(np.zeros(6, np.int64), np.empty(0, np.int32), np.empty(0, np.float32), LOWER)
    later = Activations(np.zeros(6, np.int64), np.empty(0, np.int32), np.empty(0, np.float32), UPPER)
    one = np.zeros(1, np.int32)
    owed = interference_of(one, one, lower, upper).seen(silent, later).plus(silent, later)
    assert (owed.firings == 0).all()
