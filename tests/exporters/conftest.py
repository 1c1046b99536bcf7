"""Stores that are exported, made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from backend import Reader, export, form_of, open_store
from backend.records.exports import Exported, ExportRequest
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter
from tests.explorer.conftest import sums_rows
from tests.exporters.hostile import hostile_rows
from tests.support import imported, jsonl

BASE, RL, SFT = "tiny-base@sums", "tiny-rl@sums", "tiny-sft@sums"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exported")


@pytest.fixture(scope="session")
def sums(folder: Path) -> StoreLayout:
    """One benchmark, three runs with texts: base and RL with n = 8, SFT with n = 4; RL and SFT are training steps."""
    layout = StoreLayout(folder / "sums.passk")
    for run in ("base", "rl", "sft"):
        rows = [{**row, "model": f"tiny-{run}", "role": run} for row in sums_rows(run)]
        imported(layout, jsonl(folder / f"{run}.jsonl", rows), model=None, benchmark=None,
                 step={"rl": 10, "sft": 20}.get(run), from_model=None if run == "base" else "tiny-base")  # fmt: skip
    return layout


JUDGED = {"s4": {6: "valid", 7: "invalid"}, "s3": {7: "valid"}}
"""Of the base run: problem -> sample -> what its right paths were judged."""
SCORED = {1: -0.25, 2: -0.5, 4: -2.0}
"""Of both runs of the pair, under both models: sample -> log-probability of a token."""


@pytest.fixture(scope="session")
def judged(sums: StoreLayout, folder: Path) -> StoreLayout:
    """The same store, some right paths of base judged, some paths of base and RL scored under both."""
    layout = StoreLayout(folder / "judged.passk")
    shutil.copytree(sums.root, layout.root)
    day, name = datetime(2026, 1, 2, 3, 4, 5), "20260102T000000000000-beside-1"
    with reading(layout) as reader:
        base, rl = (reader.run(run) for run in (BASE, RL))
        keys = {label: reader.problem_key("sums", label) for label in ("s1", *JUDGED)}
    said = [
        (base.key, keys[label], sample, "ada", None, day, judgement, None)
        for label, of_problem in JUDGED.items()
        for sample, judgement in of_problem.items()
    ]
    scores = [
        (run.key, keys["s1"], sample, scorer.model.name, "transformers", "float32", 10, 10 * logprob)
        for run in (base, rl)
        for scorer in (base, rl)
        for sample, logprob in SCORED.items()
    ]
    with PartWriter(layout, "judgements", name=name) as part:
        part.write("judgements", sorted(said))
        part.write("scores", sorted(scores))
        part.publish()
    return layout


@pytest.fixture(scope="session")
def hostile(folder: Path) -> StoreLayout:
    """Every text, name and answer tries to be something else."""
    layout = StoreLayout(folder / "hostile.passk")
    imported(layout, jsonl(folder / "hostile.jsonl", hostile_rows()), model=None, benchmark=None)
    return layout


@contextmanager
def reading(layout: StoreLayout) -> Iterator[Reader]:
    database = open_store(layout)
    try:
        with Reader(database) as reader:
            yield reader
    finally:
        database.close()


def write(layout: StoreLayout, what: str, path: Path, *runs: str, force: bool = False, **more: object) -> Exported:
    """One export through the backend's one door."""
    verl = path.name.endswith(".verl.parquet")
    request = ExportRequest(what, form_of(what, path, verl), runs, **more)  # type: ignore[arg-type]
    with reading(layout) as reader:
        return export(reader, request, path, force=force)
