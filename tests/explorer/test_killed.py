"""The explorer killed at any moment while its jobs draw: they go on, and the store holds exactly what was asked for."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from time import monotonic, sleep

import pytest

from backend import jobs_of, rebuild_tallies
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from tests.explorer import test_resampling as resampling
from tests.explorer.terminal import Terminal, needs_tmux
from tests.support import Passk, everything_in

pytestmark = [pytest.mark.terminal, needs_tmux]

terminals = resampling.terminals
KILLS = 10
RUNS = ("countdown-base@countdown", "countdown-again@countdown")
FIRST, MORE = 2, 100
"""Samples of each problem that each run begins with, and that the dialog asks for."""


@pytest.fixture
def compared(asked: Passk, models: Path) -> Iterator[Passk]:
    """Two runs of a model under two names, drawn side by side with a thread each."""
    asked = replace(asked, more={"OMP_NUM_THREADS": "1"})
    chosen = ["--model", models / "countdown-base", "--benchmark", "countdown", "--n", FIRST]
    how = ["--temperature", 1, "--max-tokens", 30, "--wait"]
    drawing = [
        asked.start("sample", *chosen, *how, "--name", name, "--role", role)
        for name, role in (("countdown-base", "base"), ("countdown-again", "rl"))
    ]
    for each in drawing:
        assert each.wait(60) == 0, each.communicate()
        each.communicate()
    yield asked
    for job in jobs_of(StoreLayout(asked.folder / "store.passk")):
        if job.status().state == "running":
            job.cancel()  # the test failed: its workers would outlive it


def kill(terminal: Terminal) -> None:
    """Kill the explorer with -9; its shell and its terminal stay."""
    shell = terminal.tmux("display-message", "-p", "#{pane_pid}").strip()
    explorer = Path(f"/proc/{shell}/task/{shell}/children").read_text(encoding="utf-8").split()
    assert len(explorer) == 1
    os.kill(int(explorer[0]), signal.SIGKILL)
    terminal.wait("STATUS 137")
    terminal.close()


def ask_for_more(passk: Passk, terminals: list[Terminal]) -> Terminal:
    """An explorer that has just started two jobs, with all six problems each."""
    terminal = resampling.open_sets(passk, terminals)
    for _ in range(5):
        if "all: 6 problems" in " ".join(terminal.screen().split()):
            break
        terminal.keys("Right")
        sleep(0.2)
    terminal.wait("all: 6 problems")
    terminal.keys("r")
    terminal.wait("Draw more samples", "6 problems")
    terminal.keys("C-u", *str(MORE))
    terminal.wait(f"{2 * 6 * MORE:,} samples")
    terminal.keys("Enter")
    terminal.wait("2 jobs started")
    return terminal


def drawing(store: StoreLayout) -> bool:
    """Whether a job is under way."""
    return any(job.status().state in ("prepared", "running") for job in jobs_of(store))


def test_killed_ten_times_while_two_jobs_draw(compared: Passk, terminals: list[Terminal]) -> None:
    store = StoreLayout(compared.folder / "store.passk")
    chance, wanted, while_drawing = Random(10), FIRST, 0
    for _ in range(KILLS):
        if drawing(store):
            terminals.append(Terminal(compared, "store.passk"))
            terminal = terminals[-1]
            # Not waited for on purpose: also while it starts.
            sleep(chance.uniform(0.2, 1.2))
        else:
            terminal = ask_for_more(compared, terminals)
            wanted += MORE
            sleep(chance.uniform(0.0, 1.2))
        while_drawing += drawing(store)
        kill(terminal)
    assert while_drawing >= KILLS // 2, "or the jobs are too short"
    deadline = monotonic() + 60
    while drawing(store) and monotonic() < deadline:
        sleep(0.2)
    assert {job.status().state for job in jobs_of(store)} == {"finished"}

    # The explorer opens, and takes in what waits.
    terminal = resampling.open_sets(compared, terminals)
    terminal.wait(f"n = {wanted}")
    terminal.keys("q")
    terminal.wait("STATUS 0")

    found = everything_in(store, merging=True)
    problems = {row[0] for row in found["problems"]}
    everything = {
        (key, problem, index) for key in map(run_key, RUNS) for problem in problems for index in range(wanted)
    }
    for view in ("outcomes", "texts"):
        rows = [row[:3] for row in found[view] if row[0] in set(map(run_key, RUNS))]
        assert len(rows) == len(everything), f"{view}: none twice"
        assert set(rows) == everything, view
    assert list(store.parts.iterdir()) == [], "whole parts only: all are merged"
    assert list(store.unfinished.iterdir()) == []
    rebuild_tallies(store)
    assert everything_in(store) == found, "the statistics are those of the outcomes"
