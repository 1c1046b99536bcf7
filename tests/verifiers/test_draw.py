"""A draw into a real store, judged by real processes: what a verifier does to a sample is stored with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from backend import RunOptions, draw, plan_run
from backend.engines.protocol import DrawnSample, PromptRequest, SamplingParams
from backend.importers.importing import import_files
from backend.jobs.plan import SamplingPlan
from backend.jobs.work import WorkState
from backend.store.layout import StoreLayout
from tests.support import everything_in, jsonl, qwen_line, with_reader
from tests.verifiers.acting import Acting

TEXTS = ["text", "hang", "kill", "raise x", "text 1", "text 2"]
VERDICTS = ["correct", "timeout", "error", "error", "correct", "correct"]


class Reading:
    """An engine that reads its samples from a list: sample i has text i."""

    name = "reading"
    version = "reading 1"

    def generate(self, requests: Sequence[PromptRequest], params: SamplingParams) -> Iterator[DrawnSample]:
        for request in requests:
            for index, seed in zip(request.indices, request.seeds, strict=True):
                yield DrawnSample(request.problem, index, seed, TEXTS[index], 1, "stop", -1.0, (0,))


@pytest.fixture
def plan(store: StoreLayout, tmp_path: Path) -> SamplingPlan:
    lines = [qwen_line("What is a?", [True])]
    import_files(store, [jsonl(tmp_path / "run.jsonl", lines)], run_options=RunOptions(model="old", benchmark="b"))
    planned = with_reader(
        store,
        lambda reader: plan_run(
            reader, benchmark="b", n=len(TEXTS), run_options=RunOptions(model="new"), parameters={}
        ),
    )
    assert isinstance(planned, SamplingPlan)
    return planned


def stored(store: StoreLayout) -> dict[int, str]:
    """Verdict by index of the samples that were drawn."""
    rows = everything_in(store)["outcomes"]
    return {row[2]: row[3] for row in rows if row[10] is not None}


def test_every_sample_is_stored_with_its_own_verdict(store: StoreLayout, plan: SamplingPlan) -> None:
    state = draw(store, plan, Reading(), Acting())  # type: ignore[arg-type]
    assert stored(store) == dict(enumerate(VERDICTS))
    assert state.finished == state.stored().samples == len(TEXTS)
    assert state.stored().verdicts == {"correct": 3, "timeout": 1, "error": 2}
    details = {row[2]: row[4] for row in everything_in(store)["outcomes"] if row[10] is not None}
    assert details[1].startswith("Judging took longer than 3 s")


def test_an_interrupted_draw_keeps_what_was_drawn(store: StoreLayout, plan: SamplingPlan) -> None:
    def stop(state: WorkState) -> None:
        if state.finished == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(store, plan, Reading(), Acting(), stop)  # type: ignore[arg-type]
    kept = stored(store)
    assert len(kept) >= 2
    assert all(VERDICTS[index] == verdict for index, verdict in kept.items())
