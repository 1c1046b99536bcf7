"""Where the system refuses something, a sentence says what; never a traceback (`Passk` looks for one)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import Passk, jsonl, long_rows, passk_command


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", [("runs",), ("curves", "--format", "json")], ids=" ".join)
def test_standard_output_on_a_full_disk(run_passk: Passk, words: tuple[str, ...]) -> None:
    run_passk(
        "import",
        jsonl(run_passk.folder / "a.jsonl", [r | {"model": "m", "benchmark": "b"} for r in long_rows()]),
        "--store",
        "store.passk",
    )
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*passk_command(), *words], cwd=run_passk.folder, env=run_passk.environment, stdout=full,
            stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pipe_is_refused_with_the_truth(run_passk: Passk) -> None:
    os.mkfifo(run_passk.folder / "pipe")
    done = run_passk("import", "pipe", "--store", "store.passk", status=1)
    assert "is a pipe or a device" in done.stderr
    assert not (run_passk.folder / "store.passk").exists()


def test_csv_on_standard_output_holds_no_formula(run_passk: Passk) -> None:
    evil = '=HYPERLINK("http://x")'
    rows = [row | {"model": evil, "benchmark": "b"} for row in long_rows()]
    run_passk("import", jsonl(run_passk.folder / "a.jsonl", rows), "--store", "store.passk")
    assert [row["model"] for row in run_passk("runs", "--format", "csv").csv] == [f"'{evil}"]
    assert [row["model"] for row in run_passk("runs", "--format", "json").json] == [evil]
