"""The accuracy histogram of Yue et al. 2025 (arXiv 2504.13837), figures 5 and 13: problems by their share correct."""

from __future__ import annotations

import numpy as np

from backend.metrics.pass_at_k import Counts

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
