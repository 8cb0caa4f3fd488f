"""Random draws inside kernels: a SplitMix64 generator for each feature (Steele, Lea and Flood 2014).

A generator is its state, one 64-bit number, handed in and out. Every feature has its own, so a draw depends
neither on the number of threads nor on the other features.
"""

import math

import numpy as np

from analysis.activations import Int32
from analysis.kernel import kernel


def entropy_of(*seeds: int) -> np.uint64:
    """Mix whole numbers of at least 0 into the 64 bits that all features' generators start from."""
    return np.uint64(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0])


@kernel
def stream_of(entropy: np.uint64, i: int) -> np.uint64:
    """Return the generator of feature `i`."""
    _, state = bits_of(entropy ^ (np.uint64(i + 1) * np.uint64(0xD1B54A32D192ED03)))
    return state


@kernel
def bits_of(state: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Advance a generator; returns its state and 64 random bits."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    bits = state
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, bits ^ (bits >> np.uint64(31))


@kernel
def below(state: np.uint64, bound: int) -> tuple[np.uint64, int]:
    """Draw a whole number in [0, bound), bound at most 2**32; the bias is below bound / 2**64."""
    state, bits = bits_of(state)
    high = (bits >> np.uint64(32)) * np.uint64(bound)
    low = ((bits & np.uint64(0xFFFFFFFF)) * np.uint64(bound)) >> np.uint64(32)
    return state, int((high + low) >> np.uint64(32))


@kernel
def untaken(state: np.uint64, bound: int, i: int, taken_by: Int32) -> tuple[np.uint64, int]:
    """Draw a whole number in [0, bound) that is not yet marked as taken by `i`."""
    state, t = below(state, bound)
    while taken_by[t] == i:
        state, t = below(state, bound)
    return state, t


@kernel
def normal(state: np.uint64) -> tuple[np.uint64, float]:
    """Draw from the standard normal law (Box and Muller)."""
    state, first = bits_of(state)
    state, second = bits_of(state)
    # 53 bits each; half a step off 0, where the logarithm is infinite.
    radius = math.sqrt(-2.0 * math.log((float(first >> np.uint64(11)) + 0.5) * 2.0**-53))
    return state, radius * math.cos(2.0 * math.pi * float(second >> np.uint64(11)) * 2.0**-53)
