"""Two paths side by side: whom one gets, what is marked, and that rows belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.reading.alignment import align
from backend.records import Model, Run, Sample
from backend.records import Response as ReasoningPath
from backend.records.reading import PathComparison
from backend.store.layout import StoreLayout
from explorer.render.compare import align_paths
from explorer.widgets.text_view import AlignedView, TextView
from tests.explorer.driving import Driver, explorer, import_into
from tests.support import jsonl

TEXTS = {
    "base": [
        ("We add. 1 + 2 = 3.\nSo the answer is 3.", False),
        ("We add. 1 + 3 = 4.\nSo the answer is 4.", False),
        ("We add. 1 + 2 = 3.\nThen 3 * 2 = 6.\nSo the answer is 6.", True),
    ],
    "rl": [("Guess 7.", False), ("We add. 1 + 2 = 3.\nSo the answer is 5.", False), ("We add. 6 + 0 = 6.", True)],
}


@pytest.fixture(scope="module")
def pair_store(made: Path) -> StoreLayout:
    layout = StoreLayout(made / "pair.passk")
    for role, texts in TEXTS.items():
        rows: list[dict[str, Any]] = [
            {
                "problem_id": "p1", "question": "Make 6.", "completion": text, "is_correct": right, "role": role,
                "model": f"tiny-{role}", "benchmark": "sums", "extracted_answer": text.rstrip(".").split()[-1],
            }
            for text, right in texts
        ]  # fmt: skip
        import_into(layout, [jsonl(made / f"pair-{role}.jsonl", rows)])
    return layout


async def open_pair(user: Driver) -> None:
    """Base's first path beside another."""
    await user.press("enter", "enter", "enter", "g", "enter")
    assert user.find(TextView).text == TEXTS["base"][0][0]
    await user.press("c")
    assert user.name == "CompareScreen"


def sides(user: Driver) -> tuple[str, str]:
    return user.find(AlignedView, "left").text, user.find(AlignedView, "right").text


async def test_beside_the_nearest_of_the_other_run_the_nearest_right_one_and_any(pair_store: StoreLayout) -> None:
    async with explorer(pair_store) as user:
        await open_pair(user)
        assert sides(user) == (TEXTS["base"][0][0], TEXTS["rl"][1][0]), "the longest common beginning"
        assert "1 of 3 in the other run" in user.words("status")
        assert "⟦3⟧" in user.shown
        assert "⟦5⟧" in user.shown
        assert "tiny-rl, sample 1" in user.words("right-heading")
        await user.press("c")
        assert sides(user)[1] == TEXTS["base"][2][0], "this one is wrong: the nearest right one"
        assert "1 of 2 correct" in user.words("status")
        await user.press("right")
        assert sides(user)[1] == TEXTS["rl"][2][0]
        await user.press("right")
        assert "No further path" in user.said()
        await user.press("left")
        assert sides(user)[1] == TEXTS["base"][2][0]
        await user.press("c")
        assert "1 of 5 in all runs" in user.words("status")
        await user.press("enter")
        assert user.name == "PathScreen"
        await user.press("escape")
        assert user.name == "CompareScreen"
        await user.press("escape")
        assert user.find(TextView).text == TEXTS["base"][0][0]


async def test_a_narrow_terminal_shows_them_one_above_the_other(pair_store: StoreLayout) -> None:
    async with explorer(pair_store, (80, 24)) as user:
        await open_pair(user)
        left, right = (user.find(AlignedView, side).region for side in ("left", "right"))
        assert left.x == right.x
        assert left.bottom < right.y
        await user.resize(120, 40)
        left, right = (user.find(AlignedView, side).region for side in ("left", "right"))
        assert left.y == right.y
        assert left.right <= right.x
        assert user.find(AlignedView, "left").lines == user.find(AlignedView, "right").lines


async def test_differences_one_after_the_other(made: Path) -> None:
    words = [f"Step {number} says that it is so and not otherwise at all.\n" for number in range(200)]
    other = [line if number % 40 else line.replace("so", f"thus{number}") for number, line in enumerate(words)]
    layout = StoreLayout(made / "long-pair.passk")
    row = {"problem_id": "p", "question": "q", "is_correct": False, "benchmark": "b"}
    for role, text in (("base", words), ("rl", other)):
        line = row | {"completion": "".join(text), "model": role, "role": role}
        import_into(layout, [jsonl(made / f"long-{role}.jsonl", [line])])
    async with explorer(layout, (120, 40)) as user:
        await user.press("enter", "enter", "enter", "enter", "c")
        left, right = user.find(AlignedView, "left"), user.find(AlignedView, "right")
        assert "difference 1 of 5" in user.words("status")
        await user.press("p")
        assert "No earlier difference" in user.said()
        for number in (2, 3):
            await user.press("n")
            assert f"difference {number} of 5" in user.words("status")
            assert f"⟦thus{40 * (number - 1)}⟧" in user.shown
            assert left.scroll_offset.y == right.scroll_offset.y > 0
        await user.press("d")
        assert "difference 1 of 5" in user.words("status")
        await user.press("g", "j", "j", "j")
        assert left.scroll_offset.y == right.scroll_offset.y == 3, "both scroll"
        await user.press("s", "j", "j")
        assert (left.scroll_offset.y, right.scroll_offset.y) == (5, 3)
        assert "unlocked" in user.words("status")
        await user.press("tab", "k")
        assert (left.scroll_offset.y, right.scroll_offset.y) == (5, 2)
        await user.press("s", "G")
        assert left.scroll_offset.y == right.scroll_offset.y > 100


async def test_a_growing_store_changes_nothing_of_a_pair(pair_store: StoreLayout, tmp_path: Path) -> None:
    async with explorer(pair_store) as user:
        await open_pair(user)
        await user.press("c")
        before = sides(user), user.find(AlignedView, "left").scroll_offset, user.words("status")
        user.screen.reload()  # type: ignore[attr-defined]
        await user.idle()
        assert before == (sides(user), user.find(AlignedView, "left").scroll_offset, user.words("status"))


# What is painted

RUN = Run(1, "r@b", Model("r"), "b", {}, 1, 1, 0, 0, 1, 1, 0, 0, 1, None)
SAMPLE = Sample(0, "wrong", None, None, None, None, None, None, None, None, None, None)
texts = st.lists(
    st.sampled_from(["So it is. ", "a b c ", "We add 1 and 2 to get 3. ", "\n", "推論です", "x=1 ", "word " * 30]),
    max_size=8,
).map("".join)


def comparison(left: str, right: str) -> PathComparison:
    paths = (ReasoningPath(RUN, 1, "p", SAMPLE, text, None) for text in (left, right))
    return PathComparison(*paths, align(left, right))


@given(texts, texts, st.integers(10, 60))
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_both_sides_have_equally_many_lines_and_all_of_their_text(left: str, right: str, width: int) -> None:
    pair = align_paths(comparison(left, right))
    found = [pair.lines(side, width) for side in (0, 1)]
    assert len(found[0]) == len(found[1])
    for text, shown, lines in ((left, pair.left, found[0]), (right, pair.right, found[1])):
        painted = "".join(shown.text[start:end] for start, end in lines)
        for sign in "⟦⟧≉⤶":
            painted = painted.replace(sign, "")
        assert painted.replace(" ", "") == text.replace("\n", "").replace(" ", "")
        for place, letter in enumerate(text):
            assert shown.text[shown.shown_position(place)] == letter
            assert shown.stored_position(shown.shown_position(place)) == place


def test_rows_belong_together_again_after_a_difference() -> None:
    common = "And this line is in both of them.\n" * 3
    pair = align_paths(comparison(f"One.\n{'much more ' * 40}\n{common}", f"Two.\n{common}"))
    left, right = pair.lines(0, 40), pair.lines(1, 40)
    first = next(row for row, (a, b) in enumerate(left) if pair.left.text[a:b].startswith("And this"))
    assert pair.right.text[slice(*right[first])].startswith("And this")
    assert first > 8


def test_a_long_paragraph_is_broken_with_a_sign() -> None:
    common = "This sentence is in both. " * 30
    pair = align_paths(comparison(f"One two three. {common}", f"Four. {common}"))
    assert pair.left.text.count("⤶") == pair.right.text.count("⤶") == 1
