"""What is wrong with a file that nobody reads, and what its owner can do: as far as it can be seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backend.errors import InputError, PasskError
from backend.importers.protocol import HEAD, SourceFile
from backend.importers.registry import importers
from backend.importers.tables import column_names

COLUMNS = (
    "Say which column holds what: --column problem=COL (or statement=COL) with --column text=COL or "
    "--column verdict=COL; for counts --column c=COL and --n N."
)
FORMATS = "If you know what it is, say so with --format NAME."
MOST_NAMED = 12
"""Columns that are named."""


def not_recognised(source: SourceFile) -> InputError:
    """The error for a file that nobody reads."""
    found, next_step = _diagnosis(source)
    known = f"Known formats: {', '.join(importers())}."
    return InputError(f"{source.path}: not recognised as a result file", f"{found} {known}".strip(), next_step)


def why_left(source: SourceFile) -> str:
    """Why a file of a folder is none to import, where it is of a kind that could be missed; else empty."""
    document = _document(source) if source.first_document.startswith(b"{") else None
    scores = _of_scores(document) if document is not None else None
    return scores[0][0].lower() + scores[0][1:].rstrip(".") if scores else ""


def nothing_to_import(looked_at: int) -> InputError:
    """The error for folders in which no file is a result file."""
    found = f"None of the {looked_at:,} files there is of a known format." if looked_at else "There are no files."
    return InputError("No result file to import", found, "To hear what is wrong with a file, name it.")


def _diagnosis(source: SourceFile) -> tuple[str, str]:
    head = source.head
    if not head.strip():
        return (f"It is empty, or damaged as {source.compression}." if source.compression else "It is empty."), (
            "Was the run that writes it finished?"
        )
    if head.startswith(b"PK\x03\x04"):
        return (
            "It is a zip archive, damaged or without the header or journal of an Inspect log.",
            "Unpack it and import what it holds.",
        )
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "It is UTF-16 or UTF-32; convert it to UTF-8.", "For example: iconv -f UTF-16 -t UTF-8 FILE > NEW."
    if source.is_parquet:
        return _of_columns(source)
    if b"\0" in head:
        return "It is not text.", FORMATS
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4 or len(head) < HEAD:
            line = head.count(b"\n", 0, error.start) + 1
            return (
                f"It is not UTF-8: line {line}, byte {error.start}.",
                "Convert it, for example: iconv -f LATIN1 -t UTF-8 FILE > NEW.",
            )
    document = _document(source)
    if document is not None and (scores := _of_scores(document)):
        return scores
    if source.first_document.startswith(b"{") and source.first_object is None and document is None:
        return (
            "Its first line is not a JSON object of its own: cut off, or nested too deeply?",
            "A file of JSON lines has one whole object a line.",
        )
    if document is not None and source.first_object is None:
        return f"It is one JSON object with the fields {_named(document)}.", FORMATS
    return _of_columns(source)


def _of_columns(source: SourceFile) -> tuple[str, str]:
    try:
        columns = column_names(source)
    except PasskError as error:
        return error.title, "Was it copied whole?"
    return (f"Its columns: {_named(columns)}.", COLUMNS) if columns else ("", FORMATS)


def _named(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")


def _document(source: SourceFile) -> dict[str, Any] | None:
    """The file as one JSON object, where it is one and small enough to be looked at."""
    import orjson

    if len(source.head) >= HEAD:
        return None
    try:
        value = orjson.loads(source.first_document)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _of_scores(document: dict[str, Any]) -> tuple[str, str] | None:
    """Files that hold what a whole benchmark scored; where the samples are."""
    results = document.get("results")
    if isinstance(results, dict) and {"configs", "config_general", "n-shot", "versions"} & document.keys():
        return (
            f"It holds scores of whole benchmarks ({_named(map(str, results))}), no samples.",
            "Import the samples: lm-evaluation-harness writes samples_*.jsonl with --log_samples, "
            "lighteval details_*.parquet with --save-details.",
        )
    if {"num_samples", "num_scores"} <= document.keys() or {"avg_reward", "env_id"} <= document.keys():
        return "It holds scores of a whole benchmark, no samples.", "Import the jsonl file beside it."
    return None
