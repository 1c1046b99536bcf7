"""Search by keys: scopes, counts by set, a bad pattern, open at the match, keep as a filter, stop."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backend.store.layout import StoreLayout
from explorer.screens.base import DataScreen
from tests.explorer.conftest import sums_rows
from tests.explorer.driving import SIZES, Driver, explorer, import_into, until
from tests.explorer.test_sets import open_sets
from tests.support import jsonl


async def search_for(user: Driver, text: str) -> None:
    await user.press("slash")
    assert user.name == "SearchScreen"
    await user.type(text)
    await user.press("enter")


@pytest.mark.parametrize("size", SIZES)
async def test_from_sets_in_both_runs(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await open_sets(user)
        await search_for(user, "the answer is 33.")
        assert "tiny-base: 1 of 48 paths, in 1 problem" in user.flat()
        assert "tiny-rl: 0 of 48 paths, in 0 problems" in user.flat()
        assert "both 0 of 2 · base-only 1 of 2 · RL-only 0 of 1 · neither 0 of 1" in user.flat()
        assert user.column("problem") == ["s3"]
        await user.press("enter")
        assert user.name == "PathScreen"
        assert "the answer is 33." in user.flat()
        await user.press("escape", "escape")
        assert user.name == "SetsScreen"


async def test_scopes_go_from_the_path_to_the_store(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_sets(user)
        await user.press("enter", "enter")
        await search_for(user, "attempt")
        seen = [len(user.column("sample"))]
        for _ in range(3):
            await user.press("ctrl+o")
            status = user.flat().split(" paths, in store order")[0].rsplit(" ", 1)[-1]
            seen.append(int(status))
        # This path; the problem in base and RL; all problems in both; all three runs.
        assert seen == [1, 16, 96, 120]


async def test_a_bad_pattern_is_explained_while_one_types(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_sets(user)
        await user.press("slash")
        await user.type("/(attempt")
        assert "missing )" in user.flat()
        await user.type(")/")
        assert "missing )" not in user.flat()
        await user.press("enter")
        assert "tiny-base: 48 paths, in 6 problems" in user.flat()


async def test_kept_as_a_filter(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_sets(user)
        await search_for(user, "/is 3[0-9]\\./")
        await user.press("K")
        assert user.name == "SetsScreen"
        assert "1 of 6 problems" in user.flat()
        assert "contains /is 3[0-9]\\./" in user.flat()


async def test_what_was_searched_may_be_markup(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_sets(user)
        await search_for(user, "[/b][red]")
        assert "0 of 48 paths" in user.flat()
        await user.press("K")
        assert "contains [/b][red]" in user.flat()


async def test_what_is_added_meanwhile_moves_no_hit(sums_store: StoreLayout, tmp_path: Path) -> None:
    layout = StoreLayout(shutil.copytree(sums_store.root, tmp_path / "sums.passk"))
    async with explorer(layout) as user:
        await open_sets(user)
        await search_for(user, "attempt")
        await user.press("j", "j")
        before = user.table.cursor_key, user.column("sample")
        # A run that is compared gets another problem, whose paths match too.
        row = next(sums_rows("rl")) | {"problem_id": "s9", "question": "One more?"}
        import_into(layout, [jsonl(tmp_path / "more.jsonl", [row])])
        behind = user.app.screen_stack[-2]
        assert isinstance(behind, DataScreen)
        await until(lambda: behind.stale, said="the look-out takes in what was added")
        await user.idle()
        assert (user.table.cursor_key, user.column("sample")) == before
