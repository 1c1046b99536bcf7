"""What has been judged, what is left to judge, and pass@k and solve sets by valid paths only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from backend.analysis.comparison import solve_sets, tallies_of
from backend.estimators.pass_at_k import Counts, pass_at_k_of_runs, powers_and_end
from backend.estimators.solve_sets import combination, count_combinations
from backend.records import Run, SetProblem, Tally
from backend.records.reading import CotCurve, CotPoint, Judged, JudgedPath, PathJudgement, QueuedPath, ValidSets
from backend.store.reads import Reader

HARD = 0.05
"""Success rate below which a solvable problem is among the hardest, as in the paper's appendix D.2."""

Settled = tuple[int, int, int]
"""Right paths of one run and problem that are settled: valid, invalid, unsure."""


def judgements_of(reader: Reader, run: Run, problem_key: int, sample: int) -> tuple[PathJudgement, ...]:
    """Everything said of the reasoning of one path, the oldest first."""
    rows = reader.rows("judgements/of_sample", run_key=run.key, problem_key=problem_key, sample=sample)
    return tuple(PathJudgement(*row) for row in rows)


def settled_judgements(reader: Reader, run: Run, problem_key: int) -> dict[int, str]:
    """What is settled of the paths of one run and problem: sample -> valid, invalid or unsure."""
    return dict(reader.rows("judgements/settled", run_key=run.key, problem_key=problem_key))


def all_judgements(reader: Reader, runs: Sequence[Run]) -> tuple[JudgedPath, ...]:
    """Every judgement of some runs, in the order of time."""
    rows = reader.rows("judgements/all", run_keys=[run.key for run in runs])
    return tuple(
        JudgedPath(run, benchmark, label, sample, verdict, PathJudgement(*said))
        for run, benchmark, label, sample, verdict, *said in rows
    )


def judging_queue(
    reader: Reader,
    runs: Sequence[Run],
    author: str,
    *,
    below: float = HARD,
    problems: Collection[int] | None = None,
) -> tuple[QueuedPath, ...]:
    """The right paths of the hardest solvable problems of some runs, 0 < c/n < below, in an order that hides the run.

    Args:
        author: whose own judgements are told apart.
    """
    rows = reader.rows("judgements/queue", run_keys=[run.key for run in runs], rate=below, author=author)
    queued = (QueuedPath(*row) for row in rows)
    return tuple(path for path in queued if problems is None or path.problem_key in problems)


def cot_curves(
    reader: Reader,
    runs: Sequence[Run],
    ks: Callable[[int], Sequence[int]] = powers_and_end,
    *,
    problems: Collection[int] | None = None,
) -> tuple[CotCurve, ...]:
    """CoT-pass@k of each run: pass@k over right answers with valid reasoning (arXiv 2506.14245).

    Args:
        ks: for the smallest n of a run, the k's to compute; those beyond it are left out.
    """
    settled, tallies = settled_counts(reader, runs), tallies_of(reader, runs, problems)
    found = []
    for run in runs:
        keys, n, c = tallies[run.key]
        counted = n > 0
        keys, n, c = keys[counted], n[counted], c[counted]
        of_problems = [settled.get((run.key, key), (0, 0, 0)) for key in keys.tolist()]
        valid = np.array([entry[0] for entry in of_problems], dtype=np.int64)
        invalid = np.array([entry[1] for entry in of_problems], dtype=np.int64)
        smallest = int(n.min()) if len(n) else 0
        wanted = np.array([k for k in ks(smallest) if 1 <= k <= smallest], dtype=np.int64)
        low, high = _between(n, valid, c - invalid, wanted)
        points = tuple(CotPoint(*point) for point in zip(wanted.tolist(), low, high, strict=True))
        found.append(CotCurve(run, len(n), _judged(c.tolist(), of_problems), points))
    return tuple(found)


def valid_sets(
    reader: Reader, runs: Sequence[Run], min_correct: int = 1, *, problems: Collection[int] | None = None
) -> ValidSets:
    """Solve sets by right answers with valid reasoning only; arguments and errors as `solve_sets`."""
    plain = solve_sets(reader, runs, min_correct, problems=problems)
    settled = settled_counts(reader, runs)

    def of(problem: SetProblem) -> list[Settled]:
        return [settled.get((run.key, problem.key), (0, 0, 0)) for run in runs]

    def counting(count: Callable[[Tally, Settled], int]) -> list[SetProblem]:
        changed = []
        for problem in plain.problems:
            correct = [count(tally, entry) for tally, entry in zip(problem.tallies, of(problem), strict=True)]
            tallies = tuple(replace(tally, c=c) for tally, c in zip(problem.tallies, correct, strict=True))
            changed.append(replace(problem, tallies=tallies, solved=combination(correct, min_correct)))
        return changed

    surely = counting(lambda tally, entry: entry[0])
    at_most = counting(lambda tally, entry: tally.c - entry[1])
    return ValidSets(
        sets=replace(
            plain,
            problems=tuple(surely),
            counts=count_combinations((problem.solved for problem in surely), len(runs)),
            expected_at_common_n=None,
        ),
        judged=tuple(
            _judged((problem.tallies[index].c for problem in plain.problems), [of(p)[index] for p in plain.problems])
            for index in range(len(runs))
        ),
        open_problems=frozenset(
            low.key for low, high in zip(surely, at_most, strict=True) if low.solved != high.solved
        ),
        counts_if_open_valid=count_combinations((problem.solved for problem in at_most), len(runs)),
    )


def settled_counts(reader: Reader, runs: Sequence[Run]) -> dict[tuple[int, int], Settled]:
    """By run and problem key, how many right paths are settled, and how."""
    rows = reader.rows("judgements/tallies", run_keys=[run.key for run in runs])
    return {(run, problem): (valid, invalid, unsure) for run, problem, valid, invalid, unsure in rows}


def _between(n: Counts, low: Counts, high: Counts, ks: Counts) -> tuple[list[float], list[float]]:
    values = pass_at_k_of_runs([(n, low), (n, high)], ks)
    return values[0].tolist(), values[1].tolist()


def _judged(correct: Iterable[int], settled: Sequence[Settled]) -> Judged:
    valid, invalid, unsure = (sum(entry[index] for entry in settled) for index in range(3))
    return Judged(sum(correct), valid, invalid, unsure)
