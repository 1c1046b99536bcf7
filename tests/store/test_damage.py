"""Parts and bases that were cut, swapped, flipped or lost: the rest is shown, the fault is named, and it is repaired.

Of every fault the same holds: the store opens (or says in a sentence why its base does not), nothing is counted twice,
nothing is merged that is not as it was written, and `passk doctor --store --repair` leaves a store that is in order and
deletes nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from backend import check_store, merge, open_store, repair_store
from backend.store import parts as parts_module
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from backend.store.locks import BaseLock
from backend.store.parts import waiting_parts
from tests.support import ROOT, Attempt, Passk, contents, everything_in, jsonl, qwen_line, without_rights, write_part

GOOD, BAD = "0010-samples", "0020-samples"
FILES = ("outcomes", "texts", "statistics", "problems", "runs")


def two_parts(layout: StoreLayout) -> Path:
    """A part that nothing happens to, and one to which something does."""
    write_part(layout, GOOD, [Attempt("p", index, "correct") for index in range(30)])
    return write_part(layout, BAD, [Attempt("q", index, text="path " * index) for index in range(300)], run="bad@b")


def cut(path: Path, keep: float) -> None:
    os.truncate(path, int(path.stat().st_size * keep))


def flip(path: Path, where: float) -> None:
    data = bytearray(path.read_bytes())
    data[int((len(data) - 1) * where)] ^= 0x10
    path.write_bytes(data)


def zero(path: Path, where: float) -> None:
    """As after a power cut: the size is right, a block never reached the disk."""
    data = bytearray(path.read_bytes())
    start = int(len(data) * where)
    data[start : start + 64] = bytes(len(data[start : start + 64]))
    path.write_bytes(data)


def edit(part: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = part / "manifest.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    change(said)
    path.write_text(json.dumps(said, indent=1), encoding="utf-8")


def of_another_part(part: Path, name: str) -> None:
    shutil.copy(part.with_name(GOOD) / f"{name}.parquet", part / f"{name}.parquet")


FAULTS: dict[str, Callable[[Path], object]] = {}
for file in FILES:
    FAULTS |= {
        f"{file}: missing": lambda part, file=file: (part / f"{file}.parquet").unlink(),
        f"{file}: empty": lambda part, file=file: cut(part / f"{file}.parquet", 0),
        f"{file}: half": lambda part, file=file: cut(part / f"{file}.parquet", 0.5),
        f"{file}: last byte missing": lambda part, file=file: cut(part / f"{file}.parquet", 0.999),
        f"{file}: longer": lambda part, file=file: (part / f"{file}.parquet").open("ab").write(b"more"),
        f"{file}: first bytes": lambda part, file=file: flip(part / f"{file}.parquet", 0),
        f"{file}: a bit in the rows": lambda part, file=file: flip(part / f"{file}.parquet", 0.1),
        f"{file}: a bit at the end": lambda part, file=file: flip(part / f"{file}.parquet", 0.9),
        f"{file}: a block of zeros": lambda part, file=file: zero(part / f"{file}.parquet", 0.3),
        f"{file}: of another part": lambda part, file=file: of_another_part(part, file),
    }
FAULTS |= {
    "manifest: missing": lambda part: (part / "manifest.json").unlink(),
    "manifest: empty": lambda part: cut(part / "manifest.json", 0),
    "manifest: half": lambda part: cut(part / "manifest.json", 0.5),
    "manifest: zeros": lambda part: (part / "manifest.json").write_bytes(bytes(900)),
    "manifest: no UTF-8": lambda part: (part / "manifest.json").write_bytes(b'{"part": "\xff"}'),
    "manifest: a list": lambda part: (part / "manifest.json").write_text("[\n]"),
    "manifest: of another part": lambda part: shutil.copy(part.with_name(GOOD) / "manifest.json", part),
    "manifest: a run without a name": lambda part: edit(part, lambda said: said["runs"][0].pop("run")),  # type: ignore[index]
    "manifest: rows are words": lambda part: edit(part, lambda said: said.update(outcomes="many")),
    "manifest: schema is a word": lambda part: edit(part, lambda said: said.update(schema="new")),
    "manifest: no schema": lambda part: edit(part, lambda said: said.pop("schema")),
    "manifest: more rows": lambda part: edit(part, lambda said: said["files"]["texts"].update(rows=301)),  # type: ignore[index]
    "manifest: another digest": lambda part: edit(part, lambda said: said["files"]["texts"].update(digest="0")),  # type: ignore[index]
    "renamed": lambda part: part.rename(part.with_name(f"{BAD} (conflicted copy)")),
    "a file beside": lambda part: (part / "more.parquet").write_bytes(b"nothing"),
    "a folder without anything": lambda part: (shutil.rmtree(part), part.mkdir()),
}

HARMLESS = ("a file beside", "a folder without anything")
UNSEEN = (
    "first bytes", "more rows", "a bit in the rows", "a bit at the end", "a block of zeros", "of another part",
    "another digest",
)  # fmt: skip
"""What a look at sizes may not show: the next merge and the doctor see it."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_part_closes_nothing_and_can_be_repaired(
    store: StoreLayout, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = two_parts(store)
    FAULTS[fault](part)
    before = contents(store)

    with closing(open_store(store, merging=False)) as database:
        strays = list(database.strays)
        assert GOOD in database.manifests
    assert bool(strays) or fault.endswith((*HARMLESS, *UNSEEN)), "it is said"
    assert all(BAD in str(stray) for stray in strays)
    if not fault.endswith(UNSEEN):
        shown = everything_in(store)
        assert sum(row[3] == "correct" for row in shown["outcomes"]) == 30, "the rest is shown"
    merged = set(merge(store).merged)
    assert GOOD in merged
    assert (BAD in merged) == (fault == "a file beside"), "nothing is merged that is not as it was written"

    # A day later nobody is copying it any more.
    monkeypatch.setattr(parts_module, "ARRIVING", -1.0)
    assert any(not found.good for found in check_store(store)) != (fault in HARMLESS)
    repair_store(store)
    assert all(found.good for found in check_store(store))
    with closing(open_store(store, merging=False)) as database:
        assert database.strays == []
    shown = everything_in(store)
    assert sum(row[3] == "correct" for row in shown["outcomes"]) == 30
    aside = store.root / "damaged"
    kept = sorted(path.name for path in aside.iterdir()) if aside.exists() else []
    assert len(kept) == (fault not in HARMLESS)
    now = contents(store)
    if kept:
        was = {digest for name, digest in before.items() if BAD in name}
        assert was == {digest for name, digest in now.items() if name.startswith("damaged/")}, "nothing is lost"


@pytest.mark.parametrize("seed", range(12))
def test_a_part_is_counted_only_when_all_of_it_has_been_copied(store: StoreLayout, tmp_path: Path, seed: int) -> None:
    """File by file and block by block, in any order, as rsync --inplace, Syncthing and cp do it."""
    random = Random(seed)
    whole = two_parts(StoreLayout(tmp_path / "from.passk"))
    write_part(store, GOOD, [Attempt("p", index, "correct") for index in range(30)])
    there = store.parts / BAD
    there.mkdir()
    files = sorted(whole.iterdir())
    random.shuffle(files)
    with closing(open_store(store, merging=False)) as database:
        for number, path in enumerate(files):
            data = path.read_bytes()
            for end in sorted({0, *(random.randrange(len(data)) for _ in range(2))}):
                (there / path.name).write_bytes(data[:end])
                assert not database.refresh()
                assert [stray.part for stray in database.strays] == [BAD]
                assert "still arriving" in database.strays[0].title
            (there / path.name).write_bytes(data)
            assert database.refresh() == (number == len(files) - 1)
        assert database.strays == []
    assert len(everything_in(store)["outcomes"]) == 330
    assert merge(store).merged == (GOOD, BAD)


def test_what_is_arriving_is_not_imported_a_second_time(run_passk: Passk) -> None:
    """Its file is known and its sample indices are given, although it is not counted yet."""
    file = jsonl(run_passk.folder / "a.jsonl", [qwen_line("A?", [True] * 5)])
    more = jsonl(run_passk.folder / "b.jsonl", [qwen_line("A?", [False] * 3)])
    chosen = ("--model", "m", "--benchmark", "b", "--store", "s.passk")
    store = StoreLayout(run_passk.folder / "s.passk")
    write_part(store, GOOD, [Attempt("x", 0)], run="other@b", model="other")
    merge(store)
    with closing(open_store(store)):  # so that nothing is merged
        run_passk("import", file, *chosen)
        (part,) = waiting_parts(store)
        outcomes = store.parts / part / "outcomes.parquet"
        data = outcomes.read_bytes()
        outcomes.write_bytes(data[:-4])
        assert "still arriving" in run_passk("runs", "--store", "s.passk").stderr
        run_passk("import", file, *chosen)
        run_passk("import", more, *chosen)
        outcomes.write_bytes(data)
    rows = [row for row in everything_in(store)["outcomes"] if row[0] == run_key("m@b")]
    assert sorted(row[2] for row in rows) == list(range(8)), "each once, and no index twice"


# base.duckdb


def merged_store(layout: StoreLayout) -> None:
    two_parts(layout)
    assert merge(layout).merged == (GOOD, BAD)


BASE_FAULTS: dict[str, Callable[[Path, Random], object]] = {
    "empty": lambda base, random: cut(base, 0),
    "half": lambda base, random: cut(base, 0.5),
    "no database": lambda base, random: base.write_bytes(b"something else" * 1_000),
    "header": lambda base, random: flip_at(base, 9),
    "both headers": lambda base, random: (flip_at(base, 4_196), flip_at(base, 8_292)),
    **{f"bits {number}": lambda base, random: flip_many(base, random) for number in range(8)},
}


def flip_at(path: Path, place: int) -> None:
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 0x40]))


def flip_many(path: Path, random: Random) -> None:
    size = path.stat().st_size
    for _ in range(4):
        flip_at(path, random.randrange(12_288, size))


@pytest.mark.parametrize("fault", BASE_FAULTS)
def test_a_damaged_base_is_said_and_what_can_be_read_of_it_is_kept(
    store: StoreLayout, run_passk: Passk, fault: str
) -> None:
    merged_store(store)
    whole = everything_in(store)
    write_part(store, "0030-samples", [Attempt("r", 0, "correct")], run="later@b")
    BASE_FAULTS[fault](store.base, Random(fault))
    said = run_passk("runs", "--store", store.root, status=None)
    if said.status:
        assert "doctor --store" in said.stderr, said.stderr
    bad = [found for found in check_store(store) if not found.good]
    if not bad:
        return  # in blocks that nothing uses
    damaged = store.base.read_bytes()
    done = run_passk("doctor", "--store", store.root, "--repair")
    assert "is now damaged/" in done.stderr
    assert damaged in [path.read_bytes() for path in (store.root / "damaged").iterdir()], "it is kept"
    assert all(found.good for found in check_store(store))
    shown = everything_in(store)
    assert set(shown["outcomes"]) - set(whole["outcomes"]), "what was waiting counts as before"
    assert len(set(shown["outcomes"]) & set(whole["outcomes"])) <= len(whole["outcomes"])


def test_one_damaged_table_costs_no_other(store: StoreLayout, run_passk: Passk) -> None:
    """Blocks of texts are most of a base: with one of them gone the counts are all there, and most texts."""
    for number in range(4):
        indices = range(number * 2_000, (number + 1) * 2_000)
        attempts = [Attempt("p", index, "correct", text=Random(index).randbytes(900).hex()) for index in indices]
        write_part(store, f"00{number}0-samples", attempts)
        merge(store)
    whole = everything_in(store)
    size = store.base.stat().st_size
    for place in range(size - 300_000, 12_288, -150_000):
        before = store.base.read_bytes()
        flip_at(store.base, place)
        bad = [found.what for found in check_store(store) if not found.good]
        if bad == ["base.duckdb: texts"]:
            break
        store.base.write_bytes(before)
    else:
        pytest.skip("no block of texts was hit")
    assert run_passk("runs", "--store", store.root, "--format", "json").json[0]["samples"] == 8_000
    done = run_passk("doctor", "--store", store.root, "--repair")
    assert "texts:" in done.stderr and "cannot be read" in done.stderr
    shown = everything_in(store)
    assert shown["outcomes"] == whole["outcomes"]
    assert shown["tallies"] == whole["tallies"]
    assert 4_000 <= len(shown["texts"]) < 8_000


def test_doctor_says_what_is_wrong_and_changes_nothing(store: StoreLayout, run_passk: Passk) -> None:
    merged_store(store)
    part = write_part(store, "0030-samples", [Attempt("r", 0)])
    flip(part / "texts.parquet", 0.2)
    before = contents(store)
    done = run_passk("doctor", "--store", store.root, "--format", "json", status=1)
    found = {row["what"]: row for row in done.json}
    assert found["base.duckdb"]["status"] == "ok"
    assert found["parts/0030-samples"]["status"] == "damaged"
    assert "texts.parquet" in found["parts/0030-samples"]["note"]
    assert "--repair" in done.stderr
    assert contents(store) == before


def test_repair_waits_for_nobody(store: StoreLayout, run_passk: Passk) -> None:
    merged_store(store)
    cut(store.base, 0.5)
    lock = BaseLock(store.base)
    lock.share()
    try:
        done = run_passk("doctor", "--store", store.root, "--repair", status=1)
    finally:
        lock.release()
    assert "cannot be repaired now" in done.stderr
    assert not (store.root / "damaged").exists()


CHECK = """
import sys
from pathlib import Path
from backend.store.checks import check_store
from backend.store.layout import StoreLayout
print(*(found.status for found in check_store(StoreLayout(Path(sys.argv[1])))))
"""


def test_a_reader_without_rights_can_check(store: StoreLayout) -> None:
    merged_store(store)
    words = [*without_rights(), sys.executable, "-c", CHECK, str(store.root)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60)
    assert done.stdout.split() == ["ok"], done.stderr
