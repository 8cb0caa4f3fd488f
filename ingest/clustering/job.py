"""The job: read, divide, and write a run of communities.

Its id is a hash of its settings and of the runs that it reads, so the same command finds what it made before,
and completes what was killed.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from analysis.communities import Communities, Dials, find_communities
from analysis.errors import MisuseError
from analysis.profile import Setting, profile, settings
from analysis.run import digest_of, library_versions, run_id
from graphdb.communities import stored_clustering, write_communities
from graphdb.properties import as_text, present
from graphdb.stacked import Stacked, labels_of, read_stack
from graphdb.store import Store
from ingest.clustering.choice import choose
from ingest.clustering.config import ClusterConfig
from ingest.clustering.rows import community_rows, member_rows, part_rows, without_nan
from ingest.progress import progress

Row = dict[str, Any]

_PROFILE_RESTARTS = 2
"""As many as it takes to see whether they agree."""


def cluster(store: Store, config: ClusterConfig, runs: Sequence[str] = ()) -> tuple[Row, bool]:
    """Divide the graphs of a database into communities and write them there.

    Parameters
    ----------
    store
        Open for writing.
    config
        The settings.
    runs
        The layer runs that are divided; without any, the newest complete one of each site.

    Returns
    -------
    The properties of the run, and whether it was there already.

    Raises
    ------
    MisuseError
        A run is not there or does not fit, or nothing is left to divide.
    StoreError
        The database refused or went away; run the job again to complete it.
    """
    layers, links = choose(store, config, runs)
    inputs = digest_of(dict.fromkeys((*(layer.run for layer in layers), *links), ""))
    name = run_id("communities", config.to_json(), inputs)
    stored = stored_clustering(store, name)
    if stored is not None:
        return stored, True
    with progress("read", sum(layer.features for layer in layers), unit="features") as advance:
        stacked = read_stack(
            store, layers, links, config.min_replicates, exclusions=config.exclusions, advance=advance
        )
    _check_some(store, config, stacked)
    found, profiled = _divide(stacked, config)
    communities = community_rows(stacked, found, labels_of(store, stacked), name, config)
    members = member_rows(stacked, found, name)
    properties = _properties(config, inputs, list(links), stacked, found, profiled)
    sites = [layer.site for layer in layers]
    with progress("write", len(communities) + members.height, unit="rows") as advance:
        rows = members.iter_rows(named=True)
        write_communities(store, name, sites, properties, communities, rows, advance)
    return {"id": name, **properties}, False


def _check_some(store: Store, config: ClusterConfig, stacked: Stacked) -> None:
    if len(stacked.stack.source):
        return
    if config.min_replicates is None:
        said = "keep no edge; infer on more replicates, or name other runs by --run"
    else:
        said = f"keep no edge that {config.min_replicates} replicates show; lower --min-replicates"
    names = ", ".join(layer.run for layer in stacked.layers[:3])
    raise MisuseError(f"nothing to divide in {store.address}: its layer runs ({names}) {said}")


def _divide(stacked: Stacked, config: ClusterConfig) -> tuple[Communities, list[Setting]]:
    """Divide at the setting asked for, and at others."""
    others = min(_PROFILE_RESTARTS, config.restarts)
    dials = Dials(config.resolution, config.omega, config.restarts, config.seed)
    divisions = config.restarts + others * len(settings(dials))
    with progress("divide", len(stacked.index) * divisions, unit="features") as advance:
        found = find_communities(stacked.stack, dials, advance)
        profiled = profile(stacked.stack, found, dials, others, advance)
    return found, profiled


def _properties(
    config: ClusterConfig,
    inputs: str,
    links: Sequence[str],
    stacked: Stacked,
    found: Communities,
    profiled: Sequence[Setting],
) -> Row:
    """Return the properties of the Run node, `complete` apart."""
    stack = stacked.stack
    read = {"layers": [layer.run for layer in stacked.layers], "links": list(links)}
    return present(
        {
            "kind": "communities",
            "scope": config.scope,
            "seed": config.seed,
            "config": as_text(config.to_json()),
            "inputs": inputs,
            "read": as_text(read),
            "versions": as_text(library_versions()),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "features": len(stacked.index),
            "edges": len(stack.source),
            "links": len(stack.link_source),
            "communities": len(found.size),
            "members": int(found.size.sum()),
            "quality": found.quality,
            "ami": None if config.restarts == 1 else found.ami,
            "parts": as_text(part_rows(stacked, found)),
            "profile": as_text([without_nan(asdict(setting)) for setting in profiled]),
        }
    )
