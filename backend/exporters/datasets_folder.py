"""A folder that `load_dataset` reads, that the hub shows, and that `passk import` reads back (extra `datasets`).

- README.md: the card, with the runs, their parameters, and the configurations
- samples/*.parquet: every sample with its text, in the long form, a file a run
- counts/*.parquet: published n and c of runs of which no sample is stored
- problems/*.parquet: the problems
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.analysis.comparison import restrict_runs
from backend.errors import PasskError, UsageError
from backend.exporters.escaping import fenced, for_markdown, json_text
from backend.exporters.export import CARD, MARK
from backend.exporters.problems import COLUMNS, problem_rows
from backend.exporters.protocol import ExportTask, parameters_in_words
from backend.exporters.samples import PROBLEM_COLUMNS, RunTable, SampleRows, stored_problems
from backend.exporters.tables import Parquet, type_of
from backend.records.table import Column

COUNTED = (Column("n", "whole"), Column("c", "whole"))
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
"""Size classes of the hub."""


def export_folder(job: ExportTask) -> int:
    """Samples, counts, problems and the card. Raises UsageError: datasets is missing."""
    try:
        from datasets import Features, Value
    except ImportError as error:
        raise UsageError(
            "This is written with Hugging Face datasets, which is not installed",
            next_step='pip install "passk-explorer[datasets]", or export one file: paths --to FILE.parquet',
        ) from error

    def writer(name: str, number: int, columns: Sequence[Column]) -> Parquet:
        # The types stand in each file, so that load_dataset need not guess them.
        features = Features({column.key: Value(type_of(column)) for column in columns})
        folder = job.path / name
        folder.mkdir(exist_ok=True)
        path = folder / f"{number:05d}.parquet"
        return Parquet(path, columns, job.provenance.full, dict(features.arrow_schema.metadata))

    samples = _samples(job, writer)
    counts = _counts(job, writer)
    table = writer("problems", 0, COLUMNS)
    rows = problem_rows(job)
    table.write(rows)
    table.close()
    sizes = {"samples": samples, "counts": counts, "problems": len(rows)}
    _write_card(job, {name: size for name, size in sizes.items() if size})
    return samples or counts


def _samples(job: ExportTask, writer: Any) -> int:
    rows = SampleRows(job)
    table: Parquet | None = None
    current, number, written = None, 0, 0
    try:
        for batch in rows.batches():
            if batch[0][0] != current:
                if table is not None:
                    table.close()
                table, current, number = writer("samples", number, rows.columns), batch[0][0], number + 1
            if table is not None:
                table.write(batch)
            written += len(batch)
    finally:
        if table is not None:
            table.close()
    return written


def _counts(job: ExportTask, writer: Any) -> int:
    by_key = {run.key: run for run in job.runs}
    problems = {problem.key: problem for problem in stored_problems(job.reader, job.runs, job.problems)}
    table = RunTable(job.runs)
    order = {key: place for place, key in enumerate([*by_key, *problems])}
    found = [row for row in job.reader.rows("exports/counts", run_keys=list(by_key)) if row[1] in problems]
    rows = [
        (*table.values(by_key[run]), *problems[key].fields, n, c)
        for run, key, n, c in sorted(found, key=lambda row: (order[row[0]], order[row[1]]))
    ]
    if rows:
        counts = writer("counts", 0, (*table.columns, *PROBLEM_COLUMNS, *COUNTED))
        counts.write(rows)
        counts.close()
    return len(rows)


def _write_card(job: ExportTask, sizes: dict[str, int]) -> None:
    from huggingface_hub import DatasetCardData

    largest = max(sizes.values(), default=0)
    benchmarks = sorted({run.benchmark for run in job.runs})
    data = DatasetCardData(
        pretty_name=", ".join(benchmarks),
        size_categories=[next((words for limit, words in SIZES if largest < limit), "n>1M")],
        tags=["pass-at-k", "reasoning", "passk"],
        configs=[
            {
                "config_name": name,
                "data_files": [{"split": "train", "path": f"{name}/*.parquet"}],
                **({"default": True} if place == 0 else {}),
            }
            for place, name in enumerate(sizes)
        ],
    )
    lines = ["---", data.to_yaml(), "---", "", f"# {for_markdown(', '.join(benchmarks))}", ""]
    lines += ["| run | model | role | problems | samples | n | sampling parameters |"]
    lines += ["| --- | --- | --- | ---: | ---: | ---: | --- |"]
    for run in restrict_runs(job.reader, job.runs, job.problems):
        n = "–" if run.n_min is None else str(run.n_min) if run.n_min == run.n_max else f"{run.n_min}–{run.n_max}"
        cells = [for_markdown(run.name), for_markdown(run.model.name), run.model.role or "unknown"]
        cells += [f"{run.problems:,}", f"{run.samples:,}", n, for_markdown(parameters_in_words(run) or "unknown")]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *(f"- `{name}`: {size:,} rows" for name, size in sizes.items()), ""]
    first = next(iter(sizes), "problems")
    lines += [
        "```python",
        "from datasets import load_dataset",
        "",
        f'load_dataset("FOLDER", "{first}", split="train")',
        "```",
    ]
    lines += ["", "`passk import FOLDER` reads it back into a store.", ""]
    lines += [
        f"<!-- {MARK} -->",
        "",
        for_markdown(job.provenance.words),
        "",
        fenced(json_text(job.provenance.full)),
        "",
    ]
    (job.path / CARD).write_text("\n".join(lines), encoding="utf-8")


def push_dataset(folder: Path, name: str) -> str:
    """Upload an exported folder to the hub as a dataset, private where it is new.

    Returns:
        Where it is.

    Raises:
        UsageError: no network, no token, or no right to that name.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        api.create_repo(name, repo_type="dataset", private=True, exist_ok=True)
        api.upload_folder(repo_id=name, repo_type="dataset", folder_path=str(folder))
    except PasskError:
        raise
    except Exception as error:
        raise UsageError(
            f"{name} could not be pushed; the folder {folder} is written",
            f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            "Sign in with `hf auth login` on a machine with a network, then push it again with --force.",
        ) from error
    return f"datasets/{name}"
