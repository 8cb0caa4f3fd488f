"""A control for a link: another feature of the earlier layer, as like the link's as there is.

Of the features that may stand in, those that fire within a factor ``CALIPER`` as often come first, and of
them the one whose decoder direction lies to the later feature's most nearly as the link's does, or any if
cosines do not matter. Where none fires about as often, the one that comes nearest in that.
"""

import numpy as np
from numpy.typing import NDArray

from analysis.activations import Float64

CALIPER = 1.5
"""Factor within which firing rates are alike."""


def match(
    source: int,
    eligible: NDArray[np.bool_],
    rate: Float64,
    cosine: Float64 | None,
    random: np.random.Generator,
) -> int | None:
    """Return the feature that is most like `source`; None if none is eligible.

    Parameters
    ----------
    source
        Feature of the link.
    eligible : shape (F,)
        Which features may stand in for it.
    rate : shape (F,)
        How often each fires, above 0 where eligible.
    cosine : shape (F,)
        Of each one's decoder direction with the later feature's; None if it does not matter.
    random
        Decides between those that are equally like it.
    """
    found = random.permutation(np.flatnonzero(eligible))
    if not len(found):
        return None
    apart = np.abs(np.log(rate[found] / rate[source]))
    near = apart <= np.log(CALIPER)
    if not near.any():
        return int(found[apart.argmin()])
    found = found[near]
    return int(found[0] if cosine is None else found[np.abs(cosine[found] - cosine[source]).argmin()])
