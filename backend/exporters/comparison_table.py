"""A solve-set comparison problem by problem, as csv, jsonl or Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from backend.exporters.comparison import Comparison, comparison_of
from backend.exporters.protocol import Job
from backend.exporters.samples import StoredProblem, stored_problems
from backend.exporters.tables import WRITERS, Column, Row
from backend.records import Run, SetProblem
from backend.store.reads import Reader

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
                doubt = certainty.run_doubt[place].get(problem.key) if certainty.run_doubt else None
                judged = settled.get((run.key, problem.key), (0, 0, 0) if run.texts else (None, None, None))
                of_runs += [run.name, tally.n, tally.c, *interval, doubt, *judged, given.get((problem.key, run.key))]
            valid = by_valid.get(problem.key)
            name = None if valid is None else comparison.set_name(valid)
            rows.append((*_shared(comparison, problem, stored[problem.key]), name, *of_runs))
        yield rows


def _shared(comparison: Comparison, problem: SetProblem, stored: StoredProblem) -> tuple[Any, ...]:
    return (
        stored.benchmark, problem.label, comparison.set_name(problem.solved), stored.level, stored.reference,
        stored.statement, comparison.certainty.doubt.get(problem.key),
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


def export_table(job: Job) -> int:
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
