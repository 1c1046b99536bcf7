"""Files of one import that may be of several models: what their names say, and when that has to be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import ImportReport, NamesFrom, Options, RunOptions, import_files
from backend.errors import UsageError
from backend.importers.file_names import step_in_names, telling_words
from backend.store.layout import StoreLayout
from tests.support import Passk, contents, jsonl, long_rows, runs_of


def taken(store: StoreLayout, *paths: Path, **said: str | bool) -> ImportReport:
    names = NamesFrom(**{name: said.pop(name) for name in ("model", "step", "benchmark") if name in said})  # type: ignore[arg-type]
    return import_files(store, paths, run_options=RunOptions(names=names, **said))  # type: ignore[arg-type]


def rows(of: str) -> list[dict[str, object]]:
    return [row | {"completion": f"{of}: {row['completion']}"} for row in long_rows()]


def files(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        jsonl(folder / name, rows(name))
    return folder


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("step_0/a.jsonl", 0), ("checkpoint-100/a.jsonl", 100), ("global_step_200/eval/a.jsonl", 200),
        ("iter_0000300/a.jsonl", 300), ("qwen-grpo-step-40/a.jsonl", 40), ("a/step_25.jsonl", 25), ("step7/a.jsonl", 7),
        ("step_3_experiments/a.jsonl", None), ("checkpoints/checkpoint_9.jsonl", None), ("one_steps5/a.jsonl", None),
        ("footstep-5/a.jsonl", None),
    ],
)  # fmt: skip
def test_steps_in_names(path: str, step: int | None) -> None:
    assert step_in_names(Path("/runs") / path) == step


def test_folders_of_steps_are_training_steps(store: StoreLayout, tmp_path: Path) -> None:
    folder = files(tmp_path / "out", "step_0/a.jsonl", "step_100/a.jsonl", "step_200/a.jsonl")
    import_files(store, [folder], run_options=RunOptions(model="x", benchmark="y"))
    assert {name: (run.model.step, run.n_max) for name, run in runs_of(store).items()} == {
        "x-step0@y": (0, 4), "x-step100@y": (100, 4), "x-step200@y": (200, 4)
    }  # fmt: skip


def test_models_steps_and_benchmarks_from_the_path(store: StoreLayout, tmp_path: Path) -> None:
    files(tmp_path / "out", "gsm8k/base-at5.jsonl", "gsm8k/grpo-at9.jsonl", "aime/grpo-at9.jsonl")
    taken(store, tmp_path / "out", model=r"([^/]+)-at\d+\.jsonl$", step=r"at(\d+)\.jsonl$", benchmark="folder")
    assert set(runs_of(store)) == {"base-step5@gsm8k", "grpo-step9@gsm8k", "grpo-step9@aime"}


@pytest.mark.parametrize("pattern", ["(", "no_group", "(two)(groups)", "(absent)"])
def test_a_pattern_that_says_nothing_is_refused(store: StoreLayout, tmp_path: Path, pattern: str) -> None:
    with pytest.raises(UsageError, match="--model-from"):
        taken(store, files(tmp_path / "out", "a.jsonl"), model=pattern, benchmark="folder")


def test_files_that_may_be_of_two_models_are_not_pooled(run_passk: Passk) -> None:
    files(run_passk.folder / "out", "base.jsonl", "grpo.jsonl")
    chosen = ("import", "out", "--benchmark", "b", "--store", "s.passk")
    refused = run_passk(*chosen, "--model", "m", status=1).stderr
    assert "base.jsonl and " in refused and "grpo.jsonl would form one run, m@b" in refused
    assert "--model-from" in refused and "--run m@b" in refused
    assert "from 2 files, n = 8" in run_passk(*chosen, "--model", "m", "--run", "m@b").stderr
    run_passk(*chosen, "--model-from", r"(\w+)\.jsonl$")
    assert set(runs_of(StoreLayout(run_passk.folder / "s.passk"))) == {"m@b", "base@b", "grpo@b"}


@pytest.mark.parametrize(
    ("first", "second"),
    [("seed0.jsonl", "seed1.jsonl"), ("gpu0/a.jsonl", "gpu1/a.jsonl"), ("output-rs0.jsonl", "output-rs11.jsonl"),
     ("a.jsonl", "a.jsonl.gz"), ("part-00001-of-4.parquet", "part-00002-of-4.parquet")],
)  # fmt: skip
def test_names_of_one_run(first: str, second: str) -> None:
    assert telling_words(Path("/x") / first, Path("/x") / second) == ()


def test_importing_with_other_options_says_what_differs(store: StoreLayout, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", long_rows(strict=True))
    said = RunOptions(model="m", benchmark="b")
    part = import_files(store, [path], run_options=said).part
    before = contents(store)
    report = import_files(store, [path], run_options=said, options=Options(columns={"verdict": "strict"}))
    assert (report.files[0].status, report.part) == ("already imported", None)
    assert "--column verdict strict" in report.files[0].reason and f"passk undo {part}" in report.files[0].reason
    assert contents(store) == before
    assert import_files(store, [path], run_options=said).files[0].reason == ""
