"""The product as a user has it: its command, its stores, its jobs, and the samples that were shipped."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from tests.gpu.report import CheckFailed

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "sample_data"
BASE, RL = "countdown-base", "countdown-rl-150"
SHIPPED = {"temperature": 1.0, "top_p": 0.95, "max_tokens": 160}
"""How the shipped samples of these two were drawn, in float32 on a CPU."""


@dataclass(frozen=True)
class EngineUse:
    """Which engine, and its options, as the command line takes them."""

    name: str
    options: Mapping[str, Any]

    def but(self, **options: Any) -> EngineUse:
        """The same with other options."""
        return EngineUse(self.name, {**self.options, **options})

    @property
    def words(self) -> list[str]:
        """For `passk sample`."""
        given = (f"{name}={json.dumps(value)}".replace('"', "") for name, value in self.options.items())
        return ["--engine", self.name, *(word for option in given for word in ("--option", option))]


@dataclass(frozen=True)
class Store:
    """A store of this check, in a folder of its own."""

    root: Path

    def passk(self, *arguments: object) -> str:
        """Run `passk` with this store, in this process; what it printed.

        Raises:
            CheckFailed: it failed; says what it said.
        """
        from explorer.commands.main import main

        words = [str(argument) for argument in arguments]
        os.environ["PASSK_STORE"] = str(self.root)
        with redirect_stdout(StringIO()) as printed, redirect_stderr(StringIO()) as said:
            status = main(words)
        if status:
            raise CheckFailed(f"passk {' '.join(words[:2])}: {said.getvalue().strip() or printed.getvalue().strip()}")
        return printed.getvalue()

    def add(self, benchmark: str, problems: list[dict[str, Any]], template: str) -> None:
        """Problems with one wrong sample each, of nobody: so the benchmark is known, and how it is asked."""
        told = {"text": "I do not know.", "verdict": "wrong", "model": "nobody"}
        told |= {"benchmark": benchmark, "template": template}
        file = self.root.with_suffix(".jsonl")
        file.write_text("".join(json.dumps(problem | told) + "\n" for problem in problems), encoding="utf-8")
        self.passk("import", file)

    def sample(self, model: Path, benchmark: str, n: int, use: EngineUse, *more: object, **named: object) -> Any:
        """`passk sample` of a new run; parameters as the shipped samples have them unless named. The job."""
        from backend import StoreLayout, jobs_of

        layout = StoreLayout(self.root)
        before = set(jobs_of(layout))
        given = [f"--{name.replace('_', '-')}={value}" for name, value in ({**SHIPPED} | named).items()]
        words = ("--model", model, "--benchmark", benchmark, "--n", n, *given, *use.words, *more)
        self.passk("sample", *words)
        return set(jobs_of(layout)).difference(before).pop()

    def samples(self, run: str) -> list[dict[str, Any]]:
        """Every sample of a run with its text."""
        file = self.root.with_name(f"{self.root.stem}-{run}.jsonl")
        self.passk("export", "paths", "--run", run, "--to", file, "--force")
        return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


def wait_for(job: Any, seconds: float, *, samples: int | None = None) -> Any:
    """The job's status when it has ended, or when so many samples are stored.

    Raises:
        CheckFailed: it failed, or it takes too long.
    """
    until = time.monotonic() + seconds
    while True:
        status = job.status()
        if status.state in ("failed", "gone"):
            raise CheckFailed(f"the job is {status.state}: {status.error or job.log.read_text()[-500:]}")
        if status.state == "finished" or (samples is not None and status.samples >= samples):
            return status
        if time.monotonic() > until:
            job.cancel()  # its worker would go on beside what follows
            raise CheckFailed(f"after {seconds:.0f} s {status.samples} of {status.wanted} samples were stored")
        time.sleep(0.05)


def kill(job: Any) -> bool:
    """Kill the worker with -9 and wait until it is gone; False where it had finished just before."""
    with suppress(ProcessLookupError):
        os.kill(job.status().pid, signal.SIGKILL)
    until = time.monotonic() + 30
    while (state := job.status().state) == "running":
        if time.monotonic() > until:
            raise CheckFailed("a worker that was killed still counts as running")
        time.sleep(0.05)
    return bool(state != "finished")


@cache
def problems() -> list[dict[str, Any]]:
    """The problems of the sample store, as rows to import."""
    found = []
    for line in (DATA / "problems.jsonl").read_text(encoding="utf-8").splitlines():
        problem = json.loads(line)
        row = {key: problem[key] for key in ("statement", "reference", "level", "metadata")}
        found.append(row | {"problem": problem["id"]})
    return found


@cache
def shipped(model: str, count: int, samples: int) -> dict[tuple[str, int], dict[str, Any]]:
    """(problem, index) -> sample, the first so many of the first so many problems."""
    import pyarrow.parquet as parquet

    wanted = [problem["problem"] for problem in problems()[:count]]
    path = DATA / "samples" / f"{model}@countdown.parquet"
    rows = parquet.read_table(path, filters=[("problem", "in", wanted), ("index", "<", samples)]).to_pylist()
    return {(row["problem"], row["index"]): row for row in rows}


def template() -> str:
    """The prompt template of the shipped samples."""
    return "{{ statement }}\n"


def once(samples: list[dict[str, Any]], expected: int) -> dict[tuple[str, int], dict[str, Any]]:
    """Samples by problem and index.

    Raises:
        CheckFailed: one is there twice, or there are not so many.
    """
    found = {(sample["problem"], sample["index"]): sample for sample in samples}
    if len(found) != len(samples) or len(found) != expected:
        raise CheckFailed(f"{len(samples):,} samples, {len(found):,} different ones, {expected:,} expected")
    return found
