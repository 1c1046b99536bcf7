"""Answer agreement: the majority answer of each problem, and maj@k."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from math import sqrt

import numpy as np

from backend.metrics.majority import DRAWS, majority_at_k, majority_score
from backend.metrics.pass_at_k import powers_and_end
from backend.records import Run
from backend.records.statistics import Agreement, MajorityAnswer, MajorityPoint
from backend.restriction import restricted
from backend.store.reads import Reader

SEED = 20_260_101
"""Of the random subsets: the same store gives the same numbers. Each problem has its own, whatever is filtered."""


def agreement(reader: Reader, runs: Sequence[Run], *, problems: Collection[int] | None = None) -> tuple[Agreement, ...]:
    """What the samples of each run agree on. Answers are the same where their extracted words are.

    Args:
        problems: keys of the only problems that count; None for all.
    """
    return tuple(_agreement(reader, run, problems) for run in restricted(reader, runs, problems))


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
