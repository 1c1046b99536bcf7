"""Where the next samples find most: how a budget is shared out among problems that no sample has solved yet.

A problem is a unit: one problem in one run. It has changed when one of its new samples is right. The chance of that is
concave in the number of samples, so taking always the batch that finds most for its cost is the best that one round can
do. And since a failure only makes another failure likelier, it is the best over rounds too, but for what units teach
about each other (the joint prior): that is taken in between rounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.estimators.pass_at_k import Counts, Floats

STEPS = 256
"""Batches that a budget is cut into at least, if it has that many samples."""


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """Samples of one round, and what they are expected to find."""

    adds: Counts
    """Samples to add to each unit, shape (units,)."""
    changes: Floats
    """Chance that one of them is right, shape (units,)."""
    before: float
    """Units expected to change within the next `ahead` samples of each, as things stand."""
    after: float
    """The same when the round has been drawn."""


def change_chances(grid: Floats, chances: Floats, draws: Counts) -> Floats:
    """Chance that one of the next samples of a unit is right, and the unit so changes.

    Args:
        grid: rates, shape (G,).
        chances: posterior of the rate of each unit, shape (units, G).
        draws: samples of each unit, shape (units,).
    """
    result: Floats = (chances * (1 - (1 - grid) ** draws[:, None])).sum(axis=1)
    return result


def allocate_by_change(
    grid: Floats, chances: Floats, costs: Floats, budget: int, *, ahead: int, enough: float
) -> Allocation:
    """Share a budget out so that most units are expected to change for what it costs.

    Args:
        grid: rates, shape (G,).
        chances: posterior of the rate of each unsolved unit, shape (units, G).
        costs: of one sample of each unit, all positive, shape (units,).
        ahead: see `Allocation.before`.
        enough: stop giving when fewer changes than this are left within `ahead` samples of each.

    Returns:
        Adds that sum to the budget, or to less when so few changes are left before.
    """
    if not len(chances) or budget < 1:
        return evaluate_allocation(grid, chances, np.zeros(len(chances), dtype=np.int64), ahead=ahead)
    batch = max(budget // STEPS, 1)
    steps = np.arange(0, budget + batch, batch)
    none_right = chances @ (1 - grid[:, None]) ** steps
    left = none_right - chances @ (1 - grid[:, None]) ** (steps + ahead)
    gains = -np.diff(none_right, axis=1) / (batch * costs[:, None])
    # Gains of a unit fall from batch to batch: in order of their size, its batches come in their own order.
    order = np.argsort(-gains, axis=None, kind="stable")[: len(steps) - 1]
    units = order // gains.shape[1]
    remaining = left[:, 0].sum() + np.cumsum(np.diff(left, axis=1).ravel()[order])
    if left[:, 0].sum() < enough:
        units = units[:0]
    elif (stop := np.flatnonzero(remaining < enough)).size:
        units = units[: stop[0] + 1]
    adds = np.bincount(units, minlength=len(chances)) * batch
    over = int(adds.sum()) - budget
    if over > 0:
        adds[units[-1]] -= over
    return evaluate_allocation(grid, chances, adds, ahead=ahead)


def allocate_evenly(units: int, budget: int) -> Counts:
    """The budget in equal parts, the first units one more where it does not divide; shape (units,)."""
    share, rest = divmod(budget, units) if units else (0, 0)
    return np.full(units, share, dtype=np.int64) + (np.arange(units) < rest)


def evaluate_allocation(grid: Floats, chances: Floats, adds: Counts, *, ahead: int) -> Allocation:
    """What given adds are expected to find; see `Allocation`."""
    changes = change_chances(grid, chances, adds)
    later = change_chances(grid, chances, adds + ahead)
    before = change_chances(grid, chances, np.full_like(adds, ahead))
    return Allocation(adds, changes, float(before.sum()), float((later - changes).sum()))
