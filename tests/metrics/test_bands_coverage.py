"""95 % intervals hold the truth about 95 times of 100; `python -m tests.bench.coverage` looks closer."""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench.coverage import measure, passed
from tests.bench.synthetic import SHAPES, sharpened


@pytest.mark.parametrize("shape", ["spread", "a third impossible"])
def test_bands_hold_the_truth(shape: str) -> None:
    rows = measure(shape, SHAPES[shape], problems=80, n=16, benchmarks=150)
    assert {row.kind for row in rows} == {
        f"{what} over {kind}" for what in ("pass@k", "Cover", "RL - base") for kind in ("problems", "samples")
    }
    for row in rows:
        # The cells of a row go together, so a row is known little better than one cell: to 3.5 points.
        assert 0.905 < row.coverage[~row.flat].mean() < 0.995, (row.kind, row.coverage)


def test_the_truth_is_that_of_the_rates() -> None:
    random = np.random.default_rng(7)
    rates = np.array([0.0, 0.25, 1.0])
    drawn = random.random((20_000, 3, 4)) < rates[:, None]
    solved = [drawn[:, :, :k].any(axis=2).mean() for k in (1, 4)]
    assert passed(np.array([1, 4]), rates) == pytest.approx(solved, abs=0.005)


def test_sharpening_makes_sure_problems_surer_and_loses_rare_ones() -> None:
    random = np.random.default_rng(8)
    rates = np.repeat([0.001, 0.5], 4_000)
    after = sharpened(random, rates)
    assert 0.4 < (after[:4_000] == 0).mean() < 0.6
    assert (after[4_000:] > 0.6).all()
