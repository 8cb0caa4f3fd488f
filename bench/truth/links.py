"""Report nominal against true false discovery rate and power of links between two planted layers.

    python -m bench.truth.links --seeds 3
    python -m bench.truth.links --features 512 --replicates 6

Two layers of a residual stream whose links are known (``bench.truth.stack``), and what finds them: the
calibrated procedure of ``stratigraph link``, and three ways of the literature, on the same draws. A later
feature's best decoder cosine (feature flow); every pair whose activations correlate at 0.95 or more; and
pairs of which each is the other's best by that correlation. "kind" is the share of the links kept and true
whose kind, CARRIES or DRIVES, is the planted one; a way that names none takes all to be carried.
Prints a markdown table; figures are means over the seeds, least and most in brackets.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import stratigraph
from analysis.activations import Activations, Float64, Int32
from analysis.background import background_of
from analysis.calibrated import CalibratedSettings
from analysis.carrying import CARRIES, Moments, kinds_of
from analysis.columns import columns_of
from analysis.firings import lay_out
from analysis.interference import interference_of
from analysis.links import link_tests_of, side_by_side
from analysis.nodewise import PathSettings
from bench.truth.catalogue import FIRST_SEED
from bench.truth.family import tokens_of
from bench.truth.stack import RULES, Layered, Stack

# Imported for its effect on how threads wait; see there.
assert stratigraph

FDR = 0.1
Links = dict[tuple[int, int], str]
"""Kind of each link, by its earlier and its later feature."""

HEADINGS = (
    "found by", "kept", "stated FDR", "true share false", "power", "carried: power", "made: power", "kind",
    "s",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """Links found, and the false discovery rate stated for them; nan where none is."""

    links: Links
    stated: float = np.nan


def calibrated(stack: Stack, drawn: Sequence[Layered]) -> Answer:
    """Find links as ``stratigraph link`` does."""
    both = [side_by_side(columns_of(part.lower), columns_of(part.upper)) for part in drawn]
    firings = lay_out(lambda k: both[k], len(both))
    below, above = stack.lower_dictionary, stack.upper_dictionary

    def overlap(source: Int32, target: Int32) -> Float64:
        owed = interference_of(source, target, below, above)
        for part in drawn:
            owed = owed.seen(part.lower, part.upper)
        for part in drawn:
            owed = owed.plus(part.lower, part.upper)
        return owed.firings

    settings = CalibratedSettings(PathSettings())
    found = link_tests_of(firings, stack.features, background_of(firings), settings, overlap=overlap)
    keep = found.q_value <= FDR
    source, target = found.source[keep], found.target[keep]
    moments = Moments.none(source, target, stack.upper_features)
    for part in drawn:
        moments = moments.plus(columns_of(part.lower), columns_of(part.upper), columns_of(part.carried))
    kinds = kinds_of(moments.carried_shares(), found.partial_correlation[keep])
    stated = float(found.q_value[keep].max()) if keep.any() else np.nan
    return Answer(dict(zip(zip(source.tolist(), target.tolist(), strict=True), kinds, strict=True)), stated)


def by_cosine(stack: Stack, drawn: Sequence[Layered]) -> Answer:
    """Link each later feature to the earlier one of the most similar direction."""
    del drawn
    cosine = stack.upper_directions @ stack.lower_directions.T
    return Answer({(int(i), j): CARRIES for j, i in enumerate(cosine.argmax(axis=1))})


def by_correlation(stack: Stack, drawn: Sequence[Layered]) -> Answer:
    """Link every pair whose activations correlate at 0.95 or more."""
    found = np.argwhere(_correlations(stack, drawn) >= 0.95)
    return Answer({(int(i), int(j)): CARRIES for i, j in found})


def by_mutual_best(stack: Stack, drawn: Sequence[Layered]) -> Answer:
    """Link every pair of which each is the other's best by correlation."""
    r = _correlations(stack, drawn)
    best_below, best_above = r.argmax(axis=0), r.argmax(axis=1)
    return Answer({(int(i), j): CARRIES for j, i in enumerate(best_below) if best_above[i] == j})


WAYS: dict[str, Callable[[Stack, Sequence[Layered]], Answer]] = {
    "`stratigraph link`": calibrated,
    "best decoder cosine": by_cosine,
    "Pearson 0.95": by_correlation,
    "mutual best": by_mutual_best,
}


def _correlations(stack: Stack, drawn: Sequence[Layered]) -> Float64:
    """Pearson correlation of every pair across, shape (features, upper_features)."""
    tokens = 0
    sums = np.zeros((stack.features + stack.upper_features, 2))
    products = np.zeros((stack.features, stack.upper_features))
    for part in drawn:
        lower, upper = _dense(part.lower), _dense(part.upper)
        tokens += len(lower)
        products += lower.T @ upper
        sums += np.stack(
            [np.concatenate([x.sum(0), y.sum(0)]) for x, y in [(lower, upper), (lower**2, upper**2)]], 1
        )
    mean = sums[:, 0] / tokens
    spread = np.sqrt(np.maximum(sums[:, 1] / tokens - mean**2, 1e-300))
    below, above = slice(0, stack.features), slice(stack.features, None)
    return np.asarray(
        (products / tokens - np.outer(mean[below], mean[above])) / np.outer(spread[below], spread[above]),
        np.float64,
    )


def _dense(activations: Activations) -> Float64:
    found = np.zeros((activations.n_tokens, activations.n_features))
    token = np.repeat(np.arange(activations.n_tokens), np.diff(activations.start))
    found[token, activations.feature] = activations.value
    return found


@dataclass(frozen=True)
class Score:
    """How one answer did on one planting; shares are nan where there is nothing to share."""

    kept: int
    stated: float
    false_share: float
    power: float
    power_of: dict[str, float]
    kind: float
    seconds: float


def score(true: Links, names: dict[tuple[int, int], str], answer: Answer, seconds: float) -> Score:
    """Compare an answer with the planted links, whose rules are `names`."""
    found = answer.links.keys() & true.keys()

    def power(of: set[tuple[int, int]]) -> float:
        return len(of & found) / len(of) if of else np.nan

    groups = {name: {link for link in true if names[link] == name} for name in names.values()}
    groups |= {kind: {link for link in true if true[link] == kind} for kind in set(true.values())}
    return Score(
        len(answer.links),
        answer.stated,
        1 - len(found) / len(answer.links) if answer.links else 0.0,
        power(set(true)),
        {name: power(of) for name, of in groups.items()},
        float(np.mean([answer.links[link] == true[link] for link in found])) if found else np.nan,
        seconds,
    )


def rule_of(stack: Stack) -> dict[tuple[int, int], str]:
    """Name what planted each link: ``passed`` or a rule."""
    names = dict.fromkeys(stack.links(), "passed")
    for k, (rule, of) in enumerate(stack.rules):
        names |= {(i, len(stack.carried_from) + k): rule for i in of}
    return names


def interval(values: Sequence[float]) -> str:
    """Mean, least and most."""
    if np.isnan(values).all():
        return "-"
    return f"{np.nanmean(values):.3f} [{np.nanmin(values):.3f}, {np.nanmax(values):.3f}]"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.truth.links",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--purpose", choices=("tuning", "reporting"), default="reporting")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--replicates", type=int, default=12)
    parser.add_argument("--tokens", type=int, default=16_000, help="tokens of a replicate")
    parser.add_argument("--features", type=int, default=1024, help="of the earlier layer")
    parser.add_argument("--width", type=int, default=512, help="dimensions of the residual stream")
    options = parser.parse_args()
    scores: dict[str, list[Score]] = {name: [] for name in WAYS}
    first = FIRST_SEED[options.purpose]
    for seed in range(first, first + options.seeds):
        stack = Stack(seed, options.features, options.width)
        drawn = [stack.draw(tokens_of(seed, k), options.tokens) for k in range(options.replicates)]
        for name, way in WAYS.items():
            began = time.perf_counter()
            answer = way(stack, drawn)
            seconds = time.perf_counter() - began
            scores[name].append(score(stack.links(), rule_of(stack), answer, seconds))
        sys.stderr.write(f"seed {seed} done\n")
    print(f"| {' | '.join(HEADINGS)} |\n|---|{'---:|' * (len(HEADINGS) - 1)}")
    for name, of in scores.items():
        print(_row(name, of))
    print("\nPower of each, by what planted the link:\n")
    rules = ("passed", *RULES)
    print(f"| found by | {' | '.join(rules)} |\n|---|{'---:|' * len(rules)}")
    for name, of in scores.items():
        powers = [f"{np.mean([s.power_of.get(rule, np.nan) for s in of]):.3f}" for rule in rules]
        print(f"| {name} | {' | '.join(powers)} |")


def _row(name: str, scores: Sequence[Score]) -> str:
    stated = (
        np.nanmean([s.stated for s in scores]) if not np.isnan([s.stated for s in scores]).all() else None
    )
    cells = [
        name,
        f"{np.mean([s.kept for s in scores]):,.0f}",
        "-" if stated is None else f"{stated:.3f}",
        interval([s.false_share for s in scores]),
        interval([s.power for s in scores]),
        *(f"{np.mean([s.power_of[kind] for s in scores]):.3f}" for kind in ("CARRIES", "DRIVES")),
        interval([s.kind for s in scores]),
        f"{np.mean([s.seconds for s in scores]):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
