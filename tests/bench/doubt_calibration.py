"""Forecasts on synthetic benchmarks, where the rates are known: a part of `tests.bench.coverage`.

Of the problems that n samples leave unsolved, the share that n further ones will solve is forecast, and compared with
what the true rates make of it; and of every problem the chance that fresh runs put it into another set. The gap of one
benchmark is chance for the most part. What is asked is whether forecasts are right on average: over the benchmarks of a
shape, and over all forecasts of the same size whatever the shape (reliability, in ten bins).

Where next to nothing is unsolved (`middle`: one or two of 400) a prior without a shape cannot know whether it was bad
luck. Such a shape counts as little as it has forecasts; the mean that counts every shape alike is shown beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backend.estimators.mixtures import Tallies
from backend.estimators.uncertainty import fit_rates, predict_replication
from tests.bench.synthetic import SHAPES, sharpened

Floats = NDArray[np.float64]

SIZES = (16, 64, 256)
PROBLEMS = 200
BINS = np.linspace(0, 1, 11)
CALIBRATED = 0.03


@dataclass
class Forecasts:
    """Chances that were forecast, and the true ones."""

    said: list[Floats] = field(default_factory=list)
    true: list[Floats] = field(default_factory=list)

    def add(self, said: Floats, true: Floats) -> None:
        self.said.append(said)
        self.true.append(true)

    @property
    def both(self) -> tuple[Floats, Floats]:
        return np.concatenate(self.said), np.concatenate(self.true)

    @property
    def means(self) -> tuple[float, float, int]:
        """Mean forecast, mean truth, and how many there are."""
        said, true = self.both
        return (float(said.mean()), float(true.mean()), len(said)) if len(said) else (0.0, 0.0, 0)

    def reliability(self) -> float:
        """Mean absolute gap between forecast and truth over ten bins of the forecast, by how many are in each."""
        said, true = self.both
        places = np.clip(np.digitize(said, BINS) - 1, 0, len(BINS) - 2)
        gaps = [abs((said[places == b] - true[places == b]).sum()) for b in np.unique(places)]
        return float(sum(gaps) / len(said))


def forecasts(shape: str, n: int, benchmarks: int, seed: int = 2) -> tuple[Forecasts, Forecasts]:
    """Of one shape: that n more samples solve what is unsolved, and that fresh runs move a problem."""
    random = np.random.default_rng([seed, n])
    strata, size = np.zeros(PROBLEMS, dtype=np.int64), np.full(PROBLEMS, n)
    solved, moved = Forecasts(), Forecasts()
    for _ in range(benchmarks):
        base = SHAPES[shape](random, PROBLEMS)
        rates = base, sharpened(random, base)
        runs = [Tallies(size, random.binomial(n, rate)) for rate in rates]
        posterior = fit_rates(runs, strata).posterior(runs, strata)
        more, fresh = (predict_replication(posterior, runs, 1, further) for further in (n, None))
        for run, rate, said in zip(runs, rates, more.solved, strict=True):
            none = run.c == 0
            solved.add(said[none], 1 - (1 - rate[none]) ** n)
        moved.add(fresh.moved, truly_moved(runs, rates))
    return solved, moved


def truly_moved(runs: list[Tallies], rates: tuple[Floats, Floats]) -> Floats:
    """The chance that fresh runs of problems with these rates put each into another set than these tallies do."""
    stays = np.ones(len(rates[0]))
    for run, rate in zip(runs, rates, strict=True):
        none = (1 - rate) ** run.n
        stays *= np.where(run.c > 0, 1 - none, none)
    return 1 - stays


def doubt_table(benchmarks: int) -> Iterator[str]:
    """All shapes and sizes, as lines of text."""
    yield f"\n{PROBLEMS} problems, two runs, {benchmarks:,} benchmarks: % of what is unsolved that n more samples solve"
    yield f"{'shape':24}" + "".join(f"{f'n = {n}: forecast, truth':>28}" for n in SIZES)
    found = {(shape, n): forecasts(shape, n, benchmarks) for shape in SHAPES for n in SIZES}
    for shape in SHAPES:
        cells = []
        for n in SIZES:
            said, true, many = found[shape, n][0].means
            cells.append(f"{f'{100 * said:.1f}, {100 * true:.1f} ({many:,})':>28}")
        yield f"{shape:24}" + "".join(cells)
    met = True
    lines: dict[str, list[float]] = {}
    for n in SIZES:
        means = [found[shape, n][0].means for shape in SHAPES]
        gaps, many = np.array([abs(said - true) for said, true, _ in means]), np.array([entry[2] for entry in means])
        weighed = float((gaps * many).sum() / many.sum())
        together = Forecasts(), Forecasts()
        for shape in SHAPES:
            for all_of_kind, of_shape in zip(together, found[shape, n], strict=True):
                all_of_kind.add(*of_shape.both)
        reliability = [forecast.reliability() for forecast in together]
        met = met and max(weighed, *reliability) <= CALIBRATED
        for words, value in (
            ("mean absolute gap of shapes, by forecasts", weighed),
            ("mean absolute gap of shapes, alike", float(gaps.mean())),
            ("reliability: unsolved are solved", reliability[0]),
            ("reliability: another set", reliability[1]),
        ):
            lines.setdefault(words, []).append(value)
    for words, values in lines.items():
        yield f"{words:42}" + "".join(f"n = {n}: {value:.4f}   " for n, value in zip(SIZES, values, strict=True))
    yield f"goal {CALIBRATED} (not of shapes alike): " + ("met" if met else "missed")
