"""The paper's views of runs: each reads, lets the estimators count, and returns one record."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import groupby
from math import sqrt
from statistics import fmean
from typing import Any

import numpy as np

from backend.analysis.comparison import RunTallies, curves, restrict_runs, shared_names, tallies_of
from backend.estimators.histograms import accuracy_bins, in_bins, quantiles, round_width
from backend.estimators.intervals import METHODS, paired_difference
from backend.estimators.pass_at_k import DRAWS, Counts, majority_at_k, majority_score, pass_at_k_tables, powers_and_end
from backend.records import NOT_JUDGED, VERDICTS, Run
from backend.records.samples import NOT_SAMPLING
from backend.records.views import (
    AccuracyHistogram,
    Agreement,
    Efficiency,
    EfficiencyGap,
    Entropy,
    Lengths,
    LengthSummary,
    MajorityAnswer,
    MajorityPoint,
    RunLengths,
    RunSummary,
    Series,
    TemperaturePoint,
    TemperatureSweep,
)
from backend.store.reads import Reader

# What several views have in common: pass@1 and pass@k of runs at one k.

PAPER_K = 256
"""The k of the sampling efficiency gap."""


def common_k(reader: Reader, runs: Sequence[Run], problems: Collection[int] | None, most: int = PAPER_K) -> int | None:
    """The largest k up to `most` at which every run is defined, of those that have a verdict; None where none has."""
    sizes = [run.n_min for run in restrict_runs(reader, runs, problems) if run.n_min is not None]
    return min(most, *sizes) if sizes else None


def run_summaries(
    reader: Reader, runs: Sequence[Run], k: int | None, problems: Collection[int] | None
) -> tuple[RunSummary, ...]:
    """The levels of runs at one k; runs in them have the totals of these problems."""
    ks = [1] if k is None else sorted({1, k})
    return tuple(
        RunSummary(curve.run, curve.problems, curve.at(1), None if k is None else curve.at(k))
        for curve in curves(reader, runs, lambda _: ks, problems=problems)
    )


# Accuracy histograms: problems of runs by their share correct (figures 5 and 13 of the paper).


def accuracy_histograms(
    reader: Reader, runs: Sequence[Run], *, problems: Collection[int] | None = None
) -> tuple[AccuracyHistogram, ...]:
    """The histogram of each run, over its problems with a verified sample."""
    tallies = tallies_of(reader, runs, problems)
    result = []
    for run in restrict_runs(reader, runs, problems):
        _, n, c = tallies[run.key]
        counts = accuracy_bins(n[n > 0], c[n > 0])
        result.append(AccuracyHistogram(run, int(counts.sum()), tuple(counts.tolist())))
    return tuple(result)


# The sampling efficiency gap, Delta_SE = base pass@k - RL pass@1 (figure 8 and table 2 of the paper).


def efficiency(
    reader: Reader,
    base: Run,
    runs: Sequence[Run],
    *,
    k: int | None = None,
    problems: Collection[int] | None = None,
) -> Efficiency:
    """pass@1, pass@k and Delta_SE of runs against one base run.

    Args:
        base: whose pass@k counts.
        runs: the others; the base is put first if it is not among them.
        k: 256 when omitted, or the base run's smallest n if that is less: of the other runs pass@1 alone is needed,
            and their own pass@k is unknown where they have fewer samples.
    """
    every = list(runs) if any(run.key == base.key for run in runs) else [base, *runs]
    k = k if k is not None else common_k(reader, [base], problems)
    tallies = tallies_of(reader, every, problems)
    gaps = []
    for level in run_summaries(reader, every, k, problems):
        is_base = level.run.model.role == "base" or level.run.key == base.key
        found, common = _delta(tallies, base.key, level.run.key, k)
        delta, low, high = (None, None, None) if is_base or found is None else found
        names = None if is_base or common else shared_names(reader, base, level.run)
        gaps.append(EfficiencyGap(level, delta, low, high, common, names))
    return Efficiency(base, k, METHODS["problems"], tuple(gaps))


def _delta(tallies: RunTallies, base: int, other: int, k: int | None) -> tuple[tuple[float, float, float] | None, int]:
    """Delta_SE with its interval over the problems that both runs have with a verdict, and how many those are."""
    (first, base_n, base_c), (second, n, c) = tallies[base], tallies[other]
    _, at_base, at_other = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    base_n, base_c, n, c = base_n[at_base], base_c[at_base], n[at_other], c[at_other]
    both = (base_n > 0) & (n > 0)
    if k is None or not both.any() or k > base_n[both].min():
        return None, int(both.sum())
    at_k, at_1 = (partial(pass_at_k_tables, ks=np.array([at], dtype=np.int64)) for at in (k, 1))
    gain, _ = paired_difference("problems", (base_n[both], base_c[both]), (n[both], c[both]), at_k, at_1)
    return (-float(gain.value[0]), -float(gain.high[0]), -float(gain.low[0])), int(both.sum())


# Training steps of one model as a series (figures 1 right, 15 and table 3 of the paper).

SeriesKey = tuple[str, str, str]


def step_series(
    reader: Reader, runs: Sequence[Run], *, k: int | None = None, problems: Collection[int] | None = None
) -> tuple[Series, ...]:
    """The trainings among the runs of one benchmark: checkpoints of one origin, algorithm and sampling configuration.

    Args:
        k: 256 when omitted, or the largest k at which every point of a series is defined if that is less.

    Returns:
        Series of two points or more: steps in order, after the base run that was sampled in the same way, if there is
        one. Longest first.
    """
    groups: dict[SeriesKey, list[Run]] = {}
    for run in runs:
        if run.model.step is not None:
            groups.setdefault(_series_of(run), []).append(run)
    found = []
    for group in groups.values():
        points = [*_origin(runs, group[0]), *sorted(group, key=lambda run: run.model.step or 0)]
        if len(points) > 1:
            at = k if k is not None else common_k(reader, points, problems)
            model = group[0].model
            found.append(Series(model.algorithm, model.from_model, at, run_summaries(reader, points, at, problems)))
    return tuple(sorted(found, key=lambda series: -len(series.points)))


def _series_of(run: Run) -> SeriesKey:
    return run.model.from_model or "", run.model.algorithm or "", _configuration(run)


def _configuration(run: Run) -> str:
    sampling = {name: value for name, value in run.parameters.items() if name not in NOT_SAMPLING}
    return json.dumps(sampling, sort_keys=True, default=str)


def _origin(runs: Sequence[Run], checkpoint: Run) -> list[Run]:
    """The run of the base model that a training started from, sampled as its checkpoints were; empty if unknown."""
    bases = [
        run
        for run in runs
        if run.model.role == "base"
        and run.model.step is None
        and checkpoint.model.from_model in (None, run.model.name)
        and _configuration(run) == _configuration(checkpoint)
    ]
    return bases if len(bases) == 1 else []


# Temperature sweeps, and the run whose entropy matches the base run's (figures 16 and 17 of the paper).


def temperature_sweep(
    reader: Reader,
    base: Run,
    runs: Sequence[Run],
    *,
    k: int | None = None,
    problems: Collection[int] | None = None,
) -> TemperatureSweep:
    """Runs by model and temperature with pass@1, pass@k and entropy.

    The entropy is estimated as the mean negative log-probability per token of a run's own samples: minus the sum of all
    stored `logprob_sum` over the sum of their tokens. It is the entropy that was sampled from only if log-probabilities
    were stored after temperature and top-p; many engines store those of the model before both.

    Args:
        base: whose entropy is to be matched.
        k: 256 when omitted, or the largest k at which all are defined if that is less.
    """
    k = k if k is not None else common_k(reader, runs, problems)
    entropies = _entropies(reader, [base, *runs], problems)
    points = sorted(
        (TemperaturePoint(level, _temperature(level.run.parameters), entropies.get(level.run.key))
         for level in run_summaries(reader, runs, k, problems)),
        key=_order,
    )  # fmt: skip
    wanted = entropies.get(base.key)
    candidates = [
        (abs(point.entropy.value - wanted.value), index, point)
        for index, point in enumerate(points)
        if wanted is not None and point.entropy is not None and point.summary.run.model.role == "rl"
    ]
    return TemperatureSweep(base, k, tuple(points), min(candidates)[2] if candidates else None)


def _order(point: TemperaturePoint) -> tuple[bool, int, str, float]:
    """Base models first, then by training step; the temperatures of one model together."""
    level: RunSummary = point.summary
    model = level.run.model
    return model.role != "base", model.step or 0, model.name, -1.0 if point.temperature is None else point.temperature


def _temperature(parameters: Mapping[str, Any]) -> float | None:
    value = parameters.get("temperature")
    return float(value) if isinstance(value, int | float) else None


def _entropies(reader: Reader, runs: Sequence[Run], problems: Collection[int] | None) -> dict[int, Entropy]:
    rows = reader.rows(
        "statistics/entropies",
        run_keys=list({run.key for run in runs}),
        problem_keys=None if problems is None else sorted(problems),
    )
    # 0.0 and not -0.0 where every token was certain.
    return {key: Entropy(max(-total / tokens, 0.0), samples, tokens) for key, samples, tokens, total in rows}


# Response lengths, right and other samples apart, and shares of verdicts.

MOST_BINS = 12
"""Bins of a distribution: as many as a small terminal has lines for."""

Lines = list[tuple[str, int | None, int]]
"""Verdict, tokens, samples: increasing tokens within a verdict."""


def response_lengths(
    reader: Reader, runs: Sequence[Run], *, problems: Collection[int] | None = None, bins: int = MOST_BINS
) -> Lengths:
    """How long the samples of each run are, in tokens, and how many have which verdict.

    Args:
        bins: how many bins at most.
    """
    keys = None if problems is None else sorted(problems)
    by_run: dict[int, Lines] = {run.key: [] for run in runs}
    for key, verdict, tokens, samples in reader.rows("statistics/lengths", run_keys=list(by_run), problem_keys=keys):
        by_run[key].append((verdict, tokens, samples))
    of_problems: dict[tuple[int, bool], dict[int, float]] = {(key, right): {} for key in by_run for right in KINDS}
    for key, problem, right, samples, tokens in reader.rows(
        "statistics/lengths_by_problem", run_keys=list(by_run), problem_keys=keys
    ):
        of_problems[key, right][problem] = tokens / samples
    # A run of which no token counts are stored does not make the others unknown.
    counted = {right: [set(found) for key in by_run if (found := of_problems[key, right])] for right in KINDS}
    common = {right: set.intersection(*found) if found else set() for right, found in counted.items()}
    longest = max((tokens or 0 for lines in by_run.values() for _, tokens, _ in lines), default=0)
    width = round_width(longest, bins)
    used = longest // width + 1
    return Lengths(
        width,
        tuple(
            _run_lengths(
                run,
                by_run[run.key],
                partial(_summary, width=width, bins=used),
                [(of_problems[run.key, right], common[right]) for right in KINDS],
            )
            for run in restrict_runs(reader, runs, problems)
        ),
    )


KINDS = (True, False)
"""Samples that are correct, and others that were judged."""

ByProblem = tuple[Mapping[int, float], Collection[int]]
"""Mean tokens by problem, and the problems in which every run with token counts has such samples."""


def _run_lengths(
    run: Run, lines: Lines, summary: Callable[[Lines, ByProblem], LengthSummary | None], by_problem: Sequence[ByProblem]
) -> RunLengths:
    verdicts = {verdict: sum(samples for found, _, samples in lines if found == verdict) for verdict in VERDICTS}
    verified = [line for line in lines if line[0] not in NOT_JUDGED]
    return RunLengths(
        run=run,
        right=summary([line for line in verified if line[0] == "correct"], by_problem[0]),
        other=summary([line for line in verified if line[0] != "correct"], by_problem[1]),
        unknown=sum(samples for _, tokens, samples in verified if tokens is None),
        verdicts={verdict: samples for verdict, samples in verdicts.items() if samples},
    )


def _summary(lines: Lines, by_problem: ByProblem, width: int, bins: int) -> LengthSummary | None:
    known = np.array([(tokens, samples) for _, tokens, samples in lines if tokens is not None], dtype=np.int64)
    if not len(known):
        return None
    values, at = np.unique(known[:, 0], return_inverse=True)
    times: Counts = np.bincount(at, weights=known[:, 1]).astype(np.int64)
    tenth, median, ninetieth, longest = quantiles(values, times, (0.1, 0.5, 0.9, 1.0))
    means, common = by_problem
    return LengthSummary(
        samples=int(times.sum()),
        mean=float((values * times).sum() / times.sum()),
        by_problem=fmean(means.values()),
        in_common=fmean(means[key] for key in common) if common else None,
        common=len(common),
        tenth=tenth,
        median=median,
        ninetieth=ninetieth,
        longest=longest,
        bins=tuple(in_bins(values, times, width, bins).tolist()),
    )


# Answer agreement: the majority answer of each problem, and maj@k.

SEED = 20_260_101
"""Of the random subsets: the same store gives the same numbers. Each problem has its own, whatever is filtered."""


def agreement(reader: Reader, runs: Sequence[Run], *, problems: Collection[int] | None = None) -> tuple[Agreement, ...]:
    """What the samples of each run agree on. Answers are the same where their extracted words are."""
    return tuple(_agreement(reader, run, problems) for run in restrict_runs(reader, runs, problems))


def _agreement(reader: Reader, run: Run, problems: Collection[int] | None) -> Agreement:
    keys = None if problems is None else sorted(problems)
    rows = reader.rows("statistics/answers", run_key=run.key, problem_keys=keys)
    every = reader.rows("statistics/problems", benchmark=run.benchmark, with_statements=False)
    labels = {key: label for key, label, *_ in every}
    order = {key: place for place, key in enumerate(labels)}
    by_problem = {key: list(group) for key, group in groupby(rows, key=lambda row: row[0])}
    sizes = {key: sum(votes for _, _, votes, _ in group) for key, group in by_problem.items()}
    answered = sum(votes for _, answer, votes, _ in rows if answer is not None)
    ks = powers_and_end(min(sizes.values(), default=0)) if answered else []
    values, errors, exact = np.zeros(len(ks)), np.zeros(len(ks)), np.ones(len(ks), dtype=bool)
    majorities = []
    for key, group in sorted(by_problem.items(), key=lambda item: order[item[0]]):
        reader.go_on()
        given = [(answer, votes, correct) for _, answer, votes, correct in group if answer is not None]
        votes = np.array([count for _, count, _ in given], dtype=np.int64)
        correct = np.array([count for _, _, count in given], dtype=np.int64)
        value, error = majority_at_k(votes, correct, sizes[key], ks, (SEED, key))
        values, errors, exact = values + value, errors + np.nan_to_num(error), exact & np.isnan(error)
        if given:
            right = majority_score(votes, correct)
            majorities.append(MajorityAnswer(key, labels[key], given[0][0], given[0][1], sizes[key], right))
    return Agreement(
        run=run,
        problems=len(by_problem),
        samples=sum(sizes.values()),
        answered=answered,
        points=tuple(
            MajorityPoint(k, float(value / len(by_problem)), None if is_exact else sqrt(error) / len(by_problem))
            for k, value, error, is_exact in zip(ks, values, errors, exact, strict=True)
        ),
        majorities=tuple(majorities),
        draws=DRAWS,
    )
