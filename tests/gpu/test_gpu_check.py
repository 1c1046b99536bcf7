"""`make gpu` in small on the CPU, so that it works at the first try where there is a GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu.product import ROOT
from tests.gpu.report import ABSENT, FAILED, MISSED, OK, CheckFailed, Report


@pytest.mark.slow
def test_every_row_comes_and_none_fails(models: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.gpu", "--device", "cpu", "--small", "--engine", "transformers", "--json", rows],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {row["what"]: row for row in json.loads(rows.read_text(encoding="utf-8"))}
    assert all(
        row["status"] in (OK, MISSED) for what, row in found.items() if what.split(": ")[-1] != "too small for it"
    )
    assert "16 of 16 texts equal the shipped ones" in found["transformers: base and RL drawn anew"]["found"]
    assert "each sample exactly once; 96 of 96" in found["transformers: kill -9, resume"]["found"]
    assert "each sample exactly once" in found["transformers: two workers on one GPU"]["found"]
    for what in found:
        assert what.split()[0] in done.stdout
    assert "Drawing on the CPU" in done.stdout


def test_a_check_that_fails_is_a_row_and_the_rest_goes_on() -> None:
    report = Report(minutes=1)

    def fails() -> tuple[str, str]:
        raise CheckFailed("2 samples, 1 different one")

    def breaks() -> tuple[str, str]:
        raise ValueError("no")

    assert report.check("first", fails) == FAILED
    assert report.check("second", breaks) == FAILED
    assert report.check("third", lambda: ("found " * 40, OK)) == OK
    assert report.check("fourth", lambda: ("", OK), needs=100) == ABSENT
    assert report.failed
    text = "\n".join(report.lines())
    for words in ("2 samples, 1 different one", "ValueError: no", "left out: it takes 100 s"):
        assert words in text
    assert max(map(len, report.lines())) <= 118


def test_what_this_python_lacks_is_said(models: Path) -> None:
    program = "import sys; from tests.gpu.__main__ import main; sys.exit(main(['--missing']))"
    # The commands of tests that ran before may have switched the working folder off for all that is started.
    found = {**os.environ, "PYTHONPATH": str(ROOT)}
    bare = [sys.executable, "-S", "-c", program]
    lacking = subprocess.run(bare, env=found, capture_output=True, encoding="utf-8")
    assert lacking.returncode == 2
    assert "lacks: torch transformers textual " in lacking.stderr
    pytest.importorskip("duckdb")
    assert subprocess.run([sys.executable, "-c", program], env=found, capture_output=True).returncode == 0
