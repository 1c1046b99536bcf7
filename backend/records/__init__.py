"""Frozen records that cross the border between backend and explorer. Plain values, no connection, no widget."""

from __future__ import annotations

from backend.records.comparison import (
    Curve,
    CurvePoint,
    NotCompared,
    PairSummary,
    SetProblem,
    SolveSets,
    Tally,
)
from backend.records.runs import (
    ROLES,
    Benchmark,
    Model,
    Run,
)
from backend.records.samples import (
    VERDICTS,
    AnswerCount,
    Page,
    Path,
    Problem,
    RunTally,
    Sample,
)

__all__ = [
    "ROLES",
    "VERDICTS",
    "AnswerCount",
    "Benchmark",
    "Curve",
    "CurvePoint",
    "Model",
    "NotCompared",
    "Page",
    "PairSummary",
    "Path",
    "Problem",
    "Run",
    "RunTally",
    "Sample",
    "SetProblem",
    "SolveSets",
    "Tally",
]
