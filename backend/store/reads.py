"""What can be read of a store, as frozen records. One `Reader` to a thread; `interrupt` may come from any thread."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from backend.answers import locate_answer
from backend.errors import UsageError, suggestion
from backend.records import (
    VERDICTS,
    AnswerCount,
    Model,
    Page,
    Problem,
    Response,
    Run,
    RunTally,
    Sample,
)
from backend.store.cursor import Row, StoreCursor

Sources = Mapping[int, tuple[str | None, str | None]]
"""Path and format of every source."""
T = TypeVar("T")

LONGEST_ANSWER = 2_000
"""Answers longer than this are grouped by their beginning, in characters."""


class Reader(StoreCursor):
    """Reads one store."""

    # Runs

    def runs(self, benchmark: str | None = None) -> tuple[Run, ...]:
        """Every run, of one benchmark or of all, base runs first and then by training step."""
        copies: Counter[str] = Counter()
        for manifest in self.database.counted_manifests.values():
            copies.update({run.run: run.copies for run in manifest.runs if run.copies})
        runs = tuple(_run(row, copies) for row in self.cached_rows("reads/runs"))
        return tuple(run for run in runs if benchmark in (None, run.benchmark))

    def has_run(self, name: str) -> bool:
        """Whether `run` finds one by that name."""
        try:
            self.run(name)
        except UsageError:
            return False
        return True

    def run(self, name: str, benchmark: str | None = None) -> Run:
        """The run of that name, or the only one of the model of that name, or whose name contains it.

        A model's only plain run, MODEL@BENCHMARK, goes before those with other parameters. A renamed run still goes by
        the name that it came with.

        Raises:
            UsageError: none, or more than one.
        """
        runs = self.runs(benchmark)
        former = [run for run in runs if run.stored_name == name != run.name]
        if former and all(run.name != name for run in runs):
            return former[0]
        of_model = [run for run in runs if run.model.name == name]
        plain = [run for run in of_model if run.name == f"{name}@{run.benchmark}"]
        meant = plain if len(plain) == 1 else of_model
        if len(meant) == 1 and all(run.name != name for run in runs):
            return meant[0]
        return _pick(runs, name, lambda run: run.name, "run")

    def stored_name(self, name: str) -> str:
        """The name under which writers know a run: the one it came with, whatever it is called now."""
        return next((run.stored_name for run in self.runs() if run.name == name), name)

    def benchmark(self, name: str | None) -> str:
        """The benchmark of that name (or the only one whose name contains it); without a name, the only one there is.

        Raises:
            UsageError: none, or more than one.
        """
        known = sorted({run.benchmark for run in self.runs()})
        # Those without a run can be named; they do not make a store of one benchmark ambiguous.
        added: list[str] = [row[0] for row in self.cached_rows("reads/benchmarks")]
        if name is not None:
            near = name not in added and any(name.lower() in entry.lower() for entry in known)
            return _pick(known if near else added, name, str, "benchmark")
        known = known or added
        if len(known) != 1:
            raise UsageError(
                "Which benchmark?" if known else "The store is empty",
                next_step=f"Name one with --benchmark: {', '.join(known)}" if known else "passk import FILE",
            )
        return known[0]

    # One problem

    def problem_key(self, benchmark: str, name: str) -> int:
        """Key of the problem with that label or id. Raises UsageError: none, or several problems share the id."""
        found = self.rows("reads/problem_labels", benchmark=benchmark, name=name)
        if len(found) == 1:
            return int(found[0][0])
        if found:
            raise UsageError(
                f"{len(found)} problems of {benchmark} have the id {name}",
                "Files gave the same id to different statements.",
                f"Use one of: {', '.join(label for _, label in found)}",
            )
        labels = [row[0] for row in self.rows("reads/known_labels", benchmark=benchmark)]
        raise UsageError(f"{benchmark} has no problem {name}", next_step=suggestion(name, labels, "problem"))

    def labels(self, benchmark: str) -> dict[int, str]:
        """Labels of the problems of a benchmark, by problem key."""
        return dict(self.cached_rows("reads/labels", benchmark=benchmark))

    def problem(self, key: int, run_keys: Sequence[int] = ()) -> Problem:
        """One problem, its tally in every run that has it, and the answers given.

        Args:
            run_keys: runs whose order is to be kept, first; the others follow. Answers of all runs.

        Raises:
            UsageError: no such problem.
        """
        found = self.cached_rows("reads/problem", problem_key=key)
        if not found:
            raise UsageError(f"The store has no problem with the key {key}")
        _, label, benchmark, statement, reference, level, metadata = found[0]
        runs = {run.key: run for run in self.runs(benchmark)}
        order = [*run_keys, *(run for run in runs if run not in run_keys)]
        numbers = {row[0]: row[1:] for row in self.rows("reads/problem_tallies", problem_key=key)}
        counted = self.rows("reads/problem_answers", run_keys=list(numbers), problem_key=key, longest=LONGEST_ANSWER)
        verdicts: dict[int, dict[str, int]] = {run: dict.fromkeys(VERDICTS, 0) for run in numbers}
        for run, _, verdict, times in counted:
            verdicts[run][verdict] += times
        return Problem(
            key=key,
            label=label,
            benchmark=benchmark,
            statement=statement,
            reference=reference,
            level=level,
            metadata=json.loads(metadata) if metadata else {},
            tallies=tuple(
                RunTally(runs[run], n, c, verdicts[run], tokens, texts)
                for run in order
                if run in numbers and run in runs
                for n, c, tokens, texts in [numbers[run]]
            ),
            answers=tuple(
                AnswerCount(runs[run].name, answer, verdict, times)
                for run, answer, verdict, times in counted
                if run in runs
            ),
        )

    def runs_with_texts(self, key: int, run_keys: Sequence[int] = ()) -> tuple[Run, ...]:
        """The runs of which texts of one problem are stored; those given first, in their order."""
        having = {row[0] for row in self.rows("reads/problem_tallies", problem_key=key) if row[4]}
        runs = {run.key: run for run in self.runs()}
        order = [*run_keys, *(run for run in runs if run not in run_keys)]
        return tuple(runs[run] for run in order if run in having)

    # Samples

    def samples(
        self,
        run_key: int,
        problem_key: int,
        *,
        verdict: str | None = None,
        limit: int = 5_000,
        offset: int = 0,
    ) -> Page[Sample]:
        """A page of the samples of one run and problem, by index, without texts."""
        key = {"run_key": run_key, "problem_key": problem_key, "verdict": verdict}
        rows = self.rows("reads/samples", **key, limit=limit, offset=offset)
        total = len(rows)
        if offset or total == limit:
            total = self.rows("reads/sample_count", **key)[0][0]
        sources = self._sources()
        return Page(tuple(_sample(row, sources) for row in rows), offset, total)

    def path(self, run: Run, problem_key: int, sample: int) -> Response:
        """One reasoning path with its exact text. Raises UsageError: no such sample."""
        key = {"run_key": run.key, "problem_key": problem_key, "sample": sample}
        found = self.rows("reads/sample", **key)
        if not found:
            raise UsageError(f"{run.name} has no sample {sample} of this problem")
        row = _sample(found[0], self._sources())
        texts = self.rows("reads/text", **key) if row.characters is not None else []
        text = texts[0][0] if texts else None
        label = self.cached_rows("reads/problem", problem_key=problem_key)[0][1]
        return Response(run, problem_key, label, row, text, locate_answer(text, row.answer) if text else None)

    def paths(
        self,
        run: Run,
        problem_key: int,
        *,
        verdict: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Response]:
        """The paths of one run and problem with their texts, by index, a few in memory at a time."""
        label = self.cached_rows("reads/problem", problem_key=problem_key)[0][1]
        sources = self._sources()
        key = {"run_key": run.key, "problem_key": problem_key, "verdict": verdict, "limit": limit}
        with self.stream("reads/paths", 64, 64, **key) as batches:
            for rows in batches:
                for *fields, text in rows:
                    sample = _sample(tuple(fields), sources)
                    span = locate_answer(text, sample.answer) if text else None
                    yield Response(run, problem_key, label, sample, text, span)

    def _sources(self) -> Sources:
        return {key: (path, name) for key, path, name in self.cached_rows("reads/sources")}


def _run(row: Row, copies: Mapping[str, int]) -> Run:
    key, name, model, role, from_model, step, algorithm, benchmark, parameters, *totals = row
    return Run(
        key,
        name,
        Model(model, role, from_model, step, algorithm),
        benchmark,
        json.loads(parameters) if parameters else {},
        # By the name that it came with: it may be called otherwise now.
        *(*totals, copies.get(totals[-1], 0)),
    )


def _sample(row: Row, sources: Sources) -> Sample:
    *fields, source_key, source_row, overridden = row
    path, importer = sources.get(source_key, (None, None))
    return Sample(*(*fields, path, importer, source_row, overridden))


def _pick(known: Sequence[T], wanted: str, name: Callable[[T], str], what: str) -> T:
    exact = [entry for entry in known if name(entry) == wanted]
    near = exact or [entry for entry in known if wanted.lower() in name(entry).lower()]
    if len(near) == 1:
        return near[0]
    if near:
        raise UsageError(
            f"{len(near)} {what}s match {wanted}",
            next_step=f"Say which: {', '.join(name(entry) for entry in near[:12])}",
        )
    raise UsageError(
        f"There is no {what} {wanted}", next_step=suggestion(wanted, [name(entry) for entry in known], what)
    )
