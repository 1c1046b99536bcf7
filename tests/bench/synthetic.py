"""Synthetic benchmarks whose rates are known: several shapes, with and without problems that are never solved."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rates = Callable[[np.random.Generator, int], Floats]
"""Draws the success rates of so many problems."""


def _sharp(random: np.random.Generator, problems: int) -> Floats:
    kinds = random.random(problems)
    always, now_and_then = random.beta(50, 0.5, problems), random.beta(0.5, 0.5, problems)
    return np.where(kinds < 0.1, 0.0, np.where(kinds < 0.7, always, now_and_then))


SHAPES: Mapping[str, Rates] = {
    "spread": lambda random, problems: random.beta(0.6, 0.6, problems),
    "middle": lambda random, problems: random.beta(5, 5, problems),
    "easy": lambda random, problems: random.beta(4, 0.5, problems),
    "hard": lambda random, problems: random.beta(0.3, 3, problems),
    "rare": lambda random, problems: 10 ** random.uniform(-4, 0, problems),
    "a third impossible": lambda random, problems: np.where(
        random.random(problems) < 0.3, 0.0, random.beta(0.5, 2, problems)
    ),
    "sharp, some impossible": _sharp,
}
"""`sharp` is like a run after RL: most problems always right, a tenth never."""


def sharpened(random: np.random.Generator, rates: Floats) -> Floats:
    """The rates of the same problems after RL: what was seldom right is lost by half, the rest is right more often."""
    lost = random.random(len(rates)) < 0.5 * np.exp(-20 * rates)
    return np.where(lost, 0.0, rates**0.6)
