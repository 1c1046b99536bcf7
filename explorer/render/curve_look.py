"""What is looked at on the curves screen, and what has come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

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
