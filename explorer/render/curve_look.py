"""What is looked at on the curves screen, and what has come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from backend.records import Curve
from backend.records.bands import BandCurve, BandPoint, Difference, Kind

View = Literal["pass@k", "difference", "cover", "cot"]
NAMES: Mapping[View, str] = {
    "pass@k": "pass@k",
    "difference": "difference",
    "cover": "Cover@tau",
    "cot": "CoT-pass@k beside pass@k",
}

Values = Mapping[str, BandPoint]
"""By run, the value at the cursor with its interval; what is undefined is left out."""

MOST_BANDS = 2
"""Runs whose intervals are drawn: more of them hide each other."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at."""

    benchmark: str
    on: tuple[str, ...]
    """Names of the runs that are on, the pair's first."""
    view: View
    kind: Kind | None
    """What the intervals are over."""
    k: int
    tau: Fraction


@dataclass(frozen=True, slots=True)
class Bands:
    """What takes a moment to compute."""

    view: View
    curves: Mapping[str, BandCurve] = field(default_factory=dict)
    """By run: pass@k of those whose band is drawn, or Cover@tau of those that are on."""
    difference: Difference | None = None
    """None where not just two runs are on."""
    kind: Kind | None = None
    """What the intervals of the curves are over."""


def known_values(curves: Sequence[Curve], look: Look, bands: Bands) -> Values | None:
    """The values at the cursor as far as curves and bands hold them; None where one must ask.

    A run whose band is still to come has no interval at first; one whose band is of another kind, or of other samples
    than its curve, would have a wrong one.
    """
    if look.view != "pass@k" or (look.kind is not None and len(look.on) > MOST_BANDS):
        return None
    of_runs = bands.curves if look.kind is not None and bands.view == look.view else {}
    found = {}
    for curve in curves:
        band = of_runs.get(curve.run.name) if curve.run.name in look.on else None
        value = curve.at(look.k)
        if value is None:
            if look.k <= (curve.run.n_min or 0):
                # Between two points that are drawn.
                return None
        elif band is None:
            found[curve.run.name] = BandPoint(look.k, value, None, None)
        elif bands.kind == look.kind and band.run == curve.run and (point := band.at(look.k)) is not None:
            found[curve.run.name] = point
        else:
            return None
    return found
