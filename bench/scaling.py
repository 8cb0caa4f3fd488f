"""How the cost of a trial grows with the number of co-firing pairs.

    python -m bench.scaling                        16k, 32k, 65k and 131k features, L0 133.7, one thread
    python -m bench.scaling --features 4096 8192 16384 --l0 60

Features fire independently with log-normal rates, 200 times each on average: tokens = 200 F / L0. Prints,
for each size and stage, CPU seconds on one thread, and the exponent of a power law fitted to them against the
co-firings (tokens at which two features fire, summed over all pairs) and against the pairs that fire together
at all.
"""

import argparse

import numpy as np

from bench.infer import noise
from bench.stages import Stages, compile_all, measure

STAGES = ("columns", "screen", "nodewise", "shuffle", "trial")


def exponent(x: list[int], seconds: list[float]) -> float:
    """Slope of log `seconds` against log `x`."""
    return float(np.polyfit(np.log(x), np.log(seconds), 1)[0])


def main() -> None:
    """Measure all sizes in one run and print the table and the exponents."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--features", type=int, nargs="+", default=[16_384, 32_768, 65_536, 131_072])
    parser.add_argument("--l0", type=float, default=133.7, help="features firing at a token")
    options = parser.parse_args()
    compile_all(noise(300, 2000, 10.0, 0))
    runs: list[Stages] = []
    print("features   tokens     co-firings          pairs ", *(f"{stage:>9}" for stage in STAGES))
    for features in options.features:
        tokens = round(200 * features / options.l0)
        runs.append(measure(noise(features, tokens, options.l0, 0)))
        seconds = (f"{getattr(runs[-1], stage):7.2f} s" for stage in STAGES)
        print(f"{features:8,} {tokens:8,} {runs[-1].visits:14,} {runs[-1].pairs:14,} ", *seconds, flush=True)
    for what in ("visits", "pairs"):
        counts = [getattr(run, what) for run in runs]
        fits = (f"{exponent(counts, [getattr(run, stage) for run in runs]):9.2f}" for stage in STAGES)
        print(f"exponent against {'co-firings' if what == 'visits' else 'pairs':31}", *fits)


if __name__ == "__main__":
    main()
