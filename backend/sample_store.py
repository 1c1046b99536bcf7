"""The sample store: built from `sample_data/` into the user's data folder when it is first opened."""

from __future__ import annotations

import os
import shutil
from hashlib import blake2b
from importlib.resources import as_file, files
from pathlib import Path

from backend.store.layout import StoreLayout

COUNTS = "qwen7b_math500_counts.csv"
COUNTS_SOURCE = "cc1107yss/limit-of-rlvr-qwen7b-math500-reproduction, audit/results.json"


def data_folder() -> Path:
    """Where this user's passk data lies."""
    from platformdirs import user_data_path

    return user_data_path("passk", appauthor=False)


def sample_store() -> StoreLayout:
    """The sample store, built if it is not there yet; another version of the sample data makes another store.

    Raises:
        StoreError: the user's data folder cannot be written.
    """
    with as_file(files("sample_data")) as folder:
        shipped = sorted(path for path in folder.rglob("*") if path.suffix in (".csv", ".parquet"))
        fingerprint = blake2b(digest_size=4)
        for path in shipped:
            fingerprint.update(path.name.encode() + path.read_bytes())
        layout = StoreLayout(data_folder() / f"sample-{fingerprint.hexdigest()}.passk")
        if not layout.exists():
            _build(layout, shipped)
    return layout


def _build(layout: StoreLayout, shipped: list[Path]) -> None:
    """Build beside the final place and rename, so that a first start that is killed leaves no half store."""
    from backend.importers.import_files import import_files
    from backend.importers.protocol import Options
    from backend.importers.targets import RunOptions

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
