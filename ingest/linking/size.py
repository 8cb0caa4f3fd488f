"""How large a linking job is: as an inference on the features of both layers together."""

from dataclasses import replace

from ingest.inference.config import InferConfig
from ingest.inference.size import JobSize, size_of
from ingest.linking.config import LinkConfig
from ingest.linking.pair import Pair


def size_of_pair(pair: Pair, replicates: int, config: LinkConfig) -> JobSize:
    """Measure the job that `config` would make of a pair."""
    like = InferConfig(replicates=replicates, fdr=config.fdr)
    lower, upper = size_of(pair.lower, like), size_of(pair.upper, like)
    count = None
    if lower.count is not None and upper.count is not None:
        count = tuple(sorted((*lower.count, *upper.count), reverse=True)[: len(lower.count)])
    return replace(
        lower,
        n_features=lower.n_features + upper.n_features,
        tokens=max(lower.tokens, upper.tokens),
        # what is carried is read beside what fires in the later layer
        nonzero=lower.nonzero + 2 * upper.nonzero,
        file_bytes=lower.file_bytes + upper.file_bytes,
        dictionary_bytes=lower.dictionary_bytes + upper.dictionary_bytes,
        words=False,
        count=count,
    )
