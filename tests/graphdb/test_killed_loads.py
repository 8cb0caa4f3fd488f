"""A load that is killed at any moment shows nothing of itself, and is completed by running it again."""

import random
from pathlib import Path

from graphdb.graph_directory import write_graph
from graphdb.load import load_graph
from graphdb.store import Store
from tests.graphdb.loader import BATCH, loader
from tests.graphdb.shown import shown
from tests.graphdb.small_graphs import planted
from tests.graphdb.stores import content, empty

MOMENTS, SEED = 50, 1
FEATURES = 2 * BATCH + 1
"""So that each statement of a load comes several times."""
EDGES = [(a, b, 0.1 * (a + b)) for a in range(FEATURES) for b in range(a + 1, FEATURES)]
OTHER = planted(FEATURES, EDGES, layer=1, run="cccc", word="other")
OLDER = planted(FEATURES, EDGES, run="aaaa", word="old", tokens=5000)
NEW = planted(FEATURES, EDGES, run="bbbb", word="new", tokens=400, created="2026-05-01T00:00:00Z", seed=3)


def forget(store: Store, first: bool) -> None:
    """Take the new run away again, with its site if it was the first there."""
    of = {"run": NEW.run.id, "site": NEW.site.id}
    store.write("MATCH (r:Run {id: $run}) DETACH DELETE r", of)
    store.write("MATCH (:Feature {site: $site})-[d:DEPENDS {run: $run}]->() DELETE d", of)
    if first:
        store.write("MATCH (s:Site {id: $site})<-[:IN]-(f:Feature) DETACH DELETE f", of)
        store.write("MATCH (s:Site {id: $site}) DETACH DELETE s", of)


def test_a_load_that_is_killed_at_a_random_moment(tmp_path: Path, address: str, store: Store) -> None:
    """Half of the loads are the first of their site, and half meet an older run over it."""
    write_graph(tmp_path / "new", NEW)
    draw = random.Random(SEED)
    half = 0
    with loader(address) as child:
        for first in (True, False):
            known = OTHER if first else OLDER
            empty(store)
            load_graph(store, OTHER)
            if not first:
                load_graph(store, OLDER)
            before, before_shown = content(store), shown(store, known)
            for _ in range(5):
                seconds = child.load(tmp_path / "new")
                whole, whole_shown = content(store), shown(store, known)
                forget(store, first)
                assert content(store) == before
            for moment in range(MOMENTS // 2):
                # of the time that the last load took: a server that goes on running becomes quicker
                delay = seconds * (moment + draw.random()) / (MOMENTS // 2)
                said = f"killed after {delay:.3f} of {seconds:.3f} s, seed {SEED}, first of its site: {first}"
                child.load(tmp_path / "new", delay)
                seen, left = shown(store, known), content(store)
                if seen != before_shown:
                    assert (seen, left) == (whole_shown, whole), said
                half += left not in (before, whole)
                seconds = child.load(tmp_path / "new")
                assert content(store) == whole, said
                forget(store, first)
    # so that the moments do lie within loads
    assert half >= 5, f"{half} of {MOMENTS} loads were killed with something written"
