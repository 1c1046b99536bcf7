"""Samples in the long form, one a row with everything known about it: what `passk import` reads back.

They are read in stretches of problems, so that memory does not depend on how many there are. Beside a sample stands
what was said of it later: other verdicts, scores with their perplexities, every judgement with author and time, and
what these settle. An import takes the samples without that: it belongs to the store where somebody said it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from backend.exporters.escaping import fenced, for_html, for_markdown, json_text
from backend.exporters.protocol import ExportTask
from backend.exporters.tables import WRITERS, Row
from backend.importers.tables import PARAMETERS
from backend.records import Run
from backend.records.table import Column, Kind
from backend.store.reads import Reader
from backend.text_search import pattern

# Samples in the long form, one a row with everything known about it: what `passk import` reads back. They are read in
# stretches of problems, so that memory does not depend on how many there are. Beside a sample stands what was said of
# it later: other verdicts, scores with their perplexities, every judgement with author and time, and what these
# settle. An import takes the samples without that: it belongs to the store where somebody said it.

STRETCH = 4_096
"""Samples that are read at a time ..."""
STRETCH_CHARACTERS = 12_000_000
"""... or fewer, if their texts are longer than this together."""

RUN_COLUMNS = (
    Column("run"), Column("model"), Column("role"), Column("from_model"), Column("step", "whole"), Column("algorithm"),
    Column("benchmark"),
)  # fmt: skip
PROBLEM_COLUMNS = (
    Column("problem"), Column("position", "whole"), Column("statement"), Column("reference"), Column("level"),
    Column("metadata", "json"),
)  # fmt: skip
SAMPLE_COLUMNS = (
    Column("index", "whole"), Column("verdict"), Column("extracted_answer"), Column("detail"),
    Column("tokens", "whole"), Column("finish_reason"), Column("seed", "whole"), Column("logprob_sum", "number"),
    Column("source"), Column("format"), Column("source_row", "whole"), Column("verdicts", "json"),
    Column("scores", "json"), Column("judgement"), Column("judgements", "json"), Column("text"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredProblem:
    key: int
    benchmark: str
    id: str
    label: str
    position: int
    statement: str | None
    reference: str | None
    level: str | None
    metadata: Any

    @property
    def fields(self) -> tuple[Any, ...]:
        """As `PROBLEM_COLUMNS` has them."""
        return self.id, self.position, self.statement, self.reference, self.level, self.metadata


def stored_problems(
    reader: Reader, runs: Sequence[Run], problems: Collection[int] | None = None
) -> tuple[StoredProblem, ...]:
    """The problems of some runs, in the order of their benchmarks.

    Args:
        problems: only those with these keys.
    """
    found = []
    for *fields, metadata in reader.rows("exports/problems", run_keys=[run.key for run in runs]):
        if problems is None or fields[0] in problems:
            row = (*fields, json.loads(metadata) if metadata else None)
            found.append(StoredProblem(*row))
    return tuple(found)


class RunTable:
    """The columns that are the same for all samples of a run.

    A sampling parameter has a column of its own if it is a number in every run, or text in every run; what else is
    known of the parameters is in the column `parameters`.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.typed = {name: kind for name in PARAMETERS if (kind := _kind([run.parameters.get(name) for run in runs]))}
        self.columns = (
            *RUN_COLUMNS, *(Column(name, kind) for name, kind in self.typed.items()), Column("parameters"),
        )  # fmt: skip

    def values(self, run: Run) -> tuple[Any, ...]:
        model = run.model
        rest = {name: value for name, value in sorted(run.parameters.items()) if name not in self.typed}
        return (
            run.name, model.name, model.role, model.from_model, model.step, model.algorithm, run.benchmark,
            *(run.parameters.get(name) for name in self.typed), json_text(rest) if rest else None,
        )  # fmt: skip


def _kind(values: Sequence[Any]) -> Kind | None:
    known = [value for value in values if value is not None]
    if not known or any(isinstance(value, bool) for value in known):
        return None
    if all(isinstance(value, int) for value in known):
        return "whole"
    if all(isinstance(value, int | float) for value in known):
        return "number"
    return "text" if all(isinstance(value, str) and value for value in known) else None


def batches_of_problems(
    reader: Reader, run: Run, problems: Sequence[StoredProblem], verdict: str | None = None, limit: int | None = None
) -> Iterator[tuple[list[StoredProblem], int]]:
    """Problems of a run in their order, as many at a time as memory should hold, and how many samples they have."""
    sizes = {
        key: (samples, characters)
        for key, samples, characters in reader.rows("exports/sizes", run_key=run.key, verdict=verdict)
    }
    together: list[StoredProblem] = []
    count = length = 0
    for problem in problems:
        if problem.key not in sizes:
            continue
        samples, characters = sizes[problem.key]
        taken = samples if limit is None else min(samples, limit)
        characters = characters * taken // samples
        if together and (count + taken > STRETCH or length + characters > STRETCH_CHARACTERS):
            yield together, count
            together, count, length = [], 0, 0
        together.append(problem)
        count, length = count + taken, length + characters
    if together:
        yield together, count


class SampleRows:
    """Reads the samples of the runs of a job, stretch by stretch, in the order of runs, problems and indices."""

    def __init__(self, job: ExportTask) -> None:
        self.job = job
        self.table = RunTable(job.runs)
        self.columns = (*self.table.columns, *PROBLEM_COLUMNS, *SAMPLE_COLUMNS)
        self.problems = stored_problems(job.reader, job.runs, job.problems)
        self.sources: Mapping[int, tuple[str, str]] = {
            key: (path, name) for key, path, name in job.reader.rows("reads/sources")
        }
        self.find = pattern(job.request.find) if job.request.find is not None else None
        self.found: dict[int, dict[int, set[int]]] = {}
        """By run key, once it was looked for."""

    def plan(self) -> list[tuple[Run, list[StoredProblem], int]]:
        """What is to be read: run, problems, samples at most."""
        request = self.job.request
        return [
            (run, together, 1 if request.sample is not None else count)
            for run in self.job.runs
            for together, count in batches_of_problems(
                self.job.reader, run, self._of(run), request.verdict, request.limit
            )
        ]

    def _of(self, run: Run) -> list[StoredProblem]:
        """The problems of a run; where something is to be found, only those in whose samples it is."""
        here = [problem for problem in self.problems if problem.benchmark == run.benchmark]
        if self.find is None:
            return here
        return [problem for problem in here if problem.key in self._found(run)]

    def _found(self, run: Run) -> Mapping[int, Collection[int]]:
        """By problem key: the samples of a run in which it is found."""
        assert self.find is not None
        if run.key not in self.found:
            of_run = self.found[run.key] = {}
            which = {"run_key": run.key, "verdict": self.job.request.verdict, "pattern": self.find.sql}
            for key, sample in self.job.reader.rows(self.find.samples_query, **which):
                of_run.setdefault(key, set()).add(sample)
        return self.found[run.key]

    def batches(self) -> Iterator[list[Row]]:
        """Rows in stretches; tells the job how far it is."""
        plan = self.plan()
        total, done = sum(count for _, _, count in plan), 0
        self.job.tell(0, total)
        for run, together, count in plan:
            yield from self._read(run, together)
            done += count
            self.job.tell(done, total)

    def _read(self, run: Run, together: Sequence[StoredProblem]) -> Iterator[list[Row]]:
        reader, request = self.job.reader, self.job.request
        which = {"run_key": run.key, "problem_keys": [problem.key for problem in together]}
        beside = {name: self._beside(name, which) for name in ("verdicts", "scores", "judgements")}
        for entry in (entry for entries in beside["scores"].values() for entry in entries):
            entry["perplexity"] = _perplexity(entry["logprob_sum"], entry["tokens"])
        settled = {(key, sample): judgement for key, sample, judgement in reader.rows("exports/settled", **which)}
        of_run = self.table.values(run)
        found: dict[int, list[Row]] = {}
        limit = request.limit if self.find is None else None
        for key, sample, *fields, source_key, source_row, text in reader.rows(
            "exports/samples", **which, verdict=request.verdict, sample=request.sample, limit=limit
        ):
            if self.find is not None and (
                sample not in self._found(run)[key] or len(found.get(key, ())) == request.limit
            ):
                continue
            verdict, detail, answer, *rest = fields
            source = self.sources.get(source_key, (None, None))
            verdicts, scores, judgements = (entries.get((key, sample)) for entries in beside.values())
            more = (verdicts, scores, settled.get((key, sample)), judgements)
            found.setdefault(key, []).append((sample, verdict, answer, detail, *rest, *source, source_row, *more, text))
        rows: list[Row] = [
            (*of_run, *problem.fields, *sample) for problem in together for sample in found.get(problem.key, ())
        ]
        if rows:
            yield rows

    def _beside(self, name: str, which: Mapping[str, Any]) -> dict[tuple[int, int], list[dict[str, Any]]]:
        """What stands beside the samples in another table, by problem key and index."""
        import queries

        names = [column for column, _ in queries.query(f"exports/{name}").columns][2:]
        found: dict[tuple[int, int], list[dict[str, Any]]] = {}
        for key, sample, *values in self.job.reader.rows(f"exports/{name}", **which):
            entry = {
                column: value.isoformat(timespec="microseconds") if column == "created" and value else value
                for column, value in zip(names, values, strict=True)
            }
            found.setdefault((key, sample), []).append(entry)
        return found


def _perplexity(logprob_sum: float | None, tokens: int | None) -> float | None:
    """Of a text whose tokens have this sum of log-probabilities; None where it is unknown or too large for a float."""
    if logprob_sum is None or not tokens:
        return None
    try:
        return math.exp(-logprob_sum / tokens)
    except OverflowError:
        return None


def export_samples(job: ExportTask) -> int:
    """Write jsonl or Parquet, by the form of the request."""
    rows = SampleRows(job)
    writer = WRITERS[job.request.form](job.path, rows.columns, job.provenance.full)
    written = 0
    try:
        for batch in rows.batches():
            writer.write(batch)
            written += len(batch)
    finally:
        writer.close()
    counts_only = [run.name for run in job.runs if not run.texts and run.samples]
    if counts_only and not written:
        job.notes.append(f"{', '.join(counts_only)}: published counts, no samples are stored")
    return written


# Reasoning paths as Markdown, to be read: the statement of each problem, then its samples.

KNOWN = (
    ("extracted_answer", "answer"), ("tokens", "tokens"), ("finish_reason", "finish reason"), ("detail", "detail"),
    ("seed", "seed"), ("logprob_sum", "sum of log-probabilities"), ("source", "file"), ("source_row", "row"),
)  # fmt: skip
"""Column of the long form, and what a person calls it."""


def export_paths(job: ExportTask) -> int:
    rows = SampleRows(job)
    names = [column.key for column in rows.columns]
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
