from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from backend import export
from backend.errors import Cancelled
from backend.exporters.samples import batches_of_problems, stored_problems
from backend.records.exports import ExportRequest
from backend.store.layout import StoreLayout
from tests.exporters.conftest import BASE, RL, reading
from tests.support import Attempt, Passk, imported, jsonl, long_rows, run_python, write_part


@pytest.mark.parametrize("form", ["jsonl", "parquet", "md"])
def test_a_cancelled_export_leaves_nothing(
    sums: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr("backend.exporters.samples.STRETCH", 1)
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))
        assert any("unfinished" in name for name in os.listdir(tmp_path))
        if done > 30:
            raise Cancelled("enough")

    with reading(sums) as reader, pytest.raises(Cancelled):
        export(reader, ExportRequest("paths", form, (BASE, RL)), tmp_path / f"paths.{form}", tell=tell)
    assert told[0] == (0, 96) and told[-1] == (32, 96)
    assert os.listdir(tmp_path) == []


def test_progress_ends_at_the_whole(sums: StoreLayout, tmp_path: Path) -> None:
    for what, form, whole in (
        ("paths", "jsonl", 96),
        ("sets", "csv", 6),
        ("sets", "html", 3),
        ("problems", "jsonl", 6),
    ):
        told: list[tuple[int, int]] = []
        with reading(sums) as reader:
            request = ExportRequest(what, form, (BASE, RL))
            export(reader, request, tmp_path / f"{what}.{form}", tell=lambda *at, told=told: told.append(at))
        assert told[-1] == (whole, whole)


def test_stretches_hold_every_problem_once_and_stay_small(sums: StoreLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.exporters.samples.STRETCH", 20)
    with reading(sums) as reader:
        run = reader.run(BASE)
        problems = stored_problems(reader, [run])
        found = list(batches_of_problems(reader, run, problems))
        assert [problem for together, _ in found for problem in together] == list(problems)
        assert [count for _, count in found] == [16, 16, 16]
        monkeypatch.setattr("backend.exporters.samples.STRETCH_CHARACTERS", 1)
        assert [len(together) for together, _ in batches_of_problems(reader, run, problems)] == [1] * 6
        assert sum(count for _, count in batches_of_problems(reader, run, problems, verdict="correct")) == 15
        assert sum(count for _, count in batches_of_problems(reader, run, problems, limit=2)) == 12


def test_unmerged_parts_are_exported_as_well(store: StoreLayout, tmp_path: Path) -> None:
    write_part(store, "20260101T000000000000-job-1", [Attempt("p1", 0, text="first"), Attempt("p2", 0)])
    write_part(store, "20260101T000000000001-job-2", [Attempt("p1", 1, text="second", verdict="correct")])
    with reading(store) as reader:
        made = export(reader, ExportRequest("paths", "jsonl", ("m@b",)), tmp_path / "paths.jsonl")
    assert made.rows == 3
    text = (tmp_path / "paths.jsonl").read_text()
    assert text.index('"first"') < text.index('"second"') < text.index('"some path"')


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_leaves_nothing(store: StoreLayout, tmp_path: Path, run_passk: Passk, stop: signal.Signals) -> None:
    imported(store, jsonl(tmp_path / "rows.jsonl", long_rows(60, 2_000)))
    for _ in range(10):
        process = run_passk.start("export", "paths", "--store", store.root, "--to", "paths.jsonl")
        deadline = time.monotonic() + 60
        while process.poll() is None and not any("unfinished" in name for name in os.listdir(run_passk.folder)):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(stop)
        _, said = process.communicate(timeout=60)
        if process.returncode != 0:
            break
        # It had ended before the signal came.
        (run_passk.folder / "paths.jsonl").unlink()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert os.listdir(run_passk.folder) == []


MEASURED = """
import resource, sys
from explorer.commands.main import main
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert main(sys.argv[1:]) == 0
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measured in kilobytes, as Linux does")
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_memory_does_not_follow_the_size(store: StoreLayout, tmp_path: Path, form: str) -> None:
    rows = long_rows(30, 1_000)
    for number, row in enumerate(rows):
        row["completion"] = f"{number} " * 1_500
    imported(store, jsonl(tmp_path / "rows.jsonl", rows))
    (tmp_path / "rows.jsonl").unlink()
    path = tmp_path / f"paths.{form}"
    result = run_python(MEASURED, "export", "paths", "--store", store.root, "--to", path)
    before, after = map(int, result.stdout.split())
    # 250 MB of text. Libraries that are loaded on the way, DuckDB's own 150 MB and one stretch: not all the texts.
    assert after - before < 400_000, f"{(after - before) / 1_000:.0f} MB more"
    assert path.exists()
