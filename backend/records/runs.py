"""Models, runs and benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ROLES = ("base", "rl", "sft", "instruct", "distill")
"""Every role of a model."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model, or one checkpoint of it. What is unknown is None."""

    name: str
    role: str | None = None
    from_model: str | None = None
    step: int | None = None
    algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One model sampled on one benchmark under one sampling configuration, with its totals."""

    key: int
    name: str
    model: Model
    benchmark: str
    parameters: Mapping[str, Any]
    """Sampling parameters under vLLM's names, as far as known."""
    problems: int
    samples: int
    """Verified and unverified."""
    correct: int
    unverified: int
    n_min: int | None
    """Smallest n over the problems that have a verified sample; None when none has."""
    n_max: int | None
    without_verdict: int
    """Problems of which every sample is unverified; they are left out of pass@k and of solve sets."""
    solvable: int
    """Problems with c >= 1."""
    texts: int
    """Samples whose text is stored; 0 for published counts."""
    mean_tokens: float | None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: added to be sampled from, or come with results."""

    benchmark: str
    verifier: str | None
    """Name of what judges its samples; None where none was chosen."""
    source: str | None
    """Where its problems were read from; None where they came with results."""
    metadata: str | None
    """JSON: split and columns of the source."""
    problems: int
    statements: int
    """Problems that can be asked."""
    answers: int
    """Problems with a reference answer."""
    runs: int
