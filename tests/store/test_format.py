"""docs/store-format.md says what is there, and stores of every version can be read by the same rules."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest

import queries
from backend import check_store, merge, open_store
from backend.store.layout import StoreLayout
from backend.store.parts import SCHEMA_VERSION, Manifest, PartFile, PartRun, PartSource, manifest_from_json
from tests.support import ROOT, everything_in

DOCUMENT = (ROOT / "docs" / "store-format.md").read_text(encoding="utf-8")
VERSIONS = {"0.1.0 before its modules moved": ROOT / "tests" / "last_version" / "store.passk"}
"""A store of every released version, by its name; another one when the next is released."""


def test_the_document_is_of_this_version() -> None:
    assert f"\nVersion {SCHEMA_VERSION}:" in DOCUMENT
    for number, name in enumerate(queries.migrations(), 1):
        assert f"| {number} | `{name}.sql` |" in DOCUMENT


@pytest.mark.parametrize("kind", [Manifest, PartRun, PartSource, PartFile])
def test_every_field_of_a_manifest_is_explained(kind: type) -> None:
    missing = [name for name in kind.__struct_fields__ if f"`{name}`" not in DOCUMENT]  # type: ignore[attr-defined]
    assert missing == []


def test_every_table_stands_there_with_its_columns() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (`[^|]+) \|$", DOCUMENT, re.MULTILINE))
    said = {table: dict(re.findall(r"`(\w+)` ([A-Z]+(?:\[\])?)", columns)) for table, columns in rows.items()}
    assert said == {table: dict(columns) for table, columns in queries.tables().items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_every_version_is_whole_and_merges(version: str, tmp_path: Path) -> None:
    store = StoreLayout(Path(shutil.copytree(VERSIONS[version], tmp_path / "store.passk")))
    assert all(found.good for found in check_store(store))
    with closing(open_store(store, merging=False)) as database:
        assert database.strays == []
        shown = len(database.manifests)
    before = everything_in(store)
    assert before["outcomes"] and shown
    assert merge(store).failure is None
    assert everything_in(store) == before


@pytest.mark.parametrize("version", VERSIONS)
def test_a_manifest_of_every_version_is_read_as_it_was_written(version: str) -> None:
    for path in (VERSIONS[version] / "parts").glob("*/manifest.json"):
        text = path.read_text(encoding="utf-8")
        now = json.loads(manifest_from_json(text, "it").to_json())
        written = json.loads(text)
        assert {key: now[key] for key in written if key not in ("runs", "sources")} == {
            key: value for key, value in written.items() if key not in ("runs", "sources")
        }
        for field in ("runs", "sources"):
            for before, after in zip(written[field], now[field], strict=True):
                assert before.items() <= after.items()
