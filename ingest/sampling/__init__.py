"""From text to activations: a model, its SAEs and a corpus in, one samples directory per layer out.

``SampleConfig`` says what is asked for, ``plan`` what it will cost, ``sample`` does it. Nothing heavy is
imported until one of the two runs.
"""

from collections.abc import Callable
from pathlib import Path

from ingest.sampling.config import SampleConfig
from ingest.sampling.layers import parse_layers
from ingest.sampling.plan import Plan

__all__ = ["Plan", "SampleConfig", "parse_layers", "plan", "sample"]


def plan(config: SampleConfig) -> Plan:
    """Measure L0 and speed on a pilot; say how many tokens `config` takes, and how long."""
    from ingest.sampling import job  # noqa: PLC0415  torch and the model libraries take ten seconds

    return job.plan(config)


def sample(config: SampleConfig, announce: Callable[[Plan], None] | None = None) -> list[Path]:
    """Write the samples directories of `config`, or finish them; see `job.sample`."""
    from ingest.sampling import job  # noqa: PLC0415  torch and the model libraries take ten seconds

    return job.sample(config, announce)
