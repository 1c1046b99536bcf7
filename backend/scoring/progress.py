"""How far scoring is: what the store holds of a plan, and what other jobs have promised to score."""

from __future__ import annotations

from backend.errors import PasskError
from backend.jobs.claims import CLAIMING
from backend.jobs.job import jobs_of
from backend.scoring.plan import ScoringPlan, TextKey
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from backend.store.reads import Reader


def scored(reader: Reader, plan: ScoringPlan) -> dict[TextKey, bool]:
    """The texts of a plan that have what it wants, each with whether it fitted the model's context."""
    fitting = _fitting(reader, plan)
    if not plan.by_token:
        return fitting
    names = _names(plan)
    rows = reader.rows("scores/token_scored", run_keys=list(names), scorer=plan.scorer, dtype=plan.dtype)
    by_token = {(names[run], key, index) for run, key, samples in rows for index in samples}
    # A text that does not fit has no token scores, and never will.
    return {text: fits for text, fits in fitting.items() if not fits or text in by_token}


def summed(reader: Reader, plan: ScoringPlan) -> set[TextKey]:
    """The texts of a plan that have a row in the table of sums already, whatever else is wanted of them."""
    return set(_fitting(reader, plan))


def claimed(layout: StoreLayout, plan: ScoringPlan, but: str = "") -> set[TextKey]:
    """The texts that other jobs under the same model and precision will score, those of the job `but` left out."""
    found: set[TextKey] = set()
    for job in jobs_of(layout):
        try:
            if job.name == but or job.status().state not in CLAIMING:
                continue
            other, _ = job.plan()
        except PasskError:
            continue
        if not isinstance(other, ScoringPlan) or (other.scorer, other.dtype) != (plan.scorer, plan.dtype):
            continue
        if other.by_token or not plan.by_token:
            found.update(other.keys())
    return found


def _names(plan: ScoringPlan) -> dict[int, str]:
    return {run_key(run) if run else 0: run for run in plan.runs}


def _fitting(reader: Reader, plan: ScoringPlan) -> dict[TextKey, bool]:
    names = _names(plan)
    wanted = set(plan.keys())
    rows = reader.rows("scores/scored", run_keys=list(names), scorer=plan.scorer, dtype=plan.dtype)
    return {
        text: index not in unfitting
        for run, key, samples, unfit in rows
        for unfitting in [set(unfit)]
        for index in samples
        if (text := (names[run], key, index)) in wanted
    }
