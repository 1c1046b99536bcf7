"""The same file twice, a copy of it, at once; and --dry-run. Nothing is counted twice, nothing is half there."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from backend import Options, RunOptions, import_files
from backend.errors import InputError
from backend.store.layout import StoreLayout
from tests.support import (
    Passk,
    contents,
    csv_file,
    gym_result,
    imported,
    jsonl,
    long_rows,
    qwen_line,
    reasoning_gym,
    runs_of,
    totals,
)


def test_importing_a_file_again_changes_nothing_and_says_so(run_passk: Passk) -> None:
    jsonl(run_passk.folder / "a.jsonl", long_rows())
    chosen = ("--model", "m", "--benchmark", "b")
    run_passk("import", "a.jsonl", *chosen)
    store = StoreLayout(run_passk.folder / "store.passk")
    before = contents(store)
    again = run_passk("import", "a.jsonl", *chosen)
    assert again.stdout == ""
    assert "a.jsonl: already imported, nothing changed" in again.stderr
    shutil.copy(run_passk.folder / "a.jsonl", run_passk.folder / "copy.txt")
    assert "copy.txt: already imported" in run_passk("import", "copy.txt", *chosen).stderr
    assert contents(store) == before
    assert list(store.unfinished.iterdir()) == []


def test_two_files_of_one_import_are_two_sources_even_if_their_bytes_are_equal(
    store: StoreLayout, tmp_path: Path
) -> None:
    """Seeds of a small model say the same; the same path twice, and a compressed twin, are one file all the same."""
    a = jsonl(tmp_path / "a.jsonl", long_rows())
    b = Path(shutil.copy(a, tmp_path / "b.jsonl"))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(a.read_bytes()))
    report = imported(store, a, b, a, tmp_path / "a.jsonl.gz")
    assert [file.status for file in report.files] == ["imported", "imported", "already imported", "already imported"]
    assert totals(runs_of(store)["m@b"]) == (3, 24, 6)
    assert next(times for note, times in report.notes.items() if "exact copies" in note) == 12
    before = contents(store)
    again = imported(store, b, a)
    assert [file.status for file in again.files] == ["already imported", "already imported"]
    assert contents(store) == before


def test_copies_can_be_left_out(run_passk: Passk) -> None:
    for worker in range(2):
        jsonl(run_passk.folder / f"{worker}.jsonl", long_rows())
    chosen = ("--model", "m", "--benchmark", "b", "--drop-copies")
    said = run_passk("import", "0.jsonl", "1.jsonl", *chosen).stderr
    assert "12 exact copies of a response, left out" in said
    assert totals(runs_of(StoreLayout(run_passk.folder / "store.passk"))["m@b"]) == (3, 12, 3)


def test_rows_that_a_resumed_job_wrote_again(store: StoreLayout, tmp_path: Path) -> None:
    rows = [row | {"sample_idx": place % 4} for place, row in enumerate(long_rows())]
    report = imported(store, jsonl(tmp_path / "a.jsonl", [*rows, *rows[6:]]))
    assert totals(runs_of(store)["m@b"]) == (3, 12, 3)
    assert next(times for note, times in report.notes.items() if "one sample index" in note) == 6
    changed = [*rows, rows[3] | {"completion": "Something else."}]
    with pytest.raises(InputError) as refused:
        imported(store, jsonl(tmp_path / "b.jsonl", changed), run="second")
    assert "line 13" in str(refused.value) and "line 4" in str(refused.value)


def test_a_new_file_beside_a_known_one(store: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "seeds"
    folder.mkdir()
    jsonl(folder / "a.jsonl", long_rows(benchmark="b"))
    imported(store, folder, benchmark=None)
    jsonl(folder / "b.jsonl", long_rows(5, benchmark="c"))
    report = imported(store, folder, benchmark=None)
    assert [file.status for file in report.files] == ["already imported", "imported"]
    assert {name: run.samples for name, run in runs_of(store).items()} == {"m@b": 12, "m@c": 20}


def test_counts_twice(store: StoreLayout, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", ("problem", "n", "c"), [(1, 4, 2)])
    imported(store, path)
    assert imported(store, path).files[0].status == "already imported"
    assert totals(runs_of(store)["m@b"]) == (1, 4, 2)


def test_the_same_file_into_another_run_is_another_import(store: StoreLayout, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", long_rows())
    imported(store, path)
    assert imported(store, path, run="second").files[0].status == "imported"
    assert set(runs_of(store)) == {"m@b", "second"}


def test_one_file_imported_by_several_processes_at_once(run_passk: Passk) -> None:
    jsonl(run_passk.folder / "a.jsonl", [qwen_line(f"{i}?", [True, False] * 4) for i in range(300)])
    shutil.copy(run_passk.folder / "a.jsonl", run_passk.folder / "b.jsonl")
    started = [
        run_passk.start("import", f"{name}.jsonl", "--model", "m", "--benchmark", "b") for name in ("a", "b", "a")
    ]
    said = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    assert sum("already imported" in text for text in said) == 2, said
    assert totals(runs_of(StoreLayout(run_passk.folder / "store.passk"))["m@b"]) == (300, 2_400, 1_200)


def test_seeds_of_one_run_imported_at_once(run_passk: Passk) -> None:
    for seed in range(3):
        lines = [qwen_line(f"{i}?", [True, False], code=[f"{seed}a", f"{seed}b"]) for i in range(200)]
        jsonl(run_passk.folder / f"{seed}.jsonl", lines)
    started = [run_passk.start("import", f"{seed}.jsonl", "--model", "m", "--benchmark", "b") for seed in range(3)]
    said = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    found = run_passk("paths", "--run", "m@b", "--problem", "0", status=None)
    if found.status:  # every problem has the index 0: take the first by its label
        found = run_passk("paths", "--run", "m@b", "--problem", found.stderr.split("Use one of: ")[1].split(",")[0])
    assert [path["index"] for path in found.lines] == list(range(6)), "each index once"
    assert sorted(path["text"] for path in found.lines) == ["0a", "0b", "1a", "1b", "2a", "2b"]


def test_a_dry_run_reports_and_writes_nothing(run_passk: Passk) -> None:
    jsonl(run_passk.folder / "a.jsonl", long_rows())
    before = sorted(run_passk.folder.iterdir())
    said = run_passk("import", "a.jsonl", "--model", "m", "--benchmark", "b", "--dry-run")
    assert said.stdout == ""
    assert "3 problems, 12 samples, n = 4, 3 correct" in said.stderr
    assert "nothing was written" in said.stderr
    assert sorted(run_passk.folder.iterdir()) == before, "not even the folder"


def test_a_dry_run_on_a_store_leaves_it_as_it_is(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, jsonl(tmp_path / "a.jsonl", long_rows()))
    before = contents(store)
    new = jsonl(tmp_path / "b.jsonl", [row | {"completion": "Else."} for row in long_rows(5)])
    report = import_files(store, [new], run_options=RunOptions(model="m", benchmark="b"), dry_run=True)
    assert (report.part, report.dry_run, report.runs[0].samples) == (None, True, 20)
    assert contents(store) == before


def test_a_file_of_several_benchmarks_is_known_as_a_whole(store: StoreLayout, tmp_path: Path) -> None:
    rows = [row for name in "xy" for row in long_rows(benchmark=name)]
    path = jsonl(tmp_path / "a.jsonl", rows)
    gym = reasoning_gym(tmp_path / "b.json", [gym_result("Q", [1.0, 0.0])])
    for expected in ("imported", "already imported"):
        report = import_files(store, [path, gym], run_options=RunOptions(model="m"))
        assert [file.status for file in report.files] == [expected, expected]
    assert sorted((run.name, run.samples) for run in runs_of(store).values()) == [
        ("m@letter_counting", 2),
        ("m@x", 12),
        ("m@y", 12),
    ]


def test_a_role_forgotten_at_first_can_be_said_later(run_passk: Passk) -> None:
    jsonl(run_passk.folder / "a.jsonl", long_rows())
    chosen = ("--model", "m", "--benchmark", "b")
    assert "role unknown" in run_passk("import", "a.jsonl", *chosen).stderr
    again = run_passk("import", "a.jsonl", *chosen, "--role", "base", "--step", "0")
    assert "already imported; model details updated" in again.stderr
    run = runs_of(StoreLayout(run_passk.folder / "store.passk"))["m@b"]
    assert (run.model.role, run.model.step, run.samples) == ("base", 0, 12)
    assert "nothing changed" in run_passk("import", "a.jsonl", *chosen, "--role", "base").stderr


def test_two_seeds_that_drew_the_same_response_are_no_copies(store: StoreLayout, tmp_path: Path) -> None:
    rows = [{"problem": "p", "statement": "1 + 1?", "text": "2", "verdict": 1, "seed": seed} for seed in (7, 8, 9, 9)]
    chosen = {"run_options": RunOptions(model="m", benchmark="b"), "options": Options(on_duplicate="keep-all")}
    report = import_files(store, [jsonl(tmp_path / "a.jsonl", rows)], **chosen)
    assert next(times for note, times in report.notes.items() if "exact copies" in note) == 1, "one seed twice"
