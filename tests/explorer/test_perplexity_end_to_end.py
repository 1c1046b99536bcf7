"""Perplexity by keys alone, in a real terminal on the sample store: score, look at the groups, read the surprises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.explorer.terminal import Terminal, needs_tmux
from tests.support import Passk

pytestmark = [pytest.mark.terminal, pytest.mark.slow, needs_tmux]


@pytest.fixture
def terminal(run_passk: Passk, models: Path) -> Iterator[Terminal]:
    """The sample store in 80 columns and 24 lines."""
    run_passk("runs")
    terminal = Terminal(run_passk, size=(80, 24))
    yield terminal
    terminal.close()


def test_from_nothing_scored_to_the_surprising_token(terminal: Terminal) -> None:
    terminal.wait("benchmarks", "countdown", "? Keys")
    terminal.keys("Enter")
    terminal.wait("pass@k at k = 1", "? Keys")
    terminal.keys("f")
    terminal.wait("level")
    terminal.tmux("send-keys", "-l", "id=c000")
    terminal.keys("Enter")
    terminal.wait("c000", "? Keys")
    terminal.keys("P")
    terminal.wait("› perplexity", "not scored (s)", "s scores them here, or run: passk score --run")
    terminal.keys("s")
    terminal.wait("Score under countdown-base", "256 texts of 1 problem in float32")
    terminal.keys("Down", "3", "Down", "Right")
    terminal.wait("3 texts of 1 problem", "log-probability of every token")
    terminal.keys("Enter")
    # The job's worker loads torch; the screen follows when its part has come.
    deadline = monotonic() + 120
    while "base responses under base: median" not in terminal.screen() and monotonic() < deadline:
        sleep(0.5)
    terminal.wait("base responses under base: median", "n = 3 of 256 stored, 1 problem")
    terminal.keys("J")
    terminal.wait("› jobs", "✓ finished", "3 scored")
    terminal.keys("Escape")
    terminal.wait("› perplexity")
    terminal.keys("Escape")
    terminal.wait("pass@k at k = 1")
    terminal.keys("Enter")
    terminal.wait("all 1", "? Keys")
    terminal.keys("Enter")
    terminal.wait("problem c000", "ppl base")
    terminal.keys("g", "Enter")
    terminal.wait("sample 1 of 256")
    terminal.keys("t")
    terminal.wait("under base (float32): perplexity", "tokens with p < 0.05")
    terminal.keys("-", "-")
    terminal.wait("tokens with p < 0.2")
    terminal.keys(">")
    terminal.wait("log-probability", "most likely")
    terminal.keys("t")
    terminal.wait("sample 1 of 256", until=lambda screen: "log-probability" not in screen)
    terminal.keys("q")
    terminal.wait("STATUS 0")
