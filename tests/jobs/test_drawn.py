"""What a draw has finished becomes parts: in time, each sample once, and no failure is silent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend import RunOptions, import_files, open_store, plan_run
from backend.engines.protocol import DrawnSample
from backend.errors import StoreError
from backend.jobs import draw as drawn
from backend.jobs.draw import DrawTarget, PartPublisher, compact_draw
from backend.jobs.plan import SamplingPlan
from backend.store.layout import StoreLayout
from backend.store.parts import read_manifest, waiting_parts
from backend.verifiers.protocol import Verdict
from tests.support import everything, everything_in, jsonl, qwen_line, wait_while, with_reader

RIGHT = Verdict("correct", "42", None, "yes")


@pytest.fixture
def plan(store: StoreLayout, tmp_path: Path) -> SamplingPlan:
    lines = [qwen_line("What is a?", [True]), qwen_line("What is b?", [True])]
    import_files(store, [jsonl(tmp_path / "run.jsonl", lines)], run_options=RunOptions(model="old", benchmark="b"))
    options = RunOptions(model="new")
    planned = with_reader(
        store, lambda reader: plan_run(reader, benchmark="b", n=50, run_options=options, parameters={})
    )
    assert isinstance(planned, SamplingPlan)
    return planned


@pytest.fixture
def samples(plan: SamplingPlan) -> Iterator[Callable[[int], list[DrawnSample]]]:
    """The next samples of the plan."""
    every = iter(
        DrawnSample(problem.label, index, index, f"path {index}", 3, "stop", -1.0, (1,))
        for index in range(50)
        for problem in plan.problems
    )
    yield lambda count: [next(every) for _ in range(count)]


def drawn_rows(store: StoreLayout) -> list[tuple[int, int]]:
    """(problem key, index) of every sample of the new run that a reader sees, sorted; a second one would show."""
    rows = everything_in(store)
    key = next(row[0] for row in rows["runs"] if row[1] == "new@b")
    texts = sorted((row[1], row[2]) for row in rows["texts"] if row[0] == key)
    outcomes = sorted((row[1], row[2]) for row in rows["outcomes"] if row[0] == key)
    assert texts == outcomes
    return outcomes


def test_what_is_finished_is_stored_also_while_no_other_sample_comes(
    store: StoreLayout, plan: SamplingPlan, samples: Callable[[int], list[DrawnSample]]
) -> None:
    with PartPublisher(DrawTarget(store, plan, "engine 1")) as parts:
        for sample in samples(3):
            parts.add(sample, RIGHT)
        wait_while(lambda: parts.stored.samples < 3)
        assert len(drawn_rows(store)) == 3
        assert parts.stored.verdicts == {"correct": 3}
        parts.add(samples(1)[0], RIGHT)
    assert len(drawn_rows(store)) == parts.stored.samples == 4


def test_many_parts_are_gathered_on_the_way_and_at_the_end(
    store: StoreLayout,
    plan: SamplingPlan,
    samples: Callable[[int], list[DrawnSample]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reader that is open all the time sees each sample once, whatever is being superseded."""
    monkeypatch.setattr(drawn, "FLUSH_SAMPLES", 4)
    monkeypatch.setattr(drawn, "COMPACT_PARTS", 3)
    target = DrawTarget(store, plan, "engine 1", job="a")
    database = open_store(store, merging=False)
    seen = 0
    try:
        with PartPublisher(target) as parts:
            for sample in samples(100):
                parts.add(sample, RIGHT)
                if sample.index % 5 == 0:
                    database.refresh()
                    rows = everything(database)["outcomes"]
                    assert len({row[:3] for row in rows}) == len(rows)
                    assert len(rows) >= seen
                    seen = len(rows)
    finally:
        database.close()
    manifests = [manifest for part in waiting_parts(store) if (manifest := read_manifest(store, part))]
    assert any(manifest.supersedes for manifest in manifests), "some were gathered on the way"
    whole = [(problem.key, index) for problem in plan.problems for index in range(50)]
    assert drawn_rows(store) == sorted(whole)
    compact_draw(target)
    assert drawn_rows(store) == sorted(whole)
    (final,) = [m for part in waiting_parts(store) if (m := read_manifest(store, part)) and not m.provisional and m.job]
    assert (final.outcomes, final.job) == (100, "a")
    assert set(final.supersedes) == {m.part for m in manifests if m.provisional}


def test_two_jobs_of_a_run_do_not_gather_each_others_parts(
    store: StoreLayout, plan: SamplingPlan, samples: Callable[[int], list[DrawnSample]]
) -> None:
    first, second = (DrawTarget(store, plan, "engine 1", job=name) for name in ("a", "b"))
    with PartPublisher(first) as one, PartPublisher(second) as other:
        for sample in samples(10):
            (one if sample.index % 2 else other).add(sample, RIGHT)
    compact_draw(first)
    assert len(drawn_rows(store)) == 10
    compact_draw(second)
    assert len(drawn_rows(store)) == 10


def test_a_part_that_cannot_be_written_ends_the_draw(
    store: StoreLayout, plan: SamplingPlan, samples: Callable[[int], list[DrawnSample]]
) -> None:
    store.unfinished.rmdir()
    store.unfinished.write_text("in the way", encoding="utf-8")
    with (
        pytest.raises(StoreError, match="cannot be written"),
        PartPublisher(DrawTarget(store, plan, "engine 1")) as parts,
    ):
        parts.add(samples(1)[0], RIGHT)
    assert parts.stored.samples == 0

    with (
        pytest.raises(StoreError, match="cannot be written"),
        PartPublisher(DrawTarget(store, plan, "engine 1")) as parts,
    ):
        while True:  # the failure comes to whoever draws, not only to who ends
            parts.add(DrawnSample("0", 0, 0, "", 1, "stop", -1.0, (1,)), RIGHT)
            time.sleep(0.02)
