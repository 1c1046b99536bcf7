"""Files of any shape by SQL: `--select mapping.sql` takes the columns of a SELECT by the long form's names.

DuckDB's own readers open the file, the statement says `FROM source`, and what comes out is a table like any other, read
by the same importers. A statement may come from anywhere, so it runs in a database of its own: one SELECT, no file but
the one that is imported, no network, a limit of memory and of time. `suggest_mapping` writes such a statement for a
file that nobody recognises.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any
from uuid import UUID

from backend.errors import InputError, PasskError, UsageError

if TYPE_CHECKING:
    import duckdb

    from backend.importers.source import SourceFile

MEMORY = "2GB"
SMALLEST_OBJECT, LARGEST_OBJECT = 16 << 20, 256 << 20
"""DuckDB sets memory aside for the largest JSON object that a file may hold, in bytes: as much as the file needs."""
LEAST_SECONDS = 60.0
BYTES_PER_SECOND = 1 << 20
"""A statement may take a minute, and a second more for each mebibyte of the file: reading takes a hundredth of that."""
SAMPLED = 4_096
"""JSON objects whose types are looked at, where a look is enough."""
FETCHED = 2_048
"""Rows that are fetched at a time."""

EXAMPLE = '{"problem": "p1", "statement": "What is 2+2?", "text": "It is 4.", "correct": true, "model": "m"}'
"""A line of the long form: what every unknown file can be turned into."""


@dataclass(frozen=True, slots=True)
class Select:
    """A statement of the user, and what errors call it."""

    sql: str
    name: str = "--select"


def read_select(path: Path) -> Select:
    """The statement in a file.

    Raises:
        UsageError: it cannot be read as text.
    """
    try:
        return Select(path.read_text(encoding="utf-8-sig"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--select {path}: {error}", next_step="A text file with one SELECT is expected.") from error


# Running a statement on a file that nobody trusts, by a statement that nobody trusts.


class SelectedRows:
    """The rows that a statement makes of one file. Lives as long as its source does."""

    def __init__(self, source: SourceFile, select: Select | None) -> None:
        """Open the file; without a statement only its own columns are there.

        Raises:
            InputError: DuckDB cannot read the file, or the statement is none for it.
        """
        self._source, self._select = source, select
        # Opening it reads it once, to see which types its values have.
        self._left = LEAST_SECONDS + source.local.stat().st_size / BYTES_PER_SECOND
        with self._errors(None):
            self._connection = locked_connection(source.local)
            with self._deadline(self._connection):
                relation = open_relation(self._connection, source, sampled=select is None)
            self.source_columns: dict[str, Any] = dict(zip(relation.columns, relation.types, strict=True))
            relation.create_view("source")
        self._relation = relation
        self.columns: dict[str, Any] = {}
        if select is not None:
            self._refuse_other_statements(select)
            description = self._run(select).description or ()
            names = [column[0] for column in description]
            if double := next((name for name in names if names.count(name) > 1), None):
                raise UsageError(f"{select.name}: two columns are called {double}")
            self.columns = {column[0]: column[1] for column in description}

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        """The number of each row, from 1, and the values of these columns."""
        assert self._select is not None
        names = list(self.columns)
        places = [names.index(column) for column in columns]
        kinds = [str(kind) for kind in self.columns.values()]
        makers = [_converter(kinds[place]) for place in places]
        result, number = self._run(self._select), 0
        size = self._source.path.stat().st_size
        while True:
            with self._errors(self._select), self._deadline(result):
                fetched = result.fetchmany(FETCHED)
            if not fetched:
                self._source.bytes_read = size
                return
            for row in fetched:
                number += 1
                self._source.row = number
                yield (
                    number,
                    [
                        value if make is None or value is None else make(value)
                        for value, make in zip((row[place] for place in places), makers, strict=True)
                    ],
                )

    def holds_one_row(self) -> bool:
        """Whether DuckDB sees the whole file as a single row."""
        with self._errors(None):
            return len(self._relation.limit(2).fetchall()) == 1

    def _run(self, select: Select) -> duckdb.DuckDBPyConnection:
        # A cursor of its own: several readings may be under way.
        cursor = self._connection.cursor()
        with self._errors(select), self._deadline(cursor):
            return cursor.execute(select.sql)

    def _refuse_other_statements(self, select: Select) -> None:
        import duckdb

        with self._errors(select):
            found = self._connection.extract_statements(select.sql)
        if len(found) != 1 or found[0].type is not duckdb.StatementType.SELECT:
            what = "no statement" if not found else f"{len(found)} statements" if len(found) > 1 else found[0].type.name
            raise UsageError(
                f"{select.name}: one SELECT is expected, found {what}",
                next_step="The file is called source; each column is named as in the long form.",
            )

    @contextmanager
    def _deadline(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Interrupt DuckDB where all its work on this file takes too long."""
        started = time.monotonic()
        timer = threading.Timer(max(self._left, 0.0), cursor.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._left -= time.monotonic() - started

    @contextmanager
    def _errors(self, select: Select | None) -> Iterator[None]:
        import duckdb

        try:
            yield
        except duckdb.InterruptException as error:
            raise InputError(
                f"{self._source.path}: {select.name if select else 'reading it'} takes too long",
                next_step="Nothing was imported. Does the statement join every row with every other?",
            ) from error
        except (duckdb.Error, UnicodeError) as error:
            raise statement_error(self._source, select, str(error)) from error


def locked_connection(path: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory that can read one file and write none."""
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": MEMORY,
            "temp_directory": str(Path(gettempdir()) / f"passk-{os.getpid()}"),
            "max_temp_directory_size": "20GB",
            "threads": 2,
            # A name that is no table would be looked for among the variables of this program.
            "python_enable_replacements": False,
        },
    )
    connection.execute("SET enable_progress_bar_print = false")
    quoted = str(path).replace("'", "''")
    connection.execute(f"SET allowed_paths = ['{quoted}']")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def open_relation(
    connection: duckdb.DuckDBPyConnection, source: SourceFile, *, sampled: bool
) -> duckdb.DuckDBPyRelation:
    """The file as DuckDB reads it: Parquet, JSON of any form, or csv, whose cells all stay text.

    Args:
        sampled: the beginning tells the types, which may not fit what comes later; else the whole file does.
    """
    path = str(source.local)
    if source.is_parquet:
        return connection.read_parquet(path)
    if source.first_document[:1] in (b"{", b"["):
        largest = min(max(source.local.stat().st_size, SMALLEST_OBJECT), LARGEST_OBJECT)
        found = connection.read_json(path, sample_size=SAMPLED if sampled else -1, maximum_object_size=largest)
        names = found.columns
        kept = {name: _as_written(kind) for name, kind in zip(names, found.types, strict=True)}
        changed = any(kept[name] != str(kind) for name, kind in zip(names, found.types, strict=True))
        # What looks like a date or a UUID stays as it is written.
        alike = len({name.casefold() for name in names}) < len(names)
        if not changed or alike or names == ["json"]:
            return found
        return connection.read_json(path, columns=kept, maximum_object_size=largest)
    # Said in full: where DuckDB finds out by itself how a csv is written, rows may go missing.
    written: dict[str, Any] = {"header": True, "quotechar": '"', "escapechar": '"', "comment": "", "parallel": False}
    return connection.read_csv(path, sep=source.delimiter, all_varchar=True, **written)


def _as_written(kind: Any) -> str:
    """A type of DuckDB in which text that looks like something else is text."""
    if kind.id == "struct":
        return "STRUCT(" + ", ".join(f"{quoted_name(name)} {_as_written(inner)}" for name, inner in kind.children) + ")"
    if kind.id == "list":
        return f"{_as_written(kind.children[0][1])}[]"
    if kind.id == "map":
        key, value = kind.children
        return f"MAP({_as_written(key[1])}, {_as_written(value[1])})"
    return "VARCHAR" if kind.id.startswith(("date", "time", "uuid")) else str(kind)


def quoted_name(name: str) -> str:
    """A name as SQL writes it, in quotes where it needs them."""
    return (
        name
        if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in RESERVED
        else '"' + name.replace('"', '""') + '"'
    )


RESERVED = {
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both", "case", "cast", "check",
    "collate", "column", "constraint", "create", "default", "deferrable", "desc", "describe", "distinct", "do", "else",
    "end", "except", "false", "fetch", "for", "foreign", "from", "group", "having", "in", "initially", "intersect",
    "into", "lambda", "lateral", "leading", "limit", "not", "null", "offset", "on", "only", "or", "order", "pivot",
    "placing", "primary", "qualify", "references", "returning", "select", "show", "some", "summarize", "symmetric",
    "table", "then", "to", "trailing", "true", "union", "unique", "unpivot", "using", "variadic", "when", "where",
    "window", "with",
}  # fmt: skip


def holds_lists(kind: Any) -> bool:
    """Whether values of a type of DuckDB are lists or objects."""
    return kind.id in ("list", "struct", "map", "array", "union")


def shortened_type(kind: Any) -> str:
    """A type of DuckDB, cut where it is long."""
    shown = str(kind)
    return shown if len(shown) <= 120 else f"{shown[:119]}…"


def _of_json(value: Any) -> Any:
    """A value of DuckDB's type JSON, which comes as its text."""
    try:
        return json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return value


def _plain(value: Any) -> Any:
    """A value as JSON would have it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date | time_of_day | timedelta | UUID):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _converter(kind: str) -> Callable[[Any], Any] | None:
    if kind == "JSON":
        return _of_json
    plain = ("VARCHAR", "BOOLEAN", "BIGINT", "INTEGER", "DOUBLE", "HUGEINT", "UBIGINT", "FLOAT", "SMALLINT", "TINYINT")
    return None if kind in plain else _plain


_PLACE = re.compile(r"^LINE (\d+): (.*)\n( *)\^", re.MULTILINE)


def statement_error(source: SourceFile, select: Select | None, message: str) -> PasskError:
    """What DuckDB says, with the line and column of the statement, or of the file where the fault is there."""
    said, _, _ = message.partition("\n\nLINE ")
    kind, _, rest = said.partition(" Error: ")
    text = " ".join((rest or kind).split()).replace(str(source.local), str(source.path))
    text = text.partition(" Possible solutions:")[0]
    if select is None or "JSON in file" in text or kind in ("IO", "Serialization"):
        return InputError(f"{source.path}: DuckDB cannot read it: {text}", next_step="Nothing was imported.")
    place = ""
    if found := _PLACE.search(message):
        line, shown, before = int(found[1]), found[2], len(found[3])
        column = before - len(f"LINE {line}: ") + 1
        whole = select.sql.splitlines()[line - 1] if line <= select.sql.count("\n") + 1 else ""
        if shown.startswith("...") and (start := whole.find(shown.strip(". "))) >= 0:
            column += start - 3
        place = f", line {line}, column {column}"
    return UsageError(
        f"{source.path}: {select.name}{place}: {text}",
        next_step="Nothing was imported. The file is called source in the statement.",
    )
