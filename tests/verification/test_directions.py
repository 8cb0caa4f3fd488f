"""What directions that lie by chance would do."""

import numpy as np

from ingest.verification.directions import Directions
from ingest.verification.trials import Trial
from tests.verification.small import Read, cosines


def test_cosines_are_those_of_the_decoders(small: Read) -> None:
    found = Directions.of(*small.reader.saes).cosines(np.array([3, 9]))
    assert found is not None
    assert np.allclose(found, cosines(small.reader)[:, [3, 9]])


def test_chance_is_the_spread_over_directions_drawn_at_random(small: Read) -> None:
    directions = Directions.of(*small.reader.saes)
    source, target = int(small.firing.lower.rate.argmax()), int(small.firing.upper.rate.argmax())
    tokens = small.firing.lower.column(source)[0][:50]
    trial = Trial(source, target, -1, tokens, 2.0)
    lower, upper = (sae.sae for sae in small.reader.saes)
    drawn = np.random.default_rng(0).normal(size=(20_000, lower.cfg.d_in))
    drawn *= float(lower.W_dec[source].norm()) / np.linalg.norm(drawn, axis=1, keepdims=True)
    reads = drawn @ upper.W_enc[:, target].numpy() * small.firing.lower.at(source, tokens).mean() / 2.0
    assert np.isclose(directions.by_chance(trial, small.firing), reads.std(), rtol=0.03)
