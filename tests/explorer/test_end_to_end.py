"""The installed command in a real terminal, driven as a user drives it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.explorer.hostile import NASTY, hostile_store, stored
from tests.explorer.terminal import Start, needs_tmux
from tests.support import Passk, csv_file

pytestmark = [pytest.mark.terminal, needs_tmux]


@pytest.mark.shared_data
def unread(screen: str) -> str:
    """A list of samples without the marks of those that were read."""
    return re.sub(r"^( +\d+ +)r ", r"\1  ", screen, flags=re.MULTILINE)


def test_from_result_files_to_the_path_that_proves_it(start: Start, run_passk: Passk, shared_data: Path) -> None:
    folder = shared_data / "reasoning_gym_llama3b"
    for step in (400, 800):
        run_passk(
            "import",
            *sorted(folder.glob(f"*step{step}*")),
            "--step",
            step,
            "--role",
            "rl",
            "--model",
            f"llama3b-{step}",
        )
    source = json.loads((folder / "llama3b_step800_aime24.json").read_text(encoding="utf-8"))
    completions = source["categories"][0]["datasets"][0]["results"][22]["completions"]

    # Without a name, the store of the folder.
    terminal = start()
    home = terminal.wait("store.passk › benchmarks", "AIME_2024", "the curves cross at k = 21", "? Keys")
    assert "2.4 → 2.7" in home
    assert "30.0 → 23.3" in home
    assert "5·4·2·19" in home

    terminal.keys("Enter")
    curves = terminal.wait("AIME_2024 › pass@k", "difference +0.3 points", "0.6–7.9", "0.8–8.1", "95 % confidence")
    terminal.keys("End")
    terminal.wait("pass@k at k = 50", "30.0", "23.3", "difference −6.7 points")
    terminal.keys("Home")
    terminal.wait("pass@k at k = 1 ", "difference +0.3 points", until=lambda screen: screen == curves)

    keys = ["Enter", "Right", "Enter", "Enter"]
    expected = [
        ("both 5", "[only step 400 4]", "only step 800 2", "neither 19", "all 30"),
        ("[only step 800 2]", "0/50", "4/50", "1/50"),
        ("problem 22", "reference answer: 480", "4/50 correct", "0/50 correct", "50 samples"),
        ("✓ correct", "llama3b-800", "answer: 480", "sample 1 of 50"),
    ]
    assert len(keys) <= 5, "from Curves with a pair selected a path is at most five keys away"
    screens = [terminal.screen()]
    for key, texts in zip(keys, expected, strict=True):
        terminal.keys(key)
        screens.append(terminal.wait(*texts))
    assert completions[0]["full_model_response"][:60] in screens[-1]

    terminal.resize(120, 40)
    terminal.wait(until=lambda screen: completions[0]["full_model_response"][:100] in screen)
    terminal.resize(60, 20)
    terminal.wait("answer: 480", until=lambda screen: max(map(len, screen.splitlines())) <= 60)
    terminal.resize(80, 24)
    terminal.wait(until=lambda screen: screen == screens[-1])

    terminal.keys("y")
    terminal.wait("Copied the path")
    assert terminal.clipboard() == completions[0]["full_model_response"]
    right = [number for number, completion in enumerate(completions) if completion["score"] == 1.0]
    terminal.keys("]")
    terminal.wait(f"sample {right[1] + 1} of 50", "✓ correct")
    terminal.keys("[")
    terminal.wait("sample 1 of 50", "✓ correct")
    terminal.wait(until=lambda screen: "Copied" not in screen)

    # Esc leaves a screen, not a set: from the problem to the set that was selected last, then to the curves.
    for screen in (screens[3], screens[2], screens[0]):
        terminal.keys("Escape")
        terminal.wait(until=lambda shown, screen=screen: unread(shown) == screen, said=screen)
    terminal.keys("Escape")
    terminal.wait(until=lambda screen: screen == home)
    terminal.keys("q")
    terminal.wait("STATUS 0")


def test_without_a_store_the_sample_store_opens(start: Start) -> None:
    terminal = start()
    terminal.wait("benchmarks", "? Keys", until=lambda screen: "sample.passk" in screen)
    for _ in range(20):
        screen = terminal.wait("? Keys")
        if "on MATH500" in screen:
            break
        terminal.keys("j")
    terminal.wait("on MATH500", "no paths stored", "of 500 problems")
    terminal.keys("Enter")
    terminal.wait("published by")
    terminal.keys("Enter")
    terminal.wait("all 500", "base n = 128")
    terminal.keys("Enter")
    terminal.wait("published counts, no samples are stored")
    terminal.keys("Enter")
    terminal.wait("No paths are stored here")
    terminal.keys("q")
    terminal.wait("STATUS 0")


def test_counts_of_ones_own(start: Start, run_passk: Passk) -> None:
    path = csv_file(run_passk.folder / "mine.csv", ["problem", "n", "c"], [(f"q{i}", 4, i % 5) for i in range(10)])
    run_passk("import", path, "--model", "m", "--benchmark", "b", "--store", "mine.passk")
    terminal = start("mine.passk")
    terminal.wait("mine.passk › benchmarks", "published counts, no paths stored")
    terminal.keys("q")
    terminal.wait("STATUS 0")


def test_a_store_that_is_none(start: Start) -> None:
    terminal = start("nowhere.passk")
    screen = terminal.wait("STATUS 1")
    assert "nowhere.passk" in screen.replace("\n", "")
    assert "Traceback" not in screen


def test_nasty_text_does_not_command_a_real_terminal(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "nasty"
    folder.mkdir()
    layout = hostile_store(folder)
    terminal = start(layout.root)
    terminal.wait("HOSTILE", "? Keys")
    title = terminal.tmux("display", "-p", "#{pane_title}")
    terminal.keys("Enter")
    terminal.wait("pass@k at k = 1")
    # Both runs solve all: all problems are shown, in the order of the strings.
    terminal.keys("Enter")
    terminal.wait(f"all {len(NASTY)}]")
    looked_at = ("colour", "clipboard", "link", "title", "nul", "c1", "right to left", "crlf")
    for row, what in enumerate(NASTY):
        if what in looked_at:
            terminal.keys("g", *["j"] * row, "Enter")
            terminal.wait("reference answer")
            terminal.keys("Enter")
            terminal.wait("sample 2 of 2")
            terminal.keys("y")
            terminal.wait(f"Copied the path: {len(stored(NASTY[what])):,} characters")
            assert terminal.clipboard() == stored(NASTY[what])
            terminal.keys("Escape")
            terminal.wait("reference answer")
            terminal.keys("Escape")
            terminal.wait(f"all {len(NASTY)}]")
    assert terminal.tmux("display", "-p", "#{pane_title}") == title
    assert len(terminal.tmux("list-buffers").splitlines()) == len(looked_at), "only the user copies"
    terminal.keys("q")
    terminal.wait("STATUS 0")
