"""What a finished graph directory holds, in a few lines."""

from pathlib import Path
from typing import Any

from graphdb.graph_directory import read_manifest


def graph_summary(path: Path) -> str:
    """Say in a few lines what the graph in `path` holds and how far it can be trusted."""
    graph = read_manifest(path)
    run = graph["run"]
    verdict = _by_test(graph) if run["procedure"] == "calibrated" else _by_count(graph)
    certificate = graph["certificate"]
    fits = f"{certificate['nodes']:,} regressions, worst KKT residual {certificate['kkt_residual']:.1e}"
    if certificate["not_converged"]:
        fits += f", {certificate['not_converged']:,} NOT CONVERGED"
    left_out = graph["left_out"]
    looks = _by_looks(left_out["looks"], graph) if "looks" in left_out else ""
    idle = left_out["features_in_no_replicate"]
    if idle:
        never = left_out["features_never_firing"]
        fits += f"\n  {idle:,} features took no part (too rare or constant), {never:,} of them never fired"
    return (
        f"{path}: run {run['id']} of {graph['site']['model']}/{graph['site']['source']}, "
        f"{run['procedure']} procedure\n"
        f"  {graph['n_features']:,} features, {graph['n_tokens']:,} tokens, "
        f"{graph['edges']:,} edges stored, {graph['kept']:,} kept\n"
        f"  {verdict}\n{looks}"
        f"  {fits}"
    )


def _by_looks(looks: list[dict[str, Any]], graph: dict[str, Any]) -> str:
    """Say after how many replicates the kept edges were stable, and what each look saw."""
    asked = graph["run"]["config"]["stable"]
    shares = [look["in_common"] for look in looks[1:]]
    used, spared = looks[-1]["replicates"], graph["left_out"]["replicates_spared"]
    if shares[-1] >= asked:
        said = f"stable after {used} of {used + spared} replicates, {asked:g} in common asked for:"
    else:
        said = (
            f"never stable: all {used} replicates are used, no two looks in a row have as much as {asked:g} "
            f"in common, at most {rounded_down(max(shares))}:"
        )
    table = "\n".join(
        f"  {look['replicates']:>12}{look['kept']:>12,}"
        + ("" if look["in_common"] is None else f"   {rounded_down(look['in_common'])}")
        for look in looks
    )
    return f"  {said}\n    replicates        kept   in common with the look before\n{table}\n"


def rounded_down(share: float) -> str:
    """Write a share with three decimals, so that what is too little never looks enough."""
    # A hair more, for a share such as .57 lies below itself in binary.
    return f"{int(share * 1000 + 1e-9) / 1000:.3f}"


def _by_test(graph: dict[str, Any]) -> str:
    """Say what the tests on all replicates together keep."""
    counts = graph["left_out"]["all_replicates"]
    said = f"{counts['pairs_tested']:,} pairs tested; kept are those with q <= {graph['run']['fdr']}"
    if counts["tests_not_converged"]:
        said += f"; {counts['tests_not_converged']:,} tests NOT CONVERGED"
    return said


def _by_count(graph: dict[str, Any]) -> str:
    """Say what the counts over replicates keep."""
    r_star = graph["r_star"]
    if r_star is None or not graph["kept"]:
        level = graph["run"]["fdr"]
        return f"nothing is kept: no edge is seen often enough for a shuffle FDR of {level} or less"
    fdr = graph["replicate_table"][r_star - 1]["fdr"]
    return f"r* = {r_star} of {graph['n_replicates']} replicates (shuffle FDR {fdr:.2g})"
