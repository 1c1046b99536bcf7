"""Distributions given as values with how often each occurs: quantiles, and bins of a round width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.metrics.pass_at_k import Counts


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
