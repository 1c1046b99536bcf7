"""What is visible is the ledger and the waiting parts, less what is superseded: every sample exactly once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from backend import Reader, curves, merge, open_store, rebuild_tallies
from backend.errors import Cancelled, StoreError
from backend.records import NOT_JUDGED, VERDICTS
from backend.store import database as database_module
from backend.store.connection import open_database
from backend.store.database import Database
from backend.store.layout import StoreLayout
from backend.store.parts import SCHEMA_VERSION, discard, waiting_parts
from tests.support import (
    Attempt,
    Passk,
    csv_file,
    everything,
    everything_in,
    imported,
    jsonl,
    qwen_line,
    runs_of,
    write_part,
)


def random_attempts(random: Random, first_index: int) -> list[Attempt]:
    return [
        Attempt(
            problem=f"p{random.randrange(6)}",
            index=first_index + index,
            verdict=random.choice(VERDICTS),
            text=random.choice([None, "", "x", "path\n" * random.randrange(50)]),
            tokens=random.choice([None, 0, 7, 2_000]),
        )
        for index in range(random.randrange(1, 40))
    ]


def random_store(layout: StoreLayout, random: Random, parts: int) -> int:
    """Parts of some runs; returns the number of samples."""
    samples = 0
    for number in range(parts):
        attempts = random_attempts(random, 1_000 * number)
        samples += len(attempts)
        run = random.choice("abc")
        write_part(layout, f"{number:04}-samples", attempts, run=f"{run}@b", model=run)
    return samples


@pytest.mark.parametrize("seed", range(6))
def test_the_overlay_shows_what_the_merged_store_shows(store: StoreLayout, seed: int) -> None:
    random = Random(seed)
    samples = random_store(store, random, 5)
    waiting = everything_in(store)
    assert len(waiting["outcomes"]) == samples
    assert merge(store).merged == tuple(f"{number:04}-samples" for number in range(5))
    assert waiting_parts(store) == []
    assert everything_in(store) == waiting
    # And with some parts merged and some not.
    write_part(store, "0009-samples", random_attempts(random, 9_000), run="a@b", model="a")
    mixed = everything_in(store)
    assert len(mixed["outcomes"]) > samples
    merge(store)
    assert everything_in(store) == mixed


def test_tallies_agree_with_the_samples(store: StoreLayout) -> None:
    random_store(store, Random(1), 6)
    shown = everything_in(store)
    expected: dict[tuple[int, int], list[int]] = {}
    for run, problem, _, verdict, _, _, tokens, characters, *_ in shown["outcomes"]:
        numbers = expected.setdefault((run, problem), [0] * 6)
        numbers[0] += verdict not in NOT_JUDGED
        numbers[1] += verdict == "correct"
        numbers[2] += verdict in NOT_JUDGED
        numbers[3] += tokens is not None
        numbers[4] += tokens or 0
        numbers[5] += characters is not None
    assert {row[:2]: list(row[2:]) for row in shown["tallies"]} == expected


@pytest.mark.parametrize("large", [0, 15, 10**9])
def test_a_large_part_is_read_from_its_file(store: StoreLayout, monkeypatch: pytest.MonkeyPatch, large: int) -> None:
    """Whatever the size from which parts stay on disk, the same is shown, and superseding works."""
    monkeypatch.setattr(database_module, "LARGE", large)
    random_store(store, Random(2), 5)
    before = everything_in(store)
    monkeypatch.setattr(database_module, "LARGE", 250_000)
    assert everything_in(store) == before
    monkeypatch.setattr(database_module, "LARGE", large)
    database = open_store(store, merging=False)
    try:
        write_part(store, "0100-samples", [Attempt("p0", 5)], supersedes=["0000-samples", "0001-samples"])
        assert database.refresh()
        names = {source[1] for source in everything(database)["sources"]}
        indices = [row[2] for row in everything(database)["outcomes"]]
        assert "0100-samples.jsonl" in names
        assert all(index == 5 or index >= 2_000 for index in indices)
    finally:
        database.close()


# A sampling job


def visible(database: Database) -> list[int]:
    return [row[2] for row in everything(database)["outcomes"]]


def test_the_parts_of_a_job_and_the_part_that_supersedes_them(store: StoreLayout) -> None:
    """At no moment is a sample of a job seen twice or not at all."""
    merge(store)
    early = open_store(store, merging=False)
    try:
        for number in range(3):
            write_part(store, f"001{number}-samples", [Attempt("p", number)], provisional=True)
        assert early.refresh()
        assert visible(early) == [0, 1, 2]
        late = open_store(store, merging=False)
        assert visible(late) == [0, 1, 2]

        names = [f"001{number}-samples" for number in range(3)]
        write_part(store, "0020-samples", [Attempt("p", number) for number in range(4)], supersedes=names)
        assert visible(late) == [0, 1, 2], "until it looks again"
        for database in (early, late):
            assert database.refresh()
            assert visible(database) == [0, 1, 2, 3]
            assert set(database.manifests) == {"0020-samples"}
        newcomer = open_store(store, merging=False)
        assert visible(newcomer) == [0, 1, 2, 3]

        # A minute later the job unlinks what has been superseded; one after the other.
        for name in names:
            discard(store.parts / name)
            for database in (early, late, newcomer):
                database.refresh()
                assert visible(database) == [0, 1, 2, 3]
                assert [row[2:4] for row in everything(database)["tallies"]] == [(4, 0)]
        late.close()
        newcomer.close()
    finally:
        early.close()
    assert merge(store).merged == ("0020-samples",)
    assert [row[2] for row in everything_in(store)["outcomes"]] == [0, 1, 2, 3]


def test_provisional_parts_are_never_merged(store: StoreLayout) -> None:
    write_part(store, "0010-samples", [Attempt("p", 0)], provisional=True)
    assert merge(store).merged == ()
    assert waiting_parts(store) == ["0010-samples"]
    assert len(everything_in(store)["outcomes"]) == 1


@pytest.mark.parametrize("provisional", [True, False])
def test_superseded_parts_are_not_merged_and_go(store: StoreLayout, provisional: bool) -> None:
    write_part(store, "0010-samples", [Attempt("p", 0)], provisional=provisional)
    write_part(store, "0020-samples", [Attempt("p", 0), Attempt("p", 1)], supersedes=["0010-samples"])
    assert [row[2] for row in everything_in(store)["outcomes"]] == [0, 1]
    assert merge(store).merged == ("0020-samples",)
    assert waiting_parts(store) == []
    assert [row[2] for row in everything_in(store)["outcomes"]] == [0, 1]


def test_a_superseded_part_that_comes_back_stays_unseen(store: StoreLayout, tmp_path: Path) -> None:
    part = write_part(store, "0010-samples", [Attempt("p", 0)], provisional=True)
    shutil.copytree(part, tmp_path / "copy")
    write_part(store, "0020-samples", [Attempt("p", 0)], supersedes=["0010-samples"])
    merge(store)
    shutil.copytree(tmp_path / "copy", part)
    assert len(everything_in(store)["outcomes"]) == 1
    merge(store)
    assert waiting_parts(store) == []
    assert len(everything_in(store)["outcomes"]) == 1


# The ledger


def test_killed_between_commit_and_unlink(store: StoreLayout, tmp_path: Path) -> None:
    """The part is in the base and its folder is still there: it counts once, and the next merge removes it."""
    part = write_part(store, "0010-samples", [Attempt("p", index) for index in range(4)])
    shutil.copytree(part, tmp_path / "copy")
    merge(store)
    merged = everything_in(store)
    shutil.copytree(tmp_path / "copy", part)
    assert everything_in(store) == merged
    assert merge(store).merged == ()
    assert not part.exists()
    assert everything_in(store) == merged


@pytest.mark.parametrize("merged", [True, False])
def test_a_conflicted_copy_of_a_part_does_not_count_and_is_said(
    store: StoreLayout, run_passk: Passk, merged: bool
) -> None:
    part = write_part(store, "0010-samples", [Attempt("p", 0)])
    copy = part.with_name("0010-samples.sync-conflict-20261127-100000")
    shutil.copytree(part, copy)
    if merged:
        assert merge(store).merged == ("0010-samples",)
    assert len(everything_in(store)["outcomes"]) == 1
    with closing(open_store(store, merging=False)) as database:
        assert not database.refresh(), "it is no news at every look"
        [stray] = database.strays
    assert copy.name in stray.title and "0010-samples" in stray.detail
    said = run_passk("runs", "--store", str(store.root))
    assert copy.name in said.stderr and said.stdout.count("\n") == 2
    assert copy.exists()


@pytest.mark.parametrize("left", ["manifest.json", "outcomes.parquet", None])
def test_killed_while_unlinking(store: StoreLayout, tmp_path: Path, left: str | None) -> None:
    part = write_part(store, "0010-samples", [Attempt("p", 0)])
    shutil.copytree(part, tmp_path / "copy")
    merge(store)
    part.mkdir()
    if left is not None:
        shutil.copy(tmp_path / "copy" / left, part)
    assert len(everything_in(store)["outcomes"]) == 1
    merge(store)
    assert not part.exists(), "what the ledger speaks for is removed"


def test_leftovers_of_killed_writers_are_harmless(store: StoreLayout) -> None:
    write_part(store, "0010-samples", [Attempt("p", 0)])
    write_part(store, "0020-samples", [Attempt("p", 1)], published=False)
    (store.unfinished / "0030-import").mkdir()
    (store.parts / "not-a-part").mkdir()
    assert len(everything_in(store)["outcomes"]) == 1
    merge(store)
    assert len(everything_in(store)["outcomes"]) == 1


def test_a_damaged_part_is_named(store: StoreLayout) -> None:
    part = write_part(store, "0010-samples", [Attempt("p", 0)])
    (part / "manifest.json").write_text('{\n"part": 7\n}')
    write_part(store, "0020-samples", [Attempt("q", 0)])
    assert strays_of(store) == ["The part 0010-samples is damaged"]
    assert merge(store).merged == ("0020-samples",)
    assert len(everything_in(store)["outcomes"]) == 1, "the rest is shown"
    assert part.exists(), "what cannot be read is not thrown away"


def strays_of(store: StoreLayout) -> list[str]:
    """The titles of what is said of parts that do not count."""
    with closing(open_store(store, merging=False)) as database:
        return [stray.title for stray in database.strays]


@pytest.mark.parametrize("how", ["cut", "missing"])
def test_a_part_that_is_still_being_copied_is_not_counted_until_it_is_whole(store: StoreLayout, how: str) -> None:
    part = write_part(store, "0010-samples", [Attempt("p", index) for index in range(50)])
    texts = part / "texts.parquet"
    whole = texts.read_bytes()
    if how == "cut":
        texts.write_bytes(whole[:-7])
    else:
        texts.unlink()
    assert strays_of(store) == ["The part 0010-samples is still arriving: it is not counted yet"]
    assert merge(store).merged == ()
    assert everything_in(store)["outcomes"] == []
    texts.write_bytes(whole)
    assert strays_of(store) == []
    assert merge(store).merged == ("0010-samples",)
    assert len(everything_in(store)["texts"]) == 50


def test_rows_are_compared_with_the_manifest_when_a_part_is_merged(store: StoreLayout) -> None:
    part = write_part(store, "0010-samples", [Attempt("p", 0)])
    manifest = part / "manifest.json"
    said = json.loads(manifest.read_text(encoding="utf-8"))
    said["files"]["outcomes"]["rows"] += 1
    manifest.write_text(json.dumps(said), encoding="utf-8")
    result = merge(store)
    assert (result.merged, part.exists()) == ((), True)
    assert "outcomes.parquet has not the 2 rows it should" in str(result.failure)
    assert strays_of(store) == ["The part 0010-samples is damaged"]


def test_a_part_of_a_newer_passk_is_refused(store: StoreLayout) -> None:
    part = write_part(store, "0010-samples", [Attempt("p", 0)])
    text = (part / "manifest.json").read_text()
    (part / "manifest.json").write_text(text.replace(f'"schema": {SCHEMA_VERSION}', '"schema": 99'))
    with pytest.raises(StoreError, match="written by a newer passk"):
        open_store(store)


def test_a_merge_that_fails_leaves_the_store_readable(store: StoreLayout) -> None:
    """Nothing depends on merging: a part in which a byte has changed stays, and the others are merged."""
    part = write_part(store, "0010-samples", [Attempt("p", 0)])
    write_part(store, "0020-samples", [Attempt("p", 1)])
    whole = (part / "texts.parquet").read_bytes()
    (part / "texts.parquet").write_bytes(whole[:9] + bytes([whole[9] ^ 1]) + whole[10:])
    result = merge(store)
    assert (result.merged, result.skipped) == (("0020-samples",), False)
    assert "texts.parquet is not what was written" in str(result.failure)
    (part / "texts.parquet").write_bytes(whole)
    assert len(everything_in(store)["outcomes"]) == 2
    assert merge(store).merged == ("0010-samples",)
    assert len(everything_in(store)["texts"]) == 2


# Statistics


def test_rebuilt_tallies_are_the_same(store: StoreLayout, tmp_path: Path) -> None:
    random_store(store, Random(3), 8)
    imported(store, csv_file(tmp_path / "a.csv", ("problem", "n", "c"), [(1, 4, 2)]), model="counted")
    rebuild_tallies(store)
    incremental = everything_in(store)
    assert incremental["tallies"]
    with_base(store, "UPDATE statistics SET n = n + 5 WHERE origin = 'samples'")
    assert everything_in(store) != incremental
    rebuild_tallies(store)
    assert everything_in(store) == incremental
    assert runs_of(store)["counted@b"].correct == 2, "published counts are primary and stay"


def with_base(layout: StoreLayout, sql: str) -> None:
    connection = open_database(layout.base)
    connection.execute(sql)
    connection.close()


def test_rebuilding_needs_the_store_alone(store: StoreLayout) -> None:
    merge(store)
    database = open_store(store)
    try:
        with pytest.raises(StoreError, match="cannot be rebuilt now"):
            rebuild_tallies(store)
    finally:
        database.close()
    rebuild_tallies(store)


def test_doctor_rebuilds(run_passk: Passk, store: StoreLayout) -> None:
    write_part(store, "0010-samples", [Attempt("p", 0, "correct")])
    merge(store)
    with_base(store, "DELETE FROM statistics")
    assert runs_of(store) == {}
    said = run_passk("doctor", "--rebuild", store.root)
    assert said.stdout == ""
    assert runs_of(store)["m@b"].correct == 1


# Reading


def test_an_interrupted_reader_stays_usable(store: StoreLayout, tmp_path: Path) -> None:
    import threading

    imported(store, jsonl(tmp_path / "a.jsonl", [qwen_line(f"{i}?", [True, False] * 20) for i in range(2_000)]))
    database = open_store(store)
    done = threading.Event()
    try:
        with Reader(database) as reader:
            (run,) = reader.runs()

            def keep_interrupting() -> None:
                while not done.is_set():
                    reader.interrupt()

            thread = threading.Thread(target=keep_interrupting)
            thread.start()
            cancelled = 0
            try:
                for _ in range(300):
                    try:
                        curves(reader, [run])
                    except Cancelled:
                        cancelled += 1
                        if cancelled == 3:
                            break
            finally:
                done.set()
                thread.join()
            assert cancelled
            assert curves(reader, [run])[0].at(1) == pytest.approx(0.5, abs=1e-12)
    finally:
        database.close()


def test_a_run_is_found_by_name_model_or_piece(make_store: Callable[[str], StoreLayout]) -> None:
    store = make_store("names")
    for name, model in (("Qwen@b", "Qwen"), ("Qwen-RL@b", "Qwen-RL")):
        write_part(store, f"{name}-samples", [Attempt("p", 0)], run=name, model=model)
    database = open_store(store)
    try:
        with Reader(database) as reader:
            for wanted, name in (("Qwen@b", "Qwen@b"), ("Qwen", "Qwen@b"), ("rl", "Qwen-RL@b")):
                assert reader.run(wanted).name == name
    finally:
        database.close()


def test_a_store_named_by_a_relative_path_stays_the_same_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("here", "elsewhere"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    layout = StoreLayout(Path("results.passk"))
    write_part(layout, "0010-samples", [Attempt("p", 0)])
    database = open_store(layout)
    try:
        monkeypatch.chdir(tmp_path / "elsewhere")
        write_part(layout, "0020-samples", [Attempt("p", 1)])
        database.refresh()
        assert visible(database) == [0, 1]
    finally:
        database.close()
    assert not any((tmp_path / "elsewhere").iterdir())
