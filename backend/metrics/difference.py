"""The paired difference RL - base as a curve of its own, where the two curves cross, and who wins how many problems."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.metrics.intervals import (
    REPLICATES,
    SEED,
    TAILS,
    Band,
    Statistic,
    at_problems,
    cells,
    normal_band,
    percentile_band,
    resample,
    sampling_covariance,
)
from backend.metrics.pass_at_k import Counts, Floats
from backend.records.bands import Kind

Tallies = tuple[Counts, Counts]
"""n and c of each problem, in the order that both runs of a pair share."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Where replicates of a difference change their sign, as an interval of indices of the points."""

    low: int | None
    high: int | None
    """An end is None when it lies beyond the last point."""
    share_without: float
    """Share of replicates whose sign never changes."""


def paired_difference(kind: Kind, base: Tallies, rl: Tallies, statistic: Statistic) -> tuple[Band, Turns]:
    """The mean over problems of RL - base with its interval, and where it changes its sign.

    Over problems, a replicate draws the same problems for both runs: the pairing is kept. Over samples, the runs'
    errors are independent, so their covariances add up; replicates of the curve are normal with that covariance.

    Args:
        kind: what the interval is over.
        base: n and c of each problem, arrays of shape (problems,), n >= 1, at least one problem.
        rl: the same problems.
        statistic: see `intervals.Statistic`; points in their order.
    """
    (base_n, base_c, rl_n, rl_c), times = cells(*base, *rl)
    of_base, of_rl = at_problems(base_n, base_c, statistic), at_problems(rl_n, rl_c, statistic)
    values = of_rl - of_base
    if kind == "problems":
        # An unseen problem is one that a run solves as it solves others, and the other run never.
        least, most = -(times @ of_base) / times.sum(), (times @ of_rl) / times.sum()
        band, replicates = percentile_band(values, times, resample(times), least, most)
    else:
        covariance = sampling_covariance(*base, statistic) + sampling_covariance(*rl, statistic)
        variance = np.maximum(np.diag(covariance), 0.0)
        band = normal_band(times @ values / times.sum(), variance, least=-1.0)
        replicates = band.value[:, None] + _normal_curves(covariance)
    return band, turns(replicates)


def _normal_curves(covariance: Floats) -> Floats:
    """Normal curves of mean zero with this covariance, shape (points, replicates), from the fixed seed."""
    variances, directions = np.linalg.eigh(covariance)
    kept = variances > 1e-12 * max(variances[-1], 0.0)
    spread = np.random.default_rng(SEED).standard_normal((int(kept.sum()), REPLICATES))
    curves: Floats = (directions[:, kept] * np.sqrt(variances[kept])) @ spread
    return curves


def first_turns(differences: Floats) -> Counts:
    """Where each curve first has the other sign than it began with.

    Args:
        differences: a curve a column, shape (points, curves); a curve begins where it is first not zero.

    Returns:
        Index of the point, shape (curves,); the number of points where the sign never changes.
    """
    signs = np.sign(differences)
    begun = np.take_along_axis(signs, (signs != 0).argmax(axis=0)[None], axis=0)
    turned = (signs == -begun) & (begun != 0)
    return np.where(turned.any(axis=0), turned.argmax(axis=0), len(differences))


def turns(replicates: Floats) -> Turns:
    """Where curves change their sign; one that never does counts as one that does beyond the last point.

    Args:
        replicates: shape (points, replicates).
    """
    points = len(replicates)
    places = np.sort(first_turns(replicates))
    low, high = (int(places[round(tail * (len(places) - 1))]) for tail in TAILS)
    without = float((places == points).mean())
    return Turns(low if low < points else None, high if high < points else None, without)


def wins(base: Tallies, rl: Tallies) -> tuple[int, int, int]:
    """Problems in which RL has the higher c/n, base has it, both are equal. In integers: c/n > C/N where cN > Cn."""
    by_rl, by_base = rl[1] * base[0], base[1] * rl[0]
    return int((by_rl > by_base).sum()), int((by_base > by_rl).sum()), int((by_rl == by_base).sum())
