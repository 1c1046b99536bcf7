"""More samples of a few problems, asked for and watched in the explorer; real models, real worker processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from backend import jobs_of
from backend.store.layout import StoreLayout
from tests.explorer.terminal import Terminal, needs_tmux
from tests.support import Passk

pytestmark = [pytest.mark.terminal, needs_tmux]


@pytest.fixture
def compared(asked: Passk, models: Path) -> Passk:
    """Two runs of a model under two names, four samples of six problems each."""
    for name, role in (("countdown-base", "base"), ("countdown-again", "rl")):
        chosen = ["--model", models / "countdown-base", "--name", name, "--role", role, "--benchmark", "countdown"]
        asked("sample", *chosen, "--n", 4, "--temperature", 1, "--max-tokens", 60, "--wait")
    return asked


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """Terminals that are closed afterwards."""
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def open_sets(passk: Passk, terminals: list[Terminal]) -> Terminal:
    terminals.append(Terminal(passk, "store.passk"))
    terminal = terminals[-1]
    terminal.wait("store.passk › benchmarks", "countdown-base → ")
    terminal.keys("Enter")
    terminal.wait("countdown › pass@k", "difference")
    terminal.keys("Enter")
    terminal.wait("all 6")
    return terminal


def open_all(passk: Passk, terminals: list[Terminal]) -> Terminal:
    """All six problems, whatever the sets are."""
    terminal = open_sets(passk, terminals)
    for _ in range(5):
        if "all: 6 problems" in " ".join(terminal.screen().split()):
            break
        terminal.keys("Right")
        sleep(0.3)
    terminal.wait("all: 6 problems")
    return terminal


def test_marked_problems_are_drawn_while_the_terminal_is_gone(compared: Passk, terminals: list[Terminal]) -> None:
    terminal = open_all(compared, terminals)
    terminal.keys("g", "Space", "Space", "Space")
    terminal.wait("3 marked")
    terminal.keys("r")
    terminal.wait("Draw more samples", "3 problems: c000, c001, c002", "samples, about")
    # In one packet, as keys come over a slow connection; enter means what was typed before it.
    terminal.tmux("send-keys", "C-u", "4", "0", "Enter")
    terminal.wait("2 jobs started")
    # The connection drops.
    terminal.tmux("kill-server")

    store = StoreLayout(compared.folder / "store.passk")
    deadline = monotonic() + 120
    while {job.status().state for job in jobs_of(store)} != {"finished"} and monotonic() < deadline:
        sleep(0.5)
    back = open_sets(compared, terminals)
    back.keys("J")
    back.wait("jobs", "✓ finished", "120/120", "verdicts so far")
    back.keys("Escape")
    back.wait("n = 4–44")
    sets = compared("sets", "--base", "countdown-base", "--rl", "countdown-again", "--format", "json").json
    assert [p["base"]["n"] for p in sets["problems"]] == [44, 44, 44, 4, 4, 4]
    assert [p["rl"]["n"] for p in sets["problems"]] == [44, 44, 44, 4, 4, 4]


def ids_and_marks(screen: str) -> list[list[str]]:
    """The rows of the table on a Sets screen, by their first two words: mark and problem."""
    rows = screen.splitlines()
    header = next(number for number, row in enumerate(rows) if row.split()[:1] == ["problem"])
    return [row.split()[:2] for row in rows[header + 1 :]]


@pytest.mark.slow
def test_three_base_only_problems_of_the_sample_store(
    run_passk: Passk, models: Path, terminals: list[Terminal]
) -> None:
    """Both models are sampled while one looks; the terminal dies in the middle, and the jobs are finished later."""
    terminals.append(Terminal(run_passk))
    terminal = terminals[-1]
    terminal.wait("sample.passk › benchmarks", "countdown")
    terminal.keys("Enter")
    terminal.wait("countdown › pass@k", "difference")
    terminal.keys("Enter")
    terminal.wait("[base-only 69]", "base n = 256, RL n = 256")
    terminal.keys("Space", "Space", "Space")
    marked = terminal.wait("3 marked")
    terminal.keys("r")
    terminal.wait("Draw more samples", "3 problems: c001, c002, c003", "384 samples")
    terminal.tmux("send-keys", "C-u", "4", "0", "0", "Enter")
    terminal.wait("2 jobs started")
    looked = terminal.wait("base n = 256–", "RL n = 256–", until=lambda screen: "2 jobs started" not in screen)
    assert "▶ " in looked.splitlines()[0], "it says on every screen that jobs are running"
    assert ids_and_marks(looked)[:12] == ids_and_marks(marked)[:12], "the same rows, scrolled as before"
    [folder] = (run_passk.home / "data").rglob("sample.passk")
    store = StoreLayout(folder)
    assert "running" in {job.status().state for job in jobs_of(store)}, "or the jobs are too short"
    terminal.tmux("kill-server")

    deadline = monotonic() + 120
    while {job.status().state for job in jobs_of(store)} != {"finished"} and monotonic() < deadline:
        sleep(0.5)
    terminals.append(Terminal(run_passk))
    back = terminals[-1]
    back.wait("sample.passk › benchmarks", "countdown")
    back.keys("J")
    back.wait("jobs", "✓ finished", "1200/1200", "verdicts so far")
    back.keys("Escape")
    back.wait("sample.passk › benchmarks", "n = 256–656")


def test_samples_arrive_while_one_looks(compared: Passk, terminals: list[Terminal]) -> None:
    terminal = open_sets(compared, terminals)
    terminal.keys("Down", "Down")
    compared("sample", "--run", "countdown-again", "--add", 8, "--wait")
    terminal.wait("RL n = 12")


def test_another_temperature_makes_runs_of_their_own(compared: Passk, terminals: list[Terminal]) -> None:
    terminal = open_all(compared, terminals)
    terminal.keys("r")
    terminal.wait("Draw more samples", "1.0 as stored", "with its template and parameters")
    terminal.keys("C-u", "2", "Down", "Down", "Down", "0", ".", "5")
    terminal.wait("instead of 1.0", "into the new run", "temperature 1.0 becomes 0.5")
    terminal.keys("Up", "Right")
    terminal.wait("‹ vllm ›")
    terminal.keys("Left", "Up", "Up", "Up", "Right")
    terminal.wait("‹ base ›", "12 samples")
    terminal.keys("Enter")
    terminal.wait("1 job started")
    terminal.keys("J")
    terminal.wait("✓ finished", "12/12", "samples/s", "last finished path")
    runs = {run["run"]: run for run in compared("runs", "--format", "json").json}
    assert runs["countdown-base@countdown+temperature=0.5"]["parameters"]["temperature"] == 0.5
    assert runs["countdown-base@countdown"]["samples"] == 24


def test_a_job_that_nobody_has_begun_shows_so_and_can_be_begun(compared: Passk, terminals: list[Terminal]) -> None:
    compared("sample", "--run", "countdown-base@countdown", "--add", 2, "--prepare")
    terminals.append(Terminal(compared, "store.passk"))
    terminal = terminals[-1]
    terminal.wait("store.passk › benchmarks", "countdown-base")
    terminal.keys("J")
    terminal.wait("· prepared", "0/12", "Not started: R starts a worker here")
    terminal.keys("R")
    terminal.wait("✓ finished", "12/12", "verdicts so far")
    terminal.keys("l")
    terminal.wait("Log of", "finished: 12 of 12 samples")


def test_what_is_missing_is_said_in_the_dialog(run_passk: Passk, terminals: list[Terminal]) -> None:
    for role in ("base", "rl"):
        rows = [
            {"problem": p, "statement": f"What is {p}?", "text": "x", "verdict": p == 1, "index": i}
            for p in (1, 2)
            for i in range(2)
        ]
        path = run_passk.folder / f"{role}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        run_passk("import", path, "--model", f"unknown-{role}", "--role", role, "--benchmark", "sums")
    terminals.append(Terminal(run_passk, "store.passk"))
    terminal = terminals[-1]
    terminal.wait("benchmarks", "sums")
    terminal.keys("Enter")
    terminal.wait("sums › pass@k", "difference")
    terminal.keys("Enter")
    terminal.wait("all 2")
    terminal.keys("r")
    terminal.wait("Where is the model unknown-base?", "[models]")
    terminal.keys("Enter")
    terminal.wait("Nothing can be drawn yet")
    terminal.keys("Escape")
    terminal.wait("sums", until=lambda screen: "Draw more samples" not in screen)
    assert not jobs_of(StoreLayout(run_passk.folder / "store.passk"))
