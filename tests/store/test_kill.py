"""Killed at any moment, and on a full disk: the store opens and holds whole imports only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from backend import merge, open_store
from backend.store.layout import StoreLayout
from tests.support import Passk, everything, jsonl, passk_command, qwen_line, runs_of

PROBLEMS, SAMPLES, KILLS = 2_500, 8, 20


@pytest.fixture
def results(run_passk: Passk) -> Path:
    """20,000 samples, which take a second or two."""
    lines = (
        qwen_line(
            f"Question {i}?",
            [j == 0 for j in range(SAMPLES)],
            idx=i,
            code=[f"Step {j}. " * 60 + f"So \\boxed{{{i}}}" for j in range(SAMPLES)],
        )
        for i in range(PROBLEMS)
    )
    return jsonl(run_passk.folder / "big.jsonl", lines)


def holds_whole_imports(store: StoreLayout) -> int:
    """How many runs the store holds, after it has been opened as the explorer opens it."""
    if not store.exists():
        return 0
    database = open_store(store)
    try:
        cursor = database.cursor()
        runs = cursor.execute("SELECT run_key FROM runs").fetchall()
        for view in ("outcomes", "texts"):
            rows = cursor.execute(
                f"SELECT count(*), count(DISTINCT (problem_key, sample)) FROM {view} GROUP BY run_key"
            ).fetchall()
            assert rows == [(PROBLEMS * SAMPLES,) * 2] * len(runs), view
        correct = cursor.execute("SELECT sum(n), sum(c), count(*) FROM tallies GROUP BY run_key").fetchall()
        assert correct == [(PROBLEMS * SAMPLES, PROBLEMS, PROBLEMS)] * len(runs)
        cursor.close()
        return len(runs)
    finally:
        database.close()


def test_killed_twenty_times_during_import(run_passk: Passk, results: Path) -> None:
    chosen = ("--benchmark", "b")
    started = time.monotonic()
    run_passk("import", results, *chosen, "--model", "whole", "--store", "whole.passk")
    duration = time.monotonic() - started
    assert holds_whole_imports(StoreLayout(run_passk.folder / "whole.passk")) == 1

    store = StoreLayout(run_passk.folder / "store.passk")
    random, held, killed = Random(20), 0, 0
    for number in range(KILLS):
        importer = run_passk.start("import", results, *chosen, "--model", f"m{number}")
        # Spread over the whole import, with its beginning (imports) and its end (merge).
        time.sleep(duration * (0.15 + 0.9 * (number + random.random()) / KILLS))
        importer.send_signal(signal.SIGKILL)
        importer.communicate()
        killed += importer.returncode == -signal.SIGKILL
        now = holds_whole_imports(store)
        assert held <= now <= held + 1, "what was there stays"
        held = now
    assert killed >= KILLS // 2, "or the delays are wrong"

    # After all that, an import works as ever.
    run_passk("import", results, *chosen, "--model", "last")
    assert holds_whole_imports(store) == held + 1


def test_killed_while_the_base_is_made(store: StoreLayout) -> None:
    """A half-made base.duckdb would never open again: it is made elsewhere and moved into place."""
    made = store.root / "unfinished" / "20260101T000000-base-x"
    made.mkdir()
    (made / "base.duckdb").write_bytes(b"half")
    assert not merge(store).skipped
    assert runs_of(store) == {}
    assert made.exists(), "left alone until it is surely nobody's"
    os.utime(made, (0, 0))
    merge(store)
    assert not made.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if mounted:
        command = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)]
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("mounting a small disk needs root and the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk(run_passk: Passk, small_disk: Path) -> None:
    """The import fails with a sentence, nothing of it is left, and what was there is there."""
    jsonl(run_passk.folder / "small.jsonl", [qwen_line("A?", [True, False])])
    random = Random(0)
    lines = [
        qwen_line(f"{i}?", [True] * 4, code=[random.randbytes(2_000).hex() for _ in range(4)]) for i in range(1_500)
    ]
    jsonl(run_passk.folder / "large.jsonl", lines)
    store = StoreLayout(small_disk / "s.passk")
    chosen = ("--model", "m", "--benchmark", "b", "--store", store.root)
    run_passk("import", "small.jsonl", *chosen)
    result = run_passk("import", "large.jsonl", *chosen, status=1)
    assert result.stdout == ""
    assert "Nothing was imported. Is there room on the disk?" in result.stderr
    assert list(store.unfinished.iterdir()) == []
    database = open_store(store)
    assert len(everything(database)["outcomes"]) == 2
    database.close()

    # So full that not even opening may write: browsing goes on.
    with open(small_disk / "filler", "wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4_096))
    assert run_passk("runs", "--store", store.root, "--format", "json").json[0]["samples"] == 2
    assert "Traceback" not in run_passk("import", "large.jsonl", *chosen, status=1).stderr


def test_the_command_is_installed() -> None:
    assert Path(passk_command()[0]).exists()
