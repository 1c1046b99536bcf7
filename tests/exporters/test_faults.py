"""What stands in the way of a file: each a sentence, and nothing half-done is left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from backend.errors import UsageError
from backend.store.layout import StoreLayout
from tests.exporters.conftest import BASE, RL, write
from tests.exporters.hostile import RUNS
from tests.support import Passk


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=100k", "none", str(folder)]
    if not sys.platform.startswith("linux") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here (needs root on Linux)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


FULL = (
    ("paths", "p.jsonl"), ("paths", "p.parquet"), ("paths", "p.md"), ("sets", "s.csv"), ("sets", "s.html"),
    ("problems", "p.jsonl"), ("problems", "p.verl.parquet"),
    *((("curves", "c.pdf"), ("curves", "c.svg")) if find_spec("matplotlib") else ()),
    *((("datasets", "folder"),) if find_spec("datasets") else ()),
)  # fmt: skip


def test_a_full_disk_is_a_sentence_and_keeps_what_was_there(hostile: StoreLayout, tiny_disk: Path) -> None:
    (tiny_disk / "filling").write_bytes(b"x" * 94_000)
    for what, name in FULL:
        kept = tiny_disk / name
        if what != "datasets":
            kept.write_text("mine")
        with pytest.raises(UsageError, match="cannot be written") as said:
            write(hostile, what, kept, *RUNS, force=True)
        assert "No space left" in str(said.value)
        if what != "datasets":
            assert kept.read_text() == "mine"
            kept.unlink()
        assert os.listdir(tiny_disk) == ["filling"]


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("/proc/x.csv", "cannot be written"),
        ("~nobodyhere/x.csv", "no such user"),
        ("a" * 250 + ".csv", "too long"),
        ("no/x.csv", "There is no folder no"),
        ("file/x.csv", "There is no folder file"),
        ("folder.csv", "is a folder"),
        ("x.xyz", "The ending chooses the form"),
        ("x", "The ending chooses the form"),
        (".", "The ending chooses the form"),
    ],
)
def test_a_place_that_cannot_be_is_a_sentence(run_passk: Passk, sums: StoreLayout, to: str, said: str) -> None:
    (run_passk.folder / "folder.csv").mkdir()
    (run_passk.folder / "file").write_text("mine")
    finished = run_passk("export", "curves", "--store", sums.root, "--run", BASE, "--to", to, status=1)
    assert said in finished.stderr and "Traceback" not in finished.stderr
    assert sorted(os.listdir(run_passk.folder)) == ["file", "folder.csv"]
    assert (run_passk.folder / "file").read_text() == "mine"


@pytest.mark.skipif(find_spec("datasets") is None, reason="datasets is not installed (extra datasets)")
def test_the_folder_one_is_in_can_be_exported_to(
    sums: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write(sums, "datasets", Path("."), BASE, RL, force=True)
    assert os.listdir(tmp_path) == ["here"]
    assert (tmp_path / "here" / "README.md").exists()
