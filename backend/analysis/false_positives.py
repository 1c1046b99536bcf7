"""Solve sets and curves when a verifier calls some incorrect samples correct: what is spurious, and what is left."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import numpy as np

from backend.analysis.audit import COUNTING, STANDING, audit, audit_sides
from backend.analysis.bands import KChoice
from backend.analysis.comparison import restrict_runs, tallies_of
from backend.errors import UsageError
from backend.estimators.false_positives import REFITS, allows, count_interval, true_counts
from backend.estimators.pass_at_k import pass_at_k_tables, powers_and_end
from backend.records import Run, SolveSets
from backend.records.audit import FalsePositiveRate, FalsePositives, SpuriousMembers
from backend.records.comparison import BandCurve, BandPoint
from backend.store.reads import Reader

FROM_AUDIT = "audit"
"""In place of a rate: the estimate from what people read."""

Rates = str | tuple[float, ...]
"""One rate for all runs, or one for each; or `audit`."""

METHOD = "corrected for {} of incorrect samples called correct; 95 % over which verdicts are false"


def false_positive_rates(reader: Reader, runs: Sequence[Run], said: Rates) -> tuple[FalsePositiveRate, ...]:
    """The rate of each run.

    Raises:
        UsageError: another number of rates than of runs; or the audit knows none.
    """
    if isinstance(said, str):
        rates = _read_rates(reader, runs)
    elif len(said) not in (1, len(runs)):
        raise UsageError(
            f"{len(said)} false-positive rates for {len(runs)} runs",
            next_step="Say one for all runs, or one for each, base first: 0.001,0.002.",
        )
    else:
        rates = [FalsePositiveRate(rate) for rate in (said * len(runs) if len(said) == 1 else said)]
    tallies = tallies_of(reader, runs)
    found = []
    for run, rate in zip(runs, rates, strict=True):
        _, n, c = tallies[run.key]
        allowed = not (n > 0).any() or allows(n[n > 0], c[n > 0], rate.value)
        found.append(FalsePositiveRate(rate.value, rate.interval, allowed))
    return tuple(found)


def _read_rates(reader: Reader, runs: Sequence[Run]) -> list[FalsePositiveRate]:
    """What was read of a pair says of the verdicts that count; the second side only tells the strata."""
    if len(runs) != 2:
        raise UsageError("The audit estimates rates of a pair of runs", next_step="Say a rate: --false-positives 0.001")
    others = [name for name in audit_sides(reader, runs) if name not in STANDING]
    done = audit(reader, runs[0], runs[1], COUNTING, others[0] if len(others) == 1 else "imported")
    found = []
    for of in done.runs:
        rate = of.errors[0].false_positives
        if rate.value is None:
            raise UsageError(
                f"No false-positive rate of {of.run.name} is known",
                "Nothing was read of samples of which the verifiers say one thing.",
                "passk audit lists what was read; passk override says what an answer is. Or say a rate: 0.001",
            )
        found.append(FalsePositiveRate(rate.value, rate.interval))
    return found


def false_positives(reader: Reader, sets: SolveSets, said: Rates) -> FalsePositives:
    """What is spurious in solve sets. Rates are fitted to all problems of a run, whatever is looked at.

    Raises:
        UsageError: as of `false_positive_rates`.
    """
    rates = false_positive_rates(reader, sets.runs, said)
    tallies = tallies_of(reader, sets.runs)
    keys = [problem.key for problem in sets.problems]
    solved = np.array([problem.solved for problem in sets.problems], dtype=bool).reshape(len(keys), len(sets.runs))
    # At the rates themselves, then at the ends of their intervals, if they have any; each with its refits.
    at_ends: list[tuple[Any, Any]] = []
    for end in range(min(len(rate.ends) for rate in rates)):
        columns = []
        for run, rate in zip(sets.runs, rates, strict=True):
            problems, n, c = (column[tallies[run.key][1] > 0] for column in tallies[run.key])
            found_counts = true_counts(n, c, rate.ends[end])
            where = np.searchsorted(problems, np.array(keys, dtype=np.uint64))
            once = found_counts.spurious(sets.min_correct)[None]
            again = found_counts.spurious_of_refits(sets.min_correct) if found_counts.refits else once
            columns.append((once[:, where], np.broadcast_to(again[:, where], (REFITS, len(keys)))))
        once, again = (np.stack(part, axis=-1) for part in zip(*columns, strict=True))
        at_ends.append((np.where(solved, once, 0.0), np.where(solved, again, 0.0)))
    found = {}
    for entry in sets.counts:
        belongs = _belongs(solved, at_ends[0][0], entry)[0]
        intervals = [count_interval(_belongs(solved, again, entry)) for _, again in at_ends]
        members = (solved == np.array(entry)).all(axis=1)
        found[entry] = SpuriousMembers(
            float((1.0 - belongs)[members].sum()),
            float(belongs.sum()),
            (min(low for low, _ in intervals), max(high for _, high in intervals)),
        )
    return FalsePositives(
        rates,
        {
            key: tuple(float(chance) if by_run else None for chance, by_run in zip(row, solves, strict=True))
            for key, row, solves in zip(keys, at_ends[0][0][0], solved, strict=True)
        },
        found,
    )


def _belongs(solved: Any, spurious: Any, entry: tuple[bool, ...]) -> Any:
    """The chance of each problem to truly belong to a set, shape (refits, problems); runs err independently."""
    truly = np.where(solved, 1.0 - spurious, 0.0)
    return np.where(np.array(entry), truly, 1.0 - truly).prod(axis=-1)


def corrected_curves(
    reader: Reader,
    runs: Sequence[Run],
    said: Rates,
    ks: KChoice = powers_and_end,
    *,
    problems: Collection[int] | None = None,
) -> tuple[BandCurve, ...]:
    """pass@k of each run by the samples that are truly correct, with its interval. Raises as `false_positive_rates`."""
    rates = false_positive_rates(reader, runs, said)
    tallies = tallies_of(reader, runs, problems)
    found = []
    for run, rate in zip(restrict_runs(reader, runs, problems), rates, strict=True):
        _, n, c = tallies[run.key]
        n, c = n[n > 0], c[n > 0]
        wanted = [k for k in ks(int(n.min())) if 1 <= k <= n.min()] if len(n) else []
        points: tuple[BandPoint, ...] = ()
        if wanted:
            statistic = partial(pass_at_k_tables, ks=np.array(wanted, dtype=np.int64))
            bands = [true_counts(n, c, end).mean(statistic) for end in rate.ends]
            low, high = np.min([each.low for each in bands], axis=0), np.max([each.high for each in bands], axis=0)
            points = tuple(
                BandPoint(*values)
                for values in zip(wanted, bands[0].value.tolist(), low.tolist(), high.tolist(), strict=True)
            )
        found.append(BandCurve(run, METHOD.format(rate_in_words(rate)), len(n), points))
    return tuple(found)


def rate_in_words(rate: FalsePositiveRate) -> str:
    value = f"{100 * rate.value:.3g} %"
    if rate.interval is not None:
        value += f" ({100 * rate.interval[0]:.3g}–{100 * rate.interval[1]:.3g})"
    return value
