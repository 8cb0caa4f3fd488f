"""The linking job: two samples directories of one pass become the links between their features."""

from ingest.linking.config import LinkConfig
from ingest.linking.job import link
from ingest.linking.pair import Pair, pair_of, pairs_in

__all__ = ["LinkConfig", "Pair", "link", "pair_of", "pairs_in"]
