"""Several real processes on one store: readers never wait, writers never lock, nobody needs write rights to browse."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend import merge, open_store
from backend.store.connection import open_database
from backend.store.database import Database
from backend.store.layout import StoreLayout
from backend.store.locks import BaseLock
from backend.store.parts import waiting_parts
from tests.support import (
    ROOT,
    Attempt,
    Passk,
    contents,
    everything_in,
    imported,
    jsonl,
    long_rows,
    passk_command,
    qwen_line,
    run_python,
    runs_of,
    without_rights,
    write_part,
)

OPEN = """
import sys
from pathlib import Path
from backend.store.database import open_store
from backend.store.layout import StoreLayout
database = open_store(StoreLayout(Path(sys.argv[1])))
cursor = database.cursor()
def samples():
    return cursor.execute("SELECT count(*) FROM outcomes").fetchone()[0]
print(samples(), flush=True)
"""
WAIT = OPEN + "sys.stdin.readline()\nprint(samples(), flush=True)\n"
WATCH = (
    OPEN
    + """
import time
while True:
    time.sleep(1)
    if database.refresh():
        print(samples(), time.time(), flush=True)
"""
)
MERGE = """
import sys
from pathlib import Path
from backend.store.layout import StoreLayout
from backend.store.merge import merge
result = merge(StoreLayout(Path(sys.argv[1])))
print("skipped" if result.skipped else f"merged {len(result.merged)}")
"""


@contextmanager
def process(program: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs until the test ends."""
    running = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    found = running.stdout.readline()
    if not found:
        assert running.stderr is not None
        raise AssertionError(running.stderr.read())
    return found.strip()


def merged_elsewhere(store: StoreLayout) -> str:
    result = run_python(MERGE, store.root)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_an_open_explorer_sees_an_import_within_two_seconds(run_passk: Passk) -> None:
    jsonl(run_passk.folder / "a.jsonl", [qwen_line("A?", [True] * 10)])
    jsonl(run_passk.folder / "b.jsonl", [qwen_line("B?", [True] * 5)])
    chosen = ("--model", "m", "--benchmark", "b")
    run_passk("import", "a.jsonl", *chosen)
    store = StoreLayout(run_passk.folder / "store.passk")
    with process(WATCH, store.root) as explorer:
        assert line(explorer) == "10"
        run_passk("import", "b.jsonl", *chosen)
        (part,) = waiting_parts(store)
        published = (store.parts / part).stat().st_ctime
        seen, at = line(explorer).split()
        assert seen == "15"
        assert float(at) - published < 2
        # And a command that starts meanwhile sees it at once, without waiting for anybody.
        assert run_passk("runs", "--format", "json").json[0]["samples"] == 15
        assert waiting_parts(store) == [part], "nothing is merged under a reader"
    assert run_passk("runs", "--format", "json").json[0]["samples"] == 15
    assert waiting_parts(store) == []


def test_many_readers_and_importers_at_once(run_passk: Passk) -> None:
    """Every reader that starts sees whole imports only, and at the end all is there once."""
    for number in range(4):
        lines = [qwen_line(f"{i}?", [True, False], code=[f"{number}"] * 2) for i in range(100)]
        jsonl(run_passk.folder / f"{number}.jsonl", lines)
    chosen = ("--model", "m", "--benchmark", "b")
    run_passk("import", "0.jsonl", *chosen)
    started = [run_passk.start("import", f"{number}.jsonl", *chosen) for number in (1, 2, 3)]
    readers = []
    while any(importer.poll() is None for importer in started) and len(readers) < 12:
        readers.append(run_passk.start("runs", "--format", "csv"))
        time.sleep(0.15)
    for importer in started:
        assert importer.wait(60) == 0, importer.communicate()[1]
        importer.communicate()
    for reader in readers:
        stdout, stderr = reader.communicate(timeout=60)
        assert reader.returncode == 0, stderr
        samples, correct = (int(stdout.splitlines()[1].split(",")[column]) for column in (8, 9))
        assert samples in (200, 400, 600, 800)
        assert correct == samples // 2
    (run,) = runs_of(StoreLayout(run_passk.folder / "store.passk")).values()
    assert (run.samples, run.n_min, run.n_max) == (800, 8, 8)


def test_a_merge_is_skipped_while_somebody_reads(store: StoreLayout) -> None:
    merge(store)
    write_part(store, "0010-samples", [Attempt("p", 0)])
    with process(WAIT, store.root) as reader:
        assert line(reader) == "1"
        assert merge(store).merged == ()
        write_part(store, "0020-samples", [Attempt("p", 1)])
        assert merge(store).skipped
        assert waiting_parts(store) == ["0020-samples"]
        reader.communicate("\n")
    assert merge(store).merged == ("0020-samples",)


def look(store: StoreLayout) -> None:
    Database(store).close()


def read_bytes(store: StoreLayout) -> None:
    store.base.read_bytes()


def try_to_merge(store: StoreLayout) -> None:
    assert merge(store).skipped


@pytest.mark.parametrize("do", [look, read_bytes, try_to_merge])
def test_a_reader_keeps_merges_out_whatever_its_process_does_besides(
    store: StoreLayout, do: Callable[[StoreLayout], None]
) -> None:
    """The lock of DuckDB itself is lost when the process closes any other handle of the file."""
    merge(store)
    database = open_store(store)
    try:
        assert merged_elsewhere(store) == "skipped"
        do(store)
        assert merged_elsewhere(store) == "skipped"
        write_part(store, "0010-samples", [Attempt("p", 0)])
        assert database.refresh()
    finally:
        database.close()
    assert merged_elsewhere(store) == "merged 1"


def test_whoever_opens_during_a_merge_waits_for_its_end(store: StoreLayout) -> None:
    write_part(store, "0010-samples", [Attempt("p", 0)])
    merge(store)
    lock = BaseLock(store.base)
    assert lock.try_alone()
    merging = open_database(store.base)
    with process(WAIT, store.root) as reader:
        time.sleep(1.5)
        assert reader.poll() is None, "it waits"
        merging.close()
        lock.release()
        assert line(reader) == "1"


def test_several_first_imports_at_once_make_one_store(run_passk: Passk) -> None:
    for number in range(4):
        jsonl(run_passk.folder / f"{number}.jsonl", long_rows())
    started = [
        run_passk.start("import", f"{number}.jsonl", "--model", f"m{number}", "--benchmark", "b") for number in range(4)
    ]
    said = [importer.communicate(timeout=60)[1] for importer in started]
    assert [importer.returncode for importer in started] == [0] * 4, said
    runs = runs_of(StoreLayout(run_passk.folder / "store.passk"))
    assert {name: run.samples for name, run in runs.items()} == {f"m{number}@b": 12 for number in range(4)}


# Without write rights


def as_somebody(store: Path, *command: object) -> subprocess.CompletedProcess[str]:
    """Run passk as a user who may read the store and write nothing."""
    return subprocess.run(
        [*without_rights(), *passk_command(), *map(str, command), "--store", str(store)],
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def without_write_rights(layout: StoreLayout) -> None:
    for inside, folders, files in os.walk(layout.root):
        for name in (*folders, *files):
            path = Path(inside, name)
            path.chmod(0o555 if path.is_dir() else 0o444)
    layout.root.chmod(0o555)


@pytest.fixture
def foreign(open_folder: Path, tmp_path: Path) -> StoreLayout:
    """A store of somebody else with a merged part and a waiting one; read-only is for the test to make it."""
    layout = StoreLayout(open_folder / "foreign.passk")
    imported(layout, jsonl(tmp_path / "a.jsonl", [qwen_line("A?", [True, False])]))
    write_part(layout, "9999-samples", [Attempt("p", 0, "correct", text="the path")])
    return layout


def check_browsing(layout: StoreLayout) -> None:
    before = contents(layout)
    runs = as_somebody(layout.root, "runs", "--format", "csv")
    assert runs.returncode == 0, runs.stderr
    assert runs.stdout.splitlines()[1].split(",")[8:10] == ["3", "2"], runs.stdout
    path = as_somebody(layout.root, "paths", "--run", "m@b", "--problem", "p")
    assert '"text": "the path"' in path.stdout, path.stderr
    assert contents(layout) == before


def test_somebody_without_write_rights_browses(foreign: StoreLayout) -> None:
    without_write_rights(foreign)
    check_browsing(foreign)


def test_somebody_without_write_rights_cannot_import(foreign: StoreLayout, open_folder: Path) -> None:
    without_write_rights(foreign)
    before = contents(foreign)
    file = jsonl(open_folder / "b.jsonl", long_rows())
    result = as_somebody(foreign.root, "import", file, "--model", "m", "--benchmark", "b")
    assert result.returncode == 1
    assert "cannot be written" in result.stderr
    assert "Traceback" not in result.stderr
    assert contents(foreign) == before
    dry = as_somebody(foreign.root, "import", file, "--model", "m", "--benchmark", "b", "--dry-run")
    assert dry.returncode == 0, dry.stderr


def test_somebody_without_write_rights_browses_a_store_of_parts_alone(open_folder: Path) -> None:
    layout = StoreLayout(open_folder / "parts.passk")
    write_part(layout, "0010-samples", [Attempt("p", 0, "correct"), Attempt("q", 0, "correct")])
    write_part(layout, "9999-samples", [Attempt("p", 1, text="the path")])
    without_write_rights(layout)
    check_browsing(layout)


def test_somebody_without_write_rights_browses_while_the_owner_imports(foreign: StoreLayout, tmp_path: Path) -> None:
    """Only the folder's own rights keep readers from writing; the owner goes on."""
    database = open_store(foreign)
    try:
        imported(foreign, jsonl(tmp_path / "b.jsonl", [qwen_line("B?", [True] * 7)]))
        runs = as_somebody(foreign.root, "runs", "--format", "csv")
        assert runs.returncode == 0, runs.stderr
        assert runs.stdout.splitlines()[1].split(",")[8:10] == ["10", "9"]
    finally:
        database.close()


CRASH = """
import os, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("SET checkpoint_threshold = '1GB'")
connection.execute("CREATE TABLE after_the_checkpoint (i INTEGER)")
os._exit(9)
"""


def test_a_log_left_by_a_killed_merge(foreign: StoreLayout) -> None:
    """base.duckdb.wal is there: everybody reads what was committed, and only an owner writes it into the base."""
    run_python(CRASH, foreign.base)
    log = foreign.root / "base.duckdb.wal"
    assert log.stat().st_size > 0
    without_write_rights(foreign)
    check_browsing(foreign)
    assert log.exists()
    for path in (foreign.root, foreign.parts, foreign.base, log):
        path.chmod(0o755)
    merge(foreign)
    assert not log.exists()
    assert len(everything_in(foreign)["outcomes"]) == 3
