"""Every file in queries/ does what its header says, according to DuckDB itself, on a real, empty store."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import duckdb
import pytest

import queries
from backend.store.connection import open_database
from backend.store.database import Database
from backend.store.layout import StoreLayout
from backend.store.merge import merge, migrate
from backend.store.part_writer import PartWriter
from backend.store.parts import FILES

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(queries.__file__).parent
NAMES = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.sql"))
MIGRATION = re.compile(r"schema/\d{4}_\w+")
OPENED_DIRECTLY = ("merge/", "schema/")
"""Areas whose statements run in base.duckdb itself; all others in the overlay that everybody reads."""

VALUES = {
    "UBIGINT": 2**64 - 1,
    "BIGINT": 2**40,
    "INTEGER": 7,
    "DOUBLE": 0.5,
    "BOOLEAN": True,
    "VARCHAR": "a 'name' with \"quotes\"",
    "TIMESTAMP": "2026-01-01 00:00:00",
    "DATE": "2026-01-01",
    "JSON": "{}",
}
"""A value of each type that a header may name; the largest one where keys are meant."""


def is_script(query: queries.Query) -> bool:
    return "A script" in query.purpose


RENDERED = [(name, table) for name in NAMES for table in queries.query(name).tables or (None,)]
"""Every query, and those that are for several tables once for each of them."""
SCRIPTS = [(name, table) for name, table in RENDERED if is_script(queries.query(name))]
STATEMENTS = [entry for entry in RENDERED if entry not in SCRIPTS]


def header_lines(name: str) -> list[str]:
    lines = queries.load(name).splitlines()
    end = next((index for index, line in enumerate(lines) if not line.startswith("--")), len(lines))
    return lines[:end]


def without_comments(sql: str) -> str:
    return re.sub(r"--[^\n]*", "", sql)


def value_of(kind: str) -> object:
    return [value_of(kind[:-2])] if kind.endswith("[]") else VALUES[kind]


class Places:
    """Everywhere that the project runs SQL: a store's base, its overlay, and what is to become them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.direct = StoreLayout(folder / "direct.passk")
        self.attached = StoreLayout(folder / "attached.passk")
        for layout in (self.direct, self.attached):
            layout.create()
            assert not merge(layout).skipped
        self.part = PartWriter(self.attached, "import")
        for name in FILES:
            self.part.write(name, [])
            self.part.close(name)

    def parquet(self, name: str) -> Path:
        """A file of that name without a row, as a part would bring it."""
        return self.part.folder / f"{name}.parquet"

    @contextmanager
    def empty(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with closing(open_database()) as connection:
            yield connection

    @contextmanager
    def base(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with closing(open_database(self.direct.base)) as connection:
            yield connection

    @contextmanager
    def half_attached(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """An overlay at the moment when its base is there and nothing else."""
        with self.empty() as connection:
            connection.execute("ATTACH ':memory:' AS base")
            connection.execute("USE base")
            migrate(connection, "base", self.folder)
            connection.execute("USE memory")
            connection.execute(queries.load("overlay/schemas"))
            yield connection

    @contextmanager
    def older(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A base of an older schema, and the one in memory that is made from it."""
        with self.empty() as connection:
            connection.execute("ATTACH ':memory:' AS older")
            connection.execute("USE older")
            migrate(connection, "older", self.folder)
            connection.execute("ATTACH ':memory:' AS base")
            yield connection

    @contextmanager
    def tallying(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that has been told what to tally."""
        with self.empty() as connection:
            connection.execute(self.rendered("parts/outcomes_to_tally", None))
            yield connection

    @contextmanager
    def overlay(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with closing(Database(self.attached)) as database, closing(database.cursor()) as cursor:
            yield cursor

    @contextmanager
    def matching(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """An overlay at the moment when something has been matched."""
        with self.overlay() as cursor:
            for table in queries.query("overlay/whole").tables:
                cursor.execute(self.rendered("overlay/whole", table))
            yield cursor

    @contextmanager
    def checking(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A new database beside an attached base, into which that is copied."""
        with self.empty() as connection:
            migrate(connection, "memory", self.folder)
            connection.execute(queries.render("overlay/attach", base=[str(self.attached.base)]))
            yield connection

    def place_of(self, name: str) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        if name.startswith("checks/"):
            return self.checking()
        return self.base() if name.startswith(OPENED_DIRECTLY) else self.overlay()

    def rendered(self, name: str, table: str | None) -> str:
        paths = {key: [str(self._path(key, table))] for key in queries.query(name).files}
        return queries.render(name, table, **paths)

    def _path(self, key: str, table: str | None) -> Path:
        return self.attached.base if key == "base" else self.parquet(table or key)

    def parameters(self, name: str, table: str | None) -> dict[str, object]:
        """A value for each parameter in the header; where it is a file, one that fits the statement."""
        values: dict[str, object] = {}
        for parameter, kind in queries.query(name).parameters:
            values[parameter] = value_of(kind)
            if parameter == "path":
                values[parameter] = str(self.parquet(table or ""))
            elif parameter == "target":
                values[parameter] = str(self.folder / "target.parquet")
        return values


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("stores"))


def test_there_are_queries() -> None:
    assert "reads/runs" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_header_says_what_the_query_is_for(name: str) -> None:
    query = queries.query(name)
    assert header_lines(name), f"{name}.sql does not begin with a header"
    assert query.purpose.endswith("."), f"{name}.sql: the header says its purpose in whole sentences"
    known = re.compile(r"-- (\S|(parameters|columns|files): \S)")
    for line in header_lines(name):
        assert known.match(line), f"{name}.sql: {line!r} is no header line"
    for kind in ("parameter", "column", "file"):
        # A key written in the singular would be read as a purpose, silently.
        assert f"{kind}: " not in query.purpose, f"{name}.sql: the header key is `{kind}s:`"


@pytest.mark.parametrize("name", NAMES)
def test_every_type_in_the_header_is_one_of_duckdb(name: str) -> None:
    query = queries.query(name)
    with closing(duckdb.connect()) as connection:
        for field, kind in (*query.parameters, *query.columns):
            described = connection.execute(f"DESCRIBE SELECT NULL::{kind} AS one").fetchall()
            assert described[0][1] == kind, f"{name}.sql: write {field} as {described[0][1]}"
    for field, kind in query.parameters:
        assert kind.removesuffix("[]") in VALUES, f"{field}: give VALUES in this test a value of {kind}"


@pytest.mark.parametrize(("name", "table"), RENDERED)
def test_parameters_are_those_of_the_header(name: str, table: str | None, places: Places) -> None:
    with closing(duckdb.connect()) as connection:
        found = connection.extract_statements(places.rendered(name, table))
        if not is_script(queries.query(name)):
            assert len(found) == 1, f"{name}.sql holds {len(found)} statements; if it should, say `A script.`"
        named = set().union(*(statement.named_parameters for statement in found))
    assert named == {parameter for parameter, _ in queries.query(name).parameters}


@pytest.mark.parametrize("name", NAMES)
def test_only_path_lists_and_tables_are_filled_in(name: str) -> None:
    query = queries.query(name)
    placeholders = set(re.findall(r"\{(\w+)\}", without_comments(query.sql)))
    assert placeholders - {"table"} == set(query.files)
    assert query.tables or "table" not in placeholders
    assert set(query.tables) <= set(queries.tables())


@pytest.mark.parametrize(("name", "table"), STATEMENTS)
def test_columns_are_those_of_the_header(name: str, table: str | None, places: Places) -> None:
    query = queries.query(name)
    sql = places.rendered(name, table)
    with places.place_of(name) as connection:
        [statement] = connection.extract_statements(sql)
        if statement.type is not duckdb.StatementType.SELECT:
            assert query.columns == (), f"{name}.sql returns no rows"
            return
        for parameter, kind in query.parameters:
            sql = re.sub(rf"\${parameter}\b", f"(NULL::{kind})", sql)
        described = connection.execute(f"DESCRIBE {sql.rstrip().rstrip(';')}").fetchall()
    assert tuple((row[0], row[1]) for row in described) == query.columns


@pytest.mark.parametrize(("name", "table"), STATEMENTS)
def test_the_statement_runs_with_values_of_the_types_in_its_header(
    name: str, table: str | None, places: Places
) -> None:
    with places.place_of(name) as connection:
        connection.execute("BEGIN")
        result = connection.execute(places.rendered(name, table), places.parameters(name, table) or None)
        found = [(column[0], str(column[1])) for column in result.description or ()]
        result.fetchall()
        connection.execute("ROLLBACK")
    if queries.query(name).columns:
        assert tuple(found) == queries.query(name).columns


@pytest.mark.parametrize(("name", "table"), SCRIPTS)
def test_the_script_runs_in_one_of_the_places_where_scripts_run(name: str, table: str | None, places: Places) -> None:
    failures = []
    for place in (
        *(places.empty, places.base, places.older, places.half_attached, places.overlay),
        *(places.matching, places.tallying),
    ):
        with place() as connection:
            try:
                connection.execute(places.rendered(name, table), places.parameters(name, table) or None)
                return
            except duckdb.Error as error:
                failures.append(f"{place.__name__}: {error}")
    pytest.fail(f"{name}.sql for {table} runs nowhere:\n" + "\n".join(failures))


def test_the_closed_list_of_tables_is_what_a_base_has(places: Places) -> None:
    with places.base() as connection:
        there = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert there == {*queries.tables(), "ledger", "schema_version"}


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_part_brings_the_columns_of_its_table(name: str, places: Places) -> None:
    with places.base() as connection:
        brought = connection.execute(f"DESCRIBE FROM '{places.parquet(name)}'").fetchall()
        wanted = connection.execute(f"DESCRIBE {FILES[name]}").fetchall()
    assert [row[:2] for row in brought] == [row[:2] for row in wanted]
    assert dict(row[:2] for row in wanted) == queries.tables()[FILES[name]]


def strings_in_code() -> Iterator[tuple[str, ast.Constant | ast.JoinedStr]]:
    """Every string and f-string in backend/, with where it stands."""
    for path in sorted((ROOT / "backend").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) or (
                isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts
            ):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def names_in_code() -> Iterator[re.Pattern[str]]:
    """Patterns of the names that backend/ may load. What an f-string fills in is a table."""
    filling = "|".join(queries.tables())
    for _, node in strings_in_code():
        pieces = node.values if isinstance(node, ast.JoinedStr) else [node]
        pattern = "".join(
            re.escape(str(piece.value)) if isinstance(piece, ast.Constant) else f"({filling})" for piece in pieces
        )
        if "/" in pattern:
            yield re.compile(pattern)


def test_every_query_is_loaded_somewhere() -> None:
    patterns = list(names_in_code())
    loaded = queries.migrations()
    orphans = [name for name in NAMES if name not in loaded and not any(found.fullmatch(name) for found in patterns)]
    assert orphans == [], "nothing in backend/ loads these"


def test_every_query_that_the_code_names_exists() -> None:
    areas = {name.partition("/")[0] for name in NAMES}
    missing = [
        f"{where}: {node.value}"
        for where, node in strings_in_code()
        if isinstance(node, ast.Constant)
        and re.fullmatch(rf"({'|'.join(areas)})/\w+", str(node.value))
        and node.value not in NAMES
    ]
    assert missing == []


def test_path_lists_are_quoted() -> None:
    rendered = queries.render("overlay/stored_with_files", "texts", paths=["it's", "b"])
    assert "read_parquet(['it''s', 'b']" in rendered
    with pytest.raises(KeyError):
        queries.render("overlay/stored_with_files", "texts")
    with pytest.raises(FileNotFoundError):
        queries.load("reads/no_such_query")


@pytest.mark.parametrize("table", [None, "ledger", "texts; DROP TABLE texts"])
def test_only_a_table_of_the_closed_list_is_filled_in(table: str | None) -> None:
    with pytest.raises(KeyError, match="is for the tables"):
        queries.render("overlay/drop", table)
