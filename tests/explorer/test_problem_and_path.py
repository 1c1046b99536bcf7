"""One problem with its samples, and one path: figures, answers, verdicts, and the way from one to the next."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from backend.store.layout import StoreLayout
from backend.verification import verify
from explorer.widgets.text_view import TextView
from tests.explorer.driving import SIZES, Driver, explorer
from tests.support import SHARED_DATA, with_reader


async def open_problem(user: Driver, label: str = "s4") -> None:
    await user.press("enter", "enter", "left", "left")
    assert user.crumbs[-1] == "all"
    await user.press("f")
    await user.type(label)
    await user.press("enter", "enter")
    assert user.crumbs[-1] == f"problem {label}"


@pytest.mark.parametrize("size", SIZES)
async def test_a_problem_shows_all_that_is_known(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await open_problem(user, "s4")
        assert "problem s4" in user.words("heading")
        assert "level: Level 1" in user.words("heading")
        assert "reference answer: 44" in user.words("heading")
        assert user.find(TextView, "statement").text == "What is 40 + 4?"
        assert "What is 40 + 4?" in user.shown
        tallies = user.words("tallies")
        assert "▶ 2/8 correct (25.0 %) tiny-base: 5 wrong, 1 no answer" in tallies
        assert "0/8 correct (0.0 %) tiny-rl: 7 wrong, 1 no answer" in tallies
        assert "0/4 correct (0.0 %) tiny-sft: 3 wrong, 1 no answer" in tallies
        assert user.column("index") == [str(i) for i in range(8)]
        assert user.column("verdict") == ["✗ wrong", "∅ no answer", *["✗ wrong"] * 4, "✓ correct", "✓ correct"]
        assert user.column("answer") == ["0", "–", "2", "3", "4", "5", "44", "44"]
        assert user.column("tokens") == [str(400 + i) for i in range(8)]
        assert user.column("finish") == ["eos", "stop"] * 4
        if size[0] >= 110:
            assert user.column("seed") == [str(1000 + i) for i in range(8)]
        assert user.words("status") == "tiny-base: 8 samples"
        assert user.cells()[0] == "6", "the cursor is on the first right sample"


async def test_verdict_filter(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_problem(user)
        await user.press("v")
        assert user.column("index") == ["6", "7"]
        assert user.words("status") == "tiny-base: 2 of 8 samples, only correct"
        await user.press("v")
        assert user.column("index") == ["0", "1", "2", "3", "4", "5"]
        assert user.words("status") == "tiny-base: 6 of 8 samples, only incorrect"
        await user.press("v")
        assert len(user.column("index")) == 8


async def test_answers_with_their_counts(sums_store: StoreLayout) -> None:
    async with explorer(sums_store, (120, 40)) as user:
        await open_problem(user)
        await user.press("a")
        rows = {tuple(user.cells(str(key.value))[:2]): user.cells(str(key.value))[2:] for key in user.table.rows}
        assert user.headings()[2:] == ["base", "RL"]
        assert rows["✓ correct", "44"] == ["2", "0"]
        assert rows["∅ no answer", "no answer"] == ["1", "1"]
        assert rows["✗ wrong", "7"] == ["0", "1"]
        assert "9 distinct answers" in user.words("status")
        await user.press("a")
        assert len(user.column("index")) == 8


async def test_samples_are_sorted_by_every_column(sums_store: StoreLayout) -> None:
    async with explorer(sums_store, (120, 40)) as user:
        await open_problem(user)
        keys = [str(column.key.value) for column in user.table.ordered_columns]
        for key in [*keys[1:], keys[0]]:
            await user.press("s")
            [marked] = [heading for heading in user.headings() if heading.endswith("▲")]
            assert marked in user.shown
            cells = [cell for cell in user.column(key) if cell != "–"]
            numeric = all(cell.isdigit() for cell in cells) and key != "answer"
            expected = sorted(cells, key=int) if numeric else cells if key == "verdict" else sorted(cells)
            assert cells == expected, key
        await user.press("S")
        assert user.column("index") == [str(i) for i in reversed(range(8))]


async def test_runs_are_switched(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_problem(user)
        seen = []
        for _ in range(4):
            seen.append(user.words("status"))
            await user.press("right")
        assert seen == ["tiny-base: 8 samples", "tiny-rl: 8 samples", "tiny-sft: 4 samples", "tiny-base: 8 samples"]
        await user.press("left")
        assert user.words("status") == "tiny-base: 8 samples"


async def test_the_statement_can_have_the_whole_screen(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_problem(user)
        low = user.find(TextView).size.height
        await user.press("z")
        assert user.find(TextView).size.height > 15 > low
        await user.press("z")
        assert user.find(TextView).size.height == low
        assert user.screen.focused is user.table


async def test_copying_the_statement(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_problem(user)
        await user.press("y")
        assert user.app.clipboard == "What is 40 + 4?"
        assert "Copied the statement: 15 characters." in user.said()


async def test_counts_alone_say_that_no_paths_are_stored(counts_store: StoreLayout) -> None:
    async with explorer(counts_store) as user:
        await user.press("enter", "enter", "enter")
        assert user.name == "ProblemScreen"
        assert "No statement is stored for this problem." in user.flat()
        assert "published counts, no samples are stored" in user.words("status")
        await user.press("enter")
        assert user.name == "ProblemScreen"
        assert "No paths are stored here" in user.said()
        for key in ("a", "s", "v", "S", "y", "right", "z", "z"):
            await user.press(key)
        assert user.name == "ProblemScreen"


# Paths


def here(user: Driver) -> tuple[str, str]:
    """Run and sample that the breadcrumbs name."""
    return user.crumbs[-2], user.crumbs[-1]


@pytest.mark.parametrize("size", SIZES)
async def test_a_path_is_shown_exactly(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await open_problem(user)
        await user.press("enter")
        assert user.crumbs == ("sums.passk", "sums", "problem s4", "tiny-base", "sample 6")
        text = user.find(TextView)
        assert text.text == "base thinks about s4, attempt 6.\nSo the answer is 44."
        assert "base thinks about s4, attempt 6." in user.shown
        assert text.mark == (text.text.index("44"), text.text.index("44") + 2), "the answer is marked"
        heading = user.words("heading")
        for known in ("✓ correct", "sample 7 of 8", "answer: 44", "406 tokens", "finish: eos", "seed 1006"):
            assert known in heading
        assert "base.jsonl:31" in heading
        await user.press("i")
        assert "temperature 0.6" in user.words("details")
        assert "row 31" in user.flat()
        await user.press("y")
        assert user.app.clipboard == text.text


async def test_the_answer_is_marked_in_what_is_painted(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_problem(user)
        await user.press("enter")
        reverse = [
            segment.text
            for strip in user.screen._compositor.render_strips()
            for segment in strip
            if segment.style and segment.style.reverse and "44" in segment.text
        ]
        assert reverse == ["44"]


async def test_from_sample_to_sample(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_problem(user)
        await user.press("enter")
        steps = [
            ("right", 7), ("l", 7), ("left", 6), ("left", 5), ("h", 4), ("l", 5), ("right_square_bracket", 6),
            ("right_square_bracket", 7), ("right_square_bracket", 7), ("left_curly_bracket", 5),
            ("left_curly_bracket", 4), ("right_curly_bracket", 5), ("right_curly_bracket", 5),
            ("right_square_bracket", 6), ("left_square_bracket", 6),
        ]  # fmt: skip
        for key, sample in steps:
            await user.press(key)
            assert here(user) == ("tiny-base", f"sample {sample}"), key
            assert user.find(TextView).text.startswith(f"base thinks about s4, attempt {sample}.")
        assert "No earlier correct sample in this run" in user.said()


async def test_other_run(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_problem(user, "s2")
        await user.press("enter", "o")
        assert here(user) == ("tiny-rl", "sample 2"), "the first right sample of the other run"
        await user.press("o")
        # A run without a right sample starts at its first.
        assert here(user) == ("tiny-sft", "sample 0")
        assert "✗ wrong" in user.words("heading")
        await user.press("o")
        assert here(user) == ("tiny-base", "sample 4")


async def test_what_has_no_answer_says_so(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_problem(user)
        await user.press("enter", "left", "left", "left", "left", "left")
        assert here(user) == ("tiny-base", "sample 1")
        assert "no answer extracted" in user.words("heading")
        await user.press("a")
        assert "The extracted answer does not occur in this text" in user.said()


@pytest.mark.shared_data
async def test_other_peoples_paths_are_shown_exactly(gym_store: StoreLayout) -> None:
    source = SHARED_DATA / "reasoning_gym_llama3b" / "llama3b_step800_aime24.json"
    results = json.loads(source.read_text(encoding="utf-8"))["categories"][0]["datasets"][0]["results"]
    texts = [completion["full_model_response"] for completion in results[22]["completions"]]
    async with explorer(gym_store) as user:
        await user.press("enter", "enter", "right", "enter", "enter")
        assert here(user) == ("llama3b-800", "sample 0")
        for index in range(50):
            view = user.find(TextView)
            assert here(user)[1] == f"sample {index}"
            assert view.text == texts[index], index
            assert view.lines * 78 >= len(texts[index]) - texts[index].count("\n")
            await user.press("right")
        await user.press("a")
        assert "No further sample in this run" in user.said() or user.find(TextView).mark


async def test_the_details_list_every_verdict_and_which_one_counts(sums_store: StoreLayout, tmp_path: Path) -> None:
    store = StoreLayout(tmp_path / "sums.passk")
    shutil.copytree(sums_store.root, store.root)
    async with explorer(store, (120, 40)) as user:
        await open_problem(user)
        await user.press("enter", "i")
        assert "verdict correct from its source (counts), answer 44" in user.words("details")
        run = user.crumbs[-2]
    with_reader(store, lambda reader: verify(reader, reader.run(run), verifier="exact", again=True, processes=1))
    async with explorer(store, (120, 40)) as user:
        await open_problem(user)
        await user.press("enter", "i")
        assert "verdict correct from its source (does not count), answer 44" in user.words("details")
        assert re.search(r"verdict \w+ by exact \S+ on [\d-]{10} \(counts\)", user.words("details"))
