"""Writes small result files and parts, runs the installed command, looks into stores. Nothing here is a mock."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from backend import Options, Reader, RunOptions, import_files, open_store
from backend.records import Response as ReasoningPath
from backend.records import Run
from backend.records.imports import ImportReport
from backend.store.database import Database
from backend.store.identity import problem_key, run_key, source_key
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter
from backend.store.parts import PartRun
from tests.warm import Forker, WarmProcess

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

# Processes


@dataclass(frozen=True)
class Finished:
    """What a command left."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Its stdout as strict JSON: NaN and Infinity are none."""
        return json.loads(self.stdout, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))

    @property
    def lines(self) -> list[Any]:
        """Its stdout as jsonl."""
        return [json.loads(line) for line in self.stdout.split("\n") if line]

    @property
    def csv(self) -> list[dict[str, str]]:
        """Its stdout as csv."""
        return list(csv.DictReader(self.stdout.splitlines()))


def passk_command() -> list[str]:
    """The installed `passk` of this environment."""
    beside = Path(sys.executable).parent / "passk"
    found = str(beside) if beside.exists() else shutil.which("passk")
    assert found, "passk is not installed: make test does it"
    return [found]


def clean_environment(home: Path) -> dict[str, str]:
    """Nothing of this user's: no store, no data folder."""
    kept = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT") if key in os.environ}
    return kept | {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
    }


@dataclass(frozen=True)
class Passk:
    """Runs the installed command in a folder of its own."""

    folder: Path
    home: Path
    more: Mapping[str, str] = field(default_factory=dict)
    forker: Forker | None = None
    """Where commands begin as forks with torch imported; see tests/warm.py."""

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment(self.home) | dict(self.more)

    def __call__(self, *arguments: object, status: int | None = 0, **more: str) -> Finished:
        """Run and wait; `status` None allows any exit status."""
        process = self.start(*arguments, **more)
        try:
            stdout, stderr = process.communicate(timeout=120)
        except BaseException:
            process.kill()
            raise
        assert process.returncode is not None
        finished = Finished(process.returncode, stdout, stderr)
        if status is not None:
            assert finished.status == status, finished.stderr
        assert "Traceback" not in finished.stderr, finished.stderr
        return finished

    def start(self, *arguments: object, **more: str) -> subprocess.Popen[str] | WarmProcess:
        """Start and do not wait."""
        environment = self.environment | more
        if self.forker is not None:
            return self.forker.start([*map(str, arguments)], self.folder, environment)
        return subprocess.Popen(
            [*passk_command(), *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )


def wait_while(condition: Callable[[], object]) -> None:
    """Until it no longer holds, however busy the machine is: what never comes ends by the test's own time limit."""
    while condition():
        time.sleep(0.02)


def run_python(program: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """A fresh Python process that can import the project."""
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        **options,
    )


# Result files


def jsonl(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def csv_file(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def qwen_line(question: str, scores: Sequence[bool | None], **fields: Any) -> dict[str, Any]:
    """A line as Qwen2.5-Math writes it, one generated text for each score."""
    size = len(scores)
    return {
        "idx": 0,
        "question": question,
        "gt": "42",
        "level": 3,
        "code": [f"attempt {i} at {question}" for i in range(size)],
        "pred": ["42" if score else "41" for score in scores],
        "report": [None] * size,
        "finish_reason": ["stop"] * size,
        "score": list(scores),
        **fields,
    }


def long_rows(problems: int = 3, samples: int = 4, **fields: Any) -> list[dict[str, Any]]:
    """Rows of the long form: sample i of problem p is correct when i < p."""
    return [
        {
            "problem_id": f"p{problem}",
            "question": f"What is {problem} + {problem}?",
            "completion": f"It is {problem} and {problem}, attempt {sample}.",
            "is_correct": sample < problem,
            **fields,
        }
        for problem in range(problems)
        for sample in range(samples)
    ]


def reasoning_gym(path: Path, results: Sequence[Mapping[str, Any]], **metadata: Any) -> Path:
    """An evaluation file of Reasoning Gym with one dataset."""
    dataset = {"name": "letter_counting", "category": "algorithmic", "results": list(results)}
    data = {
        "metadata": {"model": "org/model-1", "temperature": 0.6, "top_p": 0.9, **metadata},
        "categories": [{"name": "algorithmic", "datasets": [dataset]}],
    }
    path.write_text(json.dumps(data, indent=2), encoding="utf-8")
    return path


def gym_result(question: str, scores: Sequence[float]) -> dict[str, Any]:
    return {
        "question": question,
        "expected_answer": "7",
        "metadata": {"difficulty": "hard"},
        "completions": [
            {"model_answer": "7" if score >= 1 else "8", "full_model_response": f"path {i}", "score": score}
            for i, score in enumerate(scores)
        ],
    }


# Stores


def contents(layout: StoreLayout) -> dict[str, str]:
    """Digest of every file that makes up what a store holds: the base, the parts and their folders."""
    found = {}
    for path in sorted(layout.root.rglob("*")):
        name = path.relative_to(layout.root).as_posix()
        if path.is_file() and not name.startswith("unfinished/") and name != "publish.lock":
            found[name] = blake2b(path.read_bytes()).hexdigest()
    return found


def with_reader(layout: StoreLayout, read: Callable[[Reader], Any], *, merging: bool = True) -> Any:
    database = open_store(layout, merging=merging)
    try:
        with Reader(database) as reader:
            return read(reader)
    finally:
        database.close()


def runs_of(layout: StoreLayout, *, merging: bool = True) -> dict[str, Run]:
    return with_reader(layout, lambda reader: {run.name: run for run in reader.runs()}, merging=merging)


def imported(layout: StoreLayout, *paths: Path, options: Mapping[str, str] | None = None, **said: Any) -> ImportReport:
    n = said.pop("n", None)
    form = said.pop("form", None)
    return import_files(
        layout,
        paths,
        run_options=RunOptions(**{"model": "m", "benchmark": "b", **said}),
        options=Options(n=n, columns=options or {}),
        wanted_format=form,
    )


def paths_of(layout: StoreLayout, problem: str, run: str = "m@b") -> list[ReasoningPath]:
    def read(reader: Reader) -> list[ReasoningPath]:
        found = reader.run(run)
        return list(reader.paths(found, reader.problem_key(found.benchmark, problem)))

    return with_reader(layout, read)  # type: ignore[no-any-return]


def verdicts(layout: StoreLayout, problem: str, run: str = "m@b") -> list[str]:
    return [path.sample.verdict for path in paths_of(layout, problem, run)]


def totals(run: Run) -> tuple[int, int, int]:
    return run.problems, run.samples, run.correct


VIEWS = ("models", "runs", "problems", "sources", "tallies", "outcomes", "texts")


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that a reader can see, sorted."""
    cursor = database.cursor()
    try:
        return {view: sorted(cursor.execute(f"FROM {view}").fetchall(), key=repr) for view in VIEWS}
    finally:
        cursor.close()


def everything_in(layout: StoreLayout, *, merging: bool = False) -> dict[str, list[tuple[Any, ...]]]:
    database = open_store(layout, merging=merging)
    try:
        return everything(database)
    finally:
        database.close()


@dataclass(frozen=True)
class Attempt:
    """One sample of a part that a test writes."""

    problem: str
    index: int
    verdict: str = "wrong"
    text: str | None = "some path"
    tokens: int | None = 5


def write_part(
    layout: StoreLayout,
    name: str,
    attempts: Sequence[Attempt],
    *,
    run: str = "m@b",
    model: str = "m",
    benchmark: str = "b",
    provisional: bool = False,
    supersedes: Sequence[str] = (),
    published: bool = True,
) -> Path:
    """Publish a part as a sampling job would; names sort by time."""
    part = PartWriter(layout, "samples", name=name)
    digest = blake2b(name.encode(), digest_size=16).hexdigest()
    problems = sorted({attempt.problem for attempt in attempts})
    key = {problem: problem_key(benchmark, f"What is {problem}?", problem) for problem in problems}
    part.write(
        "problems",
        [
            (key[problem], benchmark, problem, place, f"What is {problem}?", "42", None, None)
            for place, problem in enumerate(problems)
        ],
    )
    part.write("sources", [(source_key(digest, run), f"{name}.jsonl", digest, "job", run_key(run))])
    rows = [
        (
            run_key(run),
            key[attempt.problem],
            attempt.index,
            attempt.verdict,
            None,
            "41",
            attempt.tokens,
            None if attempt.text is None else len(attempt.text),
            "stop",
            7,
            None,
            source_key(digest, run),
            row,
        )
        for row, attempt in enumerate(attempts, 1)
    ]
    part.write("outcomes", rows)
    part.write(
        "texts",
        [
            (run_key(run), key[attempt.problem], attempt.index, attempt.text)
            for attempt in attempts
            if attempt.text is not None
        ],
    )
    said = PartRun(
        run=run,
        model=model,
        role="rl",
        from_model=None,
        step=None,
        algorithm=None,
        benchmark=benchmark,
        parameters={},
        samples=len(attempts),
        next_sample=max(attempt.index for attempt in attempts) + 1,
    )
    if published:
        part.publish(runs=[said], supersedes=supersedes, provisional=provisional)
    return layout.parts / name


def without_rights() -> list[str]:
    """What to put before a command so that it runs as a user who may write nothing here but /tmp.

    Root may write everywhere, so that for root it is another user; who may read what root may read, since Python
    itself often lies in a folder of root's.
    """
    if os.geteuid() != 0:
        return []
    prefix = [
        "setpriv",
        "--reuid=65534",
        "--clear-groups",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
    ]
    if not shutil.which("setpriv") or subprocess.run([*prefix, sys.executable, "-V"], capture_output=True).returncode:
        pytest.skip("as root this needs setpriv (util-linux), to run a command as a user without rights")
    return prefix


def apart_from_copies(notes: Mapping[str, int]) -> dict[str, int]:
    """The notes of an import without that on exact copies: many examples say the same text twice."""
    return {note: times for note, times in notes.items() if "exact copies" not in note}
