"""Schema versions: newer stores are refused with a sentence, older ones are migrated, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from backend import merge, open_store
from backend.errors import StoreError
from backend.store.connection import open_database, schema_version
from backend.store.database import Database
from backend.store.layout import StoreLayout
from backend.store.merge import Migration, migrate, migrations
from backend.store.parts import SCHEMA_VERSION
from tests.support import Attempt, Passk, contents, everything_in, imported, jsonl, long_rows, runs_of, write_part


def with_version(layout: StoreLayout, version: int) -> None:
    connection = open_database(layout.base)
    connection.execute("INSERT INTO schema_version VALUES (?, now()::TIMESTAMP)", [version])
    connection.close()


def test_the_migrations_lead_to_the_schema_version() -> None:
    assert [migration.version for migration in migrations()] == list(range(1, SCHEMA_VERSION + 1))


def test_a_newer_store_is_refused_and_left_as_it_is(run_passk: Passk, store: StoreLayout) -> None:
    write_part(store, "0010-samples", [Attempt("p", 0)])
    merge(store)
    with_version(store, SCHEMA_VERSION + 1)
    write_part(store, "0020-samples", [Attempt("p", 1)])
    before = contents(store)
    jsonl(run_passk.folder / "a.jsonl", long_rows())
    for command in (
        ("runs", "--store", store.root),
        ("import", "a.jsonl", "--model", "m", "--benchmark", "b", "--store", store.root),
        ("doctor", "--rebuild", store.root),
    ):
        result = run_passk(*command, status=1)
        assert result.stdout == ""
        assert "was written by a newer passk" in result.stderr
        assert "Upgrade passk-explorer" in result.stderr
    assert contents(store) == before


def test_an_empty_base_is_made_into_a_store(store: StoreLayout, tmp_path: Path) -> None:
    """The oldest schema there is: none."""
    open_database(store.base).close()
    imported(store, jsonl(tmp_path / "a.jsonl", long_rows()))
    assert runs_of(store)["m@b"].samples == 12


def store_of_version_1(layout: StoreLayout) -> None:
    """As the first passk wrote it, with a run of published counts."""
    layout.create()
    connection = open_database(layout.base)
    migrate(connection, "base", layout.base, migrations()[:1])
    connection.execute("INSERT INTO models VALUES ('m', 'rl', NULL, 7, NULL, 'p')")
    connection.execute("INSERT INTO runs VALUES (1, 'm@b', 'm', 'b', '{}', 'p')")
    connection.execute("INSERT INTO problems VALUES (2, 'b', 'x', 0, NULL, NULL, NULL, NULL, 'p')")
    connection.execute("INSERT INTO statistics VALUES (1, 2, 'counts', 4, 3, 0, 0, 0, 0)")
    connection.close()


@pytest.mark.skipif(SCHEMA_VERSION == 1, reason="there is no older version yet")
@pytest.mark.parametrize("command", ["runs", "import"])
def test_a_store_of_the_first_version_is_migrated_when_it_is_opened(
    run_passk: Passk, store: StoreLayout, command: str
) -> None:
    store_of_version_1(store)
    if command == "runs":
        (run,) = run_passk("runs", "--store", store.root, "--format", "json").json
        assert (run["run"], run["step"], run["samples"], run["correct"]) == ("m@b", 7, 4, 3)
    else:
        jsonl(run_passk.folder / "a.jsonl", long_rows())
        run_passk("import", "a.jsonl", "--model", "m2", "--benchmark", "b", "--store", store.root)
    connection = open_database(store.base)
    assert schema_version(connection, "base") == SCHEMA_VERSION
    connection.close()
    runs = runs_of(store)
    assert runs["m@b"].correct == 3
    assert ("m2@b" in runs) == (command == "import")


def older(path: Path) -> duckdb.DuckDBPyConnection:
    """A real database of this passk's version with a row in it: the older one for a passk to come."""
    connection = open_database(path)
    migrate(connection, "base", path)
    connection.execute("INSERT INTO models VALUES ('m', 'rl', NULL, NULL, NULL, 'p')")
    return connection


def next_versions(*sql: str) -> list[Migration]:
    return [*migrations(), *(Migration(SCHEMA_VERSION + 1 + i, text) for i, text in enumerate(sql))]


def test_an_older_database_is_migrated_with_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "base.duckdb"
    connection = older(path)
    known = next_versions(
        "ALTER TABLE models ADD COLUMN licence VARCHAR DEFAULT 'unknown'",
        "CREATE TABLE notes (text VARCHAR); INSERT INTO notes SELECT model FROM models",
    )
    assert migrate(connection, "base", path, known) == SCHEMA_VERSION
    assert schema_version(connection, "base") == SCHEMA_VERSION + 2
    connection.close()
    connection = open_database(path)
    assert connection.execute("SELECT model, licence FROM models").fetchall() == [("m", "unknown")]
    assert connection.execute("FROM notes").fetchall() == [("m",)]
    with pytest.raises(StoreError, match="newer passk"):
        migrate(connection, "base", path)
    connection.close()


def test_samples_whose_judging_failed_leave_n(tmp_path: Path) -> None:
    """By the verdict that counts, once; what was counted before schema version 4 is corrected."""
    path = tmp_path / "base.duckdb"
    before = [entry for entry in migrations() if entry.version < 4]
    connection = open_database(path)
    migrate(connection, "base", path, before)
    outcomes = [(0, "error"), (1, "error"), (2, "wrong"), (3, "correct"), (4, "unverified")]
    for sample, verdict in outcomes:
        row = "INSERT INTO outcomes (run_key, problem_key, sample, verdict) VALUES (1, 1, ?, ?)"
        connection.execute(row, (sample, verdict))
    later = "INSERT INTO verdicts VALUES (1, 1, ?, 'v', '1', ?, NULL, NULL, TRUE, ?::TIMESTAMP)"
    for sample, verdict, created in (
        (1, "error", "2026-01-01"),
        (1, "correct", "2026-01-02"),
        (2, "error", "2026-01-01"),
    ):
        connection.execute(later, (sample, verdict, created))
    connection.execute("INSERT INTO statistics VALUES (1, 1, 'samples', 4, 2, 1, 0, 0, 5)")
    migrate(connection, "base", path)
    sums = connection.execute("SELECT sum(n), sum(c), sum(unverified), sum(texts) FROM statistics").fetchall()
    assert sums == [(2, 2, 3, 5)]
    connection.close()


def test_a_migration_that_fails_leaves_the_version_before(tmp_path: Path) -> None:
    path = tmp_path / "base.duckdb"
    connection = older(path)
    known = next_versions("CREATE TABLE one (i INTEGER)", "CREATE TABLE two (i INTEGER); SELECT no_such_thing")
    with pytest.raises(duckdb.Error):
        migrate(connection, "base", path, known)
    assert schema_version(connection, "base") == SCHEMA_VERSION + 1
    tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert "one" in tables
    assert "two" not in tables
    connection.close()


def test_an_older_store_that_cannot_be_read_as_it_is_says_so(store: StoreLayout) -> None:
    """Someone reads, or has no write rights: `merging=False` stands for both."""
    connection = open_database(store.base)
    migrate(connection, "base", store.base, migrations()[:1])
    connection.execute("DROP TABLE outcomes")
    connection.close()
    with pytest.raises(StoreError, match="older schema, and it cannot be migrated now"):
        open_store(store, merging=False)


def test_a_base_with_nothing_in_it_yet_is_an_empty_store(store: StoreLayout) -> None:
    open_database(store.base).close()
    open_store(store, merging=False).close()
    open_store(store).close()
    Database(store).close()


def test_an_older_store_that_cannot_be_migrated_is_read_as_one_of_today(store: StoreLayout) -> None:
    """What a new version counts differently, it counts so here too."""
    connection = open_database(store.base)
    migrate(connection, "base", store.base, [entry for entry in migrations() if entry.version < 4])
    connection.execute("INSERT INTO models VALUES ('m', 'rl', NULL, NULL, NULL, 'p')")
    connection.execute("INSERT INTO outcomes (run_key, problem_key, sample, verdict) VALUES (1, 1, 0, 'error')")
    connection.execute("INSERT INTO statistics VALUES (1, 1, 'samples', 1, 0, 0, 0, 0, 0)")
    connection.close()
    database = open_store(store, merging=False)
    assert database.reads_older
    with database.cursor() as cursor:
        assert cursor.execute("SELECT n, c, unverified FROM tallies").fetchall() == [(0, 0, 1)]
        assert cursor.execute("SELECT model FROM models").fetchall() == [("m",)]
    database.close()
    connection = open_database(store.base)
    assert schema_version(connection, "base") == 3, "nothing was written"
    connection.close()


def test_a_store_of_parts_alone(store: StoreLayout) -> None:
    write_part(store, "0010-samples", [Attempt("p", 0)])
    assert len(everything_in(store)["outcomes"]) == 1
    assert not store.base.exists(), "reading makes nothing"


def test_a_base_that_appears_later_is_read_on_from(store: StoreLayout) -> None:
    """Someone without write rights has a store of parts alone open, and its owner merges."""
    write_part(store, "0010-samples", [Attempt("p", 0, "correct")])
    write_part(store, "0011-samples", [Attempt("p", 1)], provisional=True)
    reading = open_store(store, merging=False)
    try:
        cursor = reading.cursor()
        before = cursor.execute("FROM outcomes ORDER BY sample").fetchall()
        assert len(before) == 2
        assert merge(store).merged == ("0010-samples",)
        assert reading.refresh()
        assert cursor.execute("FROM outcomes ORDER BY sample").fetchall() == before
        assert cursor.execute("SELECT count(*) FROM texts").fetchone() == (2,)
        assert not reading.refresh()
        cursor.close()
        assert merge(store).skipped, "it holds the base now"
    finally:
        reading.close()
