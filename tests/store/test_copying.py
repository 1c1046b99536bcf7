"""`passk copy`: a copy is a store at one moment, whoever writes meanwhile, and what is aborted leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import time
from contextlib import closing
from pathlib import Path

import pytest

from backend import merge, open_store
from backend.store.layout import StoreLayout
from backend.store.parts import waiting_parts
from tests.support import ROOT, Attempt, Passk, everything_in, passk_command, write_part

WRITER = """
import sys
from pathlib import Path
from backend.store.layout import StoreLayout
from backend.store.merge import merge
from backend.store.parts import discard
from tests.support import Attempt, write_part
layout, number = StoreLayout(Path(sys.argv[1])), 0
while True:
    # As a job: provisional parts, then the part that supersedes them, which are unlinked; each sample of all once.
    names = [f"{number:06}-samples-{part}" for part in range(3)]
    for part, name in enumerate(names):
        write_part(layout, name, [Attempt("p", 10 * number + part)], provisional=True)
    whole = [Attempt("p", 10 * number + part) for part in range(3)]
    write_part(layout, f"{number:06}-samples-whole", whole, supersedes=names)
    for name in names:
        discard(layout.parts / name)
    if number % 3 == 2:
        merge(layout)
    number += 1
    print(number, flush=True)
"""


def indices(store: StoreLayout) -> list[int]:
    return sorted(row[2] for row in everything_in(store)["outcomes"])


def unpacked(archive: Path, to: Path) -> StoreLayout:
    """As a colleague does it, who has tar alone."""
    to.mkdir()
    subprocess.run(["tar", "xf", str(archive), "-C", str(to)], check=True)
    return StoreLayout(to / "store.passk")


@pytest.mark.parametrize("ending", ["", ".tar", ".tar.gz"])
def test_copies_made_while_others_write_hold_every_sample_once(run_passk: Passk, ending: str) -> None:
    store = StoreLayout(run_passk.folder / "store.passk")
    words = [sys.executable, "-c", WRITER, str(store.root)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as writer:
        assert writer.stdout is not None
        try:
            for number in range(4):
                done = int(writer.stdout.readline())
                name = f"copy{number}{ending}"
                run_passk("copy", store.root, name)
                copy = StoreLayout(run_passk.folder / name)
                if ending:
                    copy = unpacked(copy.root, run_passk.folder / f"unpacked{number}")
                found = indices(copy)
                assert len(found) == len(set(found)), "each once"
                assert {10 * at + part for at in range(done) for part in range(3)} <= set(found), "all that was there"
                assert not [path for path in run_passk.folder.iterdir() if path.name.startswith(".")]
                merge(copy)
                assert indices(copy) == found
                assert waiting_parts(copy) == [], "no job will supersede them here"
        finally:
            writer.kill()


def test_a_copy_is_what_was_copied_without_jobs(store: StoreLayout, tmp_path: Path, run_passk: Passk) -> None:
    write_part(store, "0010-samples", [Attempt("p", 0)])
    merge(store)
    write_part(store, "0020-samples", [Attempt("p", 1)])
    (store.jobs / "secret").mkdir()
    (store.jobs / "secret" / "plan.json").write_text("{}")
    with closing(open_store(store)):  # somebody reads
        run_passk("copy", store.root, tmp_path / "copy.passk")
        run_passk("copy", store.root, tmp_path / "copy.tar")
    copy = StoreLayout(tmp_path / "copy.passk")
    assert everything_in(copy) == everything_in(store)
    assert list(copy.jobs.iterdir()) == []
    with tarfile.open(tmp_path / "copy.tar") as archive:
        assert {(entry.uid, entry.uname) for entry in archive} == {(0, "")}
        assert not [entry for entry in archive.getnames() if "secret" in entry]


def test_what_is_damaged_or_arriving_is_left_out_and_said(store: StoreLayout, tmp_path: Path, run_passk: Passk) -> None:
    write_part(store, "0010-samples", [Attempt("p", 0)])
    part = write_part(store, "0020-samples", [Attempt("p", 1)])
    (part / "texts.parquet").unlink()
    done = run_passk("copy", store.root, tmp_path / "copy.passk")
    assert "0020-samples is still arriving" in done.stderr and "1 part left out" in done.stderr
    assert indices(StoreLayout(tmp_path / "copy.passk")) == [0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("ending", [".passk", ".tar.gz"])
def test_an_aborted_copy_leaves_nothing(run_passk: Passk, number: signal.Signals, ending: str) -> None:
    store = StoreLayout(run_passk.folder / "store.passk")
    for part in range(150):
        write_part(store, f"{part:04}-samples", [Attempt("p", part)])
    words = [*passk_command(), "copy", str(store.root), f"copy{ending}"]
    with subprocess.Popen(words, cwd=run_passk.folder, env=run_passk.environment, stderr=subprocess.PIPE) as copying:
        while not [path for path in run_passk.folder.iterdir() if path.name.startswith(".copy")]:
            assert copying.poll() is None, "it was too fast"
            time.sleep(0.002)
        copying.send_signal(number)
        _, said = copying.communicate(timeout=60)
    assert copying.returncode == 130 and b"nothing half-done is left" in said
    assert [path.name for path in run_passk.folder.iterdir() if "copy" in path.name] == []


def test_an_existing_target_is_never_touched(store: StoreLayout, tmp_path: Path, run_passk: Passk) -> None:
    write_part(store, "0010-samples", [Attempt("p", 0)])
    (tmp_path / "there.tar").write_text("mine")
    os.symlink(tmp_path / "nowhere", tmp_path / "link.passk")
    for name in ("there.tar", "link.passk"):
        assert "already exists" in run_passk("copy", store.root, tmp_path / name, status=1).stderr
    assert (tmp_path / "there.tar").read_text() == "mine"
    assert "lies in the store" in run_passk("copy", store.root, store.root / "x.tar", status=1).stderr
    assert "no such kind" in run_passk("copy", store.root, tmp_path / "x.zip", status=1).stderr
