"""Following files that grow: every row once, whatever is killed when; half lines wait; two followers do not double."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend import Follower, Options, Passed, Reader, RunOptions, StoreLayout, Taken, import_files, open_store
from backend.errors import UsageError
from backend.importers import follow, growing
from backend.store.parts import waiting_parts

SAID = RunOptions(model="M", benchmark="B")


def row(number: int, problems: int = 5, **more: Any) -> str:
    return json.dumps(
        {"problem": f"p{number % problems}", "text": f"text {number}", "verdict": number % 3 == 0, **more}
    )


def append(path: Path, *rows: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write("".join(f"{one}\n" for one in rows))


ALL = """
SELECT id, position, sample, text, source_row
FROM outcomes JOIN problems USING (problem_key) LEFT JOIN texts USING (run_key, problem_key, sample)
ORDER BY source_row, sample
"""


def stored(layout: StoreLayout) -> list[tuple[Any, ...]]:
    """Problem, its place, sample, text and line of every sample of the store."""
    with closing(open_store(layout, merging=False)) as database:
        return database.cursor().execute(ALL).fetchall()


def texts(layout: StoreLayout) -> list[str | None]:
    return sorted(text or "" for *_, text, _ in stored(layout))


def indices_are_unique(layout: StoreLayout) -> bool:
    with closing(open_store(layout, merging=False)) as database:
        sql = "SELECT count(*), count(DISTINCT (run_key, problem_key, sample)) FROM outcomes"
        return len(set(database.cursor().execute(sql).fetchall()[0])) == 1


class Followed:
    """A folder, a store and a follower with what it said."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.folder = folder / "results"
        self.folder.mkdir(exist_ok=True)
        self.layout = StoreLayout(folder / "s.passk")
        self.events: list[Taken | Passed] = []
        self.more = {"run_options": SAID, **more}
        self.follower = self.start()

    def start(self) -> Follower:
        self.follower = Follower(self.layout, [self.folder], report=self.events.append, **self.more)
        return self.follower

    def path(self, name: str) -> Path:
        return self.folder / name

    def passed(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, Passed)]


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return Followed(tmp_path)


def aged(path: Path, seconds: float = 60) -> Path:
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_rows_come_as_they_are_written_and_half_lines_wait(followed: Followed) -> None:
    path = followed.path("r.jsonl")
    append(path, row(0), row(1))
    with open(path, "a") as file:
        file.write(row(2)[:20])
    assert followed.follower.poll()
    assert texts(followed.layout) == ["text 0", "text 1"]
    assert not followed.follower.poll()
    with open(path, "a") as file:
        file.write(row(2)[20:])
    # A whole JSON object needs no end of line.
    assert followed.follower.poll()
    append(path, "", row(3))
    assert followed.follower.poll()
    assert texts(followed.layout) == [f"text {n}" for n in range(4)]
    assert [line for *_, line in stored(followed.layout)] == [1, 2, 3, 4]
    assert [event.samples for event in followed.events if isinstance(event, Taken)] == [2, 1, 1]
    followed.follower.close()
    assert waiting_parts(followed.layout) == []


@pytest.mark.parametrize("with_index", [False, True])
def test_in_stretches_it_is_the_same_as_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_index: bool
) -> None:
    """A large file is not read again from its beginning; ids, places, lines and sample indices are the same."""
    monkeypatch.setattr(growing, "CONTEXT", 300)
    monkeypatch.setattr(follow, "CONTEXT", 300)
    statement = "What is {} times seven?".format
    rows = [
        json.dumps(
            {"statement": statement(n % 7 + n // 20), "text": f"text {n}", "verdict": n % 3 == 0}
            | ({"index": n} if with_index else {})
        )
        for n in range(80)
    ]
    grown = Followed(tmp_path, freeze=400)
    chance = random.Random(7)
    done = 0
    while done < len(rows):
        size = chance.randint(1, 6)
        append(grown.path("r.jsonl"), *rows[done : done + size])
        done += size
        grown.follower.poll()
        if chance.random() < 0.2:
            grown.follower.close()
            grown.start()
    whole = StoreLayout(tmp_path / "whole.passk")
    import_files(whole, [grown.path("r.jsonl")], run_options=SAID)
    assert stored(grown.layout) == stored(whole)
    # And an import of what was followed brings nothing new.
    import_files(grown.layout, [grown.path("r.jsonl")], run_options=SAID)
    assert stored(grown.layout) == stored(whole)


def test_a_second_follower_and_one_started_again_take_nothing_twice(followed: Followed) -> None:
    path = followed.path("r.jsonl")
    append(path, *map(row, range(10)))
    followed.follower.poll()
    append(path, *map(row, range(10, 20)))
    others = [Followed(followed.folder.parent) for _ in range(3)]
    threads = [threading.Thread(target=other.follower.poll) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts(followed.layout) == sorted(f"text {n}" for n in range(20))
    assert sum(event.samples for other in others for event in other.events if isinstance(event, Taken)) == 10
    assert indices_are_unique(followed.layout)


def test_a_file_that_is_rewritten_is_said_and_not_taken_twice(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = followed.path("r.jsonl")
    append(path, *map(row, range(4)))
    followed.follower.poll()
    monkeypatch.setattr(follow, "QUIET", 0.0)
    path.write_text(row(7) + "\n")
    for _ in range(2):
        followed.follower.poll()
    assert len(followed.passed()) == 1 and "rewritten" in followed.passed()[0]
    assert len(stored(followed.layout)) == 4


def test_a_renamed_file_is_the_same_and_another_file_adds_to_its_run(followed: Followed) -> None:
    path = followed.path("r.jsonl")
    append(path, *map(row, range(3)))
    followed.follower.poll()
    path = path.rename(followed.path("renamed.jsonl"))
    append(path, row(3))
    followed.follower.poll()
    assert len(stored(followed.layout)) == 4
    append(followed.path("other-seed.jsonl"), *map(row, range(10, 14)))
    followed.follower.poll()
    append(followed.path("other-seed.jsonl"), row(14))
    append(path, row(5))
    followed.follower.poll()
    assert texts(followed.layout) == sorted(f"text {n}" for n in (0, 1, 2, 3, 5, 10, 11, 12, 13, 14))
    assert indices_are_unique(followed.layout)


def test_documents_are_taken_when_they_are_whole_and_steps_are_told_apart(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed.more["run_options"] = RunOptions(model="policy", benchmark="B", role="rl")
    followed.start()
    for step in (10, 20):
        rows = [
            {"input": f"q{n}", "output": f"o{n}", "score": float(n % 2), "gts": "1", "step": step} for n in range(4)
        ]
        append(followed.path(f"{step}.jsonl"), *map(json.dumps, rows))
        followed.follower.poll()
    table = pa.table({"problem": ["a", "b"], "text": ["x", "y"], "verdict": [True, False]})
    pq.write_table(table, followed.path("late.parquet"))
    whole = followed.path("late.parquet").read_bytes()
    aged(followed.path("late.parquet")).write_bytes(whole[:-20])
    followed.follower.poll()
    runs = followed.layout
    with closing(open_store(runs, merging=False)) as database, Reader(database) as reader:
        assert [(run.model.name, run.model.step) for run in reader.runs()] == [
            ("policy-step10", 10),
            ("policy-step20", 20),
        ]
    followed.path("late.parquet").write_bytes(whole)
    assert not followed.follower.poll()
    monkeypatch.setattr(follow, "QUIET", 0.0)
    followed.follower.poll()
    assert "x" in texts(followed.layout)


def test_what_cannot_be_used_is_left_with_its_reason_once(followed: Followed) -> None:
    followed.path("notes.txt").write_text("nothing")
    followed.path("bad.jsonl").write_text(row(1) + "\n" + '{"problem": "p1", "text": 3, "verdict": 1}\n')
    append(followed.path("good.jsonl"), row(2))
    for path in followed.folder.iterdir():
        aged(path)
    for _ in range(3):
        followed.follower.poll()
    assert texts(followed.layout) == ["text 2"]
    assert any("line 2: field text" in reason for reason in followed.passed())
    assert "not recognised as a result file" in followed.passed()
    assert len(followed.passed()) == 2


def test_what_must_be_said_is_asked_at_once(tmp_path: Path) -> None:
    one = Followed(tmp_path, run_options=RunOptions())
    append(one.path("r.jsonl"), row(0))
    with pytest.raises(UsageError, match="which model and benchmark"):
        one.follower.poll()
    assert Followed(tmp_path, run_options=SAID, options=Options()).follower.poll()


def test_parts_do_not_pile_up(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an explorer has the store open, nothing is merged; there are few parts all the same."""
    monkeypatch.setattr(follow, "SETTLED", 0.0)
    append(followed.path("0.jsonl"), row(0))
    followed.follower.poll()
    with closing(open_store(followed.layout, merging=False)) as database:
        for number in range(1, 40):
            append(followed.path(f"{number}.jsonl"), row(number))
            followed.follower.poll()
        database.refresh()
        with Reader(database) as reader:
            assert reader.runs()[0].samples == 40
        assert len(database.waiting) < 2 * follow.MANY
    followed.follower.close()
    assert waiting_parts(followed.layout) == []
    assert len(stored(followed.layout)) == 40


def test_small_files_that_come_together_are_one_part_and_grow_in_it(tmp_path: Path) -> None:
    """A later row of one is taken as if all had been imported at once; a file that turns bad takes nothing with it."""
    several = Followed(tmp_path)
    names = [f"{number}.jsonl" for number in range(100)]
    for number, name in enumerate(names):
        append(several.path(name), *map(row, range(number * 10, number * 10 + 3)))
    several.follower.poll()
    assert len(waiting_parts(several.layout)) == 2
    assert sorted(event.samples for event in several.events if isinstance(event, Taken)) == [3] * 100
    before = {text: (problem, sample) for problem, _, sample, text, _ in stored(several.layout)}
    append(several.path("7.jsonl"), row(73), row(74))
    append(several.path("8.jsonl"), row(83))
    several.follower.poll()
    assert [event.samples for event in several.events[100:] if isinstance(event, Taken)] == [2, 1]
    now = {text: (problem, sample) for problem, _, sample, text, _ in stored(several.layout)}
    assert before.items() <= now.items() and len(now) == 303
    # One is rewritten and one is gone: what they had stays, and what the others get comes.
    several.path("1.jsonl").write_text(row(5_000) + "\n")
    several.path("2.jsonl").unlink()
    append(several.path("3.jsonl"), row(33), '{"problem": "p1", "text": 3, "verdict": 1}')
    append(several.path("4.jsonl"), row(43))
    several.start().poll()
    assert texts(several.layout) == sorted([*now, "text 43"])
    assert indices_are_unique(several.layout)
    several.follower.close()
    assert texts(several.layout) == sorted([*now, "text 43"])


# Real processes


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def watch(*more: str) -> subprocess.Popen[str]:
        words = ["watch", str(tmp_path / "results"), "--store", str(tmp_path / "s.passk"), "--model", "M"]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "explorer.commands.main", *words, "--benchmark", "B", *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield watch
    for process in started:
        process.kill()
        process.wait()


def test_killed_at_any_moment_each_row_is_there_once(
    tmp_path: Path, watching: Callable[..., subprocess.Popen[str]]
) -> None:
    """A writer appends while the follower is killed with -9 and started again."""
    layout = StoreLayout(tmp_path / "s.passk")
    (tmp_path / "results").mkdir()
    written, stop, chance = 0, threading.Event(), random.Random(3)

    def write() -> None:
        nonlocal written
        with open(tmp_path / "results" / "r.jsonl", "a", buffering=1) as file:
            while not stop.is_set():
                line = row(written) + "\n"
                cut = chance.randrange(len(line))
                file.write(line[:cut])
                file.flush()
                time.sleep(chance.random() * 0.05)
                file.write(line[cut:])
                file.flush()
                written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(8):
            process = watching()
            assert process.stdout is not None
            # Until it takes something; then at any moment of the next one.
            while "into M@B" not in (line := process.stdout.readline()):
                assert line, "the follower ended by itself"
            time.sleep(chance.random())
            process.send_signal(signal.SIGKILL)
            process.wait()
            found = Counter(texts(layout))
            assert set(found.values()) <= {1}
            assert set(found) == {f"text {n}" for n in range(len(found))}
    finally:
        stop.set()
        writer.join()
    process = watching()
    assert process.stdout is not None
    while "into M@B" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert Counter(texts(layout)) == Counter(f"text {n}" for n in range(written))
    assert indices_are_unique(layout)
    assert waiting_parts(layout) == []


def test_killed_while_many_files_come_nothing_is_lost_or_doubled(
    tmp_path: Path, watching: Callable[..., subprocess.Popen[str]]
) -> None:
    """Folders of 40 files appear and grow while the follower is killed with -9 at moments of its work."""
    layout = StoreLayout(tmp_path / "s.passk")
    (tmp_path / "results").mkdir()
    chance = random.Random(5)
    written = 0
    for folder in range(6):
        (tmp_path / "results" / f"{folder}").mkdir()
        for number in range(40):
            path = tmp_path / "results" / f"{folder}" / f"{number}.jsonl"
            append(path, *map(row, range(written, written + 5)))
            written += 5
            if folder:
                append(path.parent.parent / f"{folder - 1}" / f"{number}.jsonl", row(written))
                written += 1
        process = watching()
        # From before its first look to after its last part.
        time.sleep(0.3 + chance.random() * 1.7)
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = Counter(texts(layout)) if layout.exists() else Counter()
        assert set(found.values()) <= {1}
    process = watching()
    assert process.stdout is not None
    process.stdout.readline()
    deadline = time.monotonic() + 60
    while len(texts(layout)) < written and time.monotonic() < deadline:
        time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert Counter(texts(layout)) == Counter(f"text {number}" for number in range(written))
    assert indices_are_unique(layout)


def test_sigterm_and_the_end_of_another_process_end_it(
    tmp_path: Path, watching: Callable[..., subprocess.Popen[str]]
) -> None:
    (tmp_path / "results").mkdir()
    other = subprocess.Popen(["sleep", "100"])
    by_signal, by_end = watching(), watching("--until", str(other.pid))
    for process in (by_signal, by_end):
        assert process.stdout is not None and process.stdout.readline().startswith("following")
    by_signal.terminate()
    other.kill()
    other.wait()
    assert by_signal.wait(60) == 0
    assert by_end.wait(60) == 0


@pytest.mark.shared_data
def test_a_log_that_asks_a_question_twice_is_taken_as_it_is_imported(followed: Followed, shared_data: Path) -> None:
    log = shared_data / "inspect" / "mmlu_gpt4.eval"
    aged(Path(shutil.copy(log, followed.path("log.eval"))))
    followed.follower.poll()
    whole = StoreLayout(followed.folder.parent / "whole.passk")
    import_files(whole, [log], run_options=SAID)
    assert stored(followed.layout) == stored(whole)
