"""Rows that come gathered in one record are those of the query."""

from graphdb.load import load_graph
from graphdb.runs import list_runs
from graphdb.store import Store
from queries.catalogue import named
from queries.patience import Patience
from tests.graphdb.small_graphs import planted


def test_rows_gathered_in_one_record_are_the_rows(store: Store) -> None:
    load_graph(store, planted(8, [(0, k, 0.1 * k) for k in range(1, 8)]))
    (run,) = (row["id"] for row in list_runs(store))
    every = {
        "run": run,
        "all": True,
        "q": "q_shuffle",
        "min_replicates": None,
        "max_q": None,
        "min_partial": None,
    }
    asked = named("neighbors")
    for features in (["tiny/0-sae/0", "tiny/0-sae/3"], ["tiny/0-sae/8"], []):
        values = {**every, "features": features}
        together = Patience(store).gather(asked, values)
        together.sort(key=lambda row: (-abs(row["weight"]), row["feature"], row["id"]))
        assert together == store.read(asked.cypher, values)
