"""A folder with files of no use: each is left with its reason, and only a file that was named itself stops."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backend.errors import InputError, PasskError
from backend.records.imports import ImportReport
from backend.store.layout import StoreLayout
from tests.importers import examples as made
from tests.importers import neighbours
from tests.importers.test_select import selected
from tests.support import csv_file, imported, jsonl, long_rows, runs_of, totals


def torn(folder: Path) -> Path:
    path = jsonl(folder / "torn.jsonl", long_rows())
    path.write_bytes(path.read_bytes()[:-9])
    return path


def write_useless(folder: Path) -> dict[str, str]:
    """Files of no use, and a word of why."""
    crashed = made.inspect_eval(folder / "crashed.eval", made.inspect_samples())
    crashed.write_bytes(crashed.read_bytes()[:-400])
    csv_file(folder / "header.csv", ("problem", "text", "correct"), [])
    cut = neighbours.document(folder / "cut_allresults.json", neighbours.simple_evals_results())
    cut.write_bytes(cut.read_bytes()[:-30])
    whole = neighbours.parquet(folder / "damaged.parquet", neighbours.wide_rows())
    whole.write_bytes(whole.read_bytes()[:60])
    (folder / "gone.jsonl").symlink_to(folder / "nowhere.jsonl")
    torn(folder)
    (folder / "empty.jsonl").touch()
    return {
        "header.csv": "no",
        "cut_allresults.json": "not JSON",
        "gone.jsonl": "a link that leads to no file",
        "torn.jsonl": "not JSON at its end",
        "crashed.eval": "it is a zip archive, damaged",
        "empty.jsonl": "it is empty",
        "damaged.parquet": "",
    }


def left(report: ImportReport) -> dict[str, str]:
    return {Path(file.path).name: file.reason for file in report.files if file.status == "left"}


def test_what_is_of_no_use_is_left_with_its_reason(store: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    wanted = write_useless(folder)
    good = jsonl(folder / "good.jsonl", long_rows())
    report = imported(store, folder)
    found = left(report)
    assert found.keys() == wanted.keys()
    for name, word in wanted.items():
        assert word in found[name], (name, found[name])
    alone = StoreLayout(tmp_path / "alone.passk")
    imported(alone, good)
    assert totals(runs_of(store)["m@b"]) == totals(runs_of(alone)["m@b"]), "nothing of a file that was left is there"


def test_a_dry_run_says_the_same(store: StoreLayout, tmp_path: Path, run_passk: object) -> None:
    from tests.support import Passk

    assert isinstance(run_passk, Passk)
    folder = run_passk.folder / "results"
    folder.mkdir()
    write_useless(folder)
    jsonl(folder / "good.jsonl", long_rows())
    said = run_passk("import", "results", "--model", "m", "--benchmark", "b", "--dry-run").stderr
    assert "torn.jsonl: left, " in said
    assert "gone.jsonl: left, a link that leads to no file" in said


@pytest.mark.parametrize("name", ["header.csv", "cut_allresults.json", "torn.jsonl", "damaged.parquet"])
def test_a_file_that_was_named_stops(store: StoreLayout, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    write_useless(folder)
    jsonl(folder / "good.jsonl", long_rows())
    with pytest.raises(PasskError, match=name):
        imported(store, folder, folder / name)
    assert runs_of(store) == {}


def test_a_folder_of_nothing_else_is_an_error(store: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    torn(folder)
    with pytest.raises(InputError, match=r"torn\.jsonl, line"):
        imported(store, folder)
    (folder / "torn.jsonl").unlink()
    (folder / "gone.jsonl").symlink_to(folder / "nowhere.jsonl")
    with pytest.raises(InputError, match="No result file to import") as caught:
        imported(store, folder)
    assert "gone.jsonl: a link that leads to no file" in str(caught.value)


def test_what_an_option_would_mend_is_asked_not_left(store: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    jsonl(folder / "good.jsonl", long_rows())
    jsonl(folder / "points.jsonl", [{"problem": "1", "text": "x", "score": 85}])
    with pytest.raises(InputError, match="85 is no verdict"):
        imported(store, folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_the_right_to_read_it_is_left(store: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    jsonl(folder / "good.jsonl", long_rows())
    jsonl(folder / "secret.jsonl", long_rows()).chmod(0)
    assert left(imported(store, folder)) == {"secret.jsonl": "no right to read it"}


def test_a_statement_leaves_the_files_that_it_does_not_fit(store: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    jsonl(folder / "a.jsonl", [{"q": "1", "said": {"text": "x"}}])
    jsonl(folder / "config.jsonl", [{"lr": 0.1}])
    report = selected(store, folder, "SELECT q AS problem, said.text AS text FROM source")
    assert list(left(report)) == ["config.jsonl"]
    assert "mapping.sql, line 1" in left(report)["config.jsonl"]
