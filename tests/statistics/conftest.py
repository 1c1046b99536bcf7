"""A small store of known counts: a base run, an RL run and a run that guesses, on eight problems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend import Options, Reader, RunOptions, import_files, open_store
from backend.store.layout import StoreLayout
from tests.support import jsonl

N = {"base": 20, "rl": 20, "guess": 40}
CORRECT = {
    "base": [20, 10, 2, 1, 0, 0, 3, 0],
    "rl": [20, 15, 0, 5, 2, 0, 0, 0],
    "guess": [40, 1, 2, 0, 0, 0, 1, 0],
}
LEVELS = ["Level 1", "Level 2", "Level 3", "Level 4", "Level 5", "Level 1", "Level 2", "level 12"]
SUBJECTS = ["algebra", "algebra", "geometry", "geometry", 'number "theory"', "algebra", "counting, more", "geometry"]
WORDS = ["triangle", "circle", "square root", "Prime", "prime", "café", "x < y", 'say "no"']


def tokens(run: str, problem: int, sample: int) -> int | None:
    """Nobody counted the tokens of the guessing run, nor those of the last problem in the RL run."""
    if run == "guess" or (run == "rl" and problem == 7):
        return None
    return 100 * (problem + 1) + sample + (50 if run == "rl" else 0)


def rows(run: str) -> Iterator[dict[str, Any]]:
    for problem, c in enumerate(CORRECT[run]):
        for sample in range(N[run]):
            right = sample < c
            yield {
                "problem_id": f"q{problem}",
                "question": f"Question about a {WORDS[problem]} of size {problem + 30}?",
                "level": LEVELS[problem],
                "metadata": {"subject": SUBJECTS[problem], "rank": problem, "tags": ["a", "b"] if problem % 2 else []},
                "completion": f"Thinking, {run} {sample}.",
                "is_correct": right,
                "extracted_answer": "yes" if right else ["no", "maybe", None][sample % 3],
                "model": f"tiny-{run}",
                "role": "rl" if run == "rl" else "base",
                "benchmark": "small",
                **({"tokens": count} if (count := tokens(run, problem, sample)) is not None else {}),
            }


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("statistics")


@pytest.fixture(scope="session")
def small_store(folder: Path) -> StoreLayout:
    layout = StoreLayout(folder / "small.passk")
    for run in CORRECT:
        path = jsonl(folder / f"{run}.jsonl", rows(run))
        import_files(layout, [path], run_options=RunOptions(), options=Options())
    return layout


@pytest.fixture(scope="session")
def reader(small_store: StoreLayout) -> Iterator[Reader]:
    database = open_store(small_store)
    with Reader(database) as reader:
        yield reader
    database.close()


SAMPLES = Path(__file__).resolve().parent.parent.parent / "sample_data" / "samples"
MINIATURE = (
    "countdown-base@countdown",
    "countdown-rl-50@countdown",
    "countdown-rl-200@countdown",
    "countdown-base@countdown-t0.6",
    "countdown-rl-150@countdown-t0.6",
    "countdown-base@countdown-noreason",
)


@pytest.fixture(scope="session")
def miniature(folder: Path) -> Iterator[Reader]:
    """Six runs of the shipped experiment, from the files that are shipped."""
    if not SAMPLES.is_dir():
        pytest.skip("sample_data/samples is not here")
    layout = StoreLayout(folder / "miniature.passk")
    import_files(layout, [SAMPLES / f"{run}.parquet" for run in MINIATURE], run_options=RunOptions(), options=Options())
    database = open_store(layout)
    with Reader(database) as reader:
        yield reader
    database.close()


@pytest.fixture(scope="session")
def shipped() -> dict[str, list[dict[str, Any]]]:
    """The rows of the same files, without a store."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    wanted = ["problem", "verdict", "tokens", "logprob_sum", "answer"]
    return {run: parquet.read_table(SAMPLES / f"{run}.parquet", columns=wanted).to_pylist() for run in MINIATURE}
