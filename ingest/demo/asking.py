"""The commands that the demo runs as a person would, and what it says may be asked next."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console

from analysis.layer_graph import LayerGraph
from ingest.demo.line import Line
from ingest.demo.reading import feature_classes
from ingest.samples_directory import SamplesDirectory

_ASKED = ("possessive_pronoun", "negation", "weekday")
"""Planted classes whose best feature is asked for its neighbours."""


def ask_neighbors(
    graphs: Mapping[int, LayerGraph],
    samples: Mapping[int, SamplesDirectory],
    seed: int,
    database: str,
    console: Console,
) -> list[str]:
    """Ask the database for the neighbours of a few features, with the commands a person would type."""
    layer = max(graphs, key=lambda k: graphs[k].kept)
    graph = graphs[layer]
    names, score = feature_classes(samples[layer], graph.n_features, seed)
    connected = graph.features["degree"].to_numpy() > 0
    asked = []
    for planted in _ASKED:
        of_class = (names == planted) & connected
        if of_class.any():
            asked.append(graph.site.feature_id(int(np.argmax(np.where(of_class, score, -1)))))
    for feature in asked:
        run_command(["neighbors", feature, "--limit", "5"], database, console)
    return asked


def run_command(command: list[str], database: str, console: Console) -> None:
    """Run a command that a person would type."""
    words = [*command, "--db", database]
    console.print(f"\n[bold]$ stratigraph {' '.join(words)}[/]", highlight=False, soft_wrap=True)
    subprocess.run([sys.executable, "-m", "stratigraph", *words], check=False)  # noqa: S603  our own words


def what_next(
    database: str, asked: list[str], published: str, calibrated: str, line: Line | None, console: Console
) -> None:
    """Print commands to go on with."""
    feature = asked[0] if asked else "FEATURE"
    program = Path(sys.argv[0]).with_name("stratigraph")
    here = Path.cwd()
    shown = program.relative_to(here) if program.is_relative_to(here) else program
    flag = "" if database == "graph.db" else f" --db {database}"
    console.print(f"\n[bold]The database stays in {database}. What to ask next:[/]")
    for words in (
        f"runs{flag}",
        f"feature {feature}{flag}",
        f"neighbors {feature} --hops 2{flag}",
        f"neighbors {feature} --run {published}{flag}",
        f"query only_in --param run={published} --param other={calibrated}{flag}",
        f"query strongest{flag}",
        *([f"paths {line.features[0]} {line.features[-1]}{flag}", f"query flow{flag}"] if line else []),
        f"communities{flag}",
        "query --list",
    ):
        console.print(f"  {shown} {words}", highlight=False, soft_wrap=True)
    console.print("Answers are those of the calibrated runs, the newest, unless --run names another.")
