"""Rows of tabular files (jsonl, csv, Parquet, or what a statement makes of any file) and which column holds what."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from backend.errors import UsageError, suggestion
from backend.importers.source import SourceFile, input_error, parquet_batches, parquet_errors
from backend.importers.values import json_lines, kind_of_value, read_document

# Which column of a tabular file holds what: by usual names, or as the user says with --column FIELD=COLUMN.

RUN_FIELDS = {
    "run": ("run", "run_name"),
    "model": ("model", "model_name", "model_id"),
    "role": ("role", "model_role"),
    "from_model": ("from_model", "base_model"),
    "step": ("step", "global_step", "training_step"),
    "algorithm": ("algorithm",),
    "benchmark": ("benchmark", "dataset", "data_source", "task"),
}
"""Fields that say which run a row belongs to."""

PARAMETERS = ("temperature", "top_p", "top_k", "min_p", "max_tokens", "template", "prompt_template")
"""Sampling parameters; they are constant in a run."""

PROBLEM_FIELDS = {
    "problem": ("problem", "problem_id", "task_id", "question_id", "doc_id", "example_id", "id", "idx", "uid"),
    "statement": ("statement", "question", "prompt", "problem_statement", "problem_text", "query", "input"),
    "level": ("level", "difficulty"),
    "metadata": ("metadata",),
    "context": ("context", "passage"),
    "options": ("options", "choices"),
    "images": ("images", "image", "image_path"),
    "tests": ("tests",),
}

SAMPLE_FIELDS = {
    "text": ("text", "completion", "response", "generation", "output", "full_model_response", "model_output"),
    "verdict": ("verdict", "is_correct", "correct", "passed", "score", "reward", "acc", "accuracy"),
    "answer": ("extracted_answer", "model_answer", "prediction", "predicted_answer", "pred", "answer"),
    "reference": ("reference", "reference_answer", "expected_answer", "ground_truth", "gold", "gt", "target", "answer"),
    "index": ("index", "sample", "sample_index", "sample_idx", "completion_id", "epoch"),
    "tokens": ("tokens", "num_tokens", "n_tokens", "completion_tokens", "output_tokens", "response_length"),
    "finish_reason": ("finish_reason", "stop_reason"),
    "seed": ("seed",),
    "logprob_sum": ("logprob_sum", "cumulative_logprob"),
    "failure": ("error", "error_message", "exception", "failure"),
    "detail": ("detail", "result", "explanation"),
}

COUNT_FIELDS = {
    "n": ("n", "samples", "num_samples", "n_samples", "total", "num_total", "num_rollouts", "attempts", "trials"),
    "c": (
        "c", "num_correct", "correct", "n_correct", "correct_count", "num_passed", "n_passed", "num_success",
        "successes",
    ),
}  # fmt: skip


def map_columns(
    present: Iterable[str],
    fields: Mapping[str, tuple[str, ...]],
    chosen: Mapping[str, str],
    *,
    extra_allowed: bool = False,
) -> dict[str, str]:
    """Field -> column, for the fields that the file has. A column serves one field; the user's choice goes first.

    Raises:
        UsageError: a chosen column is not in the file, or the field does not exist.
    """
    present = list(present)
    taken: dict[str, str] = {}
    for field, column in chosen.items():
        if field not in fields:
            if extra_allowed:
                continue
            raise UsageError(
                f"--column {field}={column}: unknown field", next_step=suggestion(field, list(fields), "field")
            )
        if column not in present:
            raise UsageError(
                f"--column {field}={column}: no such column", next_step=suggestion(column, present, "column")
            )
        taken[field] = column
    for field, names in fields.items():
        free = [name for name in names if name in present and name not in taken.values()]
        if field not in taken and free:
            taken[field] = free[0]
    return taken


def move_statement(
    source: SourceFile, mapping: dict[str, str], present: Sequence[str], chosen: Mapping[str, str]
) -> None:
    """MATH-like files call the statement `problem`: then it holds a sentence, and another column the id."""
    named = mapping.get("problem")
    if named is None or named in chosen.values() or "statement" in mapping:
        return
    values = first_values(source, [named])
    if values and isinstance(values[0], str) and any(space in values[0].strip() for space in " \n"):
        mapping["statement"] = named
        rest = [column for column in present if column not in mapping.values()]
        del mapping["problem"]
        mapping.update(map_columns(rest, {"problem": PROBLEM_FIELDS["problem"]}, {}))


# Rows of tabular files (jsonl, csv, Parquet) with chosen columns, each row with its number for error messages.

Row = tuple[int, Sequence[Any]]
"""Row number from 1 (the line, in text files) and the values of the chosen columns; None where there is none."""


def looks_like_csv(source: SourceFile) -> list[str] | None:
    """The header of a file with commas, tabs or semicolons between its columns; None when it is no such file."""
    head = source.head
    if not head or source.is_parquet:
        return None
    first = head.lstrip(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    if b"\0" in first:
        return None
    try:
        line = first.decode("utf-8").strip("\r")
    except UnicodeDecodeError:
        return None
    if line[:1] in "{[<" or len(line) > 20_000:
        return None
    try:
        header = next(csv.reader([line], delimiter=source.delimiter), [])
    except csv.Error:
        return None
    names = [name.strip() for name in header]
    usable = len(names) > 1 and all(names) and len(set(names)) == len(names)
    return names if usable else None


def column_names(source: SourceFile) -> list[str] | None:
    """The columns of a tabular file (of its first line, for jsonl); None when it is none."""
    if source.selected is not None:
        return list(source.selected.columns)
    if source.is_parquet:
        import pyarrow.parquet as pq

        with parquet_errors(source):
            return list(pq.read_schema(source.local).names)
    first = source.first_object or source.first_in_array
    return list(first) if first is not None else looks_like_csv(source)


def constant_columns(source: SourceFile) -> dict[str, Any]:
    """Columns of a Parquet file that hold one value throughout, by its own statistics; none for other files.

    Model, parameters and the like mostly are: they need not be read row by row.
    """
    if not source.is_parquet or source.selected is not None:
        return {}
    import pyarrow.parquet as pq

    with parquet_errors(source):
        metadata = pq.ParquetFile(source.local).metadata
        return _constants(metadata)


def _constants(metadata: Any) -> dict[str, Any]:
    found: dict[str, set[Any]] = {}
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            column = metadata.row_group(group).column(place)
            statistics = column.statistics
            values = found.setdefault(column.path_in_schema, set())
            if statistics is None or not statistics.has_null_count:
                values.update((True, False))  # unknown: not constant
            elif statistics.null_count == metadata.row_group(group).num_rows:
                values.add(None)
            elif statistics.null_count or not statistics.has_min_max or statistics.min != statistics.max:
                values.update((True, False))
            elif isinstance(statistics.min, str | int | float):
                # Long strings may be cut in statistics.
                short = not isinstance(statistics.min, str) or len(statistics.min) < 60
                values.update((statistics.min,) if short else (True, False))
            else:
                values.update((True, False))
    return {column: next(iter(values)) for column, values in found.items() if len(values) == 1}


def first_values(source: SourceFile, columns: Sequence[str]) -> Sequence[Any]:
    """The first row's values; empty when there is no row."""
    return next((values for _, values in read_rows(source, columns)), ())


def read_rows(source: SourceFile, columns: Sequence[str]) -> Iterator[Row]:
    """Every row of the file.

    Raises:
        InputError: a line is no row of this file: broken JSON, too few fields, not UTF-8.
    """
    if source.selected is not None:
        return source.selected.rows(columns)
    if source.is_parquet:
        return _parquet_rows(source, columns)
    if source.first_object is not None:
        return _json_rows(source, columns)
    if source.first_in_array is not None:
        return _array_rows(source, columns)
    return _csv_rows(source, columns)


def _json_rows(source: SourceFile, columns: Sequence[str]) -> Iterator[Row]:
    for number, record in json_lines(source):
        get = record.get
        yield number, [get(column) for column in columns]


def array_entries(source: SourceFile) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON array with their numbers, from 1; raises like `SourceFile.pass_over` at anything else."""
    for number, record in enumerate(read_document(source), 1):
        if not isinstance(record, dict):
            expected = f"expected a JSON object, found {kind_of_value(record)}"
            source.pass_over(input_error(source, number, expected, where="entry"))
            continue
        if source.passes_over(number):
            continue
        source.row = number
        yield number, record


def _array_rows(source: SourceFile, columns: Sequence[str]) -> Iterator[Row]:
    for number, record in array_entries(source):
        yield number, [record.get(column) for column in columns]


def _parquet_rows(source: SourceFile, columns: Sequence[str]) -> Iterator[Row]:
    for first, values in parquet_batches(source, columns, 4_096):
        for number, row in enumerate(zip(*values, strict=True), first):
            if source.bad_rows is None or number not in source.bad_rows:
                yield number, row


def _csv_rows(source: SourceFile, columns: Sequence[str]) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    header = looks_like_csv(source) or []
    places = [header.index(column) for column in columns]
    plain = source.compression is None
    with source.open() as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=source.delimiter, strict=True)
        try:
            next(reader)
            for values in reader:
                if not values or source.passes_over(reader.line_num):
                    continue
                if len(values) != len(header):
                    wrong = f"{len(values)} fields where the header has {len(header)}"
                    source.pass_over(input_error(source, reader.line_num, wrong))
                    continue
                # An empty cell is a missing value, except that a text may be empty; see long_form.
                yield reader.line_num, [values[place] for place in places]
                if plain:
                    source.bytes_read = raw.tell()
        except UnicodeDecodeError as error:
            raise input_error(source, reader.line_num + 1, "not UTF-8", "Convert the file to UTF-8.") from error
        except csv.Error as error:
            raise input_error(source, reader.line_num, f"not CSV: {error}") from error
