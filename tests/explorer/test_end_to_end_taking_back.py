"""A researcher puts a store right by keys alone, in a real terminal of 80x24, and finds it so from the command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.explorer.terminal import Terminal, needs_tmux
from tests.support import Passk, jsonl

pytestmark = [pytest.mark.terminal, needs_tmux]

STORE = "work.passk"


@pytest.fixture
def terminal(run_passk: Passk) -> Iterator[Terminal]:
    for run, right in (("base", [3, 2, 0]), ("rl", [4, 0, 1])):
        rows = [
            {"problem_id": f"p{problem}", "question": f"What is {problem} + 10?", "reference": str(10 + problem),
             "completion": f"{run}, try {sample}. Answer: {10 + problem if sample < c else 77}",
             "is_correct": sample < c, "model": f"tiny-{run}", "role": run, "benchmark": "sums"}
            for problem, c in enumerate(right)
            for sample in range(4)
        ]  # fmt: skip
        run_passk("import", jsonl(run_passk.folder / f"{run}.jsonl", rows), "--store", STORE)
    terminal = Terminal(run_passk, STORE)
    terminal.wait("tiny-base → tiny-rl", "E Edit run", "I Imports", "? Keys")
    yield terminal
    terminal.close()


def type_in(terminal: Terminal, text: str) -> None:
    terminal.tmux("send-keys", "-l", text)


def test_a_run_a_verdict_a_reference_and_an_import_are_put_right(terminal: Terminal, run_passk: Passk) -> None:
    def correct() -> dict[str, int]:
        return {run["run"]: run["correct"] for run in run_passk("runs", "--store", STORE, "--format", "json").json}

    # A run gets another name.
    terminal.keys("E")
    terminal.wait("‹ tiny-base@sums ›", "Nothing is changed yet")
    terminal.keys("Down", "Down", "C-u")
    type_in(terminal, "Base v2")
    terminal.wait("Call tiny-base@sums Base v2?", "passk run rename tiny-base@sums 'Base v2' --yes")
    terminal.keys("Enter")
    terminal.wait("Base v2 → tiny-rl", "is called Base v2 now")
    # A verdict, where the path is read.
    terminal.keys("Enter")
    terminal.wait("sums › pass@k")
    terminal.keys("Enter")
    terminal.wait("base-only 1")
    terminal.keys("Enter")
    terminal.wait("problem p1", "2/4 correct")
    terminal.keys("Enter")
    terminal.wait("sample 1 of 4", "✓ correct")
    terminal.keys("O")
    terminal.wait("Why? A verdict is overridden with a reason")
    terminal.keys("Down")
    type_in(terminal, "a guess")
    terminal.wait("wrong? Counts, sets and curves follow at once")
    terminal.keys("Enter")
    terminal.wait("✗†wrong", "† verdict overridden: correct → wrong", "a guess")
    assert correct() == {"Base v2": 4, "tiny-rl@sums": 5}
    # A judgement, and that withdrawn.
    terminal.keys("v")
    terminal.wait("reasoning valid", "To take it back")
    terminal.keys("U")
    terminal.wait("Withdraw valid on sample 0 of problem p1")
    terminal.keys("Enter")
    terminal.wait("reasoning withdrawn", "(before)")
    terminal.keys("Escape")
    terminal.wait("problem p1", "1/4 correct", "✗†wrong")
    # The reference answer, which has every run verified anew.
    terminal.keys("C")
    terminal.wait("Reference answer of p1", "Nothing is changed yet")
    terminal.keys("C-u")
    type_in(terminal, "77")
    terminal.wait("Let 77 count for problem p1 of sums?")
    terminal.keys("Enter")
    terminal.wait("reference answer: 77", "4/4 correct", seconds=120)
    assert correct()["tiny-rl@sums"] == 9
    # All of it stands in the list, and is taken back there.
    terminal.keys("I")
    terminal.wait("2 imports, the newest first; → 3 decisions")
    terminal.keys("Right")
    terminal.wait("reference", "override", "rename")
    terminal.keys("U")
    terminal.wait("Take back problem p1: reference 77?")
    terminal.keys("Enter")
    terminal.wait("4 decisions", "taken back", seconds=120)
    terminal.keys("Escape")
    terminal.wait("reference answer: 11", "0/4 correct")
    assert correct() == {"Base v2": 4, "tiny-rl@sums": 5}
    terminal.keys("q")
    terminal.wait("STATUS 0")
    # What was undone is dropped for good only now.
    (undone,) = [
        entry["decision"]
        for entry in run_passk("imports", "--decisions", "--store", STORE, "--format", "json").json
        if entry["kind"] == "reference"
    ]
    run_passk("compact", "--forget", "--yes", "--store", STORE)
    assert "forgotten on 2" in run_passk("redo", undone, "--yes", "--store", STORE, status=1).stderr
    assert correct() == {"Base v2": 4, "tiny-rl@sums": 5}
