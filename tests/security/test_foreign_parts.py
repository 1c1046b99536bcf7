"""Parts may be put there by others: a link, a FIFO or a device in one is refused with a word, and never opened."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from backend import merge, open_store
from backend.store.connection import open_database
from backend.store.layout import StoreLayout
from tests.support import Attempt, everything_in, write_part

NAME = "20260101T000000000000-samples-aaaaaaaa"


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    layout = StoreLayout(tmp_path / "s.passk")
    write_part(layout, NAME, [Attempt("p", 0)])
    return layout


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
@pytest.mark.parametrize("name", ["manifest.json", "outcomes.parquet", "texts.parquet"])
def test_what_is_no_plain_file_is_refused(store: StoreLayout, tmp_path: Path, name: str, kind: str) -> None:
    path = store.parts / NAME / name
    path.rename(moved := tmp_path / name)
    if kind == "link":
        path.symlink_to(moved)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    with closing(open_store(store, merging=False)) as database:
        assert [stray.title for stray in database.strays] == [f"The part {NAME} is damaged"]
    assert everything_in(store)["outcomes"] == []


def test_a_part_that_is_a_link(store: StoreLayout, tmp_path: Path) -> None:
    (store.parts / NAME).rename(tmp_path / NAME)
    (store.parts / NAME).symlink_to(tmp_path / NAME)
    assert everything_in(store)["outcomes"] == []
    assert merge(store).merged == ()
    assert (tmp_path / NAME / "manifest.json").exists()


def test_duckdb_spills_into_a_folder_of_this_user_alone() -> None:
    with open_database() as connection:
        [folder] = connection.execute("SELECT current_setting('temp_directory')").fetchone() or ("",)
    found = os.stat(folder)
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o700, os.geteuid())
