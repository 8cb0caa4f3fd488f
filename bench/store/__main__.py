"""Time first loads and look-ups over both real servers, against the least that the driver can do.

    python -m bench.store                          4 layers x 131,072 features, 1M edges, 500k links
    python -m bench.store --features 4096 --edges 40000 --links 20000 --engine arcadedb

Each engine has a fresh database directory of ours: ArcadeDB, loaded by its batch endpoint; Neo4j, loaded once
through the driver and once by ``neo4j-admin``. IN and MEASURED_IN are told apart. The minimal loader beside
them creates nodes with an id and relationships with a run and a weight, in batches of 5,000, without a check;
the barest question returns ids and weights of one hop.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import stratigraph
from bench.store.loading import APART, leave_out_apart, load, write_files
from bench.store.minimal import Minimal
from bench.store.timing import answer_times, say
from bench.store.world import World, world
from graphdb import server
from graphdb.directory import create_directory
from graphdb.engines import engine_called
from graphdb.store import Store, answers, connect
from queries.neighbors import Filters, neighbors
from queries.paths import Route, lineage, paths

_ASKED = 200
_STRONG = Filters(min_replicates=10, min_partial=0.2)
_ACROSS = Route(kinds=("CARRIES", "DRIVES"), min_hops=2, max_hops=2)


def main() -> None:
    """Load, ask, print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.store",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--engine", choices=("arcadedb", "neo4j"), nargs="+", default=["arcadedb", "neo4j"])
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--features", type=int, default=131_072, help="of a layer")
    parser.add_argument("--edges", type=int, default=1_000_000, help="in all")
    parser.add_argument("--links", type=int, default=500_000, help="in all")
    options = parser.parse_args()
    made = world(options.layers, options.features, options.edges, options.links)
    edges = sum(graph.edges.height for graph in made.graphs)
    links = sum(frame.height for frame in made.links)
    print(f"{options.layers} layers x {options.features:,} features, {edges:,} edges, {links:,} links")
    for name in options.engine:
        with tempfile.TemporaryDirectory() as scratch:
            _one(name, made, Path(scratch))


def _one(name: str, made: World, scratch: Path) -> None:
    print(f"\n{name}")
    engine_called(name).fetch(lambda _: None)
    least = _minimal(name, made, scratch)
    print(f"minimal loader over the driver              {least:8.1f} s")
    where = scratch / "loaded.db"
    directory = create_directory(where, name)
    # a server of more than one command, as `db up` starts it
    server.acquire(directory, answers, outlive=True).release()
    with connect(where, write=True) as store:
        seconds = load(store, made)
    apart = sum(seconds[part] for part in APART)
    first = seconds["whole"] - apart
    way = "its batch endpoint" if name == "arcadedb" else "the driver"
    print(f"first load, {way:<31} {first:8.1f} s  {first / least:5.2f} of the minimal loader")
    print(f"  IN, MEASURED_IN beside it                 {apart:8.1f} s")
    print("  " + ", ".join(f"{part} {took:.1f}" for part, took in seconds.items() if part != "whole"))
    with connect(where) as store:
        _ask(store, directory_of=where, made=made)
    _commands(where, made)
    server.end_if_unused(directory)
    _stopped(where, made)
    size = sum(file.stat().st_blocks * 512 for file in where.rglob("*") if file.is_file())
    print(f"on disk                                     {size / 1e6:8.0f} MB")
    if name == "neo4j":
        shutil.rmtree(where)
        _import(made, scratch)


def _minimal(name: str, made: World, scratch: Path) -> float:
    directory = create_directory(scratch / "minimal.db", name)
    lease = server.acquire(directory, answers)
    try:
        user = directory.writer
        with Minimal(lease.server.url, user, directory.password(user), lease.engine.database) as driver:
            return driver.load(made)
    finally:
        lease.release()
        shutil.rmtree(directory.path)


def _ask(store: Store, directory_of: Path, made: World) -> None:
    rng = np.random.default_rng(1)
    graph = made.graphs[0]
    degree = np.bincount(
        np.concatenate([graph.edges["source"].to_numpy(), graph.edges["target"].to_numpy()]),
        minlength=graph.n_features,
    )
    some = [graph.site.feature_id(int(i)) for i in rng.choice(np.flatnonzero(degree), _ASKED)]
    hubs = [graph.site.feature_id(int(i)) for i in np.argsort(-degree)[:20]]
    starts = rng.choice(made.links[0]["source"].unique().sort().to_numpy(), _ASKED).tolist()
    with Minimal(*_way_in(directory_of)) as driver:
        bare = answer_times(driver.neighbors, some)
        bare_hubs = answer_times(driver.neighbors, hubs, warm=0)
    say("barest one hop", bare)
    say("one hop", answer_times(lambda f: neighbors(store, f), some), bare)
    say(
        "two hops, filtered", answer_times(lambda f: neighbors(store, f, hops=2, filters=_STRONG), some), bare
    )
    say("best paths over three layers", answer_times(lambda f: paths(store, f, route=_ACROSS), starts), bare)
    say("lineage", answer_times(lambda f: lineage(store, f, limit=20), starts), bare)
    say(f"20 hubs (to {degree.max():,} edges), barest", bare_hubs)
    say("20 hubs, one hop", answer_times(lambda f: neighbors(store, f), hubs, warm=0), bare_hubs)


def _way_in(where: Path) -> tuple[str, str, str, str]:
    directory = create_directory(where)
    running = server.running(directory)
    assert running is not None
    user = directory.writer
    return running.url, user, directory.password(user), engine_called(directory.engine).database


def _commands(where: Path, made: World) -> None:
    took = [_command(where, made) for _ in range(5)]
    print(
        f"the command on a running directory          {np.median(took):8.2f} s, of 5 at most {max(took):.2f}"
    )


def _stopped(where: Path, made: World) -> None:
    took = [_command(where, made) for _ in range(3)]
    print(
        f"the command on a stopped directory          {np.median(took):8.2f} s, of 3 at most {max(took):.2f}"
    )


def _command(where: Path, made: World) -> float:
    """Seconds until a look-up has printed its answer; a server that it started ends after that."""
    feature = made.links[0]["source"][0]
    command = [sys.executable, "-m", "stratigraph", "neighbors", feature, "--db", str(where)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "COLUMNS": "80"}) as running:
        assert running.stdout is not None
        said = os.read(running.stdout.fileno(), 1 << 16)
        seconds = time.perf_counter() - began
        running.stdout.read()
    assert said, "no answer"
    return seconds


def _import(made: World, scratch: Path) -> None:
    began = time.perf_counter()
    write_files(scratch / "all", made)
    writing = time.perf_counter() - began
    shutil.copytree(scratch / "all", scratch / "some")
    leave_out_apart(scratch / "some")
    took: dict[str, float] = {}
    for part in ("some", "all"):
        began = time.perf_counter()
        command = ["db", "import", "--from", str(scratch / part), "--db", str(scratch / f"{part}.db")]
        assert stratigraph.main(command) == 0
        took[part] = time.perf_counter() - began
    print(f"export for neo4j-admin                      {writing:8.1f} s")
    print(f"first load, neo4j-admin                     {took['some']:8.1f} s, with constraints and a start")
    print(f"  with IN and MEASURED_IN                   {took['all']:8.1f} s")


if __name__ == "__main__":
    main()
