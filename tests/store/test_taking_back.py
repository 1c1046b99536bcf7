"""An import that is taken back counts nowhere, whether it is merged or not, and comes back whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from backend import Reader, forget, imports, merge, open_store, rebuild_tallies, redo, search, solve_sets, undo
from backend import pattern as text_pattern
from backend.errors import UsageError
from backend.store.layout import StoreLayout
from backend.taking_back import decisions
from tests.support import csv_file, imported, jsonl, long_rows

Facts = dict[str, Any]


def other_rows(**size: int) -> list[dict[str, Any]]:
    """The same with other responses: what the store has already is not taken once more."""
    return [{**row, "completion": f"{row['completion']} Again."} for row in long_rows(**size)]


@contextmanager
def reading(layout: StoreLayout, *, merging: bool = True) -> Iterator[Reader]:
    with closing(open_store(layout, merging=merging)) as database, Reader(database) as reader:
        yield reader


def facts(reader: Reader) -> Facts:
    """Everything that a screen would show of the store, by the backend's own reads."""
    found: Facts = {}
    for run in reader.runs():
        keys = sorted(reader.labels(run.benchmark))
        found[run.name] = {
            "totals": (run.problems, run.samples, run.correct, run.unverified, run.n_min, run.n_max, run.texts),
            "model": (run.model.role, run.model.step),
            "samples": [
                (key, sample.index, sample.verdict, sample.answer)
                for key in keys
                for sample in reader.samples(run.key, key).items
            ],
            "tallies": reader.rows("reads/tallies", run_keys=[run.key]),
            "hits": sum(len(hits.hits) for hits in search(reader, [run], text_pattern("attempt"))),
        }
        found[run.name]["tallies"].sort()
    return found


def brute_force(reader: Reader) -> None:
    """The tallies are those of the samples that one sees."""
    for run in reader.runs():
        if not run.texts:
            continue
        for key, n, c in [row[1:] for row in reader.rows("reads/tallies", run_keys=[run.key])]:
            verdicts = [sample.verdict for sample in reader.samples(run.key, key).items]
            assert (n, c) == (sum(v != "unverified" for v in verdicts), verdicts.count("correct"))


@pytest.fixture
def two(store: StoreLayout, tmp_path: Path) -> StoreLayout:
    """A run of a base model, and one of an RL model with other problems among its own."""
    imported(store, jsonl(tmp_path / "base.jsonl", long_rows()), model="base", role="base")
    imported(store, jsonl(tmp_path / "rl.jsonl", long_rows(problems=5)), model="rl", role="rl")
    return store


@pytest.mark.parametrize("merged_first", [True, False])
def test_what_is_taken_back_counts_nowhere_and_comes_back_whole(
    two: StoreLayout, tmp_path: Path, merged_first: bool
) -> None:
    with reading(two) as keeping_it_open, reading(two) as reader:
        if merged_first:
            assert not list(two.parts.iterdir())
        before = facts(reader)
        more = jsonl(tmp_path / "more.jsonl", other_rows(problems=4, samples=2))
        # Merged or not: a reader that has the store open keeps the part from being merged.
        if merged_first:
            keeping_it_open.database.close()
            reader.database.close()
        imported(two, more, model="rl", role="rl")
    with reading(two, merging=merged_first) as reader:
        assert bool(list(two.parts.iterdir())) is not merged_first
        with_more = facts(reader)
        assert with_more != before
        last = imports(reader)[-1]
        done = undo(reader, last.id, "the wrong file")
        assert "more.jsonl" in done.words
        assert facts(reader) == before
        brute_force(reader)
        assert [entry.taken_back for entry in imports(reader)] == [False, False, True]
    # Another process sees the same, and the same when everything is merged.
    with reading(two) as reader:
        assert facts(reader) == before
        brute_force(reader)
    assert not merge(two).skipped
    rebuild_tallies(two)
    with reading(two) as reader:
        assert facts(reader) == before
        redo(reader, last.id)
        assert facts(reader) == with_more
        brute_force(reader)


def test_an_undo_is_undone_like_anything_else(two: StoreLayout) -> None:
    with reading(two) as reader:
        before = facts(reader)
        last = imports(reader)[-1]
        first = undo(reader, last.id)
        assert list(facts(reader)) == ["base@b"]
        second = undo(reader, first.id)
        assert second.counts_again
        assert facts(reader) == before
        with pytest.raises(UsageError, match="was not taken back"):
            redo(reader, last.id)
        undo(reader, second.id)
        assert list(facts(reader)) == ["base@b"]
        with pytest.raises(UsageError, match="taken back already"):
            undo(reader, last.id[:6])
        assert [entry.kind for entry in decisions(reader)] == ["undo", "redo", "undo"]


def test_the_same_file_comes_in_again_after_an_undo(two: StoreLayout, tmp_path: Path) -> None:
    again = tmp_path / "rl.jsonl"
    with reading(two) as reader:
        before, last = facts(reader), imports(reader)[-1]
        undo(reader, last.id)
    report = imported(two, again, model="rl", role="rl")
    assert [file.status for file in report.files] == ["imported"]
    assert [file.status for file in imported(two, again, model="rl").files] == ["already imported"]
    with reading(two) as reader:
        now = facts(reader)
        assert now["rl@b"]["totals"] == before["rl@b"]["totals"]
        # An index is never given twice: what was said of a sample that is gone is not said of another.
        gone = {(key, index) for key, index, *_ in before["rl@b"]["samples"]}
        assert gone.isdisjoint((key, index) for key, index, *_ in now["rl@b"]["samples"])
        brute_force(reader)
        with pytest.raises(UsageError, match="imported again since"):
            redo(reader, last.id)
        undo(reader, imports(reader)[-1].id)
        redo(reader, last.id)
        assert facts(reader) == before


def test_a_run_that_another_import_went_into_keeps_its_own_samples(two: StoreLayout, tmp_path: Path) -> None:
    """The base's problems are known from its own import still, and nothing of the other run is touched."""
    with reading(two) as reader:
        before = facts(reader)
        undo(reader, imports(reader)[0].id)
        assert facts(reader) == {"rl@b": before["rl@b"]}
        assert len(reader.labels("b")) == 5


def test_published_counts_are_taken_back_by_their_part(store: StoreLayout, tmp_path: Path) -> None:
    for name, c in (("one", 1), ("two", 2)):
        path = csv_file(tmp_path / f"{name}.csv", ["problem", "n", "c"], [["p", 4, c]])
        imported(store, path, model="m")
    with reading(store) as reader:
        assert reader.runs()[0].correct == 3
        undo(reader, imports(reader)[0].id)
        assert (reader.runs()[0].samples, reader.runs()[0].correct) == (4, 2)


def test_a_reader_that_is_open_follows(two: StoreLayout) -> None:
    with reading(two) as watching, reading(two) as reader:
        assert len(watching.runs()) == 2
        undo(reader, imports(reader)[-1].id)
        assert watching.database.refresh()
        assert [run.name for run in watching.runs()] == ["base@b"]


def test_sets_are_of_what_counts(two: StoreLayout, tmp_path: Path) -> None:
    def sizes(reader: Reader) -> list[int]:
        sets = solve_sets(reader, [reader.run("base@b"), reader.run("rl@b")])
        return [problem.tallies[1].n for problem in sets.problems]

    imported(two, jsonl(tmp_path / "more.jsonl", other_rows(samples=9)), model="rl", role="rl")
    with reading(two) as reader:
        assert sizes(reader) == [13, 13, 13]
        undo(reader, imports(reader)[-1].id)
        assert sizes(reader) == [4, 4, 4]


@pytest.mark.parametrize("merged_first", [True, False])
def test_an_import_that_only_brought_verdicts_takes_them_back(
    store: StoreLayout, tmp_path: Path, merged_first: bool
) -> None:
    """A file without verdicts first, its results file later."""
    judged = long_rows()
    bare = [{key: value for key, value in row.items() if key != "is_correct"} for row in judged]
    imported(store, jsonl(tmp_path / "bare.jsonl", bare), model="m")
    imported(store, jsonl(tmp_path / "results.jsonl", judged), model="m")
    if merged_first:
        merge(store)
    with reading(store, merging=merged_first) as reader:
        after = facts(reader)
        assert reader.run("m@b").unverified == 0 and reader.run("m@b").correct > 0
        results = imports(reader)[-1]
        assert (results.samples, results.counts_only, results.verdicts) == (0, False, True)
        undone = undo(reader, results.id)
        assert "verdicts for samples that were there" in undone.words
        run = reader.run("m@b")
        assert (run.samples, run.unverified, run.correct) == (12, 12, 0)
        brute_force_unverified = {sample[2] for sample in facts(reader)["m@b"]["samples"]}
        assert brute_force_unverified == {"unverified"}
        brute_force(reader)
        redo(reader, results.id)
        assert facts(reader) == after
        undo(reader, results.id)
    forget(store)
    with reading(store) as reader:
        assert reader.run("m@b").unverified == 12
        brute_force(reader)
    imported(store, tmp_path / "results.jsonl", model="m")
    with reading(store) as reader:
        assert facts(reader) == after
