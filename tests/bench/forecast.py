"""Forecasts against what happened: python -m tests.bench.forecast.

Of every recorded pair of runs, n samples of each problem are drawn; of the problems that none of them solves, the
share is forecast that m further samples will. What happens is the expected share when m of the remaining samples are
drawn without replacement (exact), so only the first draw is random: `SPLITS` of them, with a fixed seed.

The gap of a row is forecast minus what happened, over all splits; beside it the mean absolute gap of a single split, in
which chance plays a part that no forecast can know. Brier scores are of single problems.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from backend.estimators.mixtures import Tallies
from backend.estimators.uncertainty import count_range, fit_rates, predict_replication
from tests.bench.recorded import Recorded, all_recorded

Floats = NDArray[np.float64]
SPLITS = 40
NEAR, FAR = 0.03, 0.05
"""Goals for the mean absolute gap, m up to n and up to 3 n."""

Forecast = Callable[[tuple[Tallies, Tallies], NDArray[np.int64], int], list[Floats]]
"""Tallies of both runs, levels, m -> for each run the chance of a right sample in the next m."""


def joint(runs: tuple[Tallies, Tallies], strata: NDArray[np.int64], m: int) -> list[Floats]:
    """What passk says."""
    found = predict_replication(fit_rates(runs, strata).posterior(runs, strata), runs, 1, m)
    return list(found.solved)


def beta_binomial(runs: tuple[Tallies, Tallies], strata: NDArray[np.int64], m: int) -> list[Floats]:
    """A beta distribution of rates, fitted to each run by maximum likelihood."""
    result = []
    for run in runs:
        wrong = run.n - run.c

        def surprise(logs: Floats, run: Tallies = run, wrong: NDArray[np.int64] = wrong) -> float:
            a, b = np.exp(logs)
            return -float((betaln(a + run.c, b + wrong) - betaln(a, b)).sum())

        starts = ([-1.0, 0.0], [0.0, 1.0])
        best = min((minimize(surprise, start, method="Nelder-Mead") for start in starts), key=lambda found: found.fun)
        a, b = np.exp(best.x)
        result.append(1 - np.exp(betaln(a + run.c, b + wrong + m) - betaln(a + run.c, b + wrong)))
    return result


def naive(runs: tuple[Tallies, Tallies], strata: NDArray[np.int64], m: int) -> list[Floats]:
    """Unsolved stays unsolved."""
    return [np.zeros(len(run.c)) for run in runs]


METHODS: dict[str, Forecast] = {"passk": joint, "beta-binomial": beta_binomial, "naive": naive}


def happens(rest: int, right: NDArray[np.int64], m: int) -> Floats:
    """Chance that m of `rest` samples, drawn without replacement, hold one of the right ones."""
    wrong = rest - right
    none = gammaln(wrong + 1) - gammaln(np.maximum(wrong - m, 0) + 1) - gammaln(rest + 1) + gammaln(rest - m + 1)
    return np.where(wrong < m, 1.0, -np.expm1(none))


@dataclass(frozen=True, slots=True)
class Row:
    """One run of one pair at one n and m: means over the splits, for each method."""

    name: str
    run: int
    n: int
    m: int
    unsolved: float
    happened: float
    gap: dict[str, float]
    single: dict[str, float]
    brier: dict[str, float]


def rows_of(pair: Recorded, n: int, ms: Sequence[int], splits: int, seed: int = 0) -> list[Row]:
    """Forecasts of one pair from n samples."""
    random = np.random.default_rng([seed, n])
    found: dict[tuple[int, int], list[tuple[int, float, dict[str, tuple[float, float]]]]] = {}
    for _ in range(splits):
        runs = pair.draw(n, random)
        for m in ms:
            said = {name: method(runs, pair.strata, m) for name, method in METHODS.items()}
            for run in (0, 1):
                unsolved = runs[run].c == 0
                if not unsolved.any():
                    continue
                truth = happens(pair.n - n, pair.correct[run][unsolved], m)
                scores = {}
                for name, forecasts in said.items():
                    p = forecasts[run][unsolved]
                    scores[name] = float((p - truth).mean()), float((p * p - 2 * p * truth + truth).mean())
                found.setdefault((run, m), []).append((int(unsolved.sum()), float(truth.mean()), scores))
    return [
        Row(
            pair.name,
            run,
            n,
            m,
            float(np.mean([entry[0] for entry in entries])),
            float(np.mean([entry[1] for entry in entries])),
            {name: float(np.mean([entry[2][name][0] for entry in entries])) for name in METHODS},
            {name: float(np.mean([abs(entry[2][name][0]) for entry in entries])) for name in METHODS},
            {name: float(np.mean([entry[2][name][1] for entry in entries])) for name in METHODS},
        )
        for (run, m), entries in sorted(found.items())
    ]


def coverage(pair: Recorded, splits: int, seed: int = 0) -> tuple[float, float]:
    """How often the counts of the other half lie in the 95 % range that one half predicts, and its mean width."""
    random, n = np.random.default_rng([seed, 1]), pair.n // 2
    inside: list[bool] = []
    widths: list[int] = []
    for _ in range(splits):
        runs = pair.draw(n, random)
        rest = pair.correct - np.stack([run.c for run in runs])
        for entry, chances in predict_replication(
            fit_rates(runs, pair.strata).posterior(runs, pair.strata), runs, 1
        ).combinations.items():
            low, high = count_range(chances)
            count = int(((rest > 0) == np.array(entry)[:, None]).all(axis=0).sum())
            inside.append(low <= count <= high)
            widths.append(high - low)
    return float(np.mean(inside)), float(np.mean(widths))


def table(splits: int = SPLITS) -> tuple[list[str], bool]:
    """The printed lines, and whether the goals are met."""
    pairs = all_recorded()
    rows = [
        row
        for pair in pairs
        for n in (pair.n // 2, pair.n // 4)
        for row in rows_of(pair, n, [m for m in (n // 2, n, 2 * n, 3 * n) if n + m <= pair.n], splits)
    ]
    lines = ["| pair, run | n | m | c = 0 | happened | " + " | ".join(f"gap, Brier {name}" for name in METHODS) + " |"]
    lines.append("| --- " * (5 + len(METHODS)) + "|")
    for row in rows:
        scores = " | ".join(f"{row.gap[name]:+.3f}, {row.brier[name]:.3f}" for name in METHODS)
        which = "base" if row.run == 0 else "RL"
        lines.append(
            f"| {row.name}, {which} | {row.n} | {row.m} | {row.unsolved:.0f} | {row.happened:.3f} | {scores} |"
        )
    met = True
    lines += ["", "| mean over rows | " + " | ".join(METHODS) + " | goal |", "| --- " * (len(METHODS) + 2) + "|"]
    for words, goal, chosen in (
        ("m up to n", NEAR, [row for row in rows if row.m <= row.n]),
        ("m up to 3 n", FAR, [row for row in rows if row.m > row.n]),
    ):
        means = {name: float(np.mean([abs(row.gap[name]) for row in chosen])) for name in METHODS}
        single = {name: float(np.mean([row.single[name] for row in chosen])) for name in METHODS}
        brier = {name: float(np.mean([row.brier[name] for row in chosen])) for name in METHODS}
        met = met and means["passk"] <= goal
        for kind, values, wanted in (
            ("absolute gap", means, f"{goal}"),
            ("single split", single, ""),
            ("Brier", brier, ""),
        ):
            cells = " | ".join(f"{values[name]:.4f}" for name in METHODS)
            lines.append(f"| {words}: {kind} | {cells} | {wanted} |")
    lines.append("")
    for pair in pairs:
        share, width = coverage(pair, splits)
        lines.append(
            f"set counts of the other half in the 95 % range, {pair.name}: {100 * share:.1f} % (width {width:.1f})"
        )
    return lines, met


def main() -> int:
    """Print the tables; status 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.forecast", description=__doc__)
    parser.add_argument("--splits", type=int, default=SPLITS)
    lines, met = table(parser.parse_args().splits)
    print("\n".join(lines))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
