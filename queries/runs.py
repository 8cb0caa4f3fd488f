"""The runs in a database, and the replicate table of one: the post's own reading of how much is chance."""

import json
from typing import Any

from graphdb.runs import find_run, list_runs
from graphdb.store import Store
from queries.catalogue import named

Row = dict[str, Any]

RUN_COLUMNS = (
    *("id", "site", "kind", "procedure", "fdr", "r_star"),
    *("features", "edges", "kept", "created", "complete"),
)
REPLICATE_COLUMNS = ("replicates", "observed", "null", "fdr")


def runs(store: Store) -> list[Row]:
    """Return every run, newest first, incomplete ones too; `site` joins the sites of a run by a comma.

    ``r_star`` is None where it decides nothing: a calibrated run keeps edges by their q-values.
    """
    found = [
        {
            **run,
            "site": ", ".join(run["sites"]),
            "r_star": None if run["procedure"] == "calibrated" else run["r_star"],
        }
        for run in list_runs(store)
    ]
    return [{name: run[name] for name in RUN_COLUMNS} for run in found]


def linked(store: Store) -> bool:
    """Whether links between layers were found by some run."""
    return any(run["kind"] == "links" and run["complete"] for run in list_runs(store))


def replicates(store: Store, run: str | None = None) -> list[Row]:
    """Return the replicate table of a run, the newest complete one by default.

    For each r: ``observed`` edges seen in at least r replicates, ``null`` how many shuffled data give,
    ``fdr`` the ratio, made monotone.
    """
    chosen = find_run(store, run)
    text = store.read(named("replicates").cypher, {"run": chosen["id"]})[0]["replicate_table"]
    return [{name: row.get(name) for name in REPLICATE_COLUMNS} for row in json.loads(text or "[]")]
