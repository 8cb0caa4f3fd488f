"""Put the links together: those that pass, their directions, and what of them the stream carries."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from analysis.activations import Int32, Int64
from analysis.carrying import Moments, kinds_of
from analysis.coactivation import coactivation
from analysis.columns import columns_of
from analysis.dictionary import cosines_across, virtual_weights
from analysis.errors import DataError
from analysis.layer_links import LINK_COLUMNS, LayerLinks, fates_of
from analysis.links import side_by_side
from analysis.run import Run
from ingest.linking.pair import Pair
from ingest.progress import progress


def assemble(pair: Pair, run: Run, tests: pl.DataFrame, counts: Mapping[str, int]) -> LayerLinks:
    """Make the links of a pair.

    Parameters
    ----------
    pair, run
        The two layers, and what is computed.
    tests
        Frame of the pairs tested: ``source``, ``target``, ``q_value``, ``partial_correlation``,
        ``standard_error``.
    counts
        How many pairs went which way.

    Raises
    ------
    DataError
        A replicate of the later layer does not say what it is carried.
    """
    kept = tests.filter(pl.col("q_value") <= run.fdr).sort("target", "source")
    source, target = kept["source"].to_numpy(), kept["target"].to_numpy()
    read = _Read(pair, source, target, run.config["replicates"])
    share = read.moments.carried_shares()
    below, above = pair.dictionaries
    links = kept.with_columns(
        kind=pl.Series(kinds_of(share, kept["partial_correlation"].to_numpy()), dtype=pl.String),
        weight=pl.col("partial_correlation"),
        decoder_cosine=pl.Series(cosines_across(below, above, source, target), nan_to_null=True),
        virtual_weight=pl.Series(virtual_weights(below, above, source, target)),
        carried_share=pl.Series(share),
        coactivation=pl.Series(read.both, dtype=pl.Int64),
    ).select(list(LINK_COLUMNS))
    fractions = read.moments.carried_fractions()
    carried, made, gone = fates_of(links, pl.Series(read.below > 0), pl.Series(read.above > 0))
    return LayerLinks(
        lower=pair.lower.site,
        upper=pair.upper.site,
        run=run,
        n_lower=pair.lower.n_features,
        n_upper=pair.upper.n_features,
        n_tokens=read.moments.tokens,
        n_replicates=run.config["replicates"],
        links=links,
        fates=pl.DataFrame(
            {
                "index": np.arange(pair.upper.n_features, dtype=np.int32),
                "carried_fraction": pl.Series(fractions, nan_to_null=True),
            }
        ),
        carried=carried,
        made=made,
        gone=gone,
        left_out={
            "features_never_firing": int((read.below == 0).sum() + (read.above == 0).sum()),
            **counts,
        },
    )


class _Read:
    """What the replicates say once it is known which pairs are links.

    Parameters
    ----------
    pair, source, target, replicates
        The two layers, the links ascending by target, and how many replicates are read.

    Attributes
    ----------
    moments
        What the stream carries.
    both : shape (links,)
        Tokens at which both ends fire.
    below, above : shape (features,)
        Tokens at which each feature of either layer fires.
    """

    def __init__(self, pair: Pair, source: Int32, target: Int32, replicates: int) -> None:
        lower = pair.lower.n_features
        self.moments = Moments.none(source, target, pair.upper.n_features)
        self.both: Int64 = np.zeros(len(source), np.int64)
        self.below, self.above = np.zeros(lower, np.int64), np.zeros(pair.upper.n_features, np.int64)
        with progress("what is carried", replicates, unit="files") as advance:
            for k in range(replicates):
                later = pair.upper.read(k)
                if later.carried is None:
                    raise DataError(
                        f"{pair.upper.path / pair.upper.replicates[k].file} has no 'carried_start'; a link "
                        "needs what the later layer is carried, sample both layers together again"
                    )
                earlier, fires = columns_of(pair.lower.read(k).activations), columns_of(later.activations)
                self.moments = self.moments.plus(earlier, fires, columns_of(later.carried))
                self.both += coactivation(side_by_side(earlier, fires), source, target + np.int32(lower))
                self.below += np.diff(earlier.start)
                self.above += np.diff(fires.start)
                advance(1)
