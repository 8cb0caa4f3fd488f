"""The families by name, and which of them a procedure may be tuned on.

Tuning families and reporting families differ in kind or in parameters, and never share a seed: a procedure
whose settings were chosen on the first is reported on the second.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bench.truth.activity import Activity
from bench.truth.busy_sequence import BusySequences
from bench.truth.crowd import Crowds
from bench.truth.dense import Dense
from bench.truth.document import Documents
from bench.truth.duplicate import Duplicates
from bench.truth.exclusive import Exclusive
from bench.truth.family import Family
from bench.truth.firing import Firing
from bench.truth.gate import Gates
from bench.truth.hierarchy import Hierarchies
from bench.truth.hub import Hubs
from bench.truth.ising import Ising
from bench.truth.limits import Limits
from bench.truth.magnitude import MagnitudeTrees, Thresholds
from bench.truth.noise import Noise
from bench.truth.parents import Parents
from bench.truth.rule import Rules
from bench.truth.sequence import Sequences
from bench.truth.topic import Topics
from bench.truth.tree import Trees

Purpose = Literal["tuning", "reporting"]

FIRST_SEED: dict[Purpose, int] = {"tuning": 0, "reporting": 1000}
"""Where the seeds of each purpose begin; fewer than 1,000 are ever used."""


@dataclass(frozen=True)
class Entry:
    """A family in the catalogue.

    Parameters
    ----------
    name
        What the command line and the table call it.
    purpose
        Whether settings may be chosen by it.
    plant
        Makes the family from a seed and the number of features.
    """

    name: str
    purpose: Purpose
    plant: Callable[[int, int], Family]


_RARE = Firing(mean=0.001, least=1e-4)
_WIDE = Firing(spread=1.5)
_FREQUENT = Firing(mean=0.03, most=0.3)
_RATHER_WIDE = Firing(spread=1.4)
_FREQUENT_20 = Firing(mean=0.18, spread=0.3, least=0.1)
_COMMON = Firing(mean=0.08, spread=0.5, least=0.03)

CATALOGUE = (
    Entry("tune-trees", "tuning", lambda s, f: Trees(s, f, size=6, weakest=0.5, strongest=0.9)),
    Entry("tune-ising", "tuning", lambda s, f: Ising(s, f, 3 * f // 64, size=6, extra=2)),
    Entry("tune-activity", "tuning", lambda s, f: Activity(s, f, size=6, activity_spread=0.4)),
    Entry("tune-wide", "tuning", lambda s, f: Trees(s, f, size=6, firing=_RATHER_WIDE)),
    Entry("tune-magnitude", "tuning", lambda s, f: MagnitudeTrees(s, f, size=6, magnitude_spread=0.7)),
    Entry("tune-hubs", "tuning", Hubs),
    Entry("tune-duplicates", "tuning", lambda s, f: Duplicates(s, f, copies=f // 20)),
    Entry("tune-dense", "tuning", lambda s, f: Dense(s, f, followers=f // 60)),
    Entry("tune-sequences", "tuning", lambda s, f: Sequences(s, f, size=6, stay=0.6, length=80)),
    Entry(
        "tune-unequal",
        "tuning",
        lambda s, f: Activity(
            s,
            f,
            size=6,
            activity_spread=0.6,
            least_loading=0.2,
            most_loading=1.6,
            least_in_trees=0.0,
            most_in_trees=1.6,
        ),
    ),
    Entry("tune-activity-noise", "tuning", lambda s, f: Activity(s, f, in_trees=0.0, activity_spread=0.6)),
    Entry("tune-sequence-noise", "tuning", lambda s, f: Sequences(s, f, in_trees=0.0, stay=0.6, length=80)),
    Entry(
        "tune-frequent-free-noise",
        "tuning",
        lambda s, f: Activity(s, f, in_trees=0.0, activity_spread=0.6, frequent_free=f // 10),
    ),
    Entry("tune-crowds-noise", "tuning", lambda s, f: Crowds(s, f, in_trees=0.0, share=0.02)),
    Entry("tune-parents", "tuning", lambda s, f: Parents(s, f, parents=12, outputs=5)),
    Entry("tune-exclusive", "tuning", lambda s, f: Exclusive(s, f, children=4, parent_rate=0.04)),
    Entry("tune-limits", "tuning", lambda s, f: Limits(s, f, children=7, parent_rate=0.04, lowest=0.2)),
    Entry("tune-noise", "tuning", Noise),
    Entry("trees", "reporting", Trees),
    Entry("trees-wide", "reporting", lambda s, f: Trees(s, f, firing=_WIDE)),
    Entry("trees-rare", "reporting", lambda s, f: Trees(s, f, firing=_RARE)),
    Entry("trees-frequent", "reporting", lambda s, f: Trees(s, f, firing=_FREQUENT)),
    Entry("trees-weak", "reporting", lambda s, f: Trees(s, f, weakest=0.1, strongest=0.3)),
    Entry("ising", "reporting", lambda s, f: Ising(s, f, 3 * f // 64)),
    Entry(
        "ising-signed",
        "reporting",
        lambda s, f: Ising(s, f, f // 64, weakest=1.5, strongest=2.5, negative=0.4, module_firing=_COMMON),
    ),
    Entry("ising-weak", "reporting", lambda s, f: Ising(s, f, 3 * f // 64, weakest=1.0, strongest=2.0)),
    Entry("ising-strong", "reporting", lambda s, f: Ising(s, f, 3 * f // 64, weakest=3.5, strongest=5.0)),
    Entry(
        "ising-frequent",
        "reporting",
        lambda s, f: Ising(
            s, f, f // 64, weakest=0.5, strongest=1.5, negative=0.3, module_firing=_FREQUENT_20
        ),
    ),
    Entry("magnitude-trees", "reporting", MagnitudeTrees),
    Entry("thresholds", "reporting", lambda s, f: Thresholds(s, f, firing=_FREQUENT)),
    Entry("hubs", "reporting", lambda s, f: Hubs(s, f, size=21)),
    Entry("hubs-large", "reporting", lambda s, f: Hubs(s, f, size=61)),
    Entry("hierarchies", "reporting", Hierarchies),
    Entry(
        "cliques",
        "reporting",
        lambda s, f: Ising(s, f, 3 * f // 64, size=6, extra=15, weakest=1.0, strongest=1.5),
    ),
    Entry("duplicates", "reporting", lambda s, f: Duplicates(s, f, copies=f // 16)),
    Entry("dense", "reporting", lambda s, f: Dense(s, f, followers=f // 51)),
    Entry("topics", "reporting", Topics),
    Entry("topics-lasting", "reporting", lambda s, f: Topics(s, f, lasts=50)),
    Entry("sequences", "reporting", Sequences),
    Entry("activity-trees", "reporting", Activity),
    Entry(
        "activity-unequal",
        "reporting",
        lambda s, f: Activity(
            s, f, least_loading=0.0, most_loading=2.0, least_in_trees=0.0, most_in_trees=2.0
        ),
    ),
    Entry(
        "activity-outside",
        "reporting",
        lambda s, f: Activity(s, f, least_in_trees=0.0, most_in_trees=0.0),
    ),
    Entry("activity-strong", "reporting", lambda s, f: Activity(s, f, activity_spread=1.0)),
    Entry("activity-sequences", "reporting", BusySequences),
    Entry("gates", "reporting", lambda s, f: Gates(s, f, 3 * f // 64)),
    Entry("parents", "reporting", Parents),
    Entry("limits", "reporting", Limits),
    Entry("limits-four", "reporting", lambda s, f: Limits(s, f, children=4)),
    Entry("exclusive", "reporting", Exclusive),
    Entry("rule-sum", "reporting", lambda s, f: Rules(s, f, 3 * f // 64, rule="sum")),
    Entry("rule-weaker", "reporting", lambda s, f: Rules(s, f, 3 * f // 64, rule="weaker")),
    Entry("rule-stronger", "reporting", lambda s, f: Rules(s, f, 3 * f // 64, rule="stronger")),
    Entry("rule-first", "reporting", lambda s, f: Rules(s, f, 3 * f // 64, rule="first")),
    Entry("rule-band", "reporting", lambda s, f: Rules(s, f, 3 * f // 64, rule="band")),
    Entry("rule-either", "reporting", lambda s, f: Rules(s, f, 3 * f // 64, together=0.002, rule="either")),
    Entry("crowds", "reporting", Crowds),
    Entry("activity-third", "reporting", lambda s, f: Activity(s, f, activity_spread=0.7, following=1 / 3)),
    Entry(
        "frequent-free",
        "reporting",
        lambda s, f: Activity(s, f, activity_spread=0.7, frequent_free=f // 8),
    ),
    Entry("crowds-noise", "reporting", lambda s, f: Crowds(s, f, in_trees=0.0)),
    Entry(
        "activity-third-noise",
        "reporting",
        lambda s, f: Activity(s, f, in_trees=0.0, activity_spread=0.7, following=1 / 3),
    ),
    Entry(
        "frequent-free-noise",
        "reporting",
        lambda s, f: Activity(s, f, in_trees=0.0, activity_spread=0.7, frequent_free=f // 8),
    ),
    Entry("activity-noise", "reporting", lambda s, f: Activity(s, f, in_trees=0.0)),
    Entry(
        "activity-unequal-noise",
        "reporting",
        lambda s, f: Activity(s, f, in_trees=0.0, least_loading=0.0, most_loading=2.0),
    ),
    Entry("sequence-noise", "reporting", lambda s, f: Sequences(s, f, in_trees=0.0)),
    Entry("documents-noise", "reporting", Documents),
    Entry("noise", "reporting", Noise),
)
"""Every family: those that the procedures were tuned on first, then those that figures are reported on."""
