"""Frozen records that cross the border between backend and explorer. Plain values, no connection, no widget."""

from __future__ import annotations

from backend.records.comparison import Curve, CurvePoint, NotCompared, PairSummary, SetProblem, SolveSets, Tally
from backend.records.samples import (
    NOT_JUDGED,
    ROLES,
    VERDICTS,
    AnswerCount,
    Benchmark,
    Model,
    Page,
    Problem,
    Response,
    Run,
    RunTally,
    Sample,
)

__all__ = [
    "NOT_JUDGED",
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
    "Problem",
    "Response",
    "Run",
    "RunTally",
    "Sample",
    "SetProblem",
    "SolveSets",
    "Tally",
]
