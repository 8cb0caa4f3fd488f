"""How much memory a job needs, and how it is kept within a budget.

What a job holds at its peak, in bytes, with ``F`` features, ``n`` tokens and ``z`` firings in the largest
replicate, ``K`` candidates, and ``T`` threads; the largest of::

    reading     2 file                           a mapped file, and its copy
    a trial     36 z + 24 n + T (12 ROOM F K + 40 F + 24 n + 16 firings of the K + 1 busiest) + 24 F K
    pooled      see ``procedure_bytes``
    counting    110 edges_at_once + 24 F K / 2 + stored edges + twice the dictionary
    the words   file + 32 z + F / blocks * 6 kB, + the finished words, stored edges and dictionary

and beside it the libraries. The first job on a machine also compiles the kernels, which takes 0.3 GB more,
once; ``stratigraph doctor SAMPLES_DIR`` compiles most of them beforehand. Three of these give way where a
budget asks for it: fewer threads, fewer edges counted at a time, words for a block of features at a time,
reading the replicates once a block. None of them changes the result.

What the regressions of the calibrated procedure hold, beside, is known only when it is known what is
regressed on what. Before, a plan makes room for one at a time, on the features that fire most; then as many
go side by side as there is room for (``ingest.inference.regressions``).
"""

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.errors import MisuseError
from analysis.pairs import ROOM
from analysis.token_mass import CAP
from ingest.inference.size import NEIGHBOURS, JobSize
from ingest.inference.words import CONTEXTS, LEFT, RIGHT

GB = 1e9
LIBRARIES = 0.28 * GB
"""The interpreter, the libraries and the compiled kernels."""

_FIRING = 8
"""Bytes of a firing: its index and its value."""
_SCREENED = 20
"""Bytes of a firing in the screen: by feature, by token, and where its row goes on and ends."""
_LISTED = 12
"""Bytes of a candidate in a list: its index and its correlation."""
_EDGE_COUNTED = 110
"""Bytes of an edge of one trial while edges are counted: read, keyed, sorted, averaged."""
_EDGE_STORED = 200
"""Bytes of a stored edge with all its columns, twice while they are put together."""
STORED_A_FEATURE = 30
"""Stored edges allowed for, a feature."""
_WORDS_MERGED = 2 * 12 * CAP + 5 * CONTEXTS * (LEFT + 1 + RIGHT) * 4
"""Bytes of a feature's heaviest tokens and windows, while a replicate is merged into them."""
_WORDS_DONE = 1500
"""Bytes of a feature's finished contexts and top tokens."""
_MEETINGS = 6 * 8 * 256
"""Bytes of a feature's meetings with the groups of the others, while loadings are found."""
LINKED = 16
"""Bytes of a firing of the candidates of a feature, while its neighbourhood is sought."""
TESTED = 90
"""Bytes of a firing of the features that a test is given, with the rows that they make."""
TESTED_GRADED = 48
"""More bytes of the firing of one that counts by its levels: two columns, and four steps at most."""
EDGES_AT_ONCE = 5_000_000
FEWEST_EDGES = 100_000
MOST_WORD_BLOCKS = 16


@dataclass(frozen=True)
class Plan:
    """How a job goes about its work.

    Parameters
    ----------
    threads
        Threads of the kernels.
    edges_at_once
        Edges of the trials of one stream that are counted at a time.
    word_blocks
        Blocks of features whose words are gathered one after another.
    """

    threads: int
    edges_at_once: int = EDGES_AT_ONCE
    word_blocks: int = 1


@dataclass(frozen=True)
class Allowance:
    """What a stage may use that finds out as it goes how much memory it needs.

    Parameters
    ----------
    threads
        Most threads.
    budget
        Most bytes of the process; None for no limit.
    libraries
        Bytes of the budget that the process held before the job.
    """

    threads: int
    budget: float | None = None
    libraries: float = LIBRARIES

    def threads_for(self, work: str, data: float, fitting: Callable[[float], int], least: float) -> int:
        """Return how many threads to use.

        Parameters
        ----------
        work
            What is to be done, as the subject of a sentence.
        data
            Bytes of what all threads read and write.
        fitting
            Says how many threads fit in so many bytes.
        least
            Bytes of one thread.

        Raises
        ------
        MisuseError
            Not even one thread fits.
        """
        if self.budget is None:
            return self.threads
        _give_back()
        held = self.libraries + data
        threads = fitting(self.budget - held)
        if threads < 1:
            raise MisuseError(
                f"--memory is {self.budget / GB:g} GB; {work} needs {_rounded_up(held + least)} GB, "
                "repeat the command with that much, or sample fewer tokens in a replicate"
            )
        return min(threads, self.threads)


def trial_bytes(size: JobSize, threads: int) -> float:
    """Peak of a trial beside the libraries."""
    # By feature, the same shuffled, and the screen's own.
    firings = (2 * _FIRING + _SCREENED) * size.nonzero + 24 * size.tokens
    lists = _LISTED * size.n_features * size.candidates
    links = LINKED * size.busiest(size.candidates + 1)
    a_thread = ROOM * lists + 40 * size.n_features + 24 * size.tokens + links
    return firings + threads * a_thread + 2 * lists


def end_bytes(size: JobSize, plan: Plan) -> float:
    """Peak of the end beside the libraries: edges counted, replicates read again, words gathered."""
    most = size.n_features * size.candidates // 2
    # Seen once in a single replicate, an edge is seldom stored.
    stored = float(_EDGE_STORED * min(STORED_A_FEATURE * size.n_features, (size.replicates - 1) * most))
    at_once = min(plan.edges_at_once, size.replicates * most)
    # A trial is read whole before the edges of a block are taken from it.
    counting = _EDGE_COUNTED * at_once + 24 * most + stored + 2 * size.dictionary_bytes
    rereading = 4 * _FIRING * size.nonzero + size.file_bytes + stored + size.dictionary_bytes
    if size.words:
        rereading += size.n_features * (_WORDS_MERGED / plan.word_blocks + _WORDS_DONE)
    return max(counting, rereading)


def procedure_bytes(size: JobSize, threads: int, regressions: int = 1) -> float:
    """Peak beside the libraries of what a procedure does beyond its trials, `regressions` side by side.

    The published procedure does nothing; the calibrated one lays all replicates end to end. A state takes
    nine bytes while it is laid down, screened or regressed on; a feature its meetings with 256 groups,
    several times over, and its lists; a token its row, and what a thread marks there. Of the features that
    fire most, a regression has all its candidates, and a test ``NEIGHBOURS`` members, of which each counts by
    its levels.
    """
    if size.procedure == "published":
        return 0.0
    states = 9 * size.nonzero * size.replicates + 2 * size.file_bytes
    lists = ROOM * _LISTED * size.n_features * size.candidates
    tokens = size.tokens * size.replicates * (8 + 5 * threads)
    screening = max(_MEETINGS * size.n_features, threads * lists)
    linked = LINKED * size.busiest(size.candidates + 1)
    tested = (TESTED + TESTED_GRADED) * size.busiest(NEIGHBOURS) + 8 * size.busiest(1)
    regressing = regressions * size.replicates * max(linked, tested) + lists
    return states + max(screening, regressing) + tokens


def peak_bytes(size: JobSize, plan: Plan, libraries: float = LIBRARIES) -> float:
    """Peak of the whole job in a process that holds `libraries` bytes beside it."""
    trial, end = trial_bytes(size, plan.threads), end_bytes(size, plan)
    pooled = procedure_bytes(size, plan.threads, plan.threads)
    return libraries + max(2 * size.file_bytes, trial, end, pooled)


def least_bytes(size: JobSize, libraries: float = LIBRARIES) -> float:
    """Least budget that is accepted."""
    return peak_bytes(size, Plan(1, FEWEST_EDGES, MOST_WORD_BLOCKS), libraries)


def held_bytes() -> float:
    """Memory that this process holds before the job: more than `LIBRARIES` where it has run a model."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return LIBRARIES
    return max(LIBRARIES, pages * float(os.sysconf("SC_PAGE_SIZE")))


def _give_back() -> None:
    """Let the C library give back what earlier stages freed, where it can; it would count beside the next."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return


def plan_within(size: JobSize, threads: int, budget: float | None, libraries: float = LIBRARIES) -> Plan:
    """Choose how to go about a job.

    Parameters
    ----------
    size
        The job.
    threads
        Most threads to use.
    budget
        Bytes, or None for no limit.
    libraries
        Bytes of the budget that the process holds anyway.

    Raises
    ------
    MisuseError
        Not even one thread and the smallest blocks fit the budget.
    """
    plan = Plan(threads)
    if budget is None:
        return plan
    at_least = least_bytes(size, libraries)
    if at_least > budget:
        raise MisuseError(
            f"--memory is {budget / GB:g} GB; this job needs at least {_rounded_up(at_least)} GB, "
            "allow that much, or sample fewer tokens in a replicate"
        )
    while libraries + max(trial_bytes(size, plan.threads), procedure_bytes(size, plan.threads)) > budget:
        plan = replace(plan, threads=plan.threads - 1)
    while libraries + end_bytes(size, plan) > budget:
        plan = replace(
            plan,
            edges_at_once=max(FEWEST_EDGES, plan.edges_at_once // 2),
            word_blocks=min(MOST_WORD_BLOCKS, plan.word_blocks * 2),
        )
    return plan


def _rounded_up(bytes_needed: float) -> str:
    """Write a number of GB that is enough, with two decimals."""
    return f"{int(bytes_needed / GB * 100) / 100 + 0.01:.2f}"
