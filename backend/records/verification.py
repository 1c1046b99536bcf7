"""What verifying stored samples did, and every verdict on one sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` did with the samples of a run."""

    run: str
    verifier: str | None
    """None where there was nothing to judge."""
    version: str | None
    wanted: int
    """Samples that were to be judged."""
    without_text: int
    """Of these, samples whose text is not stored; they keep what they had."""
    judged: int
    changes: Mapping[tuple[str, str], int]
    """Samples by the verdict that counted before and the one that counts now, which may be the same."""
    unused: int
    """Judgements that stand beside the earlier verdict without counting: the verifier failed on these texts, or there
    was nothing to judge by."""


@dataclass(frozen=True, slots=True)
class GivenVerdict:
    """One verdict on a sample."""

    verifier: str | None
    """Who gave it: a verifier, a filter, a scorer; None for the one that the sample came with."""
    version: str | None
    verdict: str
    answer: str | None
    detail: str | None
    used: bool
    """Whether it is the one that counts."""
    created: datetime | None
    """UTC; None for the one that the sample came with."""
