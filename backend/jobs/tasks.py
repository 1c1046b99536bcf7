"""What a worker does for each kind of plan: what the store holds of it, what is left, and doing that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing

from backend.engines.protocol import Engine
from backend.jobs.claims import claimed
from backend.jobs.draw import DrawState, draw
from backend.jobs.job import Plan
from backend.jobs.parts import DrawTarget, gather
from backend.jobs.plan import SamplingPlan, without
from backend.scoring.parts import gather_scores, outcome
from backend.scoring.plan import ScoringPlan, without_scored
from backend.scoring.progress import claimed as claimed_scores
from backend.scoring.progress import scored
from backend.scoring.score import score
from backend.store.database import open_store
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from backend.store.reads import Reader
from backend.verifiers.protocol import Verifier


def stored(layout: StoreLayout, plan: Plan) -> Counter[str]:
    """What the store holds of a plan: how many samples of each verdict, or how many texts with what outcome."""
    if isinstance(plan, SamplingPlan):
        return Counter(verdict for problem in _drawn(layout, plan).values() for verdict in problem.values())
    with closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
        return Counter(outcome(fits) for fits in scored(reader, plan).values())


def left_of(layout: StoreLayout, plan: Plan, job: str) -> Plan:
    """What a job has to do of its plan: neither stored nor claimed by another job since this one was given up."""
    if isinstance(plan, SamplingPlan):
        # Claims first: those of a job that finishes in between are in the store then.
        left = without(plan, claimed(layout, plan.target.run, but=job))
        return without(left, _drawn(layout, plan))
    others = claimed_scores(layout, plan, but=job)
    with closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
        return without_scored(plan, others.union(scored(reader, plan)))


def do(
    layout: StoreLayout,
    plan: Plan,
    engine: Engine,
    verifier: Verifier | None,
    progress: Callable[[DrawState], None],
    job: str,
) -> DrawState:
    """Draw or score; raises like `draw` and `score`."""
    if isinstance(plan, ScoringPlan):
        return score(layout, plan, engine, progress, job=job)
    return draw(layout, plan, engine, verifier, progress, job=job)


def finish(layout: StoreLayout, plan: Plan, job: str) -> None:
    """Gather the parts of a job of which nothing is left: its last worker was killed before it could."""
    if isinstance(plan, ScoringPlan):
        gather_scores(layout, plan, job)
    else:
        gather(DrawTarget(layout, plan, "", job))


def _drawn(layout: StoreLayout, plan: SamplingPlan) -> dict[int, dict[int, str]]:
    """Verdicts of the plan's samples that stand in the store, by problem key and index."""
    wanted = {problem.key: set(problem.indices) for problem in plan.problems}
    found: dict[int, dict[int, str]] = {}
    with closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
        for key, verdict, indices in reader.rows("reads/sample_verdicts", run_key=run_key(plan.target.run)):
            here = wanted.get(key, set()).intersection(indices)
            found.setdefault(key, {}).update((index, verdict) for index in here)
    return found
