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
    idle = left_out["features_in_no_replicate"]
    if idle:
        never = left_out["features_never_firing"]
        fits += f"\n  {idle:,} features took no part (too rare or constant), {never:,} of them never fired"
    return (
        f"{path}: run {run['id']} of {graph['site']['model']}/{graph['site']['source']}, "
        f"{run['procedure']} procedure\n"
        f"  {graph['n_features']:,} features, {graph['n_tokens']:,} tokens, "
        f"{graph['edges']:,} edges stored, {graph['kept']:,} kept\n"
        f"  {verdict}\n"
        f"  {fits}"
    )


def _by_test(graph: dict[str, Any]) -> str:
    """Say what the tests on all replicates together keep."""
    counts = graph["left_out"]["all_replicates"]
    said = f"{counts['pairs_tested']:,} pairs tested, kept at q <= {graph['run']['fdr']}"
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
