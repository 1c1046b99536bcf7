"""A solve-set comparison as every form writes it: the sets, how sure they are, and what things are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.comparison import PAIR_SETS, solve_sets
from backend.exporters.certainty import Certainty, certainty_of
from backend.exporters.protocol import Job
from backend.judgements.reading import valid_sets
from backend.records import Run, SetProblem, SolveSets
from backend.records.judgements import ValidSets

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


def comparison_of(job: Job) -> Comparison:
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
