"""The built-in small model, read at two layers; and links planted in a database by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analysis.activations import Float64
from analysis.site import Site
from graphdb.load import load_graph
from graphdb.store import Store
from ingest.sampling import SampleConfig, draw
from ingest.sampling.autoencoder import dictionary
from ingest.sampling.corpus import open_corpus
from ingest.sampling.loading import load_reader, load_saes
from ingest.sampling.packing import Row
from ingest.sampling.reading import Reader
from ingest.sampling.release import choose
from ingest.sampling.tokens import tokenized
from ingest.verification.firing import Firing, read
from tests.graphdb.small_graphs import planted

Link = tuple[int, int, str, float]


@dataclass(frozen=True)
class Read:
    """A model with two SAEs, and what fires on some rows."""

    reader: Reader
    rows: list[Row]
    firing: Firing


def read_rows(lower: int, upper: int, tokens: int, seed: int = 7, near: Sequence[int] = ()) -> Read:
    """Read tokens of the built-in corpus at two layers of the built-in model."""
    config = SampleConfig("organism", "organism", "organism", Path("/dev/null"), (lower, upper), seed=seed)
    reader, shape = load_reader(config, load_saes(config, choose(config.sae_source, config.layers)))
    corpus = open_corpus(config)
    texts = tokenized(corpus.documents(), reader.model.tokenizer)
    rows = draw.take(iter(draw.opened(texts, corpus.draw, shape.context - 1, seed, None)), shape, tokens)
    return Read(reader, rows, read(reader, rows, list(near), lambda _: None))


def cosines(reader: Reader) -> Float64:
    """Decoder cosines of all earlier features with all later ones."""
    lower, upper = (dictionary(sae.sae).decoder.astype(np.float64) for sae in reader.saes)
    lower, upper = (d / np.linalg.norm(d, axis=1, keepdims=True) for d in (lower, upper))
    found: Float64 = lower @ upper.T
    return found


def together(firing: Firing) -> Float64:
    """Tokens at which each earlier feature fires with each later one."""
    lower, upper = ((layer.by_token > 0).astype(np.float64) for layer in (firing.lower, firing.upper))
    found: Float64 = (lower.T @ upper).toarray()
    return found


def carried(read: Read, most: int = 40) -> list[Link]:
    """Pairs of the largest decoder cosine that fire together, one for each later feature."""
    cosine = np.where(together(read.firing) >= 20, cosines(read.reader), -1)
    best = cosine.argmax(0)
    order = np.argsort(-cosine[best, np.arange(len(best))])[:most]
    return [(int(best[j]), int(j), "CARRIES", float(cosine[best[j], j])) for j in order]


def load_sites(store: Store, layers: Sequence[int] = (1, 2), **changes: str) -> None:
    """Load the features of layers of the built-in model."""
    for layer in layers:
        hook = f"blocks.{layer}.hook_resid_post"
        site = replace(Site("organism", hook, layer, hook, "organism", hook), **changes)  # type: ignore[arg-type]  # text alone
        graph = planted(768, [], layer=layer, words=False, run=f"layer000000{layer}")
        load_graph(store, replace(graph, site=site))


def plant(store: Store, links: Sequence[Link], run: str = "links0000000", complete: bool = True) -> None:
    """Write a run that links layers 1 and 2 of the built-in model."""
    lower, upper = (f"organism/blocks.{layer}.hook_resid_post" for layer in (1, 2))
    store.write(
        """MATCH (a:Site {id: $lower}) MATCH (b:Site {id: $upper})
           CREATE (r:Run {id: $run, kind: 'links', complete: $complete, created: '2026-02-01T00:00:00Z'})
           CREATE (r)-[:OF]->(a) CREATE (r)-[:OF]->(b)""",
        {"lower": lower, "upper": upper, "run": run, "complete": complete},
    )
    for kind in ("CARRIES", "DRIVES"):
        rows = [
            {"source": f"{lower}/{i}", "target": f"{upper}/{j}", "weight": weight}
            for i, j, k, weight in links
            if k == kind
        ]
        store.write(
            f"""UNWIND $rows AS row
                MATCH (a:Feature {{id: row.source}}) MATCH (b:Feature {{id: row.target}})
                CREATE (a)-[:{kind} {{run: $run, weight: row.weight}}]->(b)""",
            {"rows": rows, "run": run},
        )
