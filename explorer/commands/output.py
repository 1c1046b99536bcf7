"""Printing lists: data on stdout as a table, json or csv; everything else on stderr."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from backend.records.table import CSV, JSON, PRINT, Column, Table
from backend.visible_text import escape_in_json, visible


def print_json(value: Any) -> None:
    """One JSON document."""
    print(escape_in_json(json.dumps(value, ensure_ascii=False, indent=2)))


def print_json_line(value: Any) -> None:
    """One JSON document on one line (jsonl)."""
    print(escape_in_json(json.dumps(value, ensure_ascii=False)))


def print_csv(table: Table) -> None:
    """Comma-separated rows with a header; unknown values are empty. Exact, but on a terminal harmless."""
    table = table.on(CSV)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([column.key for column in table.columns])
    shown = visible if sys.stdout.isatty() else str
    writer.writerows([["" if value is None else shown(_csv_cell(value)) for value in row] for row in table.rows])


def _csv_cell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def print_table(form: str, table: Table) -> None:
    """A table in the form that the user chose, and on stderr what must be known to read it."""
    for note in table.notes:
        say(note)
    if form == "json":
        print_json(table.json())
    elif form == "csv":
        print_csv(table)
    else:
        from explorer.render.text_table import table_lines

        for line in table_lines(table.on(PRINT)):
            print(line)


def say(text: str) -> None:
    """A line for the person, on stderr; names from files and stores can do nothing to the terminal."""
    print(visible(text), file=sys.stderr)


def print_lines(table: Table) -> None:
    """One JSON object a line (jsonl)."""
    table = table.on(JSON)
    for item in table.items:
        print_json_line(table.record(item))


def print_rows(form: str, columns: Sequence[str | Column], rows: Sequence[Mapping[str, Any]]) -> None:
    """A list of flat rows in the form that the user chose; columns of numbers are told by their values."""
    print_table(form, Table(tuple(_column(column, rows) for column in columns), rows))


def _column(column: str | Column, rows: Sequence[Mapping[str, Any]]) -> Column:
    if isinstance(column, Column):
        return column
    numbers = rows and all(isinstance(row[column], int | float | None) for row in rows)
    return Column(column, "number" if numbers else "text")
