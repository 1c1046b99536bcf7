"""Distributions of values: quantiles, round bins, and the accuracy histogram of Yue et al. 2025 (arXiv 2504.13837)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.estimators.pass_at_k import Counts

# The accuracy histogram of Yue et al. 2025 (arXiv 2504.13837), figures 5 and 13: problems by their share correct.

BINS = ("0", *(f"({low / 10:g}, {(low + 1) / 10:g}]" for low in range(10)))
"""Names of the bins: exactly 0, then (0, 0.1] to (0.9, 1]."""


def accuracy_bins(n: Counts, c: Counts) -> Counts:
    """How many problems are in each bin, in exact arithmetic: 3 of 10 is in (0.2, 0.3], whatever floats say.

    Args:
        n: samples of each problem, shape (problems,), all >= 1.
        c: correct samples of each problem, same shape, 0 <= c <= n.

    Returns:
        Shape (11,); it sums to the number of problems.
    """
    # The bin of c > 0 is ceil(10 c / n).
    return np.bincount(-(-10 * c // n), minlength=len(BINS)).astype(np.int64)


# Distributions given as values with how often each occurs: quantiles, and bins of a round width.


def quantiles(values: Counts, times: Counts, shares: Sequence[float]) -> list[int]:
    """The smallest value that at least this share of the samples does not exceed (the inverted distribution function).

    Args:
        values: increasing, shape (m,), m >= 1.
        times: how often each occurs, same shape, all >= 1.
        shares: each in (0, 1].
    """
    reached = np.cumsum(times)
    wanted = np.ceil(np.array(shares) * reached[-1]).astype(np.int64)
    return [int(value) for value in values[np.searchsorted(reached, wanted)]]


def round_width(largest: int, most: int) -> int:
    """The smallest width of the form 1, 2 or 5 times a power of ten with which `most` bins hold 0 to `largest`."""
    power = 1
    while True:
        for first in (1, 2, 5):
            if largest // (first * power) < most:
                return first * power
        power *= 10


def in_bins(values: Counts, times: Counts, width: int, bins: int) -> Counts:
    """How many samples are in [0, width), [width, 2 width) and so on; shape (bins,)."""
    return np.bincount(values // width, weights=times, minlength=bins).astype(np.int64)[:bins]
