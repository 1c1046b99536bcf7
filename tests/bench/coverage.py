"""How often 95 % intervals hold the truth, where the truth is known: python -m tests.bench.coverage.

A benchmark's rates are drawn from a shape, its samples from its rates. Bands over problems are to hold the curve of all
problems of that shape, bands over samples the curve of just the drawn ones. Aim: 93 to 97 of 100.

Where a curve is all but flat at 0 or 1 (the truth within 0.5 points of it), no interval can do so: what is seen is the
same in nearly every draw, and holds the truth nearly always or nearly never. These cells are shown, in brackets, and
counted apart.

What was found with 300 benchmarks of each shape: bands of all kinds hold the truth in 94 to 97 of 100 on average, and
at 100 and 500 problems nearly every cell lies within 93 to 97. What lies outside has reasons:

- over problems, a difference that is nearly 0 everywhere (easy and middle shapes): more than 97, since a problem that
  one run alone solves is rare and is never ruled out; less than 93 is possible where it is rare and was not seen.
- over problems, Cover@tau of 30 problems: a share of few problems has few values, so its coverage jumps (88 to 100).
- over samples, k near n with few problems: down to 91, since the variance hangs on the one or two problems of which no
  or one sample is right.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from backend.estimators.intervals import Band, band, binomial, paired_difference
from backend.estimators.pass_at_k import cover_tables, pass_at_k_tables, powers_and_end
from backend.records.comparison import IntervalKind
from tests.bench.count_coverage import counts_table
from tests.bench.doubt_calibration import doubt_table
from tests.bench.synthetic import SHAPES, Rates, sharpened

Floats = NDArray[np.float64]

DESIGNS = ((30, 64), (100, 64), (500, 128))
"""Problems and samples of each."""
TAUS = (Fraction(1, 10), Fraction(1, 2), Fraction(9, 10))
KINDS: tuple[IntervalKind, ...] = ("problems", "samples")
LOW, HIGH = 0.93, 0.97
FLAT = 0.005
MANY = 400_000
"""Problems by which the curve of a shape is known."""


@dataclass
class Row:
    """One kind of band of one shape: how often it held the truth, and where the curve is flat."""

    kind: str
    shape: str
    places: Sequence[str]
    flat: NDArray[np.bool_]
    held: Floats = field(init=False)
    benchmarks: int = 0

    def __post_init__(self) -> None:
        self.held = np.zeros(len(self.places))

    def add(self, found: Band, truth: Floats) -> None:
        self.held += (found.low <= truth) & (truth <= found.high)
        self.benchmarks += 1

    @property
    def coverage(self) -> Floats:
        return self.held / self.benchmarks

    def cells(self) -> list[str]:
        shares = [f"{100 * share:.1f}" for share in self.coverage]
        return [f"({share})" if flat else share for share, flat in zip(shares, self.flat, strict=True)]


def passed(ks: NDArray[np.int64], rates: Floats) -> Floats:
    """The true pass@k of problems with these rates."""
    with np.errstate(divide="ignore"):
        return np.array([-np.expm1(k * np.log1p(-rates)).mean() for k in ks])


def covered(n: int, rates: Floats) -> Floats:
    """The share of problems with these rates that is to be expected at c/n >= tau."""
    grid = np.linspace(0.0, 1.0, 2_001)
    chances = binomial(n, grid) @ cover_tables(n, TAUS)
    return np.array([np.interp(rates, grid, column).mean() for column in chances.T])


def is_flat(curve: Floats) -> NDArray[np.bool_]:
    """Where a curve is all but 0 or 1."""
    return (curve < FLAT) | (curve > 1 - FLAT)


def measure(shape: str, rates: Rates, problems: int, n: int, benchmarks: int, seed: int = 1) -> list[Row]:
    """Coverage of every kind of band on so many benchmarks of one shape."""
    random = np.random.default_rng(seed)
    ks = np.array(powers_and_end(n))
    passes, covers = cache(partial(pass_at_k_tables, ks=ks)), cache(partial(cover_tables, taus=TAUS))
    many = rates(random, MANY)
    before, after = passed(ks, many), passed(ks, sharpened(random, many))
    population = {"pass@k": before, "Cover": covered(n, many), "RL - base": after - before}
    flat = {
        "pass@k": is_flat(before),
        "Cover": is_flat(population["Cover"]),
        "RL - base": is_flat(before) & is_flat(after),
    }
    at_k, at_tau = [f"@{k}" for k in ks], [f"≥{float(tau):g}" for tau in TAUS]
    rows = {
        (name, kind): Row(f"{name} over {kind}", shape, at_tau if name == "Cover" else at_k, flat[name])
        for name in population
        for kind in KINDS
    }
    size = np.full(problems, n)
    for _ in range(benchmarks):
        base = rates(random, problems)
        rl = sharpened(random, base)
        base_c, rl_c = random.binomial(n, base), random.binomial(n, rl)
        of_base = passed(ks, base)
        these = {"pass@k": of_base, "Cover": covered(n, base), "RL - base": passed(ks, rl) - of_base}
        for kind in KINDS:
            truth = population if kind == "problems" else these
            rows["pass@k", kind].add(band(kind, size, base_c, passes), truth["pass@k"])
            rows["Cover", kind].add(band(kind, size, base_c, covers), truth["Cover"])
            found, _ = paired_difference(kind, (size, base_c), (size, rl_c), passes)
            rows["RL - base", kind].add(found, truth["RL - base"])
    return list(rows.values())


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """For every kind of band: the coverage of all cells together, and how many cells lie within the aim."""
    for kind in dict.fromkeys(row.kind for row in rows):
        of_kind = [row for row in rows if row.kind == kind]
        cells = np.concatenate([row.coverage[~row.flat] for row in of_kind])
        flat = np.concatenate([row.coverage[row.flat] for row in of_kind])
        # A cell's own coverage is known to about two standard errors.
        slack = 2 * np.sqrt(0.95 * 0.05 / of_kind[0].benchmarks)
        within = ((cells >= LOW - slack) & (cells <= HIGH + slack)).mean()
        line = f"{kind:24}{100 * cells.mean():6.1f} %, {100 * within:3.0f} % of {len(cells)} cells within 93-97"
        line += f" (± {100 * slack:.1f}), {100 * cells.min():.1f} to {100 * cells.max():.1f}"
        yield line + (f"; flat: {100 * flat.mean():.1f} %" if len(flat) else "")


def bands_table(benchmarks: int) -> Iterator[str]:
    """All designs and shapes, as lines of text."""
    for problems, n in DESIGNS:
        rows: list[Row] = []
        for shape, rates in SHAPES.items():
            rows += measure(shape, rates, problems, n, benchmarks)
        yield f"\n{problems} problems, n = {n}, {benchmarks:,} benchmarks of each shape: % that hold the truth"
        for kind in dict.fromkeys(row.kind for row in rows):
            of_kind = [row for row in rows if row.kind == kind]
            yield f"{kind:24}" + "".join(f"{place:>9}" for place in of_kind[0].places)
            for row in of_kind:
                yield f"  {row.shape:22}" + "".join(f"{cell:>9}" for cell in row.cells())
        yield from summary(rows)


PARTS: Mapping[str, Callable[[int], Iterator[str]]] = {
    "bands": bands_table, "doubt": doubt_table, "counts": counts_table,
}  # fmt: skip
"""What can be measured; each takes the number of benchmarks and gives lines."""


def main() -> int:
    """See --help."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.coverage", description=__doc__)
    parser.add_argument("--benchmarks", type=int, default=1_000, help="of each shape and design (default: 1,000)")
    parser.add_argument("--only", choices=tuple(PARTS), help="only one part")
    arguments = parser.parse_args()
    for name, part in PARTS.items():
        if arguments.only in (None, name):
            for line in part(arguments.benchmarks):
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
