"""Reading by keys alone, in a real terminal of 80x24, on the sample store: the tree, two paths, the reading view."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.explorer.terminal import Terminal, needs_tmux
from tests.support import Passk

pytestmark = [pytest.mark.terminal, needs_tmux]


@pytest.fixture
def problem(run_passk: Passk) -> Iterator[Terminal]:
    """The first problem that only base solves: c001, base 2 of 256, RL 0 of 256."""
    terminal = Terminal(run_passk)
    terminal.wait("benchmarks", "countdown-base", "? Keys", until=lambda screen: "sample.passk" in screen)
    terminal.keys("Enter")
    terminal.wait("countdown › pass@k", "difference")
    terminal.keys("Enter")
    terminal.wait("[base-only 69]")
    terminal.keys("Enter")
    terminal.wait("problem c001", "2/256 correct", "0/256 correct")
    yield terminal
    terminal.close()


def test_which_plans_rl_starved_and_the_way_to_the_path_that_it_no_longer_takes(problem: Terminal) -> None:
    problem.keys("t")
    tree = problem.wait("search tree", "base n = 256, c = 2", "RL n = 256, c = 0", "▸ Try sums:", "base 119 of 256")
    for plan in ("products", "groups", "quotients", "pairs"):
        [line] = [line for line in tree.splitlines() if f"Try {plan}:" in line]
        assert line.split()[0] == "−", "RL never begins so"
    problem.keys("d")
    problem.wait("base 58 of 256 (22.7 %), 2 correct", "RL 0 of 256 (0.0 %)", "− only base")
    problem.keys("Right")
    problem.wait("▾ Try products:", "▸ 10 * 4 = 40")
    problem.keys("o")
    problem.wait("5 * 4 = 20, 20 - 2 = 18, 18 + 10 = 28. 28 is not 16.", "base 2 of 256 (0.8 %), 1 correct")
    problem.keys("o")
    problem.wait("base 1 of 256 (0.4 %), 1 correct")
    problem.keys("Enter")
    problem.wait("✓ correct", "countdown-base", "sample 54 of 256", "16 is 16.")
    problem.keys("Escape")
    problem.wait("search tree", "base 1 of 256 (0.4 %), 1 correct")
    problem.keys("w")
    problem.wait("by words", "Try")
    problem.keys("Escape")
    problem.wait("problem c001", "2/256 correct")
    problem.keys("q")
    problem.wait("STATUS 0")


def test_two_paths_and_the_reading_view(problem: Terminal) -> None:
    # The cursor is on the first right sample.
    problem.keys("Enter")
    path = problem.wait("✓ correct", "sample 54 of 256", "16 is 16.")
    problem.keys("m")
    problem.wait("reading", "16 is 16.")
    problem.keys("m")
    problem.wait(until=lambda screen: screen == path)
    problem.keys("c")
    problem.wait(
        "two paths", "countdown-base, sample 53", "countdown-rl-150, sample", "of 256 in the other run", "⟦sums:"
    )
    problem.keys("c")
    problem.wait("510 incorrect", "difference 1 of 2", "⟦I stop here.⟧", "first 67 characters identical")
    problem.keys("n")
    problem.wait("difference 2 of 2", "⟦2 * 5 ) + 10 ) - 4⟧", "⟦5 * 4 ) - 2 ) + 10⟧")
    problem.keys("d")
    problem.wait("difference 1 of 2")
    problem.keys("s")
    problem.wait("scrolling unlocked")
    problem.keys("Right")
    problem.wait("2 of 510 incorrect")
    problem.resize(120, 40)
    problem.wait("│", "2 of 510 incorrect")
    problem.resize(80, 24)
    problem.keys("Escape")
    problem.wait(until=lambda screen: screen == path)
    problem.keys("q")
    problem.wait("STATUS 0")
