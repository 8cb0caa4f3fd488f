"""What linking two layers would take on this machine."""

from collections.abc import Sequence
from pathlib import Path

from analysis.errors import MisuseError
from ingest.doctor.finding import Finding
from ingest.doctor.job import of_work
from ingest.inference.memory import least_bytes
from ingest.linking import LinkConfig, pair_of
from ingest.linking.estimate import estimate_link
from ingest.linking.size import size_of_pair


def foretell_link(paths: Sequence[Path], config: LinkConfig, threads: int | None) -> list[Finding]:
    """Estimate time and memory of ``link`` from the first of two samples directories to the second.

    Raises
    ------
    MisuseError
        There are not two, or ``link`` would refuse them.
    DataError
        One breaks the format.
    """
    if len(paths) != 2:
        raise MisuseError(
            f"{len(paths)} samples directories are named; expected one, to estimate infer, or two layers, "
            "to estimate link"
        )
    pair = pair_of(*paths)
    replicates = pair.replicates(config.replicates)
    found = estimate_link(pair, config, threads)
    return [
        Finding("link", f"{pair.lower.site.id} to {pair.upper.site.id}", pair.name),
        Finding(
            "features",
            f"{pair.lower.n_features:,} and {pair.upper.n_features:,}",
            pair.lower.n_features + pair.upper.n_features,
        ),
        *of_work(found, replicates, least_bytes(size_of_pair(pair, replicates, config))),
    ]
