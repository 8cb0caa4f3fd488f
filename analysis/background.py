"""What features do that says nothing of each other: how they follow the activity of tokens, and last."""

from typing import NamedTuple

from analysis.activations import Float32, Float64
from analysis.bursts import autocorrelations
from analysis.firings import Firings
from analysis.loadings import following_of


class Background(NamedTuple):
    """Why two features may fire together though neither depends on the other.

    Parameters
    ----------
    loading : shape (F,)
        Loadings on the activity of the token.
    lasting : shape (F, LAGS + SPANS)
        Autocorrelations of the firing states.
    crowd
        Share of the tokens that are crowded; 0 where activity is log-normal.
    """

    loading: Float64
    lasting: Float32
    crowd: float = 0.0

    def of_first(self, features: int) -> "Background":
        """Return the background of the first so many features."""
        return self._replace(loading=self.loading[:features], lasting=self.lasting[:features])


def background_of(firings: Firings) -> Background:
    """Estimate the background from all replicates."""
    following = following_of(firings)
    return Background(following.loading, autocorrelations(firings), following.crowd)
