"""The demo across layers: links, one line of them from first to last, and what taking features out says."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from os import devnull
from pathlib import Path
from typing import Any

from rich.console import Console

from analysis.layer_links import LayerLinks
from graphdb.store import Store
from ingest.demo.across_report import tried_table
from ingest.demo.asking import run_command
from ingest.demo.line import Line, strongest_line
from ingest.demo.reading import feature_classes
from ingest.linking import LinkConfig, link, pair_of
from ingest.samples_directory import SamplesDirectory
from ingest.sampling import SampleConfig
from ingest.verification import VerifyConfig, verify

_LINKED = 2
"""Replicates that layers are linked on, at most; each takes half a minute of a processor a pair of layers."""
_TRIED = 60
"""Links of each pair of layers that are drawn to be tried by intervention."""
_TOKENS = 32_768
"""Tokens in which their firings are looked for."""


def link_layers(
    samples: Sequence[SamplesDirectory], work: Path, replicates: int, seed: int
) -> list[LayerLinks]:
    """Link each layer to the next, the lowest first."""
    config = LinkConfig(replicates=min(replicates, _LINKED), seed=seed)
    pairs = [pair_of(*ends) for ends in pairwise(directory.path for directory in samples)]
    return [link(pair, work / "links" / pair.name, config) for pair in pairs]


def lineage_rows(command: Sequence[str], database: str) -> list[dict[str, Any]]:
    """Ask for a lineage as a person would."""
    words = [sys.executable, "-m", "stratigraph", *command, "--db", database, "--format", "json"]
    done = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603  our own words
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def try_links(
    store: Store, links: Sequence[LayerLinks], shown: Sequence[dict[str, Any]], reading: SampleConfig
) -> dict[str, list[dict[str, Any]]]:
    """Take features out, of each run of links; those of a lineage that is shown are tried, too.

    Returns
    -------
    What was found of each pair of layers, by name, as of `verify`.
    """
    steps = [(row["through"], row["id"])[:: 1 if row["hops"] > 0 else -1] for row in shown if row["hops"]]
    found = {}
    for of in links:
        of_pair = f"{of.lower.id}/", f"{of.upper.id}/"
        named = tuple(
            (one, other)
            for one, other in steps
            if one.startswith(of_pair[0]) and other.startswith(of_pair[1])
        )
        config = VerifyConfig(reading, of.run.id, _TRIED, _TOKENS, named=named)
        if of.links.height:
            found[f"{of.lower.layer} to {of.upper.layer}"] = verify(store, config)
    return found


def follow(
    store: Store,
    links: Sequence[LayerLinks],
    samples: Sequence[SamplesDirectory],
    reading: SampleConfig,
    database: str,
    console: Console,
) -> Line | None:
    """Try links by intervention, and show a lineage from the first layer to the last with what that says."""
    line = strongest_line(links)
    tried = try_links(
        store,
        links,
        lineage_rows(line.asked(), database) if line else [],
        replace(reading, out=Path(devnull)),
    )
    if tried:
        tried_table(tried, console)
    if line is None:
        console.print("  no line of links leads from the first layer to the last", style="dim")
        return None
    console.print("\nOf all lines from the first layer to the last, the one whose weakest link is strongest:")
    run_command(line.asked(), database, console)
    console.print(
        "Its features, and the planted class that each stands for best (phi): "
        f"{_classes(line, samples, reading.seed)}."
    )
    return line


def _classes(line: Line, samples: Sequence[SamplesDirectory], seed: int) -> str:
    said = []
    for feature, of in zip(line.features, samples, strict=True):
        index = int(feature.rpartition("/")[2])
        classes, score = feature_classes(of, of.n_features, seed)
        said.append(f"{of.site.layer}/{index} {classes[index]} ({score[index]:.2f})")
    return ", ".join(said)
