"""Printing lists: data on stdout as a table, json or csv; everything else on stderr."""

from __future__ import annotations

import csv
import json
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from backend.records.table import CSV, JSON, PRINT, Column, Table
from backend.visible_text import escape_in_json, visible
from explorer.render.names import progress_bar


def print_json(value: Any) -> None:
    print(escape_in_json(json.dumps(value, ensure_ascii=False, indent=2)))


def print_json_line(value: Any) -> None:
    """One JSON document on one line (jsonl)."""
    print(escape_in_json(json.dumps(value, ensure_ascii=False)))


def print_csv(table: Table) -> None:
    """Comma-separated rows with a header; unknown values are empty. As safe as a file that export writes.

    What a spreadsheet would take for a formula begins with an apostrophe: it comes to one by a pipe too. json is exact.
    """
    from backend import for_csv

    table = table.on(CSV)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([for_csv(column.key) for column in table.columns])
    writer.writerows([["" if value is None else for_csv(_csv_cell(value)) for value in row] for row in table.rows])


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


def print_exactly(text: str) -> None:
    """A name or a path for a script: exact, but on a terminal harmless."""
    print(visible(text) if sys.stdout.isatty() else text)


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


class Progress:
    """A line on stderr that is rewritten in place: from the second second on, and only on a terminal."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self.started = self.last = time.monotonic()
        self.shown = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        if self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def __call__(self, done: int, total: int, counted: int | None = None) -> None:
        """So much is done of what there is; `counted` nouns, where what is done are not these."""
        now = time.monotonic()
        if now - self.started < 1 or now - self.last < 0.2 or not sys.stderr.isatty():
            return
        self.last, self.shown = now, True
        share, rate = done / max(total, 1), (done if counted is None else counted) / (now - self.started)
        what = f"{done:,} of {total:,}" if counted is None else f"{counted:,}"
        left = (now - self.started) * (1 - share) / share if share else 0
        line = f"\r{progress_bar(done, total)} {share:4.0%}  {what} {self.noun}, {rate:,.0f}/s, {left:,.0f} s left "
        print(line, end="", file=sys.stderr, flush=True)

    def count(self, done: int) -> None:
        """So many are done, of who knows how many."""
        now = time.monotonic()
        if now - self.last > 0.2 and sys.stderr.isatty():
            self.last, self.shown = now, True
            print(f"\r{done:,} {self.noun} ", end="", file=sys.stderr, flush=True)


def stop_as_ctrl_c_does() -> None:
    """A terminal that goes away, and a kill, leave nothing half-written either. What nohup ignores stays ignored."""
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)
