"""Curves, pairs and solve sets of a store: reads the tallies, lets the estimators count, returns records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np

from backend.errors import UsageError
from backend.estimators.pass_at_k import Counts, Floats, leads, pass_at_k_of_runs, pass_at_k_table, powers_and_end
from backend.estimators.solve_sets import combination, count_combinations, expected_counts
from backend.records import (
    Curve,
    CurvePoint,
    NotCompared,
    PairSummary,
    Run,
    SetProblem,
    SolveSets,
    Tally,
)
from backend.records.comparison import Lead, SharedNames
from backend.store.reads import Reader
from backend.wording import PAIR_SETS

# Runs seen on some of their problems only: the same run, with totals over these problems.

TOTALS = (
    "problems", "samples", "correct", "unverified", "n_min", "n_max", "without_verdict", "solvable", "texts",
    "mean_tokens",
)  # fmt: skip
EMPTY = (0, 0, 0, 0, None, None, 0, 0, 0, None)


def restrict_runs(reader: Reader, runs: Sequence[Run], problems: Collection[int] | None) -> tuple[Run, ...]:
    """Each run with the totals that it has over these problems; as it is for None."""
    if problems is None:
        return tuple(runs)
    rows = reader.rows("statistics/run_totals", run_keys=[run.key for run in runs], problem_keys=sorted(problems))
    totals = {key: values for key, *values in rows}
    return tuple(replace(run, **dict(zip(TOTALS, totals.get(run.key, EMPTY), strict=True))) for run in runs)


# Curves, pairs and solve sets of a store: reads the tallies, lets the metrics count, returns records.

EXCERPT = 300
"""Characters of a statement that lists carry."""

Tallied = tuple[Counts, Counts]
"""n and c of problems."""

RunTallies = dict[int, tuple[Counts, Counts, Counts]]
"""For every run key: problem keys, n, c; sorted by problem key."""


def tallies_of(reader: Reader, runs: Sequence[Run], problems: Collection[int] | None = None) -> RunTallies:
    """Samples and correct samples of every problem of each run, or of these problems only."""
    columns = reader.arrays("reads/tallies", run_keys=[run.key for run in runs])
    order = np.lexsort((columns["problem_key"], columns["run_key"]))
    if problems is not None:
        meant = np.isin(columns["problem_key"], np.fromiter(problems, dtype=np.uint64, count=len(problems)))
        order = order[meant[order]]
    run_keys, keys = columns["run_key"][order], columns["problem_key"][order]
    n, c = columns["n"][order].astype(np.int64), columns["c"][order].astype(np.int64)
    result: RunTallies = {}
    for run in runs:
        start, end = (
            np.searchsorted(run_keys, np.array([run.key], dtype=np.uint64), "left")[0],
            np.searchsorted(run_keys, np.array([run.key], dtype=np.uint64), "right")[0],
        )
        result[run.key] = keys[start:end], n[start:end], c[start:end]
    return result


def curves(
    reader: Reader,
    runs: Sequence[Run],
    ks: Callable[[int], Sequence[int]] = powers_and_end,
    *,
    problems: Collection[int] | None = None,
) -> tuple[Curve, ...]:
    """The pass@k curve of each run.

    Args:
        ks: for the smallest n of a run, the k's to compute; those beyond it are left out of the curve.
        problems: keys of the only problems that count, also in the totals of the curves' runs; None for all.
    """
    tallies = tallies_of(reader, runs, problems)
    runs = restrict_runs(reader, runs, problems)
    # Problems without a verdict count in no curve.
    counted = [(n[n > 0], c[n > 0]) for _, n, c in (tallies[run.key] for run in runs)]
    wanted = [_up_to(int(n.min()), ks) if len(n) else [] for n, _ in counted]
    every = np.unique(np.concatenate([np.array(of_run, dtype=np.int64) for of_run in wanted])) if runs else np.array([])
    values = pass_at_k_of_runs(counted, every)
    apart = _runs_apart(reader, runs, tallies)
    return tuple(
        Curve(
            run,
            len(n),
            tuple(
                CurvePoint(k, value)
                for k, value in zip(of_run, row[np.searchsorted(every, of_run)].tolist(), strict=True)
            ),
            int((n < n.max()).sum()) if len(n) else 0,
            apart[run.name],
        )
        for run, (n, _), of_run, row in zip(runs, counted, wanted, values, strict=True)
    )


LOOKED_UP = 64
"""Problems that are looked up first: where runs have the same problems, one of these is among them."""


def shared_names(reader: Reader, first: Run, second: Run) -> SharedNames:
    """What two runs that have no problem in common have in common all the same."""
    rows = reader.cached_rows("matching/shared_names", first=first.key, second=second.key)
    return SharedNames(*rows[0])


def _runs_apart(reader: Reader, runs: Sequence[Run], tallies: RunTallies) -> dict[str, dict[str, SharedNames]]:
    """For each run those of the others, of its benchmark, that have no verified problem in common with it."""
    problems = {run.name: keys[n > 0] for run in runs for keys, n, _ in (tallies[run.key],)}
    apart: dict[str, dict[str, SharedNames]] = {run.name: {} for run in runs}
    for first, second in combinations(runs, 2):
        some, every = problems[first.name], problems[second.name]
        shared = np.isin(some[:LOOKED_UP], every).any() or np.isin(some, every).any()
        if first.benchmark == second.benchmark and not shared:
            names = shared_names(reader, first, second)
            apart[first.name][second.name] = apart[second.name][first.name] = names
    return apart


def _up_to(limit: int, ks: Callable[[int], Sequence[int]]) -> list[int]:
    return [k for k in ks(limit) if 1 <= k <= limit]


def every_k(limit: int) -> Sequence[int]:
    return range(1, limit + 1)


def default_pairs(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """The pairs of runs of one benchmark that a person would compare, base first.

    A run is paired with the runs of the model that it was trained from (or of any base model, where that is unknown).
    Without a base run, neighbours in training are paired: the earlier step first.
    """
    by_benchmark: dict[str, list[Run]] = {}
    for run in runs:
        by_benchmark.setdefault(run.benchmark, []).append(run)
    return [pair for group in by_benchmark.values() for pair in _pairs_of_benchmark(group)]


def _pairs_of_benchmark(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    bases = [run for run in runs if run.model.role == "base"]
    others = [run for run in runs if run.model.role != "base"]
    if not bases:
        return list(pairwise(others))
    pairs: list[tuple[Run, Run]] = []
    for other in others:
        origins = [base for base in bases if other.model.from_model in (None, base.model.name)]
        same = [base for base in origins if base.parameters == other.parameters]
        pairs.extend((base, other) for base in same or origins)
    return sorted(pairs, key=_interest)


def _interest(pair: tuple[Run, Run]) -> tuple[bool, int, int]:
    """RL before other ways of training, many samples before few, then by step: what one comes for stands first."""
    base, other = pair
    return other.model.role not in ("rl", None), -min(base.n_min or 0, other.n_min or 0), other.model.step or 0


def pair_summaries(reader: Reader, pairs: Sequence[tuple[Run, Run]]) -> tuple[PairSummary, ...]:
    """What Home shows of each pair, from tallies alone."""
    runs = list({run.key: run for pair in pairs for run in pair}.values())
    tallies = tallies_of(reader, runs)
    counted = [(n[n > 0], c[n > 0]) for _, n, c in (tallies[run.key] for run in runs)]
    ks = np.arange(1, max((run.n_min or 0 for run in runs), default=0) + 1)
    values = dict(zip((run.key for run in runs), pass_at_k_of_runs(counted, ks), strict=True))
    found = tuple(_pair_summary(base, rl, tallies, values) for base, rl in pairs)
    return tuple(
        pair
        if pair.common_n is not None or len(np.intersect1d(tallies[pair.base.key][0], tallies[pair.rl.key][0]))
        else replace(pair, shared_names=shared_names(reader, pair.base, pair.rl))
        for pair in found
    )


def _pair_summary(base: Run, rl: Run, tallies: RunTallies, values: dict[int, Floats]) -> PairSummary:
    (base_problems, base_n, base_c), (rl_problems, rl_n, rl_c) = tallies[base.key], tallies[rl.key]
    _, in_base, in_rl = np.intersect1d(base_problems, rl_problems, assume_unique=True, return_indices=True)
    verified = (base_n[in_base] > 0) & (rl_n[in_rl] > 0)
    solved_base, solved_rl = base_c[in_base][verified] > 0, rl_c[in_rl][verified] > 0
    counts = {
        name: int(((solved_base == by_base) & (solved_rl == by_rl)).sum())
        for (by_base, by_rl), name in PAIR_SETS.items()
    }
    at_common_n, smallest = _at_common_n(
        (base_n[in_base][verified], base_c[in_base][verified]), (rl_n[in_rl][verified], rl_c[in_rl][verified])
    )
    different = len(base_problems) + len(rl_problems) - len(in_base)
    common = min((n for n in (base.n_min, rl.n_min) if n), default=None)
    if base.n_min is None or rl.n_min is None or not verified.any():
        # Two figures over different problems are no comparison.
        common = None
    if common is None:
        return PairSummary(
            base.benchmark, base, rl, counts, different - int(verified.sum()), None, None, None, None, None, None
        )
    first, second = values[base.key][:common], values[rl.key][:common]
    ahead = leads_of(np.arange(1, common + 1), first, second)
    return PairSummary(
        benchmark=base.benchmark,
        base=base,
        rl=rl,
        counts=counts,
        not_compared=different - int(verified.sum()),
        base_pass_at_1=float(first[0]),
        rl_pass_at_1=float(second[0]),
        common_n=common,
        base_pass_at_n=float(first[-1]),
        rl_pass_at_n=float(second[-1]),
        crossing=ahead[1].first if len(ahead) > 1 else None,
        leads=ahead,
        at_common_n=at_common_n,
        smallest_n=smallest,
    )


def _at_common_n(base: Tallied, rl: Tallied) -> tuple[dict[str, float] | None, int | None]:
    """Expected sets of a pair at the smallest n, and that n; none where n is the same everywhere.

    A problem is solved by k of its samples with the chance pass@k.
    """
    sizes = np.concatenate([base[0], rl[0]])
    if not len(sizes) or sizes.min() == sizes.max():
        return None, int(sizes.min()) if len(sizes) else None
    smallest = int(sizes.min())
    first, second = (_pass_at(smallest, *tallied) for tallied in (base, rl))
    return {
        name: float(((first if by_base else 1 - first) * (second if by_rl else 1 - second)).sum())
        for (by_base, by_rl), name in PAIR_SETS.items()
    }, smallest


def _pass_at(k: int, n: Counts, c: Counts) -> Floats:
    """pass@k of each problem."""
    found = np.empty(len(n))
    for size in np.unique(n).tolist():
        found[n == size] = pass_at_k_table(size, k)[c[n == size]]
    return found


def leads_of(ks: Counts, base: Floats, rl: Floats) -> tuple[Lead, ...]:
    """Who is ahead where; see `estimators.pass_at_k.leads`."""
    return tuple(
        Lead(first, last, "rl" if sign > 0 else "base", float(abs(rl[last - 1] - base[last - 1])))
        for first, last, sign in leads(ks, base, rl)
    )


def solve_sets(
    reader: Reader, runs: Sequence[Run], min_correct: int = 1, *, problems: Collection[int] | None = None
) -> SolveSets:
    """The problems of a benchmark by which of the runs solve them.

    Args:
        runs: two or more runs of one benchmark; for a pair, base first.
        min_correct: correct samples from which on a problem counts as solved.

    Raises:
        UsageError: fewer than two runs, runs of different benchmarks, or min_correct below 1.
    """
    if len({run.key for run in runs}) < 2:
        raise UsageError("A comparison needs two different runs")
    if len({run.benchmark for run in runs}) > 1:
        raise UsageError(
            "Only runs of one benchmark can be compared",
            ", ".join(f"{run.name} is of {run.benchmark}" for run in runs),
            "passk runs lists the runs of each benchmark.",
        )
    if min_correct < 1:
        raise UsageError(f"min-correct is {min_correct}", next_step="It must be 1 or more.")
    compared, not_compared = _sorted_out(reader, runs, min_correct, problems)
    sizes = [[problem.tallies[index].n for problem in compared] for index in range(len(runs))]
    smallest = min((min(size) for size in sizes if size), default=None)
    uneven = smallest is not None and any(max(size) > smallest for size in sizes)
    return SolveSets(
        benchmark=runs[0].benchmark,
        runs=tuple(runs),
        min_correct=min_correct,
        problems=tuple(compared),
        counts=count_combinations((problem.solved for problem in compared), len(runs)),
        n_ranges=tuple((min(size), max(size)) if size else None for size in sizes),
        not_compared=not_compared,
        common_n=smallest,
        expected_at_common_n=expected_counts(
            [[(tally.n, tally.c) for tally in problem.tallies] for problem in compared], smallest, min_correct
        )
        if uneven and smallest is not None
        else None,
        shared_names=shared_names(reader, *runs)
        if not compared and len(runs) == 2 and all(not_compared.missing)
        else None,
    )


def _sorted_out(
    reader: Reader, runs: Sequence[Run], min_correct: int, problems: Collection[int] | None = None
) -> tuple[list[SetProblem], NotCompared]:
    """The problems that every run has with a verified sample, and those that cannot be compared."""
    place = {run.key: index for index, run in enumerate(runs)}
    found: dict[int, tuple[tuple[str, int, str | None, str | None], list[tuple[Tally, float | None] | None]]] = {}
    for key, label, position, excerpt, level, run_key, n, c, tokens in reader.rows(
        "reads/set_problems", run_keys=list(place), excerpt=EXCERPT
    ):
        if problems is not None and key not in problems:
            continue
        entry = found.setdefault(key, ((label, position, excerpt, level), [None] * len(runs)))
        entry[1][place[run_key]] = Tally(n, c), tokens
    compared: list[SetProblem] = []
    missing: list[list[str]] = [[] for _ in runs]
    without_verdict: list[str] = []
    for key, ((label, position, excerpt, level), per_run) in found.items():
        present = [entry for entry in per_run if entry is not None]
        for absent in (index for index, entry in enumerate(per_run) if entry is None):
            missing[absent].append(label)
        if len(present) < len(runs):
            continue
        if any(tally.n == 0 for tally, _ in present):
            without_verdict.append(label)
            continue
        tallies = tuple(tally for tally, _ in present)
        solved = combination([tally.c for tally in tallies], min_correct)
        tokens_of_runs = tuple(mean for _, mean in present)
        compared.append(SetProblem(key, label, position, excerpt, level, tallies, tokens_of_runs, solved))
    return compared, NotCompared(tuple(tuple(labels) for labels in missing), tuple(without_verdict))
