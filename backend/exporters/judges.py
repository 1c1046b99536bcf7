"""Judges of reasoning beside people and each other: the table of `passk judgements judges` as a file."""

from __future__ import annotations

from backend.analysis.judge_tables import judges_table
from backend.analysis.judges import compare_judges
from backend.exporters.protocol import ExportTask
from backend.exporters.tables import WRITERS
from backend.records.table import EXPORT


def export_judges(job: ExportTask) -> int:
    """csv, jsonl or Parquet, by the form of the request."""
    table = judges_table(compare_judges(job.reader, job.runs, job.problems)).on(EXPORT)
    writer = WRITERS[job.request.form](job.path, table.columns, job.provenance.full)
    try:
        writer.write(table.rows)
    finally:
        writer.close()
    job.tell(len(table.rows), len(table.rows))
    return len(table.rows)
