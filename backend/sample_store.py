"""The sample store: built from `sample_data/` into the user's data folder when it is first opened."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from hashlib import blake2b
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from backend.store.layout import StoreLayout

if TYPE_CHECKING:
    from backend.benchmarks import Problems

COUNTDOWN = "countdown"
COUNTS = "qwen7b_math500_counts.csv"
COUNTS_SOURCE = "cc1107yss/limit-of-rlvr-qwen7b-math500-reproduction, audit/results.json"


def data_folder() -> Path:
    """Where this user's passk data lies."""
    from platformdirs import user_data_path

    return user_data_path("passk", appauthor=False)


def sample_store(report: Callable[[str], None] = lambda _: None) -> StoreLayout:
    """The sample store, built if it is not there yet; another version of the sample data makes another store.

    `report` is told when it has to be built.

    Raises:
        StoreError: the user's data folder cannot be written.
    """
    with as_file(files("sample_data")) as folder:
        shipped = sorted(path for path in folder.rglob("*") if path.suffix in (".csv", ".parquet", ".jsonl"))
        # Names and sizes, not contents: this is looked at on every start.
        version = "".join(f"{path.name} {path.stat().st_size}\n" for path in shipped)
        fingerprint = blake2b(version.encode(), digest_size=4).hexdigest()
        layout = StoreLayout(data_folder() / fingerprint / "sample.passk")
        if not layout.exists():
            report(f"Building the sample store in {layout.root} (once, some seconds)")
            layout.root.parent.mkdir(parents=True, exist_ok=True)
            _build(layout, folder, shipped)
    return layout


def is_sample_store(layout: StoreLayout) -> bool:
    """Whether this is the user's copy of the sample store."""
    return layout.root.name == "sample.passk" and layout.root.parent.parent == data_folder()


def _countdown(folder: Path) -> Problems:
    """The problems of the miniature, each with a whole response that is right, where a plan solves it."""
    from backend.benchmarks import BenchmarkColumns, Problems
    from backend.importers.protocol import ProblemFacts
    from backend.jobs.logprob_plan import read_references
    from backend.store.identity import problem_key

    responses = read_references(folder / "references.jsonl")
    problems = Problems(BenchmarkColumns("statement", "reference", "level", "id"))
    lines = (folder / "problems.jsonl").read_text(encoding="utf-8").splitlines()
    for position, row in enumerate(map(json.loads, lines)):
        known = row["metadata"]
        if row["id"] in responses:
            known["reference_response"] = responses[row["id"]]
        facts = ProblemFacts(row["id"], position, row["statement"], row["reference"], row["level"], known)
        problems.by_key[problem_key(COUNTDOWN, facts.statement, facts.id)] = facts
    return problems


def _build(layout: StoreLayout, folder: Path, shipped: list[Path]) -> None:
    """Build beside the final place and rename, so that a first start that is killed leaves no half store."""
    from backend.benchmarks import add_problems
    from backend.importers.importing import import_files
    from backend.importers.protocol import Options
    from backend.importers.run_spec import RunOptions

    building = StoreLayout(layout.root.with_name(f"{layout.root.name}.{os.getpid()}"))
    try:
        for path in shipped:
            if path.name == COUNTS:
                columns = {"Qwen2.5-7B": "base_correct", "Qwen2.5-7B-SimpleRL-Zoo": "rl_correct"}
                import_files(
                    building,
                    [path],
                    run_options=RunOptions(benchmark="MATH500", source=COUNTS_SOURCE),
                    options=Options(n=128, columns=columns),
                )
        # Before the samples, which know less of the problems.
        add_problems(building, COUNTDOWN, "the sample data", _countdown(folder), verifier="expression")
        samples = [path for path in shipped if path.suffix == ".parquet"]
        if samples:
            import_files(building, samples)
        try:
            os.rename(building.root, layout.root)
        except OSError:
            # Another first start was faster.
            if not layout.exists():
                raise
    finally:
        shutil.rmtree(building.root, ignore_errors=True)
