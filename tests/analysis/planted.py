"""Small planted activations: modules that fire together, rare and dense features, dead ones."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.activations import Activations
from analysis.firings import MOST_LEVEL, Firings
from tests.analysis.calibrated_twins import design_matrix, firings_from
from tests.analysis.naive import Dense, sparse


def planted(seed: int, n: int = 400, n_features: int = 30) -> tuple[Activations, NDArray[np.float64]]:
    """Activations of modules of three under common causes, with their dense twin.

    The last three features are dead, fire at every token with one value, and fire three times.
    """
    rng = np.random.default_rng(seed)
    x = np.zeros((n, n_features))
    rate = rng.uniform(0.02, 0.4, n_features)
    for module in range(n_features // 3):
        cause = rng.random(n) < rate[3 * module]
        for i in range(3 * module, 3 * module + 3):
            fires = np.where(rng.random(n) < 0.7, cause, rng.random(n) < rate[i])
            x[:, i] = fires * rng.exponential(1.0, n)
    x[:, -3] = 0.0
    x[:, -2] = 2.0
    x[:, -1] = 0.0
    x[rng.choice(n, 3, replace=False), -1] = 1.0
    x = x.astype(np.float32).astype(np.float64)
    return sparse(x), x


def steep(seed: int, n: int = 2000, members: int = 4) -> Firings:
    """Feature 0 follows how strongly the others fire, so steeply that Newton's steps overshoot.

    The others fire mostly together, with strengths of heavy tails.
    """
    rng = np.random.default_rng(seed)
    fires = rng.random((n, members + 1)) < rng.uniform(0.05, 0.5, members + 1)
    together = rng.random((n, members - 1)) < 0.95
    fires[:, 2:] = np.where(together, fires[:, 1:2], fires[:, 2:])
    x = fires.astype(np.float64) * np.exp(np.clip(rng.standard_t(2, size=fires.shape), -40, 40))
    design = design_matrix(_raw(x), 0, dict.fromkeys(range(1, members + 1), True))
    log_odds = design @ rng.normal(0, 10, design.shape[1])
    x[:, 0] = rng.random(n) < 1 / (1 + np.exp(-np.clip(log_odds, -40, 40)))
    return _raw(x)


def _raw(x: Dense) -> Firings:
    """Firings whose levels are standardised logarithms, heavy tails and all, and no ranks."""
    firings = firings_from([x])
    level = np.zeros(len(firings.level), np.int8)
    for i in range(1, firings.n_features):
        of = slice(firings.start[i], firings.start[i + 1])
        logs = np.log(x[firings.token[of], i])
        z = (logs - logs.mean()) / logs.std()
        level[of] = np.clip(np.rint((MOST_LEVEL + 1) * z / (1 + np.abs(z))), -MOST_LEVEL, MOST_LEVEL)
    return replace(firings, level=level)
