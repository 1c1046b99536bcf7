"""Seen paths, a random unseen one, bookmarks, and matches of a search in the reader."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.store.layout import StoreLayout
from explorer.reading_marks import ReadingMarks
from explorer.render.text import STYLE, VisibleText, highlight
from explorer.widgets.text_view import TextView
from tests.explorer.driving import explorer
from tests.explorer.test_sets import open_sets


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "passk"


async def test_every_sample_is_seen_once_by_the_key_for_unseen_ones(sums_store: StoreLayout, state: Path) -> None:
    async with explorer(sums_store) as user:
        await open_sets(user)
        await user.press("enter", "enter")
        seen = [user.crumbs[-1]]
        for _ in range(7):
            await user.press("R")
            seen.append(user.crumbs[-1])
        assert sorted(seen) == [f"sample {index}" for index in range(8)]
        await user.press("R")
        assert user.crumbs[-1] == seen[-1]
    lines = [json.loads(line) for line in (state / "sums.passk.jsonl").read_text().splitlines()]
    assert sorted(entry["seen"][2] for entry in lines) == list(range(8))


async def test_a_bookmark_leads_back(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_sets(user)
        await user.press("enter", "enter", "right", "b")
        crumbs = user.crumbs
        await user.press("escape", "escape", "escape", "B")
        assert user.name == "BookmarksScreen"
        assert len(user.column("title")) == 1
        await user.press("enter")
        assert (user.name, user.crumbs) == ("PathScreen", crumbs)
    async with explorer(sums_store) as user:
        await user.press("B")
        assert len(user.column("title")) == 1, "it is there in the next session"
        await user.press("x")
        assert user.column("title") == []


async def test_the_reader_goes_from_match_to_match(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_sets(user)
        await user.press("slash")
        await user.type("s3")
        await user.press("enter", "enter")
        assert user.name == "PathScreen"
        text = user.find(TextView)
        first = text.text.index("s3")
        assert text.mark == (first, first + 2)
        await user.press("f")
        assert text.mark == (first, first + 2), "there is no further match"
        assert any(style == STYLE for _, _, style in text.painted.spans)


def test_a_damaged_line_and_a_second_explorer_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "store.jsonl"
    first, second = ReadingMarks(path), ReadingMarks(path)
    first.see(1, 2, 3)
    second.see(1, 2, 4)
    with path.open("ab") as file:
        file.write(b'\xff not json\n[]\n{"seen": ["x"]}\n{"bookmark": 1}\n')
    first.toggle_bookmark("@home", "Home")
    third = ReadingMarks(path)
    assert third.seen(1, 2) == {3, 4}
    assert [mark.title for mark in third.bookmarks] == ["Home"]
    assert not third.toggle_bookmark("@home", "Home")
    assert ReadingMarks(path).bookmarks == ()


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    from backend.errors import StoreError

    (tmp_path / "file").write_text("")
    marks = ReadingMarks(tmp_path / "file" / "store.jsonl")
    with pytest.raises(StoreError, match="cannot be kept"):
        marks.see(1, 2, 3)
    assert marks.seen(1, 2) == frozenset()


stretches = st.lists(st.integers(0, 60), max_size=12, unique=True).map(
    lambda ends: [(a, b) for a, b in zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False)]
)


@given(stretches, stretches)
def test_matches_go_over_the_styles_that_were_there(
    styled: list[tuple[int, int]], found: list[tuple[int, int]]
) -> None:
    shown = VisibleText("x" * 60, tuple((start, end, "dim") for start, end in styled))
    over = highlight(shown, found).spans
    assert list(over) == sorted(over)
    assert all(first[1] <= second[0] for first, second in pairwise(over))
    looks = {position: style for start, end, style in over for position in range(start, end)}
    for position in range(60):
        inside = any(start <= position < end for start, end in found)
        before = any(start <= position < end for start, end in styled)
        assert looks.get(position) == (STYLE if inside else "dim" if before else None)
