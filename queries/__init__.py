"""Every SQL statement of the project, one per file, loaded by name.

A file `queries/<area>/<name>.sql` starts with a header that a test compares with what DuckDB says of the statement:

    -- What the statement is for, in one or more lines.
    -- parameters: run_key UBIGINT, limit INTEGER
    -- columns: problem_key UBIGINT, n BIGINT
    -- files: texts
    -- tables: all

`parameters` are DuckDB named parameters (`$run_key`). `render` fills in what DuckDB cannot take as a parameter, and
nothing else: `files`, lists of paths for `read_parquet([{texts}])` inside a view, as quoted literals; and `{table}` in
the statements that are the same for several tables, of which `tables` names those, or all. A table's name comes from
the closed list that `schema/` makes, so no value of a user can become SQL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
    tables: tuple[str, ...]
    """The tables whose name `render` fills in; empty for a statement without one."""
    sql: str


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    return tuple((name, kind.strip()) for name, _, kind in (entry.partition(" ") for entry in entries))


@cache
def query(name: str) -> Query:
    """The query of that name. Raises FileNotFoundError: no file `queries/<name>.sql`."""
    sql = files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
    purpose: list[str] = []
    fields = {"parameters": "", "columns": "", "files": "", "tables": ""}
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        text = line.removeprefix("--").strip()
        key, colon, value = text.partition(":")
        if colon and key in fields:
            fields[key] = f"{fields[key]}, {value}"
        else:
            purpose.append(text)
    named = tuple(entry for entry, _ in _pairs(fields["tables"]))
    return Query(
        name=name,
        purpose=" ".join(purpose),
        parameters=_pairs(fields["parameters"]),
        columns=_pairs(fields["columns"]),
        files=tuple(entry for entry, _ in _pairs(fields["files"])),
        tables=tuple(tables()) if named == ("all",) else named,
        sql=sql,
    )


@cache
def load(name: str) -> str:
    """The text of the statement of that name; raises FileNotFoundError like `query`."""
    return query(name).sql


def render(name: str, table: str | None = None, **paths: Sequence[str]) -> str:
    """The statement with its table's name and its path lists (quoted literals, separated by commas) filled in.

    Raises:
        KeyError: a table or a path list that the header does not name, or one that is missing.
    """
    wanted = query(name)
    if set(wanted.files) != set(paths):
        raise KeyError(f"{name} takes the path lists {wanted.files}, not {tuple(paths)}")
    if table not in (wanted.tables or (None,)):
        raise KeyError(f"{name} is for the tables {wanted.tables}, not {table}")
    sql = wanted.sql.replace("{table}", table) if table else wanted.sql
    for key, entries in paths.items():
        literal = ", ".join("'" + entry.replace("'", "''") + "'" for entry in entries)
        sql = sql.replace("{" + key + "}", literal)
    return sql


@cache
def migrations() -> tuple[str, ...]:
    """Names of the scripts that make the tables, in order: the n-th leads to schema version n."""
    names = sorted(entry.name for entry in files(__package__).joinpath("schema").iterdir() if entry.name[:4].isdigit())
    return tuple(f"schema/{name.removesuffix('.sql')}" for name in names)


_OWN = ("schema_version", "ledger")
"""Tables that the store keeps for itself."""
_CREATED = re.compile(r"^CREATE TABLE (\w+) \((.*?)\);$", re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r"^ +(\w+) ([A-Z]+(?:\[\])?)", re.MULTILINE)
_ADDED = re.compile(r"^ALTER TABLE (\w+) ADD COLUMN IF NOT EXISTS (\w+) ([A-Z]+(?:\[\])?);$", re.MULTILINE)


@cache
def tables() -> Mapping[str, Mapping[str, str]]:
    """The tables that parts bring rows of, as the migrations make them: of each its columns with their DuckDB types."""
    scripts = [files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8") for name in migrations()]
    made = (found.groups() for script in scripts for found in _CREATED.finditer(script))
    known = {name: dict(_COLUMN.findall(body)) for name, body in made if name not in _OWN}
    for name, column, kind in (found.groups() for script in scripts for found in _ADDED.finditer(script)):
        known[name][column] = kind
    return known
