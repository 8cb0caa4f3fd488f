"""Report how nominal, true and power move with the data and with the settings.

    python -m bench.truth.sweep                             every sweep
    python -m bench.truth.sweep rate replicates --seeds 3

    rate         mean firing rate, at 12 x 16,000 tokens
    tokens       tokens of a replicate, at a mean rate of 0.0094
    strength     strength of the planted dependence
    replicates   number of replicates
    candidates   most candidates of a feature: what the screen costs, and the regressions and tests after it
    settings     the other settings of the calibrated procedure, one at a time

Prints a markdown table a sweep, a row as soon as it is known, with the columns of ``python -m bench.truth``.
No setting was chosen by these tables: their seeds are those of reporting.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import stratigraph
from analysis.calibrated import CalibratedSettings
from analysis.nodewise import PathSettings
from bench.truth.activity import Activity
from bench.truth.catalogue import Entry
from bench.truth.family import Family
from bench.truth.firing import Firing
from bench.truth.hub import Hubs
from bench.truth.ising import Ising
from bench.truth.procedure import PROCEDURES, Procedure, calibrated_with
from bench.truth.report import heading, row_of, scores_of
from bench.truth.tree import Trees

# Imported for its effect on how threads wait; see there.
assert stratigraph

DEFAULT = CalibratedSettings(PathSettings())


@dataclass(frozen=True)
class Case:
    """One family, at one value of what is varied.

    Parameters
    ----------
    label
        What the table calls it.
    plant
        Makes the family from a seed and the number of features.
    procedures
        What runs on its draws, by the name in the table.
    replicates, tokens
        Replicates, and tokens of each.
    """

    label: str
    plant: Callable[[int, int], Family]
    procedures: Mapping[str, Procedure]
    replicates: int = 12
    tokens: int = 16_000


def modules(
    seed: int, features: int, weakest: float = 2.0, strongest: float = 3.5, mean: float = 0.0094
) -> Ising:
    """Ising modules over three eighths of the features, as the family `ising` has them."""
    count = 3 * features // 64
    return Ising(seed, features, count, weakest=weakest, strongest=strongest, module_firing=Firing(mean=mean))


def rate() -> list[Case]:
    """Mean firing rate; the limits of a rate are 1e-4 and 0.3 throughout."""
    cases = []
    for mean in (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1):
        cases.append(Case(f"trees, {mean:g}", partial(Trees, firing=Firing(mean=mean)), PROCEDURES))
        cases.append(Case(f"ising, {mean:g}", partial(modules, mean=mean), PROCEDURES))
    return cases


def tokens() -> list[Case]:
    """Tokens of a replicate."""
    return [
        Case(f"{name}, {n:,}", plant, PROCEDURES, tokens=n)
        for n in (1000, 2000, 4000, 8000, 16_000, 32_000)
        for name, plant in (("trees", Trees), ("ising", modules))
    ]


def strength() -> list[Case]:
    """Strength of the dependence: share of the possible in trees, coupling in Ising modules."""
    trees = [
        Case(f"trees, {s:g}", partial(Trees, weakest=s, strongest=s), PROCEDURES)
        for s in (0.05, 0.1, 0.2, 0.4, 0.8)
    ]
    ising = [
        Case(f"ising, {j:g}", partial(modules, weakest=j, strongest=j), PROCEDURES)
        for j in (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
    ]
    return trees + ising


def replicates() -> list[Case]:
    """Replicates: what 30 buy over 5."""
    return [
        Case(f"{name}, {count}", plant, PROCEDURES, replicates=count)
        for count in (2, 3, 5, 8, 12, 20, 30)
        for name, plant in (("trees", Trees), ("ising", modules))
    ]


def candidates() -> list[Case]:
    """Most candidates of a feature, by family and sparsity."""
    procedures = {f"K = {k}": calibrated_with(replace(DEFAULT, candidates=k)) for k in (8, 16, 32, 64, 128)}
    return [
        Case("trees", Trees, procedures),
        Case("trees, mean 0.001", partial(Trees, firing=Firing(mean=0.001)), procedures),
        Case("trees, mean 0.03", partial(Trees, firing=Firing(mean=0.03)), procedures),
        Case("ising", modules, procedures),
        Case("ising, mean 0.001", partial(modules, mean=0.001), procedures),
        Case("hubs of 60", partial(Hubs, size=61), procedures),
    ]


def settings() -> list[Case]:
    """Every other setting, one at a time."""
    varied = {"default": DEFAULT}
    varied |= {f"q = {q:g}": replace(DEFAULT, q=q) for q in (0.02, 0.05, 0.3)}
    varied |= {f"min_activations = {n}": replace(DEFAULT, min_activations=n) for n in (1, 20, 100)}
    varied["tune = bic"] = replace(DEFAULT, path=PathSettings(tune="bic"))
    varied |= {
        f"smallest_ratio = {ratio:g}": replace(DEFAULT, path=PathSettings(smallest_ratio=ratio))
        for ratio in (0.005, 0.1)
    }
    varied |= {f"steps = {steps}": replace(DEFAULT, path=PathSettings(steps=steps)) for steps in (10, 100)}
    procedures = {name: calibrated_with(setting) for name, setting in varied.items()}
    return [
        Case("trees", Trees, procedures),
        Case("ising", modules, procedures),
        Case(
            "activity-unequal",
            partial(Activity, least_loading=0.0, most_loading=2.0, least_in_trees=0.0, most_in_trees=2.0),
            procedures,
        ),
    ]


SWEEPS: dict[str, Callable[[], list[Case]]] = {
    sweep.__name__: sweep for sweep in (rate, tokens, strength, replicates, candidates, settings)
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.truth.sweep",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sweeps", nargs="*", metavar="SWEEP", help=", ".join(SWEEPS))
    parser.add_argument("--procedure", nargs="+", choices=PROCEDURES, default=list(PROCEDURES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--features", type=int, default=1024)
    options = parser.parse_args()
    if unknown := set(options.sweeps) - set(SWEEPS):
        parser.error(f"there is no sweep {', '.join(sorted(unknown))}; expected {', '.join(SWEEPS)}")
    if not 1 <= options.seeds < 1000:
        parser.error(
            f"--seeds is {options.seeds}; expected 1 to 999, so that tuning and reporting share none"
        )
    for name in options.sweeps or SWEEPS:
        print(f"\n{name}\n\n{heading()}")
        for case in SWEEPS[name]():
            chosen = {
                procedure: run
                for procedure, run in case.procedures.items()
                if procedure not in PROCEDURES or procedure in options.procedure
            }
            entry = Entry(case.label, "reporting", case.plant)
            scores = scores_of(entry, chosen, options.seeds, case.replicates, case.tokens, options.features)
            for procedure, found in scores.items():
                print(row_of(case.label, procedure, found))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
