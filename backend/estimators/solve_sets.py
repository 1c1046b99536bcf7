"""Solve sets: which problems which runs solve. Exact integers throughout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb, fsum

Combination = tuple[bool, ...]
"""For every run of a comparison, whether it solves the problem."""


def is_solved(c: int, min_correct: int) -> bool:
    """Whether a run with c correct samples counts as solving the problem; the paper's threshold is 1."""
    return c >= min_correct


def combination(correct: Sequence[int], min_correct: int) -> Combination:
    """Which runs solve one problem, given the correct samples of each."""
    return tuple(is_solved(c, min_correct) for c in correct)


def all_combinations(runs: int) -> list[Combination]:
    """Every combination of that many runs: solved by all first, by none last."""
    return [tuple(not mask >> (runs - 1 - run) & 1 for run in range(runs)) for mask in range(1 << runs)]


def count_combinations(solved: Iterable[Combination], runs: int) -> dict[Combination, int]:
    """How many problems have each combination; every combination is there, also at 0."""
    counted = Counter(solved)
    return {entry: counted[entry] for entry in all_combinations(runs)}


@lru_cache(maxsize=65_536)
def chance_solved_in(draws: int, n: int, c: int, min_correct: int) -> Fraction:
    """Chance that `draws` of the n samples, drawn without replacement, hold at least min_correct of the c correct ones.

    The hypergeometric tail, exact. With min_correct = 1 it is pass@draws.

    Raises:
        ValueError: draws > n.
    """
    if draws > n:
        raise ValueError(f"{draws} draws from {n} samples")
    fewer = sum(
        comb(c, hits) * comb(n - c, draws - hits)
        for hits in range(min(min_correct, draws + 1, c + 1))
        if draws - hits <= n - c
    )
    return 1 - Fraction(fewer, comb(n, draws))


def expected_counts(
    problems: Sequence[Sequence[tuple[int, int]]], draws: int, min_correct: int
) -> dict[Combination, float]:
    """Expected size of each set when every run of every problem is cut to `draws` samples drawn at random.

    Args:
        problems: for each problem the (n, c) of each run, all n >= draws.

    Returns:
        Expected count of each combination; they add up to the number of problems.
    """
    runs = len(problems[0]) if problems else 0
    shares: dict[Combination, list[float]] = {entry: [] for entry in all_combinations(runs)}
    for problem, times in Counter(tuple(tuple(pair) for pair in row) for row in problems).items():
        chances = [chance_solved_in(draws, n, c, min_correct) for n, c in problem]
        for entry, found in shares.items():
            share = Fraction(times)
            for solved, chance in zip(entry, chances, strict=True):
                share *= chance if solved else 1 - chance
            # Exact up to here; a sum of exact fractions with many n would need numbers of ten thousand digits.
            found.append(float(share))
    return {entry: fsum(found) for entry, found in shares.items()}
