"""Reasoning paths as Markdown, to be read: the statement of each problem, then its samples."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from backend.exporters.escaping import fenced, for_html, for_markdown, json_text
from backend.exporters.protocol import Job
from backend.exporters.samples import SampleRows

KNOWN = (
    ("extracted_answer", "answer"), ("tokens", "tokens"), ("finish_reason", "finish reason"), ("detail", "detail"),
    ("seed", "seed"), ("logprob_sum", "sum of log-probabilities"), ("source", "file"), ("source_row", "row"),
)  # fmt: skip
"""Column of the long form, and what a person calls it."""


def export_paths(job: Job) -> int:
    """The file, sample by sample."""
    rows = SampleRows(job)
    names = [column.name for column in rows.columns]
    written = 0
    with open(job.path, "w", encoding="utf-8") as file:
        for batch in rows.batches():
            records = [dict(zip(names, row, strict=True)) for row in batch]
            for _, group in groupby(records, key=_place):
                samples = list(group)
                file.write(_problem(samples[0]))
                for sample in samples:
                    file.write(_sample(sample))
            written += len(batch)
        origin = for_html(json_text(job.provenance.full)).replace("--", "-&#45;")
        file.write(f"{for_markdown(job.provenance.words)}\n\n<!-- passk-export {origin} -->\n")
    return written


def _place(record: dict[str, Any]) -> tuple[Any, ...]:
    return record["run"], record["problem"], record["statement"]


def _problem(record: dict[str, Any]) -> str:
    heading = f"# {for_markdown(record['benchmark'])}, problem {for_markdown(record['problem'])}\n\n"
    parts = [heading, f"Run {for_markdown(record['run'])}\n\n"]
    if record["statement"] is not None:
        parts.append(fenced(record["statement"]) + "\n\n")
    if record["reference"] is not None:
        parts.append(f"Reference answer: {for_markdown(record['reference'])}\n\n")
    return "".join(parts)


def _shown(value: Any) -> str:
    """As many digits as a person reads."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _sample(record: dict[str, Any]) -> str:
    known = [
        f"{word} {for_markdown(_shown(record[name]), 300)}" for name, word in KNOWN if record[name] not in (None, "")
    ]
    parts = [f"## Sample {record['index']}: {for_markdown(record['verdict'])}\n\n"]
    if known:
        parts.append(", ".join(known) + "\n\n")
    for judgement in record["judgements"] or ():
        said = for_markdown(judgement["judgement"] or "note")
        note = f": {for_markdown(judgement['note'])}" if judgement["note"] else ""
        parts.append(f"- {said} ({for_markdown(judgement['author'])}){note}\n")
    if record["judgements"]:
        parts.append("\n")
    parts.append((fenced(record["text"]) if record["text"] is not None else "No text is stored.") + "\n\n")
    return "".join(parts)
