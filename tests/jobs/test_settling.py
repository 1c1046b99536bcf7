"""Plans that become jobs: for each run its own samples by problem, and what was expected is kept beside the job."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import (
    ResamplingRequest,
    expected_changes,
    plan_by_uncertainty,
    resampling_outcome,
    start_by_uncertainty,
    start_resampling,
)
from backend.errors import UsageError
from backend.jobs.job import Job
from backend.jobs.plan import SamplingPlan
from backend.store.layout import StoreLayout
from tests.support import Attempt, wait_while, with_reader, write_part

RUNS = ("base@b", "rl@b")
BASE = (0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3)
RL = (0, 2, 0, 0, 1, 0, 0, 3, 4, 4, 4, 4)
LABELS = tuple(f"p{place}" for place in range(12))


@pytest.fixture
def compared(store: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreLayout:
    """Two runs on twelve problems, n = 4, and a server that is not there: jobs are made, and soon fail."""
    configuration = tmp_path / "config.toml"
    configuration.write_text(
        '[models]\nbase = "b"\nrl = "r"\n[engines.nowhere]\nkind = "server"\nbase_url = "http://127.0.0.1:9/v1"\n'
        "retries = 0\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PASSK_CONFIG", str(configuration))
    for model, right in (("base", BASE), ("rl", RL)):
        attempts = [
            Attempt(label, index, "correct" if index < c else "wrong", tokens=10)
            for label, c in zip(LABELS, right, strict=True)
            for index in range(4)
        ]
        write_part(store, f"0-{model}", attempts, run=f"{model}@b", model=model)
    return store


def request(budget: int = 40, runs: tuple[str, ...] = RUNS, problems: tuple[str, ...] = LABELS) -> ResamplingRequest:
    return ResamplingRequest(RUNS, runs, problems, budget, "nowhere", pool=True)


def drawn(job: Job) -> dict[str, int]:
    plan = job.plan()[0]
    assert isinstance(plan, SamplingPlan)
    return {problem.label: len(problem.indices) for problem in plan.problems}


def ended(jobs: list[Job]) -> list[Job]:
    wait_while(lambda: any(job.status().state in ("prepared", "running") for job in jobs))
    return jobs


def test_a_plan_becomes_a_job_for_each_run(compared: StoreLayout) -> None:
    plan, planned = with_reader(compared, lambda reader: plan_by_uncertainty(reader, request()))
    assert plan.samples == sum(part.samples for part in planned) == 40
    jobs = ended(start_by_uncertainty(compared, [part.request for part in planned]))
    assert [job.plan()[0].target.run for job in jobs] == [part.request.runs[0] for part in planned]
    for job in jobs:
        run = job.plan()[0].target.run
        rows = [row for row in plan.rows if row.run == run]
        assert drawn(job) == {row.problem: row.add for row in rows}
        assert expected_changes(job) == pytest.approx(sum(row.expected_changes for row in rows))
        correct = BASE if run == "base@b" else RL
        assert set(drawn(job)) <= {p for p, c in zip(LABELS, correct, strict=True) if not c}


def test_a_job_finds_what_its_own_run_came_to_solve(compared: StoreLayout) -> None:
    """Each job counts its own run's memberships, though a problem that moves has moved for both."""
    _, planned = with_reader(compared, lambda reader: plan_by_uncertainty(reader, request()))
    jobs = ended(start_by_uncertainty(compared, [part.request for part in planned]))
    write_part(
        compared, "1-base", [Attempt("p0", 4, "correct"), Attempt("p1", 4, "correct")], model="base", run=RUNS[0]
    )
    write_part(compared, "1-rl", [Attempt("p0", 4, "correct"), Attempt("p2", 4, "wrong")], run=RUNS[1], model="rl")
    for job in jobs:
        found = with_reader(compared, lambda reader, job=job: resampling_outcome(reader, job))
        assert (found.compared, found.expected_changes) == (RUNS, expected_changes(job))
        moved = [(move.problem, move.before, move.after) for move in found.moved]
        if job.plan()[0].target.run == "base@b":
            assert moved == [("p0", (False, False), (True, True)), ("p1", (False, True), (True, True))]
            assert found.found_changes == 2
        else:  # p1 was solved by this run, and is none of its job's
            assert moved == [("p0", (False, False), (True, True))]
            assert found.found_changes == 1


def test_only_the_runs_and_problems_that_are_meant(compared: StoreLayout) -> None:
    asked = request(runs=RUNS[:1], problems=LABELS[1:])
    plan, [planned] = with_reader(compared, lambda reader: plan_by_uncertainty(reader, asked))
    assert {(row.run, row.problem) for row in plan.rows} <= {("base@b", label) for label in LABELS[1:6]}
    assert planned.samples == plan.samples


def test_where_too_little_can_change_nothing_is_drawn(compared: StoreLayout) -> None:
    """One unsolved problem cannot change two memberships: the rule says stop before anything is spent."""
    plan, planned = with_reader(compared, lambda reader: plan_by_uncertainty(reader, request(problems=LABELS[1:2])))
    assert (plan.unsolved, plan.samples, planned) == (1, 0, ())
    assert plan.settled


def test_a_job_that_no_plan_made_expects_nothing(compared: StoreLayout) -> None:
    [job] = ended(start_resampling(compared, request(1, RUNS[:1], LABELS[:1])))
    assert expected_changes(job) is None


def test_a_plan_needs_two_runs_and_one_budget(compared: StoreLayout) -> None:
    alone = ResamplingRequest(RUNS[:1], RUNS[:1], LABELS, 5, "nowhere")
    by_label = ResamplingRequest(RUNS, RUNS, LABELS, {"p0": 3}, "nowhere")
    for refused in (alone, by_label):
        with pytest.raises(UsageError):
            with_reader(compared, lambda reader, refused=refused: plan_by_uncertainty(reader, refused))  # type: ignore[misc]
