"""Links between layers checked by intervention: a feature is taken out, and a later one is read again.

``VerifyConfig`` says what is asked for, ``verify`` does it. Nothing heavy is imported until it runs.
"""

from typing import TYPE_CHECKING

from ingest.verification.config import VerifyConfig

if TYPE_CHECKING:
    from graphdb.store import Store
    from ingest.verification.report import Row

__all__ = ["VerifyConfig", "verify"]


def verify(store: "Store", config: VerifyConfig) -> "list[Row]":
    """Check links of `store` by intervention and write what was found there; see `job.verify`."""
    from ingest.verification import job  # noqa: PLC0415  torch and the model libraries take ten seconds

    return job.verify(store, config)
