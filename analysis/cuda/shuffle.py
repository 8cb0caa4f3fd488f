"""The matched null of ``analysis.shuffle``, as far as a device needs it from the host.

The draws are the same, number by number. What is left out is putting each feature's tokens in order again:
sums in whole numbers do not ask for an order, and the lists by token are made on the device.
"""

import numba
import numpy as np

from analysis.activations import Columns
from analysis.shuffle import _permute


def permuted(columns: Columns, seed: int, replicate: int, stream: int) -> Columns:
    """Permute every feature over the tokens, as ``analysis.shuffle.shuffled`` does; tokens in no order.

    Parameters
    ----------
    columns
        One replicate by feature.
    seed, replicate, stream
        What seeds the permutations.
    """
    entropy = np.random.SeedSequence([seed, replicate, stream]).generate_state(1, np.uint64)[0]
    token, value = _permute(columns.start, columns.value, columns.n_tokens, entropy, numba.get_num_threads())
    return Columns(columns.start, token, value, columns.n_tokens)
