"""A store that is moved, renamed or exchanged while an explorer shows it: said, and read on when it is there again."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from backend import Reader, merge, open_store
from backend.errors import StoreAway, StoreReplaced
from backend.store.layout import StoreLayout
from tests.explorer.terminal import Terminal, needs_tmux
from tests.support import Attempt, Passk, write_part


def two_runs(store: StoreLayout) -> None:
    for run in ("first", "second"):
        write_part(
            store, f"0010-{run}", [Attempt("p", index, "correct") for index in range(4)], run=f"{run}@b", model=run
        )
    merge(store)
    write_part(store, "0020-samples", [Attempt("p", 0)], run="third@b", model="third")


@pytest.mark.parametrize("merged", [True, False])
def test_what_was_read_stays_while_the_store_is_away(store: StoreLayout, merged: bool) -> None:
    two_runs(store)
    if not merged:
        store.base.unlink()
    elsewhere = store.root.with_name("elsewhere.passk")
    with closing(open_store(store, merging=False)) as database, Reader(database) as reader:
        before = reader.runs()
        store.root.rename(elsewhere)
        for _ in range(2):
            with pytest.raises(StoreAway, match="not there any more"):
                database.refresh()
        assert reader.runs() == before
        write_part(StoreLayout(elsewhere), "0030-samples", [Attempt("p", 0)], run="fourth@b", model="fourth")
        elsewhere.rename(store.root)
        assert database.refresh()
        assert {run.name for run in reader.runs()} - {run.name for run in before} == {"fourth@b"}
        shutil.copytree(store.root, elsewhere)
        shutil.rmtree(store.root)
        with pytest.raises(StoreAway):
            database.refresh()
        elsewhere.rename(store.root)
        with pytest.raises(StoreReplaced, match="Open it anew"):
            database.refresh()


@needs_tmux
def test_an_explorer_says_that_its_store_is_away_and_goes_on(run_passk: Passk) -> None:
    store = StoreLayout(run_passk.folder / "s.passk")
    two_runs(store)
    away = Path(f"{store.root}.away")
    terminal = Terminal(run_passk, "s.passk")
    try:
        terminal.wait("first@b")
        store.root.rename(away)
        terminal.wait("not there any more")
        away.rename(store.root)
        terminal.wait("is there again")
        terminal.wait("first@b")
        # Another one under the same name: it is opened anew, where one was.
        other = StoreLayout(run_passk.folder / "other.passk")
        write_part(other, "0010-samples", [Attempt("p", 0)], run="quite-another@b", model="quite-another")
        merge(other)
        store.root.rename(away)
        other.root.rename(store.root)
        terminal.wait("quite-another")
        terminal.keys("q")
        terminal.wait("STATUS 0")
    finally:
        terminal.close()
