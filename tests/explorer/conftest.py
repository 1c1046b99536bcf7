"""Stores that the screens are looked at with. They are made once and read by many tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any

import pytest

from backend import Options, RunOptions, import_files
from backend.store.layout import StoreLayout
from tests.explorer.driving import import_into
from tests.explorer.terminal import Start, Terminal
from tests.support import SHARED_DATA, Passk, csv_file, jsonl

CORRECT = {
    "base": ([8, 4, 1, 2, 0, 0], 8),
    "rl": ([8, 6, 0, 0, 3, 0], 8),
    "sft": ([4, 0, 1, 0, 0, 0], 4),
}
"""Of the runs of the benchmark `sums`: correct samples of each of its six problems, and n."""


def exact_pass_at_k(run: str, k: int) -> str:
    """The percentage that a screen must show, from exact integers."""
    correct, n = CORRECT[run]
    mean = sum(1 - Fraction(comb(n - c, k), comb(n, k)) for c in correct) / len(correct)
    return f"{float(100 * mean):.1f}"


def sums_rows(run: str) -> Iterator[dict[str, Any]]:
    correct, n = CORRECT[run]
    for problem, c in enumerate(correct):
        for sample in range(n):
            # The first sample is wrong where one is, so that the first right one is not simply the first.
            right = sample > n - c - 1
            answer = str(11 * (problem + 1)) if right else None if sample == 1 else str(sample)
            yield {
                "problem_id": f"s{problem + 1}",
                "question": f"What is {10 * (problem + 1)} + {problem + 1}?",
                "reference_answer": str(11 * (problem + 1)),
                "level": f"Level {1 + problem % 3}",
                "completion": f"{run} thinks about s{problem + 1}, attempt {sample}.\nSo the answer is {answer}.",
                "is_correct": right,
                "extracted_answer": answer,
                "tokens": 100 * (problem + 1) + sample,
                "finish_reason": "stop" if sample % 2 else "eos",
                "seed": 1000 + sample,
                "model": f"tiny-{run}",
                "role": run,
                "benchmark": "sums",
                "temperature": 0.6,
            }


@pytest.fixture(autouse=True)
def no_guessing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's Pilot guesses from the processor's load whether the app is idle; `Driver.idle` knows."""

    async def give_way(*_: object) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    monkeypatch.setattr("textual.app.wait_for_idle", give_way)
    monkeypatch.setattr("textual.pilot.wait_for_idle", give_way)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the stores that are made once."""
    return tmp_path_factory.mktemp("stores")


@pytest.fixture(scope="session")
def sums_store(made: Path) -> StoreLayout:
    """One benchmark, three runs: base and RL with n = 8, SFT with n = 4."""
    layout = StoreLayout(made / "sums.passk")
    for run in CORRECT:
        import_into(layout, [jsonl(made / f"{run}.jsonl", sums_rows(run))])
    return layout


@pytest.fixture(scope="session")
def counts_store(made: Path) -> StoreLayout:
    """Published counts: no statement, no sample, no path."""
    layout = StoreLayout(made / "counts.passk")
    path = csv_file(made / "counts.csv", ["problem", "base", "rl"], [(f"q{i}", i % 5, (2 * i) % 7) for i in range(40)])
    import_files(layout, [path], run_options=RunOptions(benchmark="counted"), options=Options(n=8))
    return layout


@pytest.fixture(scope="session")
def single_store(made: Path) -> StoreLayout:
    """A benchmark with one run."""
    layout = StoreLayout(made / "single.passk")
    import_into(layout, [jsonl(made / "single.jsonl", sums_rows("rl"))])
    return layout


@pytest.fixture(scope="session")
def gym_store(made: Path) -> StoreLayout:
    """Other people's reasoning paths: two checkpoints, AIME24 and AMC23, n = 50."""
    folder = SHARED_DATA / "reasoning_gym_llama3b"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: other people's files are not part of the project")
    layout = StoreLayout(made / "gym.passk")
    for step in (400, 800):
        import_into(layout, sorted(folder.glob(f"*step{step}*")), model=f"llama3b-{step}", role="rl", step=step)
    return layout


@pytest.fixture(scope="session")
def math500_store(made: Path) -> StoreLayout:
    """The figures of a published comparison, n = 128."""
    path = SHARED_DATA / "qwen7b_math500_counts.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not there: other people's files are not part of the project")
    layout = StoreLayout(made / "math500.passk")
    columns = {"Qwen2.5-7B": "base_correct", "SimpleRL-Zoo": "rl_correct"}
    import_files(layout, [path], run_options=RunOptions(benchmark="MATH500"), options=Options(n=128, columns=columns))
    return layout


@pytest.fixture
def start(run_passk: Passk) -> Iterator[Start]:
    """Starts `passk` in a terminal."""
    terminals: list[Terminal] = []

    def start(*arguments: object, size: tuple[int, int] = (80, 24)) -> Terminal:
        terminals.append(Terminal(run_passk, *arguments, size=size))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()
