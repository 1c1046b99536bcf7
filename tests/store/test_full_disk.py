"""A disk that is full at any point: a sentence with the cause, nothing lost or half-done, and it goes on with room.

The disk is a small one in memory, on which a file leaves so many kilobytes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import merge
from backend.store.layout import StoreLayout
from backend.store.parts import waiting_parts
from tests.support import Attempt, Passk, everything_in, jsonl, qwen_line, write_part

SIZE = 24 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if mounted:
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)]
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("mounting a small disk needs root and the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def leave(disk: Path, kilobytes: int) -> Path:
    """Fill the disk but for so many kilobytes."""
    filler = disk / "filler"
    free = os.statvfs(disk)
    with open(filler, "wb") as file:
        file.write(bytes(max(free.f_bavail * free.f_bsize - kilobytes * 1_024, 0)))
    return filler


@pytest.mark.parametrize("kilobytes", [0, 4, 16, 64, 128, 256, 400, 700])
def test_an_import_into_a_full_disk(run_passk: Passk, disk: Path, kilobytes: int) -> None:
    store = StoreLayout(disk / "s.passk")
    write_part(store, "0010-samples", [Attempt("p", index) for index in range(50)])
    merge(store)
    before = everything_in(store)
    texts = [os.urandom(400).hex() for _ in range(900)]
    lines = [qwen_line(f"{place}?", [True] * 30, code=texts[30 * place : 30 * place + 30]) for place in range(30)]
    file = jsonl(run_passk.folder / "a.jsonl", lines)
    filler = leave(disk, kilobytes)
    words = ("import", file, "--model", "m", "--benchmark", "b", "--store", store.root)
    done = run_passk(*words, status=None)
    if done.status:
        assert "No space left" in done.stderr or "room" in done.stderr, done.stderr
        assert everything_in(store) == before
        assert waiting_parts(store) == [] and not list(store.unfinished.iterdir())
        filler.unlink()
        run_passk(*words)
    filler.unlink(missing_ok=True)
    merge(store)
    assert len(everything_in(store)["outcomes"]) == len(before["outcomes"]) + 900


@pytest.mark.parametrize("kilobytes", [0, 8, 64, 300, 600, 1_000])
def test_a_merge_on_a_full_disk(disk: Path, kilobytes: int) -> None:
    store = StoreLayout(disk / "s.passk")
    write_part(store, "0010-samples", [Attempt("p", 0)])
    merge(store)
    for number in range(4):
        attempts = [
            Attempt("q", index, text=os.urandom(800).hex()) for index in range(300 * number, 300 * number + 300)
        ]
        write_part(store, f"002{number}-samples", attempts)
    before = everything_in(store)
    filler = leave(disk, kilobytes)
    merge(store)
    assert everything_in(store) == before, "from base.duckdb or from its part, each once"
    filler.unlink()
    assert merge(store).failure is None
    assert waiting_parts(store) == []
    assert everything_in(store) == before


@pytest.mark.parametrize("ending", ["", ".tar", ".tar.gz"])
@pytest.mark.parametrize("kilobytes", [0, 300])
def test_a_copy_to_a_full_disk(run_passk: Passk, disk: Path, ending: str, kilobytes: int) -> None:
    store = StoreLayout(run_passk.folder / "s.passk")
    write_part(store, "0010-samples", [Attempt("q", index, text=os.urandom(800).hex()) for index in range(900)])
    merge(store)
    filler = leave(disk, kilobytes)
    done = run_passk("copy", store.root, disk / f"copy{ending}", status=1)
    assert "No space left" in done.stderr and "Make room" in done.stderr
    assert list(disk.iterdir()) == [filler]


def test_what_else_is_written_says_that_there_is_no_room(run_passk: Passk, disk: Path) -> None:
    store = StoreLayout(disk / "s.passk")
    write_part(store, "0010-samples", [Attempt("p", index, "correct", text="1 + 1 = 2") for index in range(3)])
    merge(store)
    before = everything_in(store)
    filler = leave(disk, 0)
    problems = jsonl(run_passk.folder / "p.jsonl", [{"question": "1?"}])
    for words in (
        ("judge", "--run", "m@b", "--problem", "p", "--sample", "0", "--judgement", "valid"),
        ("judge", "--run", "m@b", "--checker", "arithmetic"),
        ("verify", "--run", "m@b", "--again", "--verifier", "number"),
        ("run", "rename", "m@b", "other", "--yes"),
        ("override", "0", "correct", "--run", "m@b", "--problem", "p", "--reason", "x"),
        ("reference", "set", "b", "p", "7"),
        ("benchmark", "add", "new", problems, "--question", "question"),
    ):
        done = run_passk(*words, "--store", store.root, status=1)
        assert "No space left" in done.stderr, (words, done.stderr)
    assert everything_in(store) == before
    filler.unlink()
    run_passk("judge", "--run", "m@b", "--checker", "arithmetic", "--store", store.root)
