"""What the curves screen asks the store for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from backend import Reader, cot_curves, cover_bands, curves, difference, pass_at_k_bands
from backend.records import Curve, Run
from backend.records.bands import BandCurve, BandPoint
from explorer.render.curve_look import MOST_BANDS, Bands, Look, Values
from explorer.render.numbers import count

DENSE = 64
"""Points of a curve between 1 and n, evenly spaced on the log axis; more cannot be told apart in a terminal."""
FIFTIETHS = tuple(Fraction(i, 50) for i in range(1, 51))
"""The thresholds at which Cover@tau is drawn."""
Problems = Collection[int] | None
"""Keys of the only problems that count."""


def plotted_ks(n: int) -> list[int]:
    """Every small k, powers of two, n, and in between as many as a terminal resolves."""
    spaced = np.unique(np.round(np.geomspace(1, n, DENSE)).astype(int)).tolist()
    return sorted({*spaced, *(1 << i for i in range(n.bit_length()) if 1 << i <= n), n})


def read_curves(reader: Reader, look: Look, problems: Problems) -> tuple[Curve, ...]:
    """The curves of every run of the benchmark."""
    return curves(reader, reader.runs(look.benchmark), plotted_ks, problems=problems)


def read_values(reader: Reader, look: Look, problems: Problems) -> Values:
    """The values at the cursor, of the runs that are on with their intervals."""
    found: dict[str, BandPoint] = {}
    runs = reader.runs(look.benchmark)
    if look.view == "cot":
        return _cot_values(reader, runs, look, problems)
    for kind, chosen in (
        (look.kind, [run for run in runs if run.name in look.on]),
        (None, [run for run in runs if run.name not in look.on]),
    ):
        if look.view == "cover":
            at_cursor = cover_bands(reader, chosen, kind, [look.tau], problems=problems)
        else:
            at_cursor = pass_at_k_bands(reader, chosen, kind, lambda _: [look.k], problems=problems)
        found |= {curve.run.name: curve.points[0] for curve in at_cursor if curve.points}
    return found


def _cot_values(reader: Reader, runs: Sequence[Run], look: Look, problems: Problems) -> Values:
    """pass@k at the cursor, with CoT-pass@k as its interval for the runs that are on."""
    found = {}
    valid = {curve.run.name: curve for curve in _cot(reader, runs, look, lambda _: [look.k], problems)}
    for curve in pass_at_k_bands(reader, runs, None, lambda _: [look.k], problems=problems):
        of_valid = valid.get(curve.run.name)
        for point in curve.points:
            ends = of_valid.points[0] if of_valid is not None and of_valid.points else point
            found[curve.run.name] = replace(point, low=ends.low, high=ends.high)
    return found


def _cot(
    reader: Reader, runs: Sequence[Run], look: Look, ks: Callable[[int], Sequence[int]], problems: Problems
) -> list[BandCurve]:
    """CoT-pass@k of the runs that are on: low with open paths as invalid, high with them as valid."""
    on = [run for run in runs if run.name in look.on]
    return [
        BandCurve(
            curve.run,
            f"{count(curve.judged.judged)} of {count(curve.judged.right)} right paths judged, "
            f"{count(curve.judged.valid)} valid",
            curve.problems,
            tuple(BandPoint(point.k, point.low, point.low, point.high) for point in curve.points),
        )
        for curve in cot_curves(reader, on, ks, problems=problems)
    ]


def read_bands(reader: Reader, look: Look, problems: Problems) -> Bands:
    """The bands of the plot, the difference of two runs, or Cover@tau."""
    of_name = {run.name: run for run in reader.runs(look.benchmark)}
    on = [of_name[name] for name in look.on if name in of_name]
    banded, others = on[:MOST_BANDS], on[MOST_BANDS:]
    if look.view == "difference":
        if len(on) != 2:
            return Bands(look.view)

        def ks(n: int) -> list[int]:
            return sorted({*plotted_ks(n), look.k})

        kind = look.kind or "problems"
        return Bands(look.view, difference=difference(reader, on[0], on[1], kind, ks, problems=problems))
    if look.view == "cot":
        return Bands(look.view, {curve.run.name: curve for curve in _cot(reader, on, look, plotted_ks, problems)})
    if look.view == "cover":
        found = cover_bands(reader, banded, look.kind, FIFTIETHS, problems=problems)
        found += cover_bands(reader, others, None, FIFTIETHS, problems=problems)
    else:
        found = pass_at_k_bands(reader, banded, look.kind, plotted_ks, problems=problems) if look.kind else ()
    return Bands(look.view, {curve.run.name: curve for curve in found}, kind=look.kind)
