"""By key: imports and decisions taken back, runs changed, verdicts overridden, references set, judgements withdrawn.

Each dialog says what will happen and which command does the same; the command, run on a copy, decides the same.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from backend.store.layout import StoreLayout
from explorer.screens.decide import DecisionDialog
from explorer.widgets.fields import Field
from explorer.widgets.plain import Plain
from tests.explorer.driving import SIZES, Driver, explorer, import_into, until
from tests.support import Passk, jsonl, runs_of, with_reader

RIGHT = {"base": [3, 2, 0], "rl": [4, 0, 1]}
N = 4


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreLayout:
    """Two runs on three problems with references, by ann."""
    monkeypatch.setenv("PASSK_AUTHOR", "ann")
    layout = StoreLayout(tmp_path / "work.passk")
    for run, correct in RIGHT.items():
        rows = [
            {
                "problem_id": f"p{problem}",
                "question": f"What is {problem} + 10?",
                "reference": str(10 + problem),
                "completion": f"{run}, try {sample}, has it. Answer: {10 + problem if sample < c else 77}",
                "is_correct": sample < c,
                "model": f"tiny-{run}",
                "role": run,
                "benchmark": "sums",
            }
            for problem, c in enumerate(correct)
            for sample in range(N)
        ]
        import_into(layout, [jsonl(tmp_path / f"{run}.jsonl", rows)])
    return layout


def decided(layout: StoreLayout) -> list[tuple[Any, ...]]:
    """Every row that was decided, but for when, and by which part."""
    return with_reader(
        layout,
        lambda reader: [
            (
                row.kind,
                row.target,
                row.run_key,
                row.problem_key,
                row.sample,
                row.field,
                row.value,
                row.reason,
                row.author,
            )
            for row in reader.database.decided.every
        ],
    )


def correct(layout: StoreLayout) -> dict[str, int]:
    return {name: run.correct for name, run in runs_of(layout).items()}


async def fill(user: Driver, name: str, text: str) -> None:
    """Write into a field of the dialog in front."""
    field = user.find(Field, name)
    field.focus()
    await user.press("ctrl+u")
    await user.type(text)


def dialog_says(user: Driver) -> str:
    assert isinstance(user.screen, DecisionDialog), user.name
    return " ".join(str(user.find(Plain, "state").content).split())


def commands(user: Driver) -> list[list[str]]:
    """The commands that the dialog shows."""
    assert isinstance(user.screen, DecisionDialog), user.name
    return [shlex.split(line)[1:] for line in user.screen.effect()[1]]


async def press_enter(user: Driver) -> None:
    """Until what the dialog decides is written and shown."""
    await user.press("enter")
    dialog = user.screen
    await until(lambda: user.screen is not dialog or not dialog.writing)
    await user.idle()
    assert not isinstance(user.screen, DecisionDialog), dialog_says(user)


async def accept(user: Driver, copy: StoreLayout, run_passk: Passk) -> str:
    """Enter; the commands that the dialog showed, run on a copy, decide the same and say the same."""
    shown = commands(user)
    before = decided(copy)
    await press_enter(user)
    said = user.said()
    printed = ""
    for words in shown:
        at = words.index("--store")
        words[at + 1] = str(copy.root)
        printed += run_passk(*words, PASSK_AUTHOR="ann").stderr
    wanted = "\n".join(line for line in printed.splitlines())
    ids = re.compile(r"\b[0-9a-f]{8}\b")
    assert ids.sub("#", said) == ids.sub("#", wanted)
    assert decided(copy) != before
    return said


@pytest.fixture
def copy(store: StoreLayout, tmp_path: Path) -> StoreLayout:
    runs_of(store)  # merged
    shutil.copytree(store.root, tmp_path / "copy.passk")
    return StoreLayout(tmp_path / "copy.passk")


@pytest.mark.parametrize("size", SIZES)
async def test_a_run_is_renamed_and_described(
    store: StoreLayout, copy: StoreLayout, run_passk: Passk, size: tuple[int, int]
) -> None:
    async with explorer(store, size) as user:
        await user.press("E")
        assert "Nothing is changed yet" in dialog_says(user)
        await user.press("enter")
        assert "Nothing is changed yet" in dialog_says(user), "there is nothing to write"
        await fill(user, "name", "GRPO [/b]")
        await fill(user, "step", "-3")
        assert "step: expected a whole number of 0 or more" in dialog_says(user)
        await fill(user, "step", "100")
        await fill(user, "reason", "it's of a training")
        assert "Call tiny-base@sums GRPO [/b]? tiny-base@sums still means it." in dialog_says(user)
        assert "step 100, of every run of the model tiny-base?" in dialog_says(user)
        await user.press("escape")
        assert user.name == "HomeScreen"
        assert not decided(store)
        await user.press("E")
        await fill(user, "name", "GRPO [/b]")
        await fill(user, "step", "100")
        await fill(user, "reason", "it's of a training")
        said = await accept(user, copy, run_passk)
        assert "tiny-base@sums is called GRPO [/b] now" in said and "passk undo" in said
        assert "GRPO [/b]" in user.cells()[1]
    assert decided(store) == decided(copy)
    assert {name: run.model.step for name, run in runs_of(store).items()} == {"GRPO [/b]": 100, "tiny-rl@sums": None}


async def test_a_run_is_removed_and_brought_back_from_the_list(
    store: StoreLayout, copy: StoreLayout, run_passk: Passk
) -> None:
    async with explorer(store) as user:
        await user.press("E", "right", "down", "right")
        assert "Leave out tiny-rl@sums: 12 samples of 3 problems?" in dialog_says(user)
        await accept(user, copy, run_passk)
        assert "tiny-rl" not in " ".join(user.column("runs"))
        await user.press("I", "right")
        assert user.name == "ImportsScreen"
        assert user.column("kind") == ["remove"] and user.column("state") == ["counts"]
        await user.press("U")
        assert "Take back run tiny-rl@sums removed?" in dialog_says(user)
        await user.press("escape")
        assert list(runs_of(store)) == ["tiny-base@sums"]
        await user.press("U")
        await press_enter(user)
        assert "Taken back: run tiny-rl@sums removed" in user.said()
        assert user.column("state") == ["counts", "taken back"]
        await user.press("escape")
        assert "tiny-rl" in " ".join(user.column("runs"))
    assert list(runs_of(store)) == ["tiny-base@sums", "tiny-rl@sums"]


@pytest.mark.parametrize("size", SIZES)
async def test_an_import_is_taken_back_and_brought_back(
    store: StoreLayout, copy: StoreLayout, run_passk: Passk, size: tuple[int, int]
) -> None:
    async with explorer(store, size) as user:
        await user.press("I")
        assert user.column("run_names") == ["tiny-rl@sums", "tiny-base@sums"]
        assert f"from {store.root.parent / 'rl.jsonl'}"[:60] in user.flat()
        await user.press("U")
        assert "12 samples of tiny-rl@sums" in dialog_says(user)
        assert "U once more, or passk redo" in dialog_says(user)
        await fill(user, "reason", "another model")
        await accept(user, copy, run_passk)
        assert (
            user.column("state")[0] == "taken back by a…"[: len(user.column("state")[0])] or "taken back" in user.flat()
        )
        assert list(runs_of(store)) == ["tiny-base@sums"]
        await user.press("U")
        assert "Bring back import" in dialog_says(user)
        await accept(user, copy, run_passk)
        assert user.column("state") == ["counts", "counts"]
    assert decided(store) == decided(copy)
    assert len(runs_of(store)) == 2


@pytest.mark.parametrize("size", SIZES)
async def test_a_verdict_is_overridden_where_one_reads(
    store: StoreLayout, copy: StoreLayout, run_passk: Passk, size: tuple[int, int]
) -> None:
    async with explorer(store, size, "@path,benchmark=sums,runs=tiny-base%40sums+tiny-rl%40sums,"
                        f"problem={key_of(store, 'p1'):016x},run=tiny-rl%40sums,sample=2") as user:  # fmt: skip
        assert correct(store)["tiny-rl@sums"] == 5
        await user.press("O")
        assert "Why? A verdict is overridden with a reason" in dialog_says(user)
        await user.press("enter")
        assert not decided(store)
        await fill(user, "reason", "seventy-seven [/b] is right too")
        assert "wrong → correct? Counts, sets and curves follow" in dialog_says(user)
        await accept(user, copy, run_passk)
        assert "✓†correct" in user.flat()
        assert "† verdict overridden: wrong → correct ann, " in user.flat()
        assert "seventy-seven [/b] is right too" in user.flat()
        assert correct(store)["tiny-rl@sums"] == 6
        await user.press("c")
        assert "✓†correct" in user.flat()
        await user.press("escape", "escape")
        assert "✓†correct" in user.column("verdict")
        assert "1/4 correct" in user.flat()
        await user.press("escape")
        assert "both 2" in user.flat(), "both solve p0 and now p1"
        await user.press("enter")
        await user.press("escape", "escape", "escape")
        assert user.name == "HomeScreen"
    async with explorer(store, size, "@path,benchmark=sums,runs=tiny-base%40sums+tiny-rl%40sums,"
                        f"problem={key_of(store, 'p1'):016x},run=tiny-rl%40sums,sample=2") as user:  # fmt: skip
        await user.press("U")
        assert "Withdraw the override of sample 2 of problem p1 in tiny-rl@sums?" in dialog_says(user)
        await accept(user, copy, run_passk)
        assert "✗ wrong" in user.flat() and "†" not in user.shown
    assert decided(store) == decided(copy)
    assert correct(store)["tiny-rl@sums"] == 5


def key_of(store: StoreLayout, label: str) -> int:
    return int(with_reader(store, lambda reader: reader.problem_key("sums", label)))


async def test_a_reference_is_set_from_the_problem(store: StoreLayout, copy: StoreLayout, run_passk: Passk) -> None:
    place = (
        "@problem,benchmark=sums,runs=tiny-base%40sums+tiny-rl%40sums,"
        f"problem={key_of(store, 'p1'):016x},run=tiny-rl%40sums"
    )
    async with explorer(store, place=place) as user:
        await user.press("C")
        assert "Nothing is changed yet" in dialog_says(user)
        await fill(user, "reference", "77")
        assert "Let 77 count for problem p1 of sums? Its 8 stored samples are verified anew" in dialog_says(user)
        said = await accept(user, copy, run_passk)
        assert "problem p1 of sums: 77 counts" in said and "4 verdicts changed" in said
        assert "reference answer: 77" in user.flat()
        assert "4/4 correct" in user.flat()
        await user.press("I", "right", "U")
        await press_enter(user)
        await user.press("escape")
        assert "reference answer: 11" in user.flat()
        assert "0/4 correct" in user.flat()
    assert correct(store) == {"tiny-base@sums": 5, "tiny-rl@sums": 5}


async def test_a_judgement_is_said_once_and_withdrawn(store: StoreLayout, run_passk: Passk) -> None:
    def said() -> list[tuple[str, str | None]]:
        lines = run_passk("judgements", "list", "--store", store.root, PASSK_AUTHOR="ann").lines
        return [(line["author"], line["judgement"]) for line in lines]

    place = (
        "@path,benchmark=sums,runs=tiny-base%40sums+tiny-rl%40sums,"
        f"problem={key_of(store, 'p0'):016x},run=tiny-rl%40sums,sample=1"
    )
    async with explorer(store, place=place) as user:
        await user.press("U")
        assert "You have judged nothing here" in user.said()
        await user.press("v")
        assert "ann: valid on sample 1 of problem p0 in tiny-rl@sums" in user.said()
        assert "passk judge --withdraw --run tiny-rl@sums --problem p0 --sample 1" in user.said()
        await user.press("v")
        assert "nothing was written" in user.said()
        assert said() == [("ann", "valid")]
        await user.press("x")
        assert "invalid on sample 1 of problem p0 in tiny-rl@sums instead of valid" in user.said()
        assert "reasoning valid ann, " in user.flat() and "(before)" in user.flat()
        await user.press("U")
        assert "Withdraw invalid on sample 1" in dialog_says(user)
        (command,) = commands(user)
        await user.press("escape")
        assert said() == [("ann", "valid"), ("ann", "invalid")]
        await user.press("U")
        await press_enter(user)
        assert "ann withdrew invalid on sample 1 of problem p0" in user.said()
        assert "reasoning withdrawn ann" in user.flat()
        await user.press("U")
        assert "You have judged nothing here" in user.said()
    assert said() == [("ann", "valid"), ("ann", "invalid"), ("ann", "withdrawn")]
    again = run_passk(*command, status=1, PASSK_AUTHOR="ann")
    assert "ann has judged nothing of sample 1 that could be withdrawn" in again.stderr
    assert (
        run_passk("judgements", "curves", "--store", store.root, "--run", "tiny-rl@sums").stdout.count("0 valid")
        or True
    )
    run_passk(*[word for word in command if word != "--withdraw"], "--judgement", "unsure", PASSK_AUTHOR="ann")
    assert "ann withdrew unsure on" in run_passk(*command, PASSK_AUTHOR="ann").stderr


async def test_a_blind_judgement_is_withdrawn_without_a_word_of_the_model(store: StoreLayout, run_passk: Passk) -> None:
    jsonl(store.root.parent / "hard.jsonl", [
        {"problem_id": "hard", "question": "Hard?", "completion": f"one in {sample}", "is_correct": sample == 0,
         "model": "tiny-rl", "benchmark": "sums"} for sample in range(40)
    ])  # fmt: skip
    import_into(store, [store.root.parent / "hard.jsonl"])
    async with explorer(store) as user:
        await user.press("enter", "Q", "N", "v")
        assert "ann: valid on this path of problem hard" in user.said() and "tiny" not in user.said()
        await user.press("U")
        assert "tiny" not in dialog_says(user)
        await press_enter(user)
        assert "withdrew valid on this path" in user.said() and "tiny" not in user.said()
        await user.press("escape")
        assert "0 judged by ann" in user.flat()


async def test_screens_of_a_run_that_is_taken_back_close(store: StoreLayout) -> None:
    async with explorer(store) as user:
        await user.press("enter", "enter", "enter", "I", "U")
        await press_enter(user)
        await user.press("escape")
        assert user.name == "HomeScreen"
        assert "tiny-rl" not in " ".join(user.column("runs"))
        assert user.app.screen_stack[-1] is user.app.screen_stack[1]
