"""A solve-set comparison read for an export, and problem by problem as csv, jsonl or Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from backend.analysis.audit import audit
from backend.analysis.audit_tables import audit_notes, audit_table
from backend.analysis.comparison import solve_sets
from backend.analysis.cot import settled_counts, valid_sets
from backend.analysis.evidence import set_evidence
from backend.analysis.false_positives import false_positives
from backend.analysis.set_tables import SetsShown, sets_table
from backend.analysis.uncertainty import set_uncertainty
from backend.exporters.protocol import ExportTask
from backend.exporters.samples import stored_problems
from backend.exporters.tables import WRITERS, Row
from backend.records import SetProblem
from backend.records.table import EXPORT, Table
from backend.wording import nothing_in_common

LONGEST_ANSWER = 2_000
"""Longer answers are counted by their beginning, in characters."""
STRETCH = 200
"""Problems whose answers are read at a time."""


def comparison_of(job: ExportTask) -> SetsShown:
    """The comparison that a job asks for, with all that is known beside it but for answers.

    Raises:
        UsageError: fewer than two runs.
    """
    sets = solve_sets(job.reader, job.runs, job.request.min_correct, problems=job.problems)
    if not sets.problems and len(sets.runs) == 2:
        job.notes.append(nothing_in_common(*sets.runs, sets.shared_names))
    supposed = job.request.false_positives
    valid = settled = None
    if job.request.judged:
        valid = valid_sets(job.reader, job.runs, job.request.min_correct, problems=job.problems)
        settled = settled_counts(job.reader, sets.runs)
    return SetsShown(
        sets,
        set_uncertainty(job.reader, sets) if sets.problems else None,
        set_evidence(job.reader, sets),
        valid,
        {problem.key: problem for problem in stored_problems(job.reader, sets.runs)},
        settled,
        {},
        job.provenance.overridden,
        None if supposed is None else false_positives(job.reader, sets, supposed),
    )


def in_question(shown: SetsShown) -> list[SetProblem]:
    """The problems that some runs solve and some do not: base-only and RL-only for a pair, in this order."""
    mixed = [problem for problem in shown.sets.problems if len(set(problem.solved)) > 1]
    order = {solved: place for place, solved in enumerate(shown.sets.counts)}
    return sorted(mixed, key=lambda problem: order[problem.solved])


def export_table(job: ExportTask) -> int:
    """csv, jsonl or Parquet, by the form of the request."""
    shown = comparison_of(job)
    table = sets_table(shown).on(EXPORT)
    writer = WRITERS[job.request.form](job.path, table.columns, job.provenance.full)
    written = 0
    try:
        for rows in _rows(job, shown, table):
            writer.write(rows)
            written += len(rows)
            job.tell(written, len(table.items))
    finally:
        writer.close()
    return written


def export_audit(job: ExportTask) -> int:
    """Where two verifiers disagree, problem by problem."""
    request, (base, rl) = job.request, job.runs
    done = audit(
        job.reader, base, rl, request.first, request.second, min_correct=request.min_correct, problems=job.problems
    )  # fmt: skip
    table = audit_table(done).on(EXPORT)
    writer = WRITERS[request.form](job.path, table.columns, job.provenance.full)
    try:
        writer.write(table.rows)
    finally:
        writer.close()
    job.tell(len(table.items), len(table.items))
    job.notes += audit_notes(done)
    return len(table.items)


def _rows(job: ExportTask, shown: SetsShown, table: Table) -> Iterator[list[Row]]:
    """Rows in stretches, in the order of the benchmark: only the answers of one stretch are in memory."""
    for start in range(0, len(table.items), STRETCH):
        together = table.items[start : start + STRETCH]
        shown.answers.clear()
        shown.answers.update(_answers(job, shown, together))
        yield [table.values(problem) for problem in together]


def _answers(
    job: ExportTask, shown: SetsShown, problems: Sequence[SetProblem]
) -> dict[tuple[int, int], list[dict[str, Any]]]:
    """By problem and run key, the answers given with verdict and count; nothing where only counts are stored."""
    found: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for key, run, answer, verdict, count in job.reader.rows(
        "exports/answers",
        run_keys=[run.key for run in shown.sets.runs],
        problem_keys=[problem.key for problem in problems],
        longest=LONGEST_ANSWER,
    ):
        found.setdefault((key, run), []).append({"answer": answer, "verdict": verdict, "count": count})
    return found
