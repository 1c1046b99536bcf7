"""Plans replayed on recorded samples: python -m tests.bench.replay.

From the first few samples of each problem on, each policy draws from what is stored, in rounds, without replacement,
until 90 % of the memberships that all stored samples show have been found: the problem-and-run pairs with a right
sample. It knows only what it has drawn. Compared are the samples it takes (and tokens, at the stored mean lengths):

    uniform    every problem of both runs, one sample after the other
    unsolved   those without a right sample, one after the other: it never draws one too many
    doubt      `where_most_changes` after a new fit in every round
    told       the same with the prior that all stored samples give: what better knowledge of the prior could bring
    oracle     knows the rates: the expected wait for each of the easiest 90 %. No policy can do better on average

Two counts are told: of everything, from nothing on, and of what is left to find when some samples are there already.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.metrics.allocation import where_most_changes
from backend.metrics.doubt import RatePrior, fit_rates
from backend.metrics.joint_prior import Tallies
from tests.bench.recorded import Recorded, all_recorded

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

REPEATS = 5
FOUND = 0.9
ROUND = 0.05
"""Samples of a round, of the number of problems and runs."""
THIRD, FOUR_FIFTHS = 1 / 3, 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The stored samples of a pair in the order in which they will be drawn."""

    pair: Recorded
    right: NDArray[np.int64]
    """How many of the first i are right, shape (2, problems, n + 1)."""

    @classmethod
    def shuffled(cls, pair: Recorded, random: np.random.Generator) -> Pool:
        """In an order of its own for each run and problem."""
        places = np.arange(pair.n)
        verdicts = random.permuted(places < pair.correct[:, :, None], axis=2)
        return cls(pair, np.concatenate([np.zeros((*pair.correct.shape, 1), int), verdicts.cumsum(axis=2)], axis=2))

    @property
    def first(self) -> Counts:
        """Samples until the first right one of each problem, more than n where there is none; shape (2, problems)."""
        return np.where(self.right[:, :, -1] > 0, (self.right > 0).argmax(axis=2), self.pair.n + 1)

    def c(self, n: Counts) -> Counts:
        """Right ones among the first n."""
        return np.take_along_axis(self.right, n[:, :, None], axis=2)[:, :, 0]


@dataclass(frozen=True, slots=True)
class Spent:
    """What a policy took."""

    samples: float
    tokens: float


def spent(pool: Pool, drawn: Counts, start: int) -> Spent:
    """Samples and tokens beyond the first `start` of each."""
    extra = np.maximum(drawn - start, 0)
    return Spent(float(extra.sum()), float((extra * pool.pair.tokens).sum()))


def by_rule(pool: Pool, start: int) -> tuple[Spent, Spent, Spent, int]:
    """Uniform, unsolved and the oracle, and how many first right samples are wanted."""
    first, n = pool.first, pool.pair.n
    known = first <= start
    wanted = np.sort(first[(first <= n) & ~known])
    goal = int(np.ceil(FOUND * len(wanted)))
    if not goal:
        return Spent(0, 0), Spent(0, 0), Spent(0, 0), 0
    depth = wanted[goal - 1]
    uniform = spent(pool, np.full_like(first, depth), start)
    unsolved = spent(pool, np.where(known, start, np.minimum(first, depth)), start)
    # Of what is left of a pool with r right ones, the first right one comes at (left + 1) / (r + 1) on average.
    waits = np.where((first <= n) & ~known, (n - start + 1) / (pool.right[:, :, -1] + 1), np.inf).ravel()
    easiest = np.argsort(waits)[:goal]
    oracle = Spent(float(waits[easiest].sum()), float((waits * pool.pair.tokens.ravel())[easiest].sum()))
    return uniform, unsolved, oracle, goal


def by_doubt(pool: Pool, start: int, goal: int, *, per_token: bool = False, told: RatePrior | None = None) -> Spent:
    """The policy of `passk plan`, planned anew after every round, with a prior fitted to what was drawn or told one."""
    pair = pool.pair
    drawn = np.full(pair.correct.shape, start)
    found_before = int((pool.c(drawn) > 0).sum())
    costs = pair.tokens if per_token and np.isfinite(pair.tokens).all() else np.ones(pair.correct.shape)
    budget = max(int(ROUND * drawn.size), 1)
    while True:
        c = pool.c(drawn)
        if int((c > 0).sum()) - found_before >= goal:
            return spent(pool, drawn, start)
        runs = Tallies(drawn[0], c[0]), Tallies(drawn[1], c[1])
        posterior = (told or fit_rates(runs, pair.strata)).posterior(runs, pair.strata)
        chances = np.concatenate(posterior.of_runs)
        open_ = np.flatnonzero((c.ravel() == 0) & (drawn.ravel() < pair.n))
        adds = where_most_changes(
            posterior.grid, chances[open_], costs.ravel()[open_], budget, ahead=256, enough=0.0
        ).adds
        drawn.ravel()[open_] = np.minimum(drawn.ravel()[open_] + adds, pair.n)


def measure(pair: Recorded, start: int, repeats: int, seed: int = 0) -> dict[str, float]:
    """Means over shuffles: samples of each policy, and its tokens where lengths are known."""
    random = np.random.default_rng([seed, start])
    everything = np.full(pair.correct.shape[1], pair.n)
    told = fit_rates([Tallies(everything, correct) for correct in pair.correct], pair.strata)
    rows: list[dict[str, float]] = []
    for _ in range(repeats):
        pool = Pool.shuffled(pair, random)
        uniform, unsolved, oracle, goal = by_rule(pool, start)
        doubt = by_doubt(pool, start, goal)
        row = {"goal": goal, "uniform": uniform.samples, "unsolved": unsolved.samples, "oracle": oracle.samples}
        row |= {"doubt": doubt.samples, "told": by_doubt(pool, start, goal, told=told).samples}
        if np.isfinite(pair.tokens).all():
            cheap = by_doubt(pool, start, goal, per_token=True)
            row |= {"tokens": cheap.tokens, "tokens of unsolved": unsolved.tokens, "tokens of uniform": uniform.tokens}
        rows.append(row)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def table(repeats: int) -> tuple[list[str], bool]:
    """The printed lines, and whether the goals are met."""
    lines = [
        "| pair | samples there | to find | uniform | unsolved | doubt | told | oracle | doubt / uniform | "
        "doubt / unsolved | in tokens |",
        "| --- " * 11 + "|",
    ]
    shares: dict[int, list[tuple[float, float]]] = {}
    for pair in all_recorded():
        for start in (1, pair.n // 16, pair.n // 4):
            found = measure(pair, start, repeats)
            of_uniform, of_unsolved = found["doubt"] / found["uniform"], found["doubt"] / found["unsolved"]
            tokens = "–"
            if "tokens" in found:
                tokens = " and ".join(
                    f"{found['tokens'] / found[f'tokens of {other}']:.2f}" for other in ("uniform", "unsolved")
                )
            cells = [f"{found[name]:,.0f}" for name in ("goal", "uniform", "unsolved", "doubt", "told", "oracle")]
            lines.append(
                f"| {pair.name} | {start} of {pair.n} | {' | '.join(cells)} | {of_uniform:.2f} | {of_unsolved:.2f} | "
                f"{tokens} |"
            )
            shares.setdefault(pair.n, []).append((of_uniform, of_unsolved))
    met = True
    for n, found in shares.items():
        uniform, unsolved = np.mean(found, axis=0)
        met = met and bool(uniform <= THIRD and unsolved <= FOUR_FIFTHS)
        lines.append(f"\nn = {n}: {uniform:.2f} of uniform (goal 0.33), {unsolved:.2f} of unsolved (goal 0.80)")
    return lines, met


def main() -> int:
    """Print the table; status 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.replay", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    lines, met = table(parser.parse_args().repeats)
    print("\n".join(lines))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
