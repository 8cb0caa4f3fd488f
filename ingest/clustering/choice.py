"""Which runs of a database are divided into communities."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.errors import MisuseError
from graphdb.runs import find_run, list_runs, newest_runs
from graphdb.stacked import Layer, layers_of
from graphdb.store import Store
from ingest.clustering.config import ClusterConfig

Row = dict[str, Any]


def choose(
    store: Store, config: ClusterConfig, asked: Sequence[str]
) -> tuple[tuple[Layer, ...], dict[str, list[str]]]:
    """Return the layers, lowest first, and the runs of links between them with the sites that they leave.

    Parameters
    ----------
    store
        An open database.
    config
        What is divided; links are looked for where its scope is all layers.
    asked
        Runs, or unique beginnings of their ids; without any, the newest complete one of each site.

    Raises
    ------
    MisuseError
        There is no such run, it is of another kind, two are of one site, there are no links, or
        `min_replicates` is more than a run has.
    """
    known = list_runs(store)
    chosen = _asked(store, asked, known) if asked else newest_runs(known, ("layer",))
    if not chosen:
        # says that there is none, and what makes one
        find_run(store, known=known)
    layers = layers_of(store, chosen)
    _check_replicates(layers, config.min_replicates)
    if config.scope == "layer":
        return layers, {}
    number = {layer.site: layer.number for layer in layers}
    links = [run for run in known if run["kind"] == "links" and number.keys() >= set(run["sites"])]
    found = newest_runs(links, ("links",))
    if not found:
        raise MisuseError(
            f"{store.address} has no complete run that links two of these {len(layers)} sites, so there is "
            "nothing to divide at once; stratigraph link makes links, --scope layer needs none"
        )
    sites = {run["id"]: run["sites"] for run in links}
    return layers, {run: _left(sites[run], number) for run in found}


def _left(sites: Sequence[str], number: Mapping[str, int]) -> list[str]:
    """Return the sites whose features links leave: all below the highest, or all of one layer."""
    highest = max(number[site] for site in sites)
    return [site for site in sites if number[site] < highest] or list(sites)


def _asked(store: Store, asked: Sequence[str], known: list[Row]) -> list[str]:
    chosen: dict[str, str] = {}
    for name in asked:
        run = find_run(store, name, known=known)
        if run["kind"] != "layer":
            raise MisuseError(f"run {run['id']} is of kind {run['kind']}; expected one of kind layer")
        site = run["sites"][0]
        if chosen.setdefault(site, run["id"]) != run["id"]:
            raise MisuseError(
                f"runs {chosen[site]} and {run['id']} are both about {site}; name one of a site"
            )
    return list(chosen.values())


def _check_replicates(layers: Sequence[Layer], least: int | None) -> None:
    for layer in layers:
        if least is not None and layer.replicates is not None and least > layer.replicates:
            raise MisuseError(
                f"--min-replicates is {least}, run {layer.run} of {layer.site} has {layer.replicates} "
                f"replicates; expected at most {layer.replicates}, which is its stable core"
            )
