"""Printing lists: data on stdout as a table, json or csv; everything else on stderr."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from backend.visible_text import escape_in_json, visible, visible_line

LONGEST_CELL = 60


def print_json(value: Any) -> None:
    """One JSON document."""
    print(escape_in_json(json.dumps(value, ensure_ascii=False, indent=2)))


def print_json_line(value: Any) -> None:
    """One JSON document on one line (jsonl)."""
    print(escape_in_json(json.dumps(value, ensure_ascii=False)))


def print_csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Comma-separated rows with a header; unknown values are empty. Exact, but on a terminal harmless."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    shown = visible if sys.stdout.isatty() else str
    writer.writerows([["" if row[c] is None else shown(str(row[c])) for c in columns] for row in rows])


def print_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Aligned columns for people; unknown values are a dash, long ones are cut with an ellipsis."""
    cells = [[visible_line(_cell(row[column]), LONGEST_CELL) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in [list(columns), *cells]) for i in range(len(columns))]
    numeric = [all(isinstance(row[c], int | float | None) for row in rows) for c in columns]
    for line in [list(columns), *cells]:
        aligned = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        print("  ".join(aligned).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def say(text: str) -> None:
    """A line for the person, on stderr; names from files and stores can do nothing to the terminal."""
    print(visible(text), file=sys.stderr)


def print_rows(form: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """A list of flat rows in the form that the user chose."""
    if form == "json":
        print_json([{column: row[column] for column in columns} for row in rows])
    elif form == "csv":
        print_csv(columns, rows)
    else:
        print_table(columns, rows)
