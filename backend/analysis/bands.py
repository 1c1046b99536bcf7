"""Curves of a store with their intervals: reads the tallies, lets the metrics count, returns records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from functools import partial

import numpy as np

from backend.analysis.comparison import leads_of, restrict_runs, shared_names, tallies_of
from backend.errors import UsageError
from backend.estimators.intervals import (
    METHODS,
    Statistic,
    Tallies,
    band,
    paired_difference,
    statistic_per_problem,
    wins,
)
from backend.estimators.pass_at_k import (
    Counts,
    Floats,
    cover_tables,
    pass_at_k_of_runs,
    pass_at_k_tables,
    powers_and_end,
)
from backend.records import Run
from backend.records.comparison import BandCurve, BandPoint, Crossing, Difference, IntervalKind, Wins
from backend.store.reads import Reader

KChoice = Callable[[int], Sequence[int]]

TWENTIETHS = tuple(Fraction(i, 20) for i in range(1, 21))
"""0.05, 0.1 ... 1: the thresholds of Cover@tau that are shown unless others are asked for."""

EVERY = 128
"""Up to here every k is looked at for crossings of replicates."""
STEP = 1.015
"""Beyond, each k is at most so many times the one before: ends of the crossing's interval are as exact as that."""


def pass_at_k_bands(
    reader: Reader,
    runs: Sequence[Run],
    kind: IntervalKind | None,
    ks: KChoice = powers_and_end,
    *,
    problems: Collection[int] | None = None,
) -> tuple[BandCurve, ...]:
    """pass@k of each run with its 95 % interval.

    Args:
        kind: what the intervals are over; None for none.
        ks: for the smallest n of a run, the k's to compute; those beyond it are left out.
    """

    def points(n: Counts) -> tuple[Sequence[int], Statistic]:
        return _pass_at_k(_up_to(int(n.min()), ks))

    return _curves(reader, runs, kind, points, problems)


def cover_bands(
    reader: Reader,
    runs: Sequence[Run],
    kind: IntervalKind | None,
    taus: Sequence[Fraction] = TWENTIETHS,
    *,
    problems: Collection[int] | None = None,
) -> tuple[BandCurve, ...]:
    """Cover@tau of each run with its 95 % interval; arguments as above.

    Over samples, the interval is that of the share expected of runs with the same n.
    """
    return _curves(reader, runs, kind, lambda _: (taus, partial(cover_tables, taus=taus)), problems)


def _pass_at_k(ks: Sequence[int]) -> tuple[Sequence[int], Statistic]:
    return ks, partial(pass_at_k_tables, ks=np.array(ks, dtype=np.int64))


def _up_to(limit: int, ks: KChoice) -> list[int]:
    return [k for k in ks(limit) if 1 <= k <= limit]


def _curves(
    reader: Reader,
    runs: Sequence[Run],
    kind: IntervalKind | None,
    points: Callable[[Counts], tuple[Sequence[int | Fraction], Statistic]],
    problems: Collection[int] | None,
) -> tuple[BandCurve, ...]:
    tallies = tallies_of(reader, runs, problems)
    found = []
    for run in restrict_runs(reader, runs, problems):
        _, n, c = tallies[run.key]
        # Problems without a verdict count in no curve.
        n, c = n[n > 0], c[n > 0]
        places, statistic = points(n) if len(n) else ((), None)
        found.append(
            BandCurve(
                run,
                METHODS[kind] if kind else None,
                len(n),
                _points(places, *_values(kind, n, c, statistic)) if places and statistic else (),
            )
        )
    return tuple(found)


def _values(
    kind: IntervalKind | None, n: Counts, c: Counts, statistic: Statistic
) -> tuple[Floats, Floats | None, Floats | None]:
    if kind is None:
        return statistic_per_problem(n, c, statistic).mean(axis=0), None, None
    found = band(kind, n, c, statistic)
    return found.value, found.low, found.high


def _points(
    places: Sequence[int | Fraction], value: Floats, low: Floats | None, high: Floats | None
) -> tuple[BandPoint, ...]:
    nothing = [None] * len(places)
    return tuple(
        BandPoint(at if isinstance(at, int) else float(at), middle, below, above)
        for at, middle, below, above in zip(
            places,
            value.tolist(),
            nothing if low is None else low.tolist(),
            nothing if high is None else high.tolist(),
            strict=True,
        )
    )


def difference(
    reader: Reader,
    base: Run,
    rl: Run,
    kind: IntervalKind = "problems",
    ks: KChoice = powers_and_end,
    *,
    problems: Collection[int] | None = None,
) -> Difference:
    """pass@k of RL minus that of base, problem by problem, with its 95 % interval, and where the curves cross.

    Args:
        base: the base run.
        rl: another run of its benchmark.
        kind: what the interval is over.
        ks: for the smaller n of the two, the k's to compute; those beyond it are left out.

    Raises:
        UsageError: the same run twice, or runs of different benchmarks.
    """
    if base.key == rl.key:
        raise UsageError("A difference needs two different runs")
    if base.benchmark != rl.benchmark:
        raise UsageError(f"Different benchmarks: {base.name} and {rl.name}", next_step="Choose two runs of one.")
    of_base, of_rl = _paired(reader, base, rl, problems)
    base, rl = restrict_runs(reader, [base, rl], problems)
    if not len(of_base[0]):
        names = shared_names(reader, base, rl)
        return Difference(base, rl, METHODS[kind], 0, None, (), None, Wins(0, 0, 0), shared_names=names)
    n = int(min(of_base[0].min(), of_rl[0].min()))
    wanted = _up_to(n, ks)
    looked_at = _dense(n)
    every, statistic = _pass_at_k(sorted({*wanted, *looked_at}))
    found, turns = paired_difference(kind, of_base, of_rl, statistic)
    shown = np.searchsorted(every, wanted)
    every_k = np.arange(1, n + 1)
    ahead = leads_of(every_k, *pass_at_k_of_runs([of_base, of_rl], every_k))
    low, high = (None if end is None else every[end] for end in (turns.low, turns.high))
    return Difference(
        base,
        rl,
        METHODS[kind],
        len(of_base[0]),
        n,
        _points(wanted, found.value[shown], found.low[shown], found.high[shown]),
        Crossing(ahead[1].first if len(ahead) > 1 else None, low, high, turns.share_without),
        Wins(*wins(of_base, of_rl)),
        ahead,
    )


def _paired(reader: Reader, base: Run, rl: Run, problems: Collection[int] | None) -> tuple[Tallies, Tallies]:
    """Tallies of the problems that both runs have with a verdict, in the same order."""
    tallies = tallies_of(reader, [base, rl], problems)
    (base_keys, base_n, base_c), (rl_keys, rl_n, rl_c) = tallies[base.key], tallies[rl.key]
    _, in_base, in_rl = np.intersect1d(base_keys, rl_keys, assume_unique=True, return_indices=True)
    both = (base_n[in_base] > 0) & (rl_n[in_rl] > 0)
    in_base, in_rl = in_base[both], in_rl[both]
    return (base_n[in_base], base_c[in_base]), (rl_n[in_rl], rl_c[in_rl])


def _dense(n: int) -> list[int]:
    """Every k up to `EVERY`, then with steps of at most `STEP`, and n."""
    steps = int(np.log(max(n / EVERY, 1)) / np.log(STEP)) + 2
    return sorted({*range(1, min(n, EVERY) + 1), *np.geomspace(min(n, EVERY), n, steps).astype(int).tolist(), n})
