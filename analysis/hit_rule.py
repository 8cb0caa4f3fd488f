"""When an intervention bears a link out, in numbers and in words.

At each token ``t`` of several rows, one a row, ``d_t`` is the activation of the later feature with the
earlier one taken out, less what it is otherwise. A positive weight foretells ``d < 0`` and a negative one
``d > 0``. A pair is a *hit* where all three hold:

- the mean of ``d`` has the sign that the weight foretells;
- it is at least ``SHARE`` of the level of the later feature: its mean at those tokens, or where it is
  foretold to rise, and so mostly silent there, its mean wherever it fires;
- it is beyond chance: Student's t of ``d`` over the rows, one-sided, has ``p <= LEVEL``.

Chance alone would make a hit of at most one pair in twenty. The share keeps out effects that are sure and
tiny, as any change of the stream has on everything after it; what other shares give is told beside it.
"""

SHARE = 0.1
"""Least size of the mean change, as a share of the later feature's level."""
OTHER_SHARES = (0.05, 0.2, 0.5)
"""Shares that the hits are counted at too."""
LEVEL = 0.05
"""Most p at which a mean change is beyond chance."""
LEAST = 5
"""Rows that a pair is read at, at least."""

WHAT_A_HIT_IS = (
    "a pair is a hit if taking its earlier feature out changes the later one in the direction that the "
    "weight foretells (positive: lowered, negative: raised), in the mean by at least "
    f"{SHARE:g} of the later one's level, and beyond chance (t-test over rows, one-sided, p <= {LEVEL:g}). "
    "Level: its mean at the tokens read, or where it is foretold to rise, its mean wherever it fires"
)
