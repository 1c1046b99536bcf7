"""passk compact --forget: what does not count is really gone, what counts stays as it was, whatever is killed when."""

from __future__ import annotations

import signal
import time
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from backend import (
    Database,
    Reader,
    forget,
    forgettable,
    imports,
    merge,
    open_store,
    override,
    redo,
    remove_run,
    rename_run,
    undo,
)
from backend.errors import StoreError, UsageError
from backend.store import forget as forgetting
from backend.store.layout import StoreLayout
from backend.store.locks import BaseLock
from backend.taking_back import decisions
from tests.store.test_taking_back import Facts, brute_force, facts, other_rows, reading
from tests.support import Passk, csv_file, imported, jsonl, long_rows

KILLS = 12


def stored(layout: StoreLayout) -> dict[str, int]:
    """Rows of base.duckdb, whether they count or not."""
    with closing(open_store(layout, merging=False)) as database, closing(database.cursor()) as cursor:
        tables = ("outcomes", "texts", "runs", "decisions", "judgements", "statistics", "sources")
        rows = {table: cursor.execute(f"SELECT count(*) FROM base.{table}").fetchone() for table in tables}
        return {table: row[0] for table, row in rows.items() if row}


@pytest.fixture
def undone(store: StoreLayout, tmp_path: Path) -> StoreLayout:
    """Three runs, of which one was removed; an import that was taken back; names and verdicts replaced."""
    for name, rows in (("base", long_rows()), ("rl", long_rows(problems=5)), ("gone", long_rows(problems=2))):
        imported(store, jsonl(tmp_path / f"{name}.jsonl", rows), model=name, role="base" if name == "base" else "rl")
    imported(store, jsonl(tmp_path / "more.jsonl", other_rows()), model="rl", role="rl")
    imported(store, csv_file(tmp_path / "counts.csv", ["problem", "n", "c"], [["p", 4, 1]]), model="counted")
    with reading(store) as reader:
        undo(reader, imports(reader)[3].id)
        remove_run(reader, reader.run("gone@b"))
        rename_run(reader, reader.run("base@b"), "first")
        rename_run(reader, reader.run("first"), "second")
        path = reader.path(reader.run("rl@b"), reader.problem_key("b", "p1"), 3)
        override(reader, path, "correct", "looks right")
        override(reader, path, "timeout", "no, it was cut")
    return store


def facts_of(layout: StoreLayout) -> Facts:
    with reading(layout) as reader:
        brute_force(reader)
        return facts(reader)


def test_what_does_not_count_is_gone_and_what_counts_stays(undone: StoreLayout, tmp_path: Path) -> None:
    before = facts_of(undone)
    with reading(undone) as reader:
        lost = forgettable(reader)
        gone = imports(reader)[3].id
        removal = next(entry.id for entry in decisions(reader) if entry.kind == "remove")
    assert (len(lost.imports), len(lost.runs), lost.samples, lost.texts) == (1, 1, 12 + 8, 12 + 8)
    assert (lost.replaced, lost.judgements) == (2, 0)
    counting = sum(len(run["samples"]) for run in before.values())
    assert stored(undone)["outcomes"] == counting + 20
    forget(undone)
    assert facts_of(undone) == before
    rows = stored(undone)
    assert (rows["outcomes"], rows["texts"], rows["decisions"]) == (counting, counting, 2)
    with reading(undone) as reader:
        assert forgettable(reader).is_nothing
        assert [entry.runs for entry in imports(reader)] == [("second",), ("rl@b",), ("counted@b",)]
        for name in (gone, removal):
            for act in (undo, redo):
                with pytest.raises(UsageError, match=f"{name} cannot be brought back: forgotten on 2"):
                    act(reader, name)
        # What still counts is taken back as ever.
        undo(reader, imports(reader)[1].id)
        assert set(facts(reader)) == {"second", "counted@b"}
    # And what was forgotten can be imported again.
    report = imported(undone, tmp_path / "gone.jsonl", model="gone", role="rl")
    assert [file.status for file in report.files] == ["imported"]


def test_tallies_are_those_of_the_samples_in_the_file_itself(undone: StoreLayout) -> None:
    forget(undone)
    with closing(open_store(undone, merging=False)) as database, closing(database.cursor()) as cursor:
        tallies = cursor.execute(
            "SELECT run_key, problem_key, sum(n)::INT, sum(c)::INT FROM base.statistics WHERE origin = 'samples' "
            "GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        samples = cursor.execute(
            "SELECT run_key, problem_key, count(*), count(*) FILTER (verdict = 'correct') FROM base.outcomes "
            "GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        assert tallies == samples


def test_whoever_reads_goes_on_and_keeps_everything(undone: StoreLayout) -> None:
    before = facts_of(undone)
    with reading(undone) as reader:
        rows = stored(undone)
        with pytest.raises(StoreError, match="Nothing can be forgotten"):
            forget(undone)
        assert facts(reader) == before
        assert stored(undone) == rows
    forget(undone)
    assert stored(undone) != rows


def test_one_who_reads_at_the_end_only_is_waited_for_and_then_left_alone(
    undone: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have come while the new file was written."""
    merge(undone)
    opened: list[Database] = []
    build = forgetting._build
    monkeypatch.setattr(forgetting, "PATIENCE", 0.2)

    def built(layout: StoreLayout, database: Database, folder: Path) -> Path:
        opened.append(Database(layout))
        return build(layout, database, folder)

    monkeypatch.setattr(forgetting, "_build", built)
    rows = stored(undone)
    try:
        with pytest.raises(StoreError, match="Nothing can be forgotten"):
            forget(undone)
        with Reader(opened[0]) as reader:
            brute_force(reader)
    finally:
        opened[0].close()
    assert stored(undone) == rows
    assert list(undone.unfinished.iterdir()) == []


def test_what_is_brought_back_meanwhile_is_not_forgotten(undone: StoreLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    build = forgetting._build

    def built(layout: StoreLayout, database: Database, folder: Path) -> Path:
        made = build(layout, database, folder)
        with reading(undone, merging=False) as reader:
            redo(reader, imports(reader)[3].id)
        return made

    monkeypatch.setattr(forgetting, "_build", built)
    with pytest.raises(StoreError, match=r"has changed .* meanwhile"):
        forget(undone)
    with reading(undone) as reader:
        assert reader.run("rl@b").samples == 20 + 12
        brute_force(reader)


def test_a_lock_of_the_file_before_is_none(undone: StoreLayout) -> None:
    """Who was waiting for a lock while the file was replaced gets that of the new one."""
    merge(undone)
    waiting, alone = BaseLock(undone.base), BaseLock(undone.base)
    forget(undone)
    assert not alone.try_alone()
    waiting.share()
    try:
        assert merge(undone).skipped
    finally:
        waiting.release()
        alone.release()
    assert not merge(undone).skipped


def test_killed_while_it_forgets(run_passk: Passk) -> None:
    """The store is as it was before, or as it is after; never anything else."""
    layout = StoreLayout(run_passk.folder / "store.passk")
    for name, problems in (("base", 80), ("rl", 80), ("sft", 40)):
        rows = long_rows(problems, 8, model=name, role=name, benchmark="b")
        imported(layout, jsonl(run_passk.folder / f"{name}.jsonl", rows), model=None, benchmark=None)
    with reading(layout) as reader:
        undo(reader, imports(reader)[1].id)
    wanted, full = facts_of(layout), stored(layout)["outcomes"]
    started = time.monotonic()
    run_passk("compact", status=0)
    start = time.monotonic() - started
    random, killed = Random(3), 0
    for number in range(KILLS):
        process = run_passk.start("compact", "--forget", "--yes")
        time.sleep(start * (0.4 + 1.2 * (number + random.random()) / KILLS))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        assert facts_of(layout) == wanted
        rows = stored(layout)["outcomes"]
        assert rows in (full, full - 640)
        if rows != full:
            # Once more something to forget, for the next attempt.
            rows = long_rows(80, 8, model="rl", role="rl", benchmark="b")
            imported(layout, jsonl(run_passk.folder / "rl.jsonl", rows), model=None, benchmark=None)
            with reading(layout) as reader:
                undo(reader, imports(reader)[-1].id)
    assert killed >= KILLS // 2, "or the delays are wrong"
    run_passk("compact", "--forget", "--yes")
    assert facts_of(layout) == wanted
    assert stored(layout)["outcomes"] == full - 640


def test_the_command_lists_what_will_be_lost_and_asks(undone: StoreLayout, run_passk: Passk) -> None:
    of = ("--store", undone.root)
    asked = run_passk("compact", "--forget", *of, status=1)
    assert "20 samples, 20 texts" in asked.stderr and "run gone@b" in asked.stderr and "Say --yes" in asked.stderr
    assert "import " in asked.stderr and "2 decisions that others replaced" in asked.stderr
    assert stored(undone)["outcomes"] > 32
    assert "Forgotten." in run_passk("compact", "--forget", "--yes", *of).stderr
    assert "nothing to forget" in run_passk("compact", "--forget", *of).stderr
    assert "Merged: 0 parts" in run_passk("compact", *of).stderr
