"""Search, judging, perplexity, bookmarks, places: by keys alone in a real terminal of 80x24, on the sample store."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.explorer.terminal import Terminal, needs_tmux
from tests.support import Passk

pytestmark = [pytest.mark.terminal, needs_tmux]

BASE, RL = "countdown-base@countdown", "countdown-rl-150@countdown"


@pytest.fixture
def open_at(run_passk: Passk) -> Iterator[Terminal]:
    """Curves of base and RL model on the sample store."""
    terminal = Terminal(run_passk)
    terminal.wait("benchmarks", "countdown-base", "? Keys", until=lambda screen: "sample.passk" in screen)
    terminal.keys("Enter")
    terminal.wait("countdown › pass@k", "? Keys")
    yield terminal
    terminal.close()


def type_in(terminal: Terminal, text: str) -> None:
    terminal.tmux("send-keys", "-l", text)


def test_search_from_the_store_down_to_the_match_and_kept_as_a_filter(open_at: Terminal) -> None:
    open_at.keys("/")
    open_at.wait("› search", "[these runs]", "the whole store")
    type_in(open_at, r"/^I stop here,.*[0-9/")
    open_at.wait("Not a regular expression", "missing ]")
    open_at.keys("C-u")
    type_in(open_at, r"/(?m)^I stop here,.*[0-9]/")
    open_at.keys("Enter")
    found = open_at.wait("of 51,200 paths", "neither", "in store order;", until=lambda s: "esc stops" not in s)
    [shown] = re.findall(r"countdown-base: (\d+) of 51,200 paths, in (\d+) problems", found)
    assert 0 < int(shown[1]) <= int(shown[0]) < 51_200
    open_at.keys("C-o")
    open_at.wait("[the whole store]", "more runs")
    open_at.keys("C-o")
    open_at.wait("[these runs]", f"countdown-base: {shown[0]} of 51,200 paths")
    open_at.keys("Enter")
    open_at.wait("› sample", "I stop here,", "reasoning not judged")
    # In the path: this path and this problem are scopes too.
    open_at.keys("/")
    open_at.wait("[this path]", "this problem", "these runs", "the whole store")
    open_at.keys("Escape")
    open_at.wait("reasoning not judged")
    open_at.keys("Escape")
    open_at.wait("› search", f"countdown-base: {shown[0]} of 51,200 paths")
    open_at.keys("K")
    open_at.wait("countdown › pass@k", "of 200 problems: a path of one of the runs contains /(?m)^I stop here,")
    open_at.keys("Enter")
    open_at.wait("countdown-base vs countdown-rl-150", "of 200 problems", "contains")
    open_at.keys("q")
    open_at.wait("STATUS 0")


def test_judged_blind_and_what_that_says_of_the_curves(open_at: Terminal, run_passk: Passk) -> None:
    run_passk("judge", "--run", RL, "--checker", "arithmetic")
    open_at.keys("Q")
    open_at.wait("judging queue", "correct paths of the hardest solvable problems (0 < c/n < 5 %)", "models are hidden")
    open_at.keys("N")
    first = open_at.wait("problem c001", "model hidden", "Numbers: 5 10 4 2. Target: 16.", "0 of 536 paths")
    assert "countdown-base" not in first and "countdown-rl" not in first
    open_at.keys("v")
    open_at.wait("you have judged 1 of 536 paths in the queue", "reasoning not judged")
    open_at.keys("x")
    open_at.wait("problem c003", "you have judged 2 of 536 paths in the queue")
    open_at.keys("n")
    open_at.wait("a note on this path")
    type_in(open_at, "a [/b] guess")
    open_at.keys("Enter")
    open_at.wait("reasoning note", "a [/b] guess")
    open_at.keys("u")
    open_at.wait("3 of 536 paths")
    open_at.keys("Escape")
    open_at.wait("judging queue", "3 judged by", "V valid", "X invalid", "U unsure")
    open_at.keys("Escape")
    open_at.wait("countdown › pass@k")
    open_at.keys("V")
    open_at.wait("CoT-pass@k beside pass@k", "countdown-base: 3 of 4,118", "countdown-rl-150: 9,505 of 9,505")
    open_at.keys("Enter", "V")
    open_at.wait(
        "c counts valid paths only", "base 3 of 4,118 correct paths judged", "(7,507 valid, 1,995 invalid, 3 unsure)"
    )
    open_at.keys("V")
    open_at.wait("[base-only 69]")
    open_at.keys("f")
    open_at.wait("level")
    type_in(open_at, "rl.judged:invalid")
    open_at.keys("Enter")
    open_at.wait("a correct path of countdown-rl-150 is judged invalid", "of 200 problems")
    open_at.keys("q")
    open_at.wait("STATUS 0")
    said = [line for line in run_passk("judgements", "list", "--run", BASE).stdout.splitlines() if line]
    assert len(said) == 4, "three judgements and a note"


def test_a_bookmark_and_a_line_lead_a_colleague_to_the_same_path(open_at: Terminal, run_passk: Passk) -> None:
    open_at.keys("Enter")
    open_at.wait("[base-only 69]")
    open_at.keys("Enter")
    open_at.wait("problem c001", "2/256 correct")
    open_at.keys("Enter")
    path = open_at.wait("sample 54 of 256", "16 is 16.")
    open_at.keys("b")
    open_at.wait("Bookmarked")
    open_at.keys("Y")
    open_at.wait("Copied: passk")
    line = open_at.clipboard()
    command, place = shlex.split(line)
    assert (command, place[:6]) == ("passk", "@path,")
    open_at.keys("B")
    open_at.wait("bookmarks", "countdown · c001 · countdown-base · sample 53")
    open_at.keys("Enter")
    open_at.wait("sample 54 of 256", "16 is 16.")
    open_at.keys("Escape")
    # What was read is marked.
    open_at.wait("problem c001", "r ✓ correct")
    open_at.keys("q")
    open_at.wait("STATUS 0")
    colleague = Terminal(run_passk, place)
    try:
        colleague.wait("sample 54 of 256", "16 is 16.", until=lambda screen: screen == path)
        colleague.keys("Escape")
        colleague.wait("problem c001", "2/256 correct")
        colleague.keys("q")
        colleague.wait("STATUS 0")
    finally:
        colleague.close()


@pytest.mark.slow
def test_references_are_scored_from_the_screen(open_at: Terminal, models: Path) -> None:
    open_at.keys("f")
    open_at.wait("level")
    type_in(open_at, "c000,c001,c002")
    open_at.keys("Enter")
    open_at.wait("only 3 of 200 problems")
    open_at.keys("P")
    open_at.wait("› perplexity", "reference base", "not scored (s)")
    open_at.keys("j", "j", "s")
    open_at.wait("Score under countdown-base", "‹ reference ›", "3 texts of 3 problems in float32")
    open_at.keys("Enter")
    open_at.wait("reference responses under base: median", "n = 3, 3 problems", seconds=120)
    open_at.keys("q")
    open_at.wait("STATUS 0")
