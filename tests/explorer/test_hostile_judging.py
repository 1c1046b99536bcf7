"""Nasty texts in search, the judging queue, notes, bookmarks and perplexity; half a million characters in search."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from time import process_time

import pytest

from backend import Reader
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter
from explorer.widgets.text_view import TextView
from tests.explorer.driving import SIZES, Driver, explorer, import_into
from tests.explorer.hostile import NAMES, NASTY, hostile_rows, stored
from tests.explorer.test_hostile import check
from tests.support import jsonl, with_reader

LONG = NASTY["long"]


def hard_rows(model: str, role: str) -> list[dict[str, object]]:
    """Every nasty text as the only right path of a hard problem; statement, answer and label are as nasty."""
    return [
        row | {"is_correct": sample == 0} | ({"completion": "another"} if sample else {})
        for row in hostile_rows(model, role)
        if row["is_correct"]
        for sample in range(21)
    ]


@pytest.fixture(scope="module")
def nasty(made: Path) -> StoreLayout:
    """In both runs; scored by a model with a nasty name, judged by a nasty author with a nasty note."""
    folder = made / "hostile-judging"
    layout = StoreLayout(folder / "nasty \x1b]0;HOSTILE\x07.passk")
    for name, role in zip(NAMES, ("base", "rl"), strict=True):
        (folder / role).mkdir(parents=True)
        import_into(layout, [jsonl(folder / role / "hard.jsonl", hard_rows(name, role))])

    def read(reader: Reader) -> list[tuple[int, int, int]]:
        [benchmark] = {run.benchmark for run in reader.runs()}
        return [(run.key, key, 0) for run in reader.runs() for key in reader.labels(benchmark)]

    places = with_reader(layout, read)
    author, note = "ann [/b] \x1b[31mHOSTILE\u202e", "\n".join(text for text in NASTY.values() if len(text) < 2_000)
    said = [(*place, author, None, datetime(2026, 11, 24), "unsure", stored(note)) for place in places]
    scores = [(*place, NAMES[0], "engine [b]", "float32", 5, -1.0 - place[1] % 7) for place in places]
    with PartWriter(layout, "judgements", name="20990101-hostile") as part:
        part.write("judgements", said)
        part.write("scores", [(*score[:3], stored(NAMES[0]), *score[4:]) for score in scores])
        part.publish()
    return layout


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


async def search_for(user: Driver, text: str) -> None:
    await user.press("slash")
    await user.type(text)
    await user.press("enter")


@pytest.mark.parametrize("size", SIZES)
async def test_search(nasty: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(nasty, size) as user:
        await user.press("enter")
        await search_for(user, "HOSTILE")
        check(user)
        assert "HOSTILE" in user.column("excerpt")[0]
        for _ in range(min(user.table.total, 30)):
            await user.press("j")
            check(user)
        await user.press("enter")
        assert user.name == "PathScreen"
        check(user)
        assert "HOSTILE" in user.shown
        await user.press("escape")
        for found in ("/[^a-z]/", "[/b]", "/(?s)^.*$/", "/$/"):
            await user.press("slash", "ctrl+u")
            await user.type(found)
            check(user)
            await user.press("enter", "G")
            check(user)
        await user.press("K")
        check(user)


@pytest.mark.parametrize("size", SIZES)
async def test_the_queue_and_notes(nasty: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(nasty, size) as user:
        await user.press("enter", "Q")
        assert user.name == "QueueScreen"
        check(user)
        assert user.table.total >= 2 * len(NASTY) - 2
        await user.press("b")
        check(user)
        await user.press("enter")
        seen = set()
        for number in range(len(NASTY)):
            check(user)
            seen.add(user.find(TextView).text)
            if number % 5 == 0:
                await user.press("z")
                check(user)
                await user.press("escape")
            await user.press("right")
        assert len(seen) > len(NASTY) // 2
        await user.press("i", "n")
        await user.type("[/b][red]")
        check(user)
        await user.press("enter")
        assert "[/b][red]" in user.flat()
        check(user)


async def test_bookmarks_and_perplexity(nasty: StoreLayout) -> None:
    async with explorer(nasty) as user:
        await user.press("enter", "P")
        check(user)
        for key in ("j", "j", "j", "v", "s"):
            await user.press(key)
            check(user)
        await user.press("escape", "escape", "enter", "enter", "enter")
        assert user.name == "PathScreen"
        await user.press("b", "Y")
        check(user)
        await user.press("B")
        assert user.name == "BookmarksScreen"
        check(user)
        await user.press("enter")
        assert user.name == "PathScreen"
        check(user)


async def test_half_a_million_characters_are_searched(nasty: StoreLayout) -> None:
    """A match in the middle: excerpt, opening there, from match to match, in bounded time of the processor."""
    async with explorer(nasty, (120, 40)) as user:
        await user.press("enter")
        started = process_time()
        await search_for(user, "word30000 ")
        assert user.table.total == 2
        assert "word29999 word30000 word30001" in " ".join(user.column("excerpt")[0].split())
        await user.press("enter")
        text = user.find(TextView)
        assert text.text == LONG
        assert "word30000" in user.shown
        check(user)
        assert text.mark == (LONG.index("word30000 "), LONG.index("word30000 ") + len("word30000 "))
        assert process_time() - started < 6
        await user.press("escape", "slash", "ctrl+u")
        started = process_time()
        await user.type("/word3[0-9]{4}/")
        await user.press("enter", "enter")
        for _ in range(3):
            await user.press("f")
            check(user)
        assert "word30003" in user.shown
        assert process_time() - started < 12
