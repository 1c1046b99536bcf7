"""Store -> export -> import -> the same sets, curves and texts."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from backend import Reader, curves, every_k, solve_sets
from backend.exporters.protocol import fingerprint
from backend.records import VERDICTS
from backend.store.layout import StoreLayout
from tests.exporters.conftest import BASE, RL, reading, write
from tests.exporters.hostile import TEXTS
from tests.support import csv_file, imported, jsonl

needs_datasets = pytest.mark.skipif(find_spec("datasets") is None, reason="datasets is not installed (extra datasets)")


def shown(reader: Reader) -> dict[str, Any]:
    """All that a person sees of a store: runs, sets, curves, problems, samples and texts."""
    runs = reader.runs()
    by_benchmark: dict[str, list[Any]] = {}
    for run in runs:
        by_benchmark.setdefault(run.benchmark, []).append(run)
    sets = {name: solve_sets(reader, group) for name, group in by_benchmark.items() if len(group) > 1}
    paths = {}
    for run in runs:
        for key in [row[0] for row in reader.rows("exports/sizes", run_key=run.key, verdict=None)]:
            problem = reader.problem(key)
            paths[run.name, key] = (
                (problem.label, problem.statement, problem.reference, problem.level, problem.metadata),
                [
                    (path.text, path.sample.index, path.sample.verdict, path.sample.answer, path.sample.detail,
                     path.sample.tokens, path.sample.finish_reason, path.sample.seed, path.sample.logprob_sum)
                    for path in reader.paths(run, key)
                ],
            )  # fmt: skip
    return {"runs": runs, "sets": sets, "curves": curves(reader, runs, every_k), "paths": paths}


def assert_comes_back(layout: StoreLayout, what: str, folder: Path, name: str) -> None:
    """Export all runs, import them into another store, compare everything."""
    with reading(layout) as reader:
        before, mark = shown(reader), fingerprint(reader)
        names = [run.name for run in reader.runs()]
    write(layout, what, folder / name, *names)
    back = StoreLayout(folder / f"{name}.passk")
    imported(back, folder / name, model=None, benchmark=None)
    with reading(back) as reader:
        assert shown(reader) == before
        assert fingerprint(reader) == mark


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(TEXTS)
NAME = st.text(st.sampled_from("abc./=@\"'<$ é"), min_size=1, max_size=6).map(lambda text: f"n{text}".strip())


TOKENS = st.integers(0, 2**31 - 2)
SEED = st.none() | st.integers(0, 2**62)


@st.composite
def stores(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows of up to three runs of one or two benchmarks.

    Problems differ by statement, ids may repeat; indices have gaps, so that n differs; any verdict, also none.
    """
    benchmarks = draw(st.lists(NAME, min_size=1, max_size=2, unique=True))
    problems = draw(
        st.lists(st.tuples(NAME, TEXT, st.none() | TEXT, st.none() | NAME), min_size=1, max_size=4,
                 unique_by=lambda problem: " ".join(problem[1].split()))
    )  # fmt: skip
    rows = []
    for place, role in enumerate(draw(st.lists(st.sampled_from([None, "base", "rl", "sft"]), min_size=1, max_size=3))):
        facts = {
            "model": f"{draw(NAME)}-{place}", "role": role, "benchmark": draw(st.sampled_from(benchmarks)),
            "temperature": draw(st.none() | st.sampled_from([0.6, 1, "high"])),
            "step": draw(st.none() | st.just(place)),
        }  # fmt: skip
        for number, (problem_id, statement, reference, level) in enumerate(problems):
            # A text that begins differently, so that one without words has a statement as well.
            known = {"problem_id": problem_id, "statement": f"{number}: {statement}", "reference_answer": reference,
                     "level": level, "metadata": {"place": number, "text": statement}}  # fmt: skip
            for index in draw(st.lists(st.integers(0, 20), max_size=4, unique=True)):
                rows.append({
                    **facts, **known, "index": index, "verdict": draw(st.sampled_from(VERDICTS)),
                    "completion": draw(st.none() | TEXT), "extracted_answer": draw(st.none() | TEXT),
                    "tokens": draw(st.none() | TOKENS), "seed": draw(SEED),
                    "finish_reason": draw(st.none() | NAME), "detail": draw(st.none() | NAME),
                    "logprob_sum": draw(st.none() | st.floats(-1e6, 0)),
                })  # fmt: skip
    return rows


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(stores().filter(bool), st.sampled_from(["paths.parquet", "paths.jsonl"]))
def test_samples_come_back(rows: list[dict[str, Any]], name: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        layout = StoreLayout(folder / "first.passk")
        imported(layout, jsonl(folder / "first.jsonl", rows), model=None, benchmark=None)
        assert_comes_back(layout, "paths", folder, name)


@needs_datasets
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(stores().filter(bool))
def test_a_folder_for_datasets_comes_back(rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        layout = StoreLayout(folder / "first.passk")
        imported(layout, jsonl(folder / "first.jsonl", rows), model=None, benchmark=None)
        assert_comes_back(layout, "datasets", folder, "dataset")


@needs_datasets
def test_published_counts_come_back_with_the_samples(sums: StoreLayout, tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path / "both.passk")
    counts = csv_file(tmp_path / "counts.csv", ["problem", "base", "rl"], [(f"q{i}", i % 5, i % 7) for i in range(9)])
    imported(layout, counts, model=None, benchmark="counted", n=8)
    write(sums, "paths", tmp_path / "paths.parquet", BASE, RL)
    imported(layout, tmp_path / "paths.parquet", model=None, benchmark=None)
    assert_comes_back(layout, "datasets", tmp_path, "dataset")


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(stores().filter(bool))
def test_any_comparison_comes_back_as_counts(rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        layout, back = StoreLayout(folder / "first.passk"), StoreLayout(folder / "back.passk")
        imported(layout, jsonl(folder / "first.jsonl", rows), model=None, benchmark=None)
        with reading(layout) as reader:
            runs = [run for run in reader.runs() if run.benchmark == reader.runs()[0].benchmark]
            before = solve_sets(reader, runs) if len(runs) > 1 else None
        assume(before is not None and before.problems)
        assert before is not None
        write(layout, "sets", folder / "sets.parquet", *(run.name for run in runs))
        imported(back, folder / "sets.parquet", model=None, benchmark=None)
        with reading(back) as reader:
            after = solve_sets(reader, [reader.run(run.name) for run in runs])
        assert (after.counts, after.n_ranges) == (before.counts, before.n_ranges)
        for one, other in zip(before.problems, after.problems, strict=True):
            assert ([t.n for t in one.tallies], [t.c for t in one.tallies], one.solved) == (
                [t.n for t in other.tallies], [t.c for t in other.tallies], other.solved
            )  # fmt: skip


def test_what_was_said_of_paths_does_not_stand_in_their_way(judged: StoreLayout, tmp_path: Path) -> None:
    for name in ("paths.parquet", "paths.jsonl"):
        assert_comes_back(judged, "paths", tmp_path, name)


def test_a_comparison_comes_back_as_counts(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "sets", tmp_path / "sets.parquet", BASE, RL)
    back = StoreLayout(tmp_path / "back.passk")
    imported(back, tmp_path / "sets.parquet", model=None, benchmark=None)
    with reading(sums) as first, reading(back) as second:
        one, other = (solve_sets(reader, [reader.run(BASE), reader.run(RL)]) for reader in (first, second))
        assert [(p.label, p.tallies, p.solved, p.excerpt, p.level) for p in one.problems] == [
            (p.label, p.tallies, p.solved, p.excerpt, p.level) for p in other.problems
        ]
        assert one.counts == other.counts
        assert [c.points for c in curves(first, one.runs)] == [c.points for c in curves(second, other.runs)]
        assert [run.model for run in one.runs] == [run.model for run in other.runs]
        assert [run.parameters for run in one.runs] == [run.parameters for run in other.runs]


def test_hostile_texts_come_back(hostile: StoreLayout, tmp_path: Path) -> None:
    for name in ("paths.parquet", "paths.jsonl"):
        assert_comes_back(hostile, "paths", tmp_path, name)


def test_some_of_the_problems_come_back_in_their_order(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "paths", tmp_path / "paths.parquet", RL, problems="id=s6,s2", verdict="wrong", limit=2)
    back = StoreLayout(tmp_path / "back.passk")
    imported(back, tmp_path / "paths.parquet", model=None, benchmark=None)
    with reading(back) as reader:
        (run,) = reader.runs()
        assert (run.problems, run.samples, run.correct) == (2, 3, 0)
        assert [row[3] for row in reader.rows("exports/problems", run_keys=[run.key])] == ["s2", "s6"]
