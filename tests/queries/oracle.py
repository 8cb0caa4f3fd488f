"""The answer to every query of the catalogue, said as plainly as can be over the rows of a world.

Every function takes a world and the parameters, all given, and returns the rows in order.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.queries.worlds import World, fated, flows, whole_numbers

Row = dict[str, Any]

EDGE_COLUMNS = (
    *("weight", "replicates", "null_replicates", "q_shuffle", "q_value", "partial_correlation"),
    *("standard_error", "correlation", "decoder_cosine", "coactivation", "kept"),
)


def complete(world: World, kind: str | None = None) -> list[Row]:
    return [run for run in world.runs if run["complete"] and kind in {None, run["kind"]}]


def newest(world: World) -> list[str]:
    """The newest complete run of each kind and set of sites."""
    found: dict[Any, str] = {}
    for run in complete(world, "layer") + complete(world, "links"):
        found.setdefault((run["kind"], *run["sites"]), run["id"])
    return sorted(found.values())


def label(world: World, name: str) -> str | None:
    found: str | None = world.features[name]["label"]
    return found


def limited(rows: list[Row], asked: Mapping[str, Any]) -> list[Row]:
    return rows[: asked["limit"]] if asked["limit"] else rows


def of_run(world: World, run: str) -> list[Row]:
    return [edge for edge in world.edges if edge["run"] == run]


def touching(world: World, run: str, name: str) -> Iterator[tuple[str, Row]]:
    """The other end and the edge, for each edge of a feature."""
    for edge in of_run(world, run):
        for here, there in (("source", "target"), ("target", "source")):
            if edge[here] == name:
                yield edge[there], edge


def measured(world: World, run: str) -> list[Row]:
    return [row for row in world.measured if row["run"] == run]


def by_ids(world: World, asked: Row) -> list[Row]:
    names = sorted(set(asked["ids"]) & set(world.features))
    return [{k: world.features[name][k] for k in ("id", "site", "layer", "label")} for name in names]


def sites(world: World, asked: Row) -> list[Row]:
    rows = {}
    for graph in world.graphs:
        site = graph.site
        runs = sum(site.id in run["sites"] for run in complete(world))
        rows[site.id] = {
            **{"id": site.id, "model": site.model, "layer": site.layer, "hook": site.hook},
            **{"features": graph.n_features, "runs": runs},
        }
    return sorted(rows.values(), key=lambda row: (row["model"], row["layer"], row["id"]))


def feature(world: World, asked: Row) -> list[Row]:
    row = next(row for row in measured(world, asked["run"]) if row["id"] == asked["feature"])
    # `complete` is newest first
    whole = [run["id"] for run in complete(world)]
    mine = [c for c in world.communities if asked["feature"] in c["members"] and c["run"] in whole]
    member = [c["id"] for c in sorted(mine, key=lambda c: (whole.index(c["run"]), c["id"]))]
    fires = row["activations"] > 0
    return [
        {
            **{"id": row["id"], "label": row["label"], "label_source": "tokens", "neuronpedia": row["id"]},
            **{"frequency": row["frequency"], "mean_activation": row["mean_activation"] if fires else None},
            **{"max_activation": row["max_activation"] if fires else None, "degree": row["degree"]},
            **{
                "communities": member,
                "top_tokens": row["top_tokens"],
                "contexts": row["contexts"] or None,
            },
        }
    ]


def labelled(world: World, asked: Row) -> list[Row]:
    found = [row for row in world.features.values() if asked["text"].lower() in (row["label"] or "").lower()]
    found.sort(key=lambda row: row["id"])
    return limited([{"id": row["id"], "label": row["label"]} for row in found], asked)


def fires_on(world: World, asked: Row) -> list[Row]:
    found = []
    for row in measured(world, asked["run"]):
        if shares := [item["share"] for item in row["top_tokens"] if asked["text"] in item["token"]]:
            said = {"share": sum(shares), "frequency": row["frequency"], "label": label(world, row["id"])}
            found.append({"id": row["id"], **said})
    return limited(sorted(found, key=lambda row: (-row["share"], row["id"])), asked)


def mentioned(world: World, asked: Row) -> list[Row]:
    found = []
    for row in measured(world, asked["run"]):
        passages = [item["left"] + item["token"] + item["right"] for item in row["contexts"]]
        if hits := sum(asked["text"] in passage for passage in passages):
            found.append({"id": row["id"], "passages": hits, "label": label(world, row["id"])})
    return limited(sorted(found, key=lambda row: (-row["passages"], row["id"])), asked)


def hubs(world: World, asked: Row) -> list[Row]:
    found = [
        {
            **{"id": row["id"], "degree": row["degree"], "frequency": row["frequency"]},
            "label": label(world, row["id"]),
        }
        for row in measured(world, asked["run"])
        if row["degree"] > 0
    ]
    return limited(sorted(found, key=lambda row: (-row["degree"], row["id"])), asked)


def edges(world: World, asked: Row) -> list[Row]:
    rows = [
        {"source": e["from"], "target": e["to"], **{name: e[name] for name in EDGE_COLUMNS}}
        for e in of_run(world, asked["run"])
    ]
    return sorted(rows, key=lambda row: (row["source"], row["target"]))


def passes(edge: Row, asked: Row, q: str) -> bool:
    """Whether the filters of a neighbourhood let an edge through."""
    if not asked["all"] and not edge["kept"]:
        return False
    if asked["min_replicates"] is not None and edge["replicates"] < asked["min_replicates"]:
        return False
    if asked["max_q"] is not None and (edge[q] is None or edge[q] > asked["max_q"]):
        return False
    least, partial = asked["min_partial"], edge["partial_correlation"]
    return least is None or (partial is not None and abs(partial) >= least)


def neighbors(world: World, asked: Row) -> list[Row]:
    names = [name for name in EDGE_COLUMNS if name not in {"standard_error", "correlation"}]
    rows = [
        {"feature": name, "id": other, **{key: edge[key] for key in names}, "label": label(world, other)}
        for name in asked["features"]
        for other, edge in touching(world, asked["run"], name)
        if passes(edge, asked, asked["q"])
    ]
    return sorted(rows, key=lambda row: (-abs(row["weight"]), row["feature"], row["id"]))


def neighborhood(world: World, asked: Row) -> list[Row]:
    """Try every path of every length."""
    procedure = next(run["procedure"] for run in world.runs if run["id"] == asked["run"])
    q = "q_value" if procedure == "calibrated" else "q_shuffle"
    best: dict[str, tuple[int, float, Row, str]] = {}
    ways: list[tuple[list[str], float]] = [([asked["feature"]], 1.0)]
    for hop in range(1, asked["hops"] + 1):
        longer = []
        for path, strength in ways:
            for other, edge in touching(world, asked["run"], path[-1]):
                if other in path or not passes(edge, asked, q):
                    continue
                along = strength * abs(edge["weight"])
                longer.append(([*path, other], along))
                known = best.get(other)
                if known is None or (known[0] == hop and along > known[1]):
                    best[other] = (hop, along, edge, path[-1])
        ways = longer
    names = [name for name in EDGE_COLUMNS if name not in {"standard_error", "correlation"}]
    rows = [
        {
            **{"id": name, "hops": hop, **{key: edge[key] for key in names}},
            **{"label": label(world, name), "through": before},
        }
        for name, (hop, _, edge, before) in best.items()
    ]
    rows.sort(key=lambda row: (row["hops"], -abs(row["weight"]), row["id"]))
    return limited(rows, asked)


def shared(world: World, asked: Row) -> list[Row]:
    rows = [
        {"id": a, "first_weight": d["weight"], "second_weight": e["weight"], "label": label(world, a)}
        for a, d in touching(world, asked["run"], asked["first"])
        for b, e in touching(world, asked["run"], asked["second"])
        if a == b and d is not e and d["kept"] and e["kept"]
    ]
    return sorted(rows, key=lambda row: (-abs(row["first_weight"] * row["second_weight"]), row["id"]))


def triangles(world: World, asked: Row) -> list[Row]:
    near = {name for name, edge in touching(world, asked["run"], asked["feature"]) if edge["kept"]}
    rows = [
        {
            **{"first": e["source"], "second": e["target"], "weight": e["weight"]},
            **{"first_label": label(world, e["source"]), "second_label": label(world, e["target"])},
        }
        for e in of_run(world, asked["run"])
        if e["kept"] and e["source"] in near and e["target"] in near
    ]
    return limited(sorted(rows, key=lambda row: (-abs(row["weight"]), row["first"], row["second"])), asked)


def component(world: World, asked: Row) -> list[Row]:
    hops = {asked["feature"]: 0}
    for name in hops_grow(hops):
        for other, edge in touching(world, asked["run"], name):
            if edge["kept"]:
                hops.setdefault(other, hops[name] + 1)
    names = sorted(hops, key=lambda name: (hops[name], name))
    return limited([{"id": name, "hops": hops[name], "label": label(world, name)} for name in names], asked)


def hops_grow(hops: dict[str, int]) -> Iterator[str]:
    """The features of a breadth-first walk, as it finds them."""
    at = 0
    while at < len(hops):
        yield list(hops)[at]
        at += 1


def links(world: World, asked: Row) -> list[Row]:
    whole = {run["id"] for run in complete(world)}
    names = ("weight", "partial_correlation", "q_value", "decoder_cosine", "virtual_weight", "carried_share")
    rows = []
    for link in world.links:
        for here, there, direction in (("source", "target", "to"), ("target", "source", "from")):
            if (
                link[here] == asked["feature"]
                and link["run"] in whole
                and link["kind"] in asked["kinds"]
                and asked["direction"] in {None, direction}
            ):
                rows.append(
                    {
                        **{"kind": link["kind"], "direction": direction, "id": link[there]},
                        **{name: link[name] for name in names},
                        **{"ablation_effect": link["ablation_effect"], "run": link["run"]},
                        "label": label(world, link[there]),
                    }
                )
    rows.sort(key=lambda row: (-abs(row["weight"]), row["id"], row["kind"], row["run"]))
    return limited(rows, asked)


def followed(world: World, asked: Row, name: str, *, up: bool = True) -> Iterator[tuple[str, Row]]:
    """The feature at the other end, and the edge or link, for each that is followed from a feature."""
    for row in [*world.edges, *world.links]:
        if row["run"] not in asked["runs"] or row["kind"] not in asked["kinds"] or not row["kept"]:
            continue
        if abs(row["weight"]) < asked["min_weight"]:
            continue
        if row["source"] == name and (up or row["kind"] == "DEPENDS"):
            yield row["target"], row
        if row["target"] == name and (not up or row["kind"] == "DEPENDS"):
            yield row["source"], row


def hop(world: World, asked: Row) -> list[Row]:
    rows = [
        {
            **{"feature": name, "id": other, "kind": row["kind"], "weight": row["weight"]},
            **{"layer": world.features[other]["layer"], "ablation_effect": row.get("ablation_effect")},
        }
        for name in asked["features"]
        for other, row in followed(world, asked, name, up=asked["up"])
        if asked["least"] is None or abs(row["weight"]) >= asked["least"][name]
        if asked["ends"] is None or other in asked["ends"]
    ]
    return sorted(rows, key=lambda row: (row["feature"], row["id"], row["kind"], row["weight"]))


def ways_from(world: World, asked: Row, start: str, *, up: bool) -> Iterator[tuple[list[str], list[Row]]]:
    """Every path that meets no feature twice; of several steps between two features the strongest."""
    ways: list[tuple[list[str], list[Row]]] = [([start], [])]
    for _ in range(asked["max_hops"]):
        longer = []
        for nodes, steps in ways:
            best: dict[str, Row] = {}
            for other, row in followed(world, asked, nodes[-1], up=up):
                if other not in best or abs(row["weight"]) > abs(best[other]["weight"]):
                    best[other] = row
            longer += [([*nodes, other], [*steps, row]) for other, row in best.items() if other not in nodes]
        yield from longer
        ways = longer


def product(steps: list[Row]) -> float:
    return float(math.prod(abs(row["weight"]) for row in steps))


def rank(steps: list[Row]) -> float:
    """What orders paths: rounded, so that equal products are equal whatever their order."""
    return round(-math.fsum(math.log(abs(row["weight"])) for row in steps), 9)


def paths(world: World, asked: Row) -> list[Row]:
    found = []
    for nodes, steps in ways_from(world, asked, asked["from"], up=True):
        layers = {world.features[name]["layer"] for name in nodes}
        if (
            len(steps) >= asked["min_hops"]
            and asked["to"] in {None, nodes[-1]}
            and all(part in nodes or part in layers for part in asked["through"])
        ):
            found.append((len(steps) if asked["shortest"] else 0, rank(steps), nodes, steps))
    found.sort(key=lambda item: item[:3])
    rows = [
        {
            **{"nodes": nodes, "kinds": [row["kind"] for row in steps]},
            **{"weights": [row["weight"] for row in steps], "score": product(steps)},
        }
        for _, _, nodes, steps in found
    ]
    return limited(rows, asked)


def lineage(world: World, asked: Row) -> list[Row]:
    about = world.features[asked["feature"]]
    start = {"id": about["id"], "layer": about["layer"], "hops": 0, "label": about["label"], "score": 1.0}
    rows = [{**start, "through": None, "kind": None, "weight": None, "ablation_effect": None}]
    for up in (False, True):
        best: dict[str, tuple[float, int, list[str], list[Row]]] = {}
        for nodes, steps in ways_from(world, asked, asked["feature"], up=up):
            way = (rank(steps), len(steps), nodes, steps)
            if nodes[-1] not in best or way[:2] < best[nodes[-1]][:2]:
                best[nodes[-1]] = way
        ways = sorted(best.values(), key=lambda way: (*way[:2], way[2][-1]))
        for _, hops, nodes, steps in ways[: asked["limit"] or None]:
            at = world.features[nodes[-1]]
            rows.append(
                {
                    **{"id": at["id"], "layer": at["layer"], "hops": hops if up else -hops},
                    **{"through": nodes[-2], "kind": steps[-1]["kind"], "weight": steps[-1]["weight"]},
                    **{"score": product(steps), "label": at["label"]},
                    "ablation_effect": steps[-1]["ablation_effect"],
                }
            )
    return sorted(rows, key=lambda row: (row["layer"], -row["score"], row["id"]))


def picked(world: World, asked: Row) -> list[Row]:
    """The kept edges of a run, with labels."""
    return [
        {**e, "source_label": label(world, e["source"]), "target_label": label(world, e["target"])}
        for e in of_run(world, asked["run"])
        if e["kept"]
    ]


def strongest(world: World, asked: Row) -> list[Row]:
    rows = picked(world, asked)
    return limited(sorted(rows, key=lambda e: (-abs(e["weight"]), e["source"], e["target"])), asked)


def opposites(world: World, asked: Row) -> list[Row]:
    rows = [e for e in picked(world, asked) if e["weight"] < 0]
    return limited(sorted(rows, key=lambda e: (e["weight"], e["source"], e["target"])), asked)


def unexplained(world: World, asked: Row) -> list[Row]:
    most = asked["max_cosine"]
    cosines = [e for e in picked(world, asked) if e["decoder_cosine"] is not None]
    rows = [e for e in cosines if abs(e["decoder_cosine"]) <= most]
    return limited(sorted(rows, key=lambda e: (-abs(e["weight"]), e["source"], e["target"])), asked)


def disagree(world: World, asked: Row) -> list[Row]:
    rows = [e for e in picked(world, asked) if e["decoder_cosine"] is not None]
    for row in rows:
        partial = row["partial_correlation"]
        row["dependence"] = row["weight"] if partial is None else partial
        row["gap"] = abs(row["dependence"] - row["decoder_cosine"])
    return limited(sorted(rows, key=lambda e: (-e["gap"], e["source"], e["target"])), asked)


def only_in(world: World, asked: Row) -> list[Row]:
    other = {(e["source"], e["target"]): e for e in of_run(world, asked["other"])}
    rows = []
    for e in picked(world, asked):
        theirs = other.get((e["source"], e["target"]))
        if theirs is None or not theirs["kept"]:
            seen = theirs or {"weight": None, "replicates": None}
            rows.append({**e, "other_weight": seen["weight"], "other_replicates": seen["replicates"]})
    return limited(sorted(rows, key=lambda e: (-abs(e["weight"]), e["source"], e["target"])), asked)


def numbers(world: World, run: str) -> dict[str, list[int]]:
    return whole_numbers(next(graph for graph in world.graphs if graph.run.id == run))


def degrees(world: World, asked: Row) -> list[Row]:
    found = numbers(world, asked["run"])
    pairs = zip(found["degrees"], found["degree_features"], strict=True)
    return [{"degree": degree, "features": features} for degree, features in pairs]


def replicate_counts(world: World, asked: Row) -> list[Row]:
    found = numbers(world, asked["run"])
    parts = (found["replicate_counts"], found["replicate_edges"], found["replicate_kept"])
    return [dict(zip(("replicates", "edges", "kept"), row, strict=True)) for row in zip(*parts, strict=True)]


def components(world: World, asked: Row) -> list[Row]:
    found, most = numbers(world, asked["run"]), asked["max_size"]
    site = next(run["sites"][0] for run in world.runs if run["id"] == asked["run"])
    parts = zip(found["components"], found["component_sizes"], found["component_edges"], strict=True)
    rows = [
        {"id": f"{site}/{lowest}", "size": size, "edges": edges, "label": label(world, f"{site}/{lowest}")}
        for lowest, size, edges in parts
        if most is None or size <= most
    ]
    return limited(rows, asked)


def replicates(world: World, asked: Row) -> list[Row]:
    graph = next(graph for graph in world.graphs if graph.run.id == asked["run"])
    return [{"run": asked["run"], "r_star": 2, "replicate_table": graph.replicate_table.to_dicts()}]


def flow(world: World, asked: Row) -> list[Row]:
    counted = flows(world)
    rows = [
        {"run": run["id"], "lower": run["sites"][0], "upper": run["sites"][1], **counted[run["id"]]}
        for run in complete(world, "links")
    ]
    return sorted(rows, key=lambda row: (row["lower"], row["upper"], row["run"]))


def fates(world: World, asked: Row) -> list[Row]:
    rows = []
    for name in fated(world, asked["run"], asked["fate"]):
        mine = [
            abs(link["weight"])
            for link in world.links
            if link["run"] == asked["run"] and name in {link["source"], link["target"]}
        ]
        rows.append(
            {
                "id": name,
                "links": len(mine),
                "strongest": max(mine, default=None),
                "label": label(world, name),
            }
        )
    return limited(sorted(rows, key=lambda row: (-row["links"], -(row["strongest"] or 0), row["id"])), asked)


def clusterings(world: World, asked: Row) -> list[Row]:
    rows = []
    for run in complete(world, "communities"):
        sizes = [c["size"] for c in world.communities if c["run"] == run["id"]]
        rows.append(
            {"run": run["id"], "communities": len(sizes), "features": sum(sizes), "created": run["created"]}
        )
    return rows


def ranked(world: World, names: list[str]) -> list[tuple[str, int]]:
    """Members and the most kept edges that a complete run found of each, most first."""
    whole = {run["id"] for run in complete(world)}
    degree = {
        name: max(
            (row["degree"] for row in world.measured if row["id"] == name and row["run"] in whole), default=0
        )
        for name in names
    }
    return sorted(degree.items(), key=lambda item: (-item[1], item[0]))


def communities(world: World, asked: Row) -> list[Row]:
    found = [c for c in world.communities if c["run"] == asked["run"] and c["size"] >= asked["min_size"]]
    found.sort(key=lambda c: (-c["size"], c["id"]))
    rows = [
        {
            **{name: c[name] for name in ("id", "scope", "size", "label")},
            "layers": sorted({world.features[name]["layer"] for name in c["members"]}),
            "members": [
                {"id": name, "label": label(world, name)}
                for name, _ in ranked(world, c["members"])[: asked["top"]]
            ],
        }
        for c in found
    ]
    return limited(rows, asked)


def community(world: World, name: str) -> Row:
    return next(c for c in world.communities if c["id"] == name)


def members(world: World, asked: Row) -> list[Row]:
    rows = [
        {"id": name, "layer": world.features[name]["layer"], "degree": degree, "label": label(world, name)}
        for name, degree in ranked(world, community(world, asked["community"])["members"])
    ]
    return limited(rows, asked)


def ties(world: World, asked: Row, one: Row, other: Row) -> list[tuple[str, str, Row]]:
    """The kept edges and links between the members of two communities, once for each way to read them."""
    return [
        (a, b, row)
        for row in [*world.edges, *world.links]
        if row["run"] in asked["runs"] and row["kept"]
        for a, b in ((row["source"], row["target"]), (row["target"], row["source"]))
        if a in one["members"] and b in other["members"]
    ]


def between(world: World, asked: Row) -> list[Row]:
    one, rows = community(world, asked["community"]), []
    for other in world.communities:
        if other["run"] != one["run"] or other["id"] == one["id"]:
            continue
        if tied := [row for _, _, row in ties(world, asked, one, other)]:
            depends = sum(row["kind"] == "DEPENDS" for row in tied)
            rows.append(
                {
                    **{"id": other["id"], "size": other["size"], "label": other["label"], "edges": depends},
                    **{
                        "links": len(tied) - depends,
                        "strength": math.fsum(abs(row["weight"]) for row in tied),
                    },
                }
            )
    return limited(sorted(rows, key=lambda row: (-round(row["strength"] * 1e6), row["id"])), asked)


def bridges(world: World, asked: Row) -> list[Row]:
    tied = ties(world, asked, community(world, asked["first"]), community(world, asked["second"]))
    rows = [
        {
            **{"source": a, "target": b, "kind": row["kind"], "weight": row["weight"]},
            **{"source_label": label(world, a), "target_label": label(world, b)},
        }
        for a, b, row in tied
    ]
    rows.sort(key=lambda row: (-abs(row["weight"]), row["source"], row["target"], row["kind"]))
    return limited(rows, asked)


ORACLE: Mapping[str, Callable[[World, Row], list[Row]]] = {
    made.__name__: made
    for made in (
        *(
            by_ids,
            sites,
            feature,
            labelled,
            fires_on,
            mentioned,
            hubs,
            edges,
            neighbors,
            neighborhood,
            shared,
        ),
        *(triangles, component, links, hop, paths, lineage, strongest, opposites, unexplained, disagree),
        *(only_in, degrees, replicate_counts, components, replicates, flow, fates, clusterings, communities),
        *(members, between, bridges),
    )
}
