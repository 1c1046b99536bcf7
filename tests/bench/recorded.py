"""Recorded pairs of runs that forecasts and plans are tried on: counts that can be drawn from again."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend import Options, Reader, RunOptions, import_files, open_store, sample_store, solve_sets
from backend.analysis.uncertainty import mean_tokens
from backend.estimators.mixtures import Tallies
from backend.store.layout import StoreLayout
from tests.support import SHARED_DATA

Counts = NDArray[np.int64]
SAMPLE_PAIRS = ("countdown-rl-150@countdown", "countdown-distill@countdown")


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Two runs of a benchmark with the same n everywhere."""

    source: str
    """Where it comes from."""
    name: str
    n: int
    correct: Counts
    """Right samples of each run and problem, shape (2, problems)."""
    strata: Counts
    """Level of each problem, shape (problems,)."""
    tokens: NDArray[np.float64]
    """Mean tokens of a sample, NaN where unknown; shape (2, problems)."""

    def draw(self, n: int, random: np.random.Generator) -> tuple[Tallies, Tallies]:
        """The tallies of n of the samples of each run and problem, drawn without replacement."""
        first, second = random.hypergeometric(self.correct, self.n - self.correct, n)
        size = np.full(self.correct.shape[1], n)
        return Tallies(size, first), Tallies(size, second)


def recorded(source: str, layout: StoreLayout, base: str, rl: str) -> Recorded:
    """A pair of a store."""
    database = open_store(layout)
    try:
        with Reader(database) as reader:
            sets = solve_sets(reader, [reader.run(base), reader.run(rl)])
    finally:
        database.close()
    levels = {level: number for number, level in enumerate(sorted({str(p.level) for p in sets.problems}))}
    [n] = {tally.n for problem in sets.problems for tally in problem.tallies}
    return Recorded(
        source,
        f"{sets.benchmark} {rl.partition('@')[0]}",
        n,
        np.array([[problem.tallies[run].c for problem in sets.problems] for run in (0, 1)]),
        np.array([levels[str(problem.level)] for problem in sets.problems]),
        mean_tokens(sets).reshape(2, -1),
    )


def all_recorded() -> list[Recorded]:
    """Every pair there is: the sample store's, and those of the shared data where they are at hand."""
    shipped = sample_store()
    pairs = [recorded("the sample store", shipped, "Qwen2.5-7B@MATH500", "Qwen2.5-7B-SimpleRL-Zoo@MATH500")]
    pairs += [recorded("the sample store", shipped, "countdown-base@countdown", run) for run in SAMPLE_PAIRS]
    folder = SHARED_DATA / "reasoning_gym_llama3b"
    if folder.is_dir():
        with tempfile.TemporaryDirectory() as made:
            layout = StoreLayout(Path(made) / "gym.passk")
            for step in (400, 800):
                options = RunOptions(model=f"llama3b-{step}", role="rl", step=step)
                import_files(layout, sorted(folder.glob(f"*step{step}*")), run_options=options, options=Options())
            for benchmark in ("AIME_2024", "amc23"):
                pairs.append(recorded(folder.name, layout, f"llama3b-400@{benchmark}", f"llama3b-800@{benchmark}"))
    return pairs
