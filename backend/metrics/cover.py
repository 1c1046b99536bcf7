"""Cover@tau: the share of problems of which at least a share tau of the samples is correct (arXiv 2510.08325).

pass@k at large k rewards a lucky guess in a thousand; Cover@tau asks for reliability: tau near 0 is solvable at all,
tau = 1 is always right. Whether c/n reaches tau is decided in integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from backend.metrics.pass_at_k import Counts, Floats


def needed(n: int, taus: Sequence[Fraction]) -> Counts:
    """The smallest c with c/n >= tau, for each tau; shape (taus,)."""
    return np.array([-(-tau.numerator * n // tau.denominator) for tau in taus], dtype=np.int64)


def cover_tables(n: int, taus: Sequence[Fraction]) -> Floats:
    """1 where c/n >= tau, else 0.

    Args:
        n: samples of a problem.
        taus: thresholds within 0..1.

    Returns:
        Shape (n + 1, taus): a row for each number of correct samples.
    """
    return (np.arange(n + 1)[:, None] >= needed(n, taus)).astype(np.float64)
