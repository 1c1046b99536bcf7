"""A solve-set comparison as every form writes it: the sets, how sure they are, and its table problem by problem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.analysis.comparison import PAIR_SETS, solve_sets
from backend.analysis.cot import valid_sets
from backend.analysis.uncertainty import set_uncertainty
from backend.exporters.protocol import ExportTask
from backend.exporters.samples import StoredProblem, stored_problems
from backend.exporters.tables import WRITERS, Column, Row
from backend.records import Run, SetProblem, SolveSets
from backend.records.comparison import UNCERTAIN
from backend.records.reading import ValidSets
from backend.store.reads import Reader

# How sure a comparison is: the interval of each problem's success rate, and the doubt about each membership.

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Certainty:
    """Of one comparison."""

    intervals: tuple[Mapping[int, Interval], ...]
    """For each run, by problem key: the 95 % credible interval of the success rate."""
    p_change: Mapping[int, float]
    """By problem key: the chance that fresh runs of the same n would put the problem into another set."""
    run_p_change: tuple[Mapping[int, float], ...]
    """For each run the chance that a fresh one would solve what it does not, or the other way around."""
    ranges: Mapping[tuple[bool, ...], Interval]
    """Of each set: the 95 % range of its count over fresh runs of the same n."""
    of_problems: str = ""
    """What interval and doubt of a problem are, in words."""
    of_sets: str = ""
    """What the range of a count is, in words."""


def certainty_of(reader: Reader, sets: SolveSets) -> Certainty:
    """What the samples say, with all problems that the runs share as the prior."""
    if not sets.problems:
        return Certainty(tuple({} for _ in sets.runs), {}, tuple({} for _ in sets.runs), {})
    found = set_uncertainty(reader, sets)
    places = range(len(sets.runs))
    problems = found.problems
    return Certainty(
        intervals=tuple(
            {key: (problem.rates[place].low, problem.rates[place].high) for key, problem in problems.items()}
            for place in places
        ),
        p_change={key: problem.set for key, problem in problems.items()},
        run_p_change=tuple({key: problem.runs[place] for key, problem in problems.items()} for place in places),
        ranges=found.expected,
        of_problems="Intervals: 95 % credible, of the success rate c/n in per cent, under a prior fitted to all "
        "problems. Doubt: expected chance, in per cent, that fresh runs of the same n put the problem into another "
        "set.",
        of_sets="Range of a count: 95 % of fresh runs of the same n are expected in it; "
        f"{found.uncertain:,} of {len(sets.problems):,} memberships are in doubt ({100 * UNCERTAIN:.0f} % or more).",
    )


# A solve-set comparison as every form writes it: the sets, how sure they are, and what things are called.

PAIR_WORDS = {"both": "both", "base_only": "base-only", "rl_only": "RL-only", "neither": "neither"}


def run_label(run: Run) -> str:
    """A run's name without its benchmark, which stands beside it."""
    return run.name.removesuffix(f"@{run.benchmark}")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two or more runs of one benchmark."""

    sets: SolveSets
    certainty: Certainty
    prefixes: tuple[str, ...]
    """What each run's columns begin with: base and rl for a pair, else run1, run2, ..."""
    valid: ValidSets | None = None
    """The same by valid paths only; None where no path is judged."""

    @property
    def is_pair(self) -> bool:
        """Whether it is of two runs."""
        return len(self.sets.runs) == 2

    @property
    def run_words(self) -> tuple[str, ...]:
        """What the runs are called in a heading: base and RL for a pair, else their names."""
        return ("base", "RL") if self.is_pair else tuple(run_label(run) for run in self.sets.runs)

    def set_name(self, solved: Sequence[bool]) -> str:
        """A set as data names it: both, base_only, rl_only, neither; for more runs those that solve it, or none."""
        if self.is_pair:
            return PAIR_SETS[tuple(solved)]
        return (
            " + ".join(run.name for run, is_solved in zip(self.sets.runs, solved, strict=True) if is_solved) or "none"
        )

    def set_words(self, solved: Sequence[bool]) -> str:
        """A set as a person names it."""
        if self.is_pair:
            return PAIR_WORDS[PAIR_SETS[tuple(solved)]]
        who = [run_label(run) for run, is_solved in zip(self.sets.runs, solved, strict=True) if is_solved]
        return "all runs" if len(who) == len(solved) else "no run" if not who else "only " + " + ".join(who)

    def in_question(self) -> list[SetProblem]:
        """The problems that some runs solve and some do not: base-only and RL-only for a pair, in this order."""
        mixed = [problem for problem in self.sets.problems if len(set(problem.solved)) > 1]
        order = {solved: place for place, solved in enumerate(self.sets.counts)}
        return sorted(mixed, key=lambda problem: order[problem.solved])

    def sizes(self, place: int) -> str:
        """The n of a run over the compared problems."""
        size = self.sets.n_ranges[place]
        return "unknown" if size is None else str(size[0]) if size[0] == size[1] else f"{size[0]}-{size[1]}"

    def counted(self) -> Mapping[str, tuple[int, tuple[float, float] | None]]:
        """Every set's name in words, its count, and the 95 % range that fresh runs of the same n would give."""
        return {
            self.set_words(solved): (count, self.certainty.ranges.get(solved))
            for solved, count in self.sets.counts.items()
        }

    def by_valid(self) -> Mapping[str, tuple[int, int]]:
        """Every set's name in words, its count by valid paths only, and that if every open path were valid.

        Empty where no path is judged.
        """
        if self.valid is None:
            return {}
        at_most = self.valid.counts_if_open_valid
        return {self.set_words(solved): (count, at_most[solved]) for solved, count in self.valid.sets.counts.items()}

    def remarks(self) -> list[str]:
        """What must be known to read the figures."""
        certainty = self.certainty
        return [*self.facts(), *(words for words in (certainty.of_problems, certainty.of_sets) if words)]

    def facts(self) -> list[str]:
        """The threshold, the runs with their n, and what is not compared."""
        sets = self.sets
        lines = [f"Solved: at least {sets.min_correct} correct of n samples."]
        for word, run, place in zip(self.run_words, sets.runs, range(len(sets.runs)), strict=True):
            lines.append(f"{word}: {run.name}, n = {self.sizes(place)}.")
        if sets.expected_at_common_n is not None:
            expected = ", ".join(
                f"{self.set_words(solved)} {count:.1f}" for solved, count in sets.expected_at_common_n.items()
            )
            lines.append(f"n differs, and more samples solve more. Expected at {sets.common_n} draws each: {expected}.")
        if sets.not_compared.total:
            lines.append(
                f"{sets.not_compared.total:,} problems are not compared: not in every run, or without a verdict."
            )
        if self.valid is not None:
            judged = ", ".join(
                f"{word} {of_run.judged:,} of {of_run.right:,} right paths ({of_run.valid:,} valid)"
                for word, of_run in zip(self.run_words, self.valid.judged, strict=True)
            )
            lines.append(
                "By valid paths: only right answers whose reasoning was judged valid count; if open: those that are "
                f"not settled as well. Judged: {judged}."
            )
        return lines


def comparison_of(job: ExportTask) -> Comparison:
    """The comparison that a job asks for.

    Raises:
        UsageError: fewer than two runs.
    """
    sets = solve_sets(job.reader, job.runs, job.request.min_correct, problems=job.problems)
    pair = len(sets.runs) == 2
    prefixes = ("base", "rl") if pair else tuple(f"run{place}" for place in range(1, len(sets.runs) + 1))
    valid = valid_sets(job.reader, job.runs, job.request.min_correct, problems=job.problems)
    judged = valid if any(of_run.judged for of_run in valid.judged) else None
    return Comparison(sets, certainty_of(job.reader, sets), prefixes, judged)


# A solve-set comparison problem by problem, as csv, jsonl or Parquet.

LONGEST_ANSWER = 2_000
"""Longer answers are counted by their beginning, in characters."""
STRETCH = 200
"""Problems whose answers are read at a time."""

SHARED = (
    Column("benchmark"), Column("problem"), Column("set"), Column("level"), Column("reference"), Column("statement"),
    Column("doubt", "number"), Column("set_by_valid"),
)  # fmt: skip
OF_RUN = (
    Column("run"), Column("n", "whole"), Column("c", "whole"), Column("low", "number"), Column("high", "number"),
    Column("doubt", "number"), Column("valid", "whole"), Column("invalid", "whole"), Column("unsure", "whole"),
    Column("answers", "json"),
)  # fmt: skip


def columns_of(comparison: Comparison) -> tuple[Column, ...]:
    """The problem's columns, then the same ones for every run."""
    of_runs = [Column(f"{prefix}_{column.name}", column.kind) for prefix in comparison.prefixes for column in OF_RUN]
    return (*SHARED, *of_runs)


def table_rows(reader: Reader, comparison: Comparison) -> Iterator[list[Row]]:
    """Rows in stretches, in the order of the benchmark."""
    sets, certainty = comparison.sets, comparison.certainty
    stored = {problem.key: problem for problem in stored_problems(reader, sets.runs)}
    settled = _settled(reader, sets.runs)
    by_valid = {problem.key: problem.solved for problem in comparison.valid.sets.problems} if comparison.valid else {}
    for start in range(0, len(sets.problems), STRETCH):
        together = sets.problems[start : start + STRETCH]
        given = _answers(reader, comparison, together)
        rows: list[Row] = []
        for problem in together:
            of_runs: list[Any] = []
            for place, (run, tally) in enumerate(zip(sets.runs, problem.tallies, strict=True)):
                interval = certainty.intervals[place].get(problem.key, (None, None))
                doubt = certainty.run_p_change[place].get(problem.key) if certainty.run_p_change else None
                judged = settled.get((run.key, problem.key), (0, 0, 0) if run.texts else (None, None, None))
                of_runs += [run.name, tally.n, tally.c, *interval, doubt, *judged, given.get((problem.key, run.key))]
            valid = by_valid.get(problem.key)
            name = None if valid is None else comparison.set_name(valid)
            rows.append((*_shared(comparison, problem, stored[problem.key]), name, *of_runs))
        yield rows


def _shared(comparison: Comparison, problem: SetProblem, stored: StoredProblem) -> tuple[Any, ...]:
    return (
        stored.benchmark, problem.label, comparison.set_name(problem.solved), stored.level, stored.reference,
        stored.statement, comparison.certainty.p_change.get(problem.key),
    )  # fmt: skip


def _settled(reader: Reader, runs: Sequence[Run]) -> dict[tuple[int, int], tuple[int, int, int]]:
    """By run and problem key, how many right paths are judged valid, invalid and unsure."""
    rows = reader.rows("judgements/tallies", run_keys=[run.key for run in runs])
    return {(run, problem): (valid, invalid, unsure) for run, problem, valid, invalid, unsure in rows}


def _answers(
    reader: Reader, comparison: Comparison, problems: Sequence[SetProblem]
) -> dict[tuple[int, int], list[dict[str, Any]]]:
    """By problem and run key, the answers given with verdict and count; nothing where only counts are stored."""
    found: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for key, run, answer, verdict, count in reader.rows(
        "exports/answers",
        run_keys=[run.key for run in comparison.sets.runs],
        problem_keys=[problem.key for problem in problems],
        longest=LONGEST_ANSWER,
    ):
        found.setdefault((key, run), []).append({"answer": answer, "verdict": verdict, "count": count})
    return found


def export_table(job: ExportTask) -> int:
    """csv, jsonl or Parquet, by the form of the request."""
    comparison = comparison_of(job)
    total = len(comparison.sets.problems)
    writer = WRITERS[job.request.form](job.path, columns_of(comparison), job.provenance.full)
    written = 0
    try:
        for rows in table_rows(job.reader, comparison):
            writer.write(rows)
            written += len(rows)
            job.tell(written, total)
    finally:
        writer.close()
    return written
