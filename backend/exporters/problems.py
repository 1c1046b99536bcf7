"""Problems as a training or evaluation file: jsonl, Parquet, or the Parquet form that verl trains from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.analysis.comparison import tallies_of
from backend.exporters.escaping import json_line
from backend.exporters.protocol import ExportTask
from backend.exporters.samples import PROBLEM_COLUMNS, StoredProblem, stored_problems
from backend.exporters.tables import WRITERS, Row
from backend.records.table import Column

COLUMNS = (Column("benchmark"), *PROBLEM_COLUMNS, Column("tallies", "json"))


def _chosen(job: ExportTask) -> tuple[StoredProblem, ...]:
    return stored_problems(job.reader, job.runs, job.problems)


def problem_rows(job: ExportTask) -> list[Row]:
    """One problem a row, as `COLUMNS` has it, with n and c of every run; if asked, how its right paths were judged."""
    problems = _chosen(job)
    settled = (
        job.reader.rows("judgements/tallies", run_keys=[run.key for run in job.runs]) if job.request.judged else ()
    )
    judged = {
        (run, key): {"valid": valid, "invalid": invalid, "unsure": unsure}
        for run, key, valid, invalid, unsure in settled
    }
    counted: dict[int, list[dict[str, Any]]] = {}
    tallies = tallies_of(job.reader, job.runs, job.problems)
    for run in job.runs:
        for key, n, c in zip(*(column.tolist() for column in tallies[run.key]), strict=True):
            said = judged.get((run.key, key), {})
            counted.setdefault(key, []).append({"run": run.name, "n": n, "c": c, **said})
    return [(problem.benchmark, *problem.fields, counted.get(problem.key)) for problem in problems]


def export_problems(job: ExportTask) -> int:
    """Write jsonl or Parquet, by the form of the request."""
    rows = problem_rows(job)
    writer = WRITERS[job.request.form](job.path, COLUMNS, job.provenance.full)
    try:
        writer.write(rows)
    finally:
        writer.close()
    job.tell(len(rows), len(rows))
    return len(rows)


def export_verl(job: ExportTask) -> int:
    """What verl's RLHFDataset reads: data_source, prompt as a chat, ability, reward_model, extra_info.

    The prompt is the statement alone; verl lays the model's chat template around it. Problems without a statement
    or a reference answer cannot be trained on: they are left out, and said so.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = _chosen(job)
    problems = [problem for problem in found if problem.statement and problem.reference]
    if left_out := len(found) - len(problems):
        job.notes.append(f"{left_out} problems without a statement or a reference answer, left out")
    known = job.reader.rows("reads/benchmark", benchmark=job.runs[0].benchmark)
    ability = str(known[0][0]) if known and known[0][0] else "reasoning"
    schema = pa.schema(
        {
            "data_source": pa.string(),
            "prompt": pa.list_(pa.struct({"role": pa.string(), "content": pa.string()})),
            "ability": pa.string(),
            "reward_model": pa.struct({"style": pa.string(), "ground_truth": pa.string()}),
            "extra_info": pa.struct(
                {"split": pa.string(), "index": pa.int64(), "problem": pa.string(), "level": pa.string()}
            ),
        }.items(),
        metadata={b"passk": json_line(job.provenance.full)},
    )
    rows = _verl_rows(problems, ability)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), job.path, compression="zstd")
    job.tell(len(rows), len(rows))
    return len(rows)


def _verl_rows(problems: Sequence[StoredProblem], ability: str) -> list[dict[str, Any]]:
    return [
        {
            "data_source": problem.benchmark,
            "prompt": [{"role": "user", "content": problem.statement}],
            "ability": ability,
            "reward_model": {"style": "rule", "ground_truth": problem.reference},
            "extra_info": {"split": "train", "index": index, "problem": problem.id, "level": problem.level},
        }
        for index, problem in enumerate(problems)
    ]
