"""Every SQL statement of the project, one per file, loaded by name.

A file `queries/<area>/<name>.sql` starts with a header that a test compares with what DuckDB says of the statement:

    -- What the statement is for, in one or more lines.
    -- parameters: run_key UBIGINT, limit INTEGER
    -- columns: problem_key UBIGINT, n BIGINT
    -- files: texts

`parameters` are DuckDB named parameters (`$run_key`). `files` are the only other thing that may be filled in: a list
of paths for `read_parquet([{texts}])`, which DuckDB cannot take as a parameter inside a view. Nothing else is ever
interpolated, so no value of a user can become SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Query:
    """One statement (or, for schema files, a script) with what its header promises."""

    name: str
    """Area and file name without its ending, such as `reads/runs`."""
    purpose: str
    parameters: tuple[tuple[str, str], ...]
    """Name and DuckDB type of every named parameter."""
    columns: tuple[tuple[str, str], ...]
    """Name and DuckDB type of every result column; empty for statements that return nothing."""
    files: tuple[str, ...]
    """Names of the path lists that `render` fills in."""
    sql: str


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    return tuple((name, kind.strip()) for name, _, kind in (entry.partition(" ") for entry in entries))


@cache
def query(name: str) -> Query:
    """The query of that name.

    Raises:
        FileNotFoundError: no file `queries/<name>.sql`.
    """
    sql = files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
    purpose: list[str] = []
    fields = {"parameters": "", "columns": "", "files": ""}
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        text = line.removeprefix("--").strip()
        key, colon, value = text.partition(":")
        if colon and key in fields:
            fields[key] = f"{fields[key]}, {value}"
        else:
            purpose.append(text)
    return Query(
        name=name,
        purpose=" ".join(purpose),
        parameters=_pairs(fields["parameters"]),
        columns=_pairs(fields["columns"]),
        files=tuple(entry for entry, _ in _pairs(fields["files"])),
        sql=sql,
    )


@cache
def load(name: str) -> str:
    """The text of the statement of that name; raises FileNotFoundError like `query`."""
    return query(name).sql


def render(name: str, **paths: Sequence[str]) -> str:
    """The statement with its path lists filled in as quoted literals, separated by commas.

    Raises:
        KeyError: a path list that the header does not name, or one that is missing.
    """
    wanted = query(name).files
    if set(wanted) != set(paths):
        raise KeyError(f"{name} takes the path lists {wanted}, not {tuple(paths)}")
    sql = load(name)
    for key, entries in paths.items():
        literal = ", ".join("'" + entry.replace("'", "''") + "'" for entry in entries)
        sql = sql.replace("{" + key + "}", literal)
    return sql
