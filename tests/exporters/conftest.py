"""Stores that are exported, made once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend import Reader, export, form_of, open_store
from backend.records.exports import Exported, ExportRequest
from backend.store.layout import StoreLayout
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
