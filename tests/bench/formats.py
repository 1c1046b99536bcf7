"""Intake of every format against its natural reader, on the same file, in the same process, warm.

- natural: all values of the file as Python objects and nothing else, as one reads it in a notebook: `json.loads` of
  every line or of the file, `pyarrow.parquet.read_table(...).to_pylist()`, `zipfile` and `json.loads` of every member.
- blocks: what the importer makes of it: the file is opened, every value that the format has is checked, verdicts are
  decided and samples gathered by problem. It is the intake whose goal is half the speed of the natural reader.
- import: `import_files` into a new store: besides, the file's digest, recognition, keys of the problems, sorting,
  Parquet files with compression, statistics, fsync and the rename; not the merge, which nobody waits for. It writes all
  that it reads, and on jsonl the digest and the compression alone take longer than `json.loads`.

Each is timed on the clock and in processor seconds of all threads.
"""

from __future__ import annotations

import json
import shutil
import statistics
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from backend import RunOptions, StoreLayout, import_files, open_store
from backend.importers.discovery import importers
from backend.importers.protocol import Notes, Options
from backend.importers.source import SourceFile
from tests.bench.corpus import Corpus, load_corpus
from tests.importers import examples as made
from tests.importers import neighbours
from tests.support import gym_result, jsonl, qwen_line, reasoning_gym

GOAL = 0.5
N = 16
"""Samples of a problem."""


def _texts(corpus: Corpus, samples: int, characters: int) -> list[str]:
    random = np.random.default_rng(11)
    lengths = np.clip(characters * np.exp(random.normal(-0.18, 0.6, samples)), 60, 8 * characters)
    return [piece.decode() for piece in corpus.pieces(random, lengths.astype(np.int64))[0]]


def _groups(texts: list[str]) -> Iterator[tuple[int, list[str]]]:
    for start in range(0, len(texts), N):
        yield start // N, texts[start : start + N]


def write_files(folder: Path, samples: int, characters: int, corpus: Corpus) -> dict[str, Path]:
    """A file of each format with so many samples of about so many characters."""
    texts = _texts(corpus, samples, characters)
    rows = list(enumerate(texts))
    log = [{**made.inspect_sample(i // N, i % N + 1)} for i, _ in rows]
    for sample, text in zip(log, texts, strict=True):
        message = {"role": "assistant", "content": text}
        sample["messages"] = [message]
        sample["output"]["choices"][0]["message"] = message
    solved = [{**made.grade_school_row(i, a=True), "a": {"solution": text, "is_correct": True}} for i, text in rows]
    graded = [made.lcb_problem(p, [True] * len(group), output_list=group) for p, group in _groups(texts)]
    plus = {
        f"T/{p}": [
            {"task_id": f"T/{p}", "solution": t, "base_status": "pass", "plus_status": "fail", "base_fail_tests": []}
            for t in group
        ]
        for p, group in _groups(texts)
    }
    qwen = [qwen_line(f"{p}?", [True] * len(group), code=group) for p, group in _groups(texts)]
    gym = [gym_result(f"{p}?", [1.0] * len(group)) for p, group in _groups(texts)]
    for result, (_, group) in zip(gym, _groups(texts), strict=True):
        for completion, text in zip(result["completions"], group, strict=True):
            completion["full_model_response"] = text
    details = [made.lighteval_row(p, group, {"extractive_match": 1.0}) for p, group in _groups(texts)]
    trl = [{**made.trl_rows()[0], "prompt": f"{i // N}?", "completion": text} for i, text in rows]
    filters = ("strict-match", "flexible-extract")
    harness = [made.lm_eval_row(i, text, "1", 1.0, filter=name) for name in filters for i, text in rows]
    rollouts = [{**made.verl_row(f"{i // N}?", 1.0), "output": text} for i, text in rows]
    answers = [{**made.verifiers_row(i // N, 1.0), "completion": text} for i, text in rows]
    episodes = [made.verifiers_episode(made.verifiers_trace(i // N, 1.0, text)) for i, text in rows]
    summaries = []
    for i, text in rows:
        summary = made.tinker_row(i // N, i % N, 1.0)
        said = {"messages": [{"role": "assistant", "content": text}]}
        asked = {"messages": [{"role": "user", "content": f"{i // N}?"}]}
        summary["steps"][0]["trace"] = {"prompt": asked, "policy_response": said}
        summaries.append(summary)
    code = [{"task_id": f"T/{i // N}", "completion": text, "result": "passed", "passed": True} for i, text in rows]
    return {
        "qwen-math": jsonl(folder / "qwen.jsonl", qwen),
        "reasoning-gym": reasoning_gym(folder / "gym.json", gym),
        "human-eval": jsonl(folder / "human.jsonl", code),
        "lm-eval": jsonl(folder / "lm.jsonl", harness),
        "lighteval": made.parquet_file(folder / "details.parquet", details, made.LIGHTEVAL),
        "inspect": made.inspect_eval(folder / "log.eval", log),
        "evalplus": made.json_file(folder / "plus.json", {"date": "d", "hash": "h", "eval": plus}),
        "live-code-bench": made.json_file(folder / "lcb.json", graded, indent=4),
        "bigcode": made.json_file(folder / "big.json", [group for _, group in _groups(texts)]),
        "verl": jsonl(folder / "1.jsonl", rollouts),
        "verifiers-traces": jsonl(folder / "traces.jsonl", episodes),
        "tinker": jsonl(folder / "summaries.jsonl", summaries),
        "trl": made.parquet_file(folder / "trl.parquet", trl),
        "verifiers": jsonl(folder / "results.jsonl", answers),
        "grade-school-math": jsonl(folder / "wide.jsonl", solved),
        "wide-form": jsonl(
            folder / "lists.jsonl",
            [
                {"problem": f"{p}?", "generations": group, "correctness": [True] * len(group)}
                for p, group in _groups(texts)
            ],
        ),
        "nemo-skills": jsonl(
            folder / "output-rs0.jsonl",
            [{**neighbours.skills_rows(0)[0], "id": i // N, "generation": text} for i, text in rows],
        ),
        "nemo-gym": jsonl(
            folder / "gym.jsonl",
            [
                {
                    **(row := neighbours.gym_rows(_ng_task_index=i // N, _ng_rollout_index=i % N)[0]),
                    "response": {
                        **row["response"],
                        "output": [{"type": "message", "content": [{"type": "output_text", "text": text}]}],
                    },
                }
                for i, text in rows
            ],
        ),
    }


def natural(path: Path) -> int:
    """Read all values as one would in a notebook; how many things there were."""
    if path.suffix == ".jsonl":
        with open(path, encoding="utf-8") as file:
            return sum(len(json.loads(line)) for line in file)
    if path.suffix == ".parquet":
        return len(pq.read_table(path).to_pylist())
    if path.suffix == ".eval":
        with zipfile.ZipFile(path) as archive:
            return sum(len(json.loads(archive.read(name))) for name in archive.namelist())
    return len(json.loads(path.read_bytes()))


def blocks(name: str, path: Path) -> int:
    """Read as the importer does, into blocks; how many samples."""
    importer = importers()[name]
    found: Any = importer.read(SourceFile(path), Options(), Notes())
    return sum(len(block.verdicts) for block in found)


def stored(path: Path, folder: Path) -> None:
    """Import into a store of its own: digest, recognition, blocks, Parquet; not the merge, which nobody waits for."""
    layout = StoreLayout(folder / "store.passk")
    layout.create()
    with closing(open_store(layout)):
        model = None if path.name == "wide.jsonl" else "m"
        import_files(layout, [path], run_options=RunOptions(benchmark="b", model=model))


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    wall, worked = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - worked


def measure(folder: Path, name: str, path: Path, repeats: int) -> dict[str, tuple[float, float]]:
    """Median seconds and processor seconds of each way, in turns."""
    store = folder / "store"
    ways: dict[str, Callable[[], object]] = {
        "natural": lambda: natural(path),
        "blocks": lambda: blocks(name, path),
        "import": lambda: stored(path, store),
    }
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, work in ways.items():
            shutil.rmtree(store, ignore_errors=True)
            store.mkdir()
            times[way].append(_seconds(work))
    shutil.rmtree(store, ignore_errors=True)
    return {
        way: (statistics.median(t for t, _ in found), statistics.median(t for _, t in found))
        for way, found in times.items()
    }


def table(cache: Path, *, samples: int = 20_000, characters: int = 1_500, repeats: int = 3) -> list[str]:
    """The figures of all formats, as lines to print."""
    folder = cache / "formats"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = write_files(folder, samples, characters, load_corpus())
    lines = [
        f"Intake by format, {samples:,} samples of {characters:,} characters, in turns, medians of {repeats}",
        f"processor seconds; ratios to the natural reader (json, pyarrow, zipfile), goal {GOAL} for blocks;",
        "clock: the same ratio of a whole import by the clock",
        f"  {'format':<18}{'MB':>6}{'natural':>9}{'blocks':>9}{'ratio':>7}{'import':>9}{'ratio':>7}{'clock':>7}"
        f"{'samples/s':>11}",
    ]
    for name, path in files.items():
        found = measure(folder, name, path, repeats)
        (natural_s, base), (_, read), (whole_s, whole) = (found[way] for way in ("natural", "blocks", "import"))
        verdict = "  ok" if base / read >= GOAL else "  under"
        lines.append(
            f"  {name:<18}{path.stat().st_size / 1e6:>6.0f}{base:>9.2f}{read:>9.2f}{base / read:>7.2f}"
            f"{whole:>9.2f}{base / whole:>7.2f}{natural_s / whole_s:>7.2f}{samples / whole_s:>11,.0f}{verdict}"
        )
    shutil.rmtree(folder)
    return lines
