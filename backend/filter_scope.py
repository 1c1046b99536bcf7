"""Where a selector is used: the runs it speaks of and what their benchmark holds, read when it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from backend.comparison import default_pairs
from backend.errors import UsageError
from backend.records import Run
from backend.store.reads import Reader


class Candidate(NamedTuple):
    """A problem that may be meant."""

    key: int
    label: str
    level: str | None
    metadata: Mapping[str, Any]
    text: str
    """Id, level and statement in lower case."""


class Tallied(NamedTuple):
    """What one run has of a problem; n and c are 0 where it has nothing verified."""

    n: int
    c: int
    tokens: float | None


NOTHING = Tallied(0, 0, None)


@dataclass(frozen=True, slots=True)
class Condition:
    """What one word of a selector asks of a problem."""

    words: str
    holds: Callable[[Candidate], bool]


class Scope:
    """The runs that a selector speaks of, and what their benchmark holds.

    Args:
        reader: of the runs' store.
        runs: those that a word without a name speaks of, of one benchmark.
        partner: a run that a single one is compared with.
        texts: whether statements are looked at.
        strict: whether a bare word must be an id: where a typo would cost samples.
        benchmark: whose problems are meant where there is no run yet.
    """

    def __init__(
        self,
        reader: Reader,
        runs: Sequence[Run],
        partner: Run | None = None,
        *,
        texts: bool,
        strict: bool = False,
        benchmark: str = "",
    ) -> None:
        self.reader = reader
        self.runs = tuple(runs)
        self.compared = self.runs if partner is None else in_order(self.runs[0], partner)
        self.benchmark = benchmark or runs[0].benchmark
        self.strict = strict
        self._texts = texts
        self._tallies: dict[int, Mapping[int, Tallied]] = {}

    @cached_property
    def problems(self) -> tuple[Candidate, ...]:
        """Every problem of the benchmark, in its order."""
        rows = self.reader.rows("statistics/problems", benchmark=self.benchmark, with_statements=self._texts)
        return tuple(
            Candidate(
                key,
                label,
                level,
                _fields(metadata),
                f"{label} {level or ''} {statement or ''}".lower() if self._texts else "",
            )
            for key, label, level, metadata, statement in rows
        )

    @cached_property
    def labels(self) -> frozenset[str]:
        """The ids of the benchmark, made unique."""
        return frozenset(problem.label for problem in self.problems)

    def tallies(self, run: Run) -> Mapping[int, Tallied]:
        """n, c and mean tokens of every problem of a run."""
        if run.key not in self._tallies:
            rows = self.reader.rows("statistics/run_tallies", run_key=run.key)
            self._tallies[run.key] = {key: Tallied(*counted) for key, *counted in rows}
        return self._tallies[run.key]

    def run(self, name: str) -> Run:
        """The run that a name means here: base and rl of the runs compared, else any run of the benchmark.

        Raises:
            UsageError: none, or more than one.
        """
        of_role = [run for run in self.compared if run.model.role == name.lower()]
        if len(of_role) == 1:
            return of_role[0]
        if len(self.compared) == 2 and name.lower() in ("base", "rl"):
            return self.compared[name.lower() == "rl"]
        return self.reader.run(name, self.benchmark)

    def pair(self) -> tuple[Run, Run]:
        """The two runs whose solve sets are meant: those compared, or a single run and its usual partner.

        Raises:
            UsageError: no such pair, or several.
        """
        if len(self.compared) == 2:
            return self.compared[0], self.compared[1]
        if len(self.compared) > 2:
            raise UsageError(
                f"solve sets are of two runs, and {len(self.compared)} are compared: which pair is meant?",
                next_step="Say it by counts, such as base.c>0 rl.c=0.",
            )
        if not self.runs:
            raise UsageError(
                "a run that has no samples yet is in no solve set: of which runs is it meant?",
                next_step="Name them and say it by counts, such as BASE.c>0 RL.c=0.",
            )
        run = self.runs[0]
        pairs = [pair for pair in default_pairs(self.reader.runs(self.benchmark)) if run in pair]
        if len(pairs) != 1:
            raise UsageError(
                f"{run.name} is in {len(pairs)} pairs: which solve set is meant?", next_step="Say --against RUN."
            )
        return pairs[0]

    def spoken_of(self) -> tuple[Run, ...]:
        """The runs that a word without a name speaks of.

        Raises:
            UsageError: there is none yet.
        """
        if not self.runs:
            raise UsageError("the run has no samples yet", next_step="Name another run, such as RUN.c=0.")
        return self.runs


def _fields(metadata: str | None) -> Mapping[str, Any]:
    """What is known of a problem by name; nothing where its metadata are no JSON object."""
    fields = json.loads(metadata) if metadata else {}
    return fields if isinstance(fields, dict) else {}


def label_of(run: Run) -> str:
    """A run's name without its benchmark."""
    return run.name.removesuffix(f"@{run.benchmark}")


def in_order(run: Run, other: Run) -> tuple[Run, Run]:
    """Two runs, base first."""
    return (run, other) if run.model.role == "base" or other.model.role != "base" else (other, run)
