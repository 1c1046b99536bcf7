"""Resampling as the dialog asks for it: what a request comes to, that no two get the same samples, what moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import ParameterChanges, Resampling, ResamplingRequest, moves, plan_resampling, start_resampling
from backend.jobs.job import Job
from backend.jobs.resampling import Move
from backend.store.layout import StoreLayout
from tests.support import Attempt, wait_while, with_reader, write_part

RUNS = ("base@b", "rl@b")


@pytest.fixture
def compared(store: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreLayout:
    """Two runs on two problems, and a server that is not there: jobs are made, and soon fail."""
    configuration = tmp_path / "config.toml"
    configuration.write_text(
        '[models]\nbase = "b"\nrl = "r"\n[engines.nowhere]\nkind = "server"\nbase_url = "http://127.0.0.1:9/v1"\n'
        "retries = 0\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PASSK_CONFIG", str(configuration))
    for model, verdicts in (("base", ("correct", "wrong")), ("rl", ("wrong", "wrong"))):
        attempts = [Attempt(f"p{place}", 0, verdict, tokens=10) for place, verdict in enumerate(verdicts)]
        write_part(store, f"0-{model}", attempts, run=f"{model}@b", model=model)
    return store


def request(add: int = 3, **fields: object) -> ResamplingRequest:
    return ResamplingRequest(RUNS, RUNS, ("p0", "p1"), add, "nowhere", **fields)  # type: ignore[arg-type]


def planned(store: StoreLayout, asked: ResamplingRequest) -> Resampling:
    found = with_reader(store, lambda reader: plan_resampling(reader, asked), merging=False)
    assert isinstance(found, Resampling)
    return found


def started(store: StoreLayout, asked: ResamplingRequest) -> list[Job]:
    jobs = start_resampling(store, asked)
    wait_while(lambda: any(job.status().state in ("prepared", "running") for job in jobs))
    return jobs


def indices(job: Job) -> set[int]:
    return {index for problem in job.plan()[0].problems for index in problem.indices}  # type: ignore[union-attr]


def test_what_a_wish_comes_to(compared: StoreLayout) -> None:
    kept_apart = planned(compared, request())
    assert [addition.plan.target.run for addition in kept_apart.additions] == [f"{run}+resampled" for run in RUNS]
    assert all(addition.can_pool and "is not known" in addition.because for addition in kept_apart.additions)
    assert (kept_apart.samples, kept_apart.tokens, kept_apart.tokens_per_second) == (12, 120, None)
    assert kept_apart.sets == {"p0": (True, False), "p1": (False, False)}

    pooled = planned(compared, request(pool=True))
    assert [addition.plan.target.run for addition in pooled.additions] == list(RUNS)
    assert all(addition.can_pool and not addition.because for addition in pooled.additions), "it can be taken back"

    each = planned(compared, request(add={"p0": 2}, pool=True))  # type: ignore[arg-type]
    assert [[p.label for p in addition.plan.problems] for addition in each.additions] == [["p0"], ["p0"]]
    assert each.samples == 4

    hot = planned(compared, request(changes=ParameterChanges({"temperature": 1.5}), pool=True))
    assert [addition.plan.target.parameters["temperature"] for addition in hot.additions] == [1.5, 1.5]

    nobody = planned(compared, ResamplingRequest(RUNS, RUNS, ("p9",), 1, "nowhere"))
    assert nobody.samples == 0
    assert all("no problem p9" in refusal for refusal in nobody.refusals)


def test_the_same_wish_twice_gets_other_samples(compared: StoreLayout) -> None:
    """Failed jobs keep their claims, since they can be resumed; those of cancelled ones are free again."""
    first = started(compared, request(pool=True))
    assert [job.status().state for job in first] == ["failed", "failed"]
    assert [indices(job) for job in first] == [{1, 2, 3}] * 2
    second = started(compared, request(pool=True))
    assert [indices(job) for job in second] == [{4, 5, 6}] * 2
    for job in first:
        job.cancel()
    assert [job.status().state for job in first] == ["cancelled", "cancelled"]
    assert [indices(job) for job in started(compared, request(pool=True))] == [{7, 8, 9}] * 2


def test_what_moved_since_a_job_was_planned(compared: StoreLayout) -> None:
    job = started(compared, request(pool=True))[1]
    runs, moved = with_reader(compared, lambda reader: moves(reader, job))
    assert (runs, moved) == (RUNS, [])
    write_part(compared, "1-rl", [Attempt("p0", 1, "correct"), Attempt("p1", 1, "wrong")], run="rl@b", model="rl")
    _, moved = with_reader(compared, lambda reader: moves(reader, job))
    assert moved == [Move("p0", (True, False), (True, True))]
