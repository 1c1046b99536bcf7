"""Builds a store of any size through the project's own part format: a sorted part for each run, then merged."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from backend.records import Model
from backend.store.identity import problem_key, run_key, source_key
from backend.store.layout import StoreLayout
from backend.store.merge import merge
from backend.store.part_writer import ROW_GROUP, PartWriter, arrow_schema
from backend.store.parts import PartRun, PartSource
from tests.bench.corpus import Corpus, load_corpus

LONG_PATH = 130_000
"""Characters of the one path that every run has of its first problem: some 32,000 tokens."""
CHUNK = 20_000
GROUP_CHARACTERS = 2_000_000
"""As importers write it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a store is to be."""

    samples: int = 1_000_000
    characters: int = 1_500
    """Mean length of a text."""

    @property
    def n(self) -> int:
        """Samples of a problem in a run."""
        return 1_000 if self.samples >= 500_000 else 250

    @property
    def benchmarks(self) -> int:
        """Benchmarks; the first has most of the runs."""
        return 5 if self.samples >= 5_000_000 else 2

    @property
    def runs(self) -> int:
        """Runs in all."""
        return 20 if self.samples >= 5_000_000 else 4

    @property
    def problems(self) -> int:
        """Problems of a benchmark."""
        return max(self.samples // (self.runs * self.n), 4)

    @property
    def name(self) -> str:
        """Name of the store's folder."""
        return f"bench-{self.samples}-{self.characters}.passk"


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One run that is to be written."""

    run: str
    model: str
    role: str
    step: int | None
    benchmark: str
    sharpness: float
    """How much of the probability has moved to problems that the model solves anyway: 0 for a base model."""


@dataclass(frozen=True, slots=True)
class Built:
    """A store and what the measurements must know of it."""

    root: str
    samples: int
    runs: int
    problems: int
    n: int
    seconds: float
    characters: int
    long_problem: str
    """Id of the problem with the long path: in every benchmark the first; the path is its sample 0."""


def run_plans(plan: Plan) -> list[RunPlan]:
    """A base and an RL model on every benchmark; on the first the checkpoints of a training as well."""
    result = []
    for benchmark in range(plan.benchmarks):
        name = f"Bench{benchmark + 1}"
        here = plan.runs - 2 * (plan.benchmarks - 1) if benchmark == 0 else 2
        for index in range(here):
            step = None if index == 0 else 100 * index
            model = "Base-7B" if index == 0 else f"RL-7B-step{step}"
            role = "base" if index == 0 else "rl"
            result.append(RunPlan(f"{model}@{name}", model, role, step, name, index / max(here - 1, 1)))
    return result


def build_store(plan: Plan, cache: Path, say: Callable[[str], None] = lambda _: None) -> Built:
    """The store of this size in the cache folder, built on first use."""
    root = cache / plan.name
    known = cache / f"{plan.name}.json"
    if known.exists() and root.is_dir():
        # Built by an earlier passk, perhaps.
        merge(StoreLayout(root))
        return Built(**json.loads(known.read_text()))
    cache.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    started = time.perf_counter()
    corpus = load_corpus()
    layout = StoreLayout(root)
    layout.create()
    runs = run_plans(plan)
    for number, run in enumerate(runs):
        say(f"writing {run.run} ({number + 1} of {len(runs)}), texts from {corpus.origin}")
        _write_part(layout, plan, run, number, corpus)
    result = merge(layout, say)
    if result.skipped:
        raise SystemExit(f"merging {root} failed: {result.failure}")
    built = Built(
        root=str(root),
        samples=plan.n * plan.problems * plan.runs,
        runs=len(runs),
        problems=plan.problems * plan.benchmarks,
        n=plan.n,
        seconds=time.perf_counter() - started,
        characters=plan.characters,
        long_problem=_id(0),
    )
    known.write_text(json.dumps(asdict(built)))
    return built


def _id(position: int) -> str:
    return f"Q{position:04d}"


def _problem_rows(plan: Plan, run: RunPlan, corpus: Corpus) -> list[tuple[object, ...]]:
    """The problems of the run's benchmark, the same for each of its runs, sorted by their keys."""
    random = np.random.default_rng(int(run.benchmark.removeprefix("Bench")))
    lengths = random.integers(120, 500, plan.problems)
    statements = [
        f"Problem {_id(i)}: " + piece.decode("utf-8").strip()
        for i, piece in enumerate(corpus.pieces(random, lengths)[0])
    ]
    rows: list[tuple[object, ...]] = [
        (
            problem_key(run.benchmark, statement, _id(i)), run.benchmark, _id(i), i, statement, str(i * 7),
            f"Level {i % 5 + 1}", json.dumps({"subject": "Algebra"}),
        )
        for i, statement in enumerate(statements)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row[0])  # type: ignore[arg-type, return-value]


def _solving(plan: Plan, run: RunPlan) -> npt.NDArray[np.float64]:
    """Each problem's probability of a right answer, by position: RL raises what is likely and loses what is rare."""
    random = np.random.default_rng(99 + int(run.benchmark.removeprefix("Bench")))
    base = random.beta(0.35, 1.3, plan.problems)
    base[base < 2.0 / plan.n] *= 0.2
    odds = (base / (1 - base)) ** (1 + 0.6 * run.sharpness)
    shifted = odds / (1 + odds)
    lost = random.random(plan.problems) < 0.15 * run.sharpness
    result = np.where(lost & (base < 0.2), 0.0, shifted)
    result[0] = 0.5
    return result


def _write_part(layout: StoreLayout, plan: Plan, run: RunPlan, number: int, corpus: Corpus) -> None:
    random = np.random.default_rng(number)
    problems = _problem_rows(plan, run, corpus)
    digest = f"{number:032x}"
    path = f"/results/{run.model}/{run.benchmark}.jsonl"
    source = source_key(digest, run.run)
    model = Model(run.model, run.role, *((None, None, None) if run.step is None else ("Base-7B", run.step, "GRPO")))
    parameters = {"temperature": 0.6, "max_tokens": 32_768}
    with PartWriter(layout, "import") as part:
        part.write("problems", problems)
        part.write("sources", [(source, path, digest, "long-form", run_key(run.run))])
        _write_samples(part, plan, run, source, random, problems, corpus)
        said = PartRun.of(run.run, model, run.benchmark, parameters, plan.n * plan.problems, plan.n)
        part.publish(runs=[said], sources=[PartSource(path, digest, "long-form", (run.run,))])


def _write_samples(
    part: PartWriter,
    plan: Plan,
    run: RunPlan,
    source: int,
    random: np.random.Generator,
    problems: list[tuple[object, ...]],
    corpus: Corpus,
) -> None:
    keys = np.array([row[0] for row in problems], dtype=np.uint64)
    positions = np.array([row[3] for row in problems], dtype=np.int64)
    solving = _solving(plan, run)[positions]
    total = len(keys) * plan.n
    group = min(max(GROUP_CHARACTERS // max(plan.characters, 1), 256), ROW_GROUP)
    for start in range(0, total, CHUNK):
        rows = np.arange(start, min(start + CHUNK, total))
        at, sample = rows // plan.n, (rows % plan.n).astype(np.int32)
        outcome, text = _chunk(plan, run, source, random, keys[at], positions[at], solving[at], sample, corpus)
        part.write_arrow("outcomes", outcome, ROW_GROUP)
        part.write_arrow("texts", text, group)


def _chunk(
    plan: Plan,
    run: RunPlan,
    source: int,
    random: np.random.Generator,
    keys: npt.NDArray[np.uint64],
    positions: npt.NDArray[np.int64],
    solving: npt.NDArray[np.float64],
    sample: npt.NDArray[np.int32],
    corpus: Corpus,
) -> tuple[pa.Table, pa.Table]:
    size = len(keys)
    long = (positions == 0) & (sample == 0)
    correct = (random.random(size) < solving) | long
    truncated = ~correct & (random.random(size) < 0.05)
    # The logarithm of a length is about normal; the mean comes out as asked for.
    lengths = plan.characters * np.exp(random.normal(-0.18, 0.6, size))
    lengths = np.where(long, LONG_PATH, np.clip(lengths, 60, 8 * plan.characters)).astype(np.int64)
    cut, characters = corpus.pieces(random, lengths)
    answers = np.where(correct, positions * 7, random.zipf(1.7, size) % 997).astype(str)
    heads = [f"Attempt {s} at {_id(p)}. ".encode() for s, p in zip(sample.tolist(), positions.tolist(), strict=True)]
    tails = [f"\nThe answer is \\boxed{{{answer}}}.".encode() for answer in answers.tolist()]
    pieces = [head + piece + tail for head, piece, tail in zip(heads, cut, tails, strict=True)]
    characters = characters + np.array([len(h) + len(t) for h, t in zip(heads, tails, strict=True)])
    verdicts = np.where(correct, "correct", np.where(truncated, "truncated", "wrong"))
    run_keys = pa.array(np.full(size, run_key(run.run), dtype=np.uint64))
    columns = {
        "run_key": run_keys,
        "problem_key": pa.array(keys),
        "sample": pa.array(sample),
        "verdict": pa.array(verdicts.astype(object), pa.string()),
        "detail": pa.nulls(size, pa.string()),
        "answer": pa.array(answers.astype(object), pa.string(), mask=truncated),
        "tokens": pa.array((characters // 4).astype(np.int32)),
        "characters": pa.array(characters.astype(np.int32)),
        "finish_reason": pa.array(np.where(truncated, "length", "stop").astype(object), pa.string()),
        "seed": pa.array(sample.astype(np.int64)),
        "logprob_sum": pa.array(-random.random(size) * 400),
        "source_key": pa.array(np.full(size, source, dtype=np.uint64)),
        "source_row": pa.array((positions * plan.n + sample + 1).astype(np.int32)),
    }
    offsets = np.zeros(size + 1, dtype=np.int64)
    np.cumsum([len(piece) for piece in pieces], out=offsets[1:])
    text = pa.LargeStringArray.from_buffers(size, pa.py_buffer(offsets), pa.py_buffer(b"".join(pieces)))
    rest = {name: columns[name] for name in ("run_key", "problem_key", "sample")}
    return pa.table(columns, schema=arrow_schema("outcomes")), pa.table(
        {**rest, "text": text}, schema=arrow_schema("texts")
    )
