"""Measures drawing: the worker's path against the bare engine, and the explorer while a job delivers samples."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from backend import RunOptions, SamplingPlan, draw, find_job, open_store, plan_run, sample_store
from backend.engines.protocol import make_request
from backend.jobs.draw import sampling_params
from backend.store.layout import StoreLayout
from backend.store.reads import Reader
from backend.verifiers.expression import ExpressionVerifier
from backend.verifiers.protocol import Verifier
from tests.bench.explore import DOWN, ENTER, ESCAPE, MILLISECONDS, RIGHT, Measured, command
from tests.bench.terminal import Terminal

if TYPE_CHECKING:
    from backend.engines.transformers import TransformersEngine

MODEL = Path(__file__).parents[2] / "sample_data" / "models" / "countdown-base"
PARAMETERS = {"temperature": 1.0, "top_p": 0.95, "max_tokens": 160}
RUN = "countdown-base@countdown"
GOAL = 0.95


def table(*, problems: int = 200, n: int = 16, repeats: int = 3, rounds: int = 8) -> list[str]:
    """The figures as lines to print; one sentence where there is no engine."""
    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            return [f"Sampling is not measured: the package {package} is not installed."]
    with tempfile.TemporaryDirectory(prefix="passk-sampling-") as folder:
        return [*throughput(Path(folder), problems, n, repeats), *beside_a_job(Path(folder), rounds)]


def _copy(target: Path) -> StoreLayout:
    shutil.copytree(sample_store().root, target)
    return StoreLayout(target)


def throughput(folder: Path, problems: int, n: int, repeats: int) -> list[str]:
    """Tokens a second: the engine alone, drawn into a store, drawn and verified; in turn, the engine loaded once."""
    from backend.engines.transformers import TransformersEngine

    store = open_store(_copy(folder / "plan.passk"), merging=False)
    try:
        with Reader(store) as reader:
            rows = reader.rows("reads/problems_to_sample", benchmark="countdown")
            labels = [row[1] for row in rows[:problems]]
            options = RunOptions(run="bench", model="countdown-base")
            plan = plan_run(
                reader, benchmark="countdown", n=n, run_options=options, parameters=PARAMETERS, problems=labels
            )
    finally:
        store.close()
    engine = TransformersEngine.load(MODEL)
    number = 0

    def drawn(verifier: Verifier | None) -> int:
        nonlocal number
        number += 1
        return draw(StoreLayout(folder / f"drawn-{number}.passk"), plan, engine, verifier).tokens

    ways: dict[str, Callable[[], int]] = {
        "bare engine": lambda: _bare(engine, plan),
        "drawn, unverified": lambda: drawn(None),
        "drawn and verified": lambda: drawn(ExpressionVerifier()),
    }
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(repeats + 1):
        for way, go in ways.items():
            started = time.perf_counter()
            tokens = go()
            if turn:  # the first turn warms up
                rates[way].append(tokens / (time.perf_counter() - started))
    engine.close()
    lines = [
        f"Drawing {plan.samples:,} samples, {len(plan.problems)} problems, {engine.version}; medians of {repeats} in"
        f" turn, load average {os.getloadavg()[0]:.1f}",
        f"  {'way':<24}{'tokens/s':>10}{'to bare':>9}{'lowest':>8}{'highest':>9}",
    ]
    bare = rates["bare engine"]
    for way, found in rates.items():
        # Each to the bare one of its own turn: what else the machine does changes from turn to turn.
        ratios = [rate / beside for rate, beside in zip(found, bare, strict=True)]
        verdict = "" if found is bare else f"  goal {GOAL} {'ok' if median(ratios) >= GOAL else 'missed'}"
        lines.append(
            f"  {way:<24}{median(found):>10,.0f}{median(ratios):>9.3f}{min(ratios):>8.3f}{max(ratios):>9.3f}{verdict}"
        )
    return lines


def _bare(engine: TransformersEngine, plan: SamplingPlan) -> int:
    run = plan.target.run
    requests = [make_request(run, problem.label, problem.prompt, problem.indices) for problem in plan.problems]
    return sum(sample.tokens for sample in engine.generate(requests, sampling_params(plan.target.parameters)))


class _Walk:
    """The explorer on the sample store, from Home to a path and back."""

    def __init__(self, store: StoreLayout, measured: Measured) -> None:
        self.measured = measured
        self.terminal = Terminal([command(), str(store.root)], 120, 40)
        self.terminal.wait(self.home, "Home")

    def home(self) -> bool:
        return "› benchmarks" in self.terminal.rows[0] and "of 200 problems" in self.terminal.text

    def curves(self) -> bool:
        text = self.terminal.text
        return len(re.findall("[\u2801-\u28ff]", text)) > 30 and "pass@k at k" in text

    def sets(self) -> bool:
        return " vs " in self.terminal.rows[0] and "order" in self.terminal.text

    def problem(self) -> bool:
        return bool(re.search(r"› problem c\d+ *$", self.terminal.rows[0])) and "samples" in self.terminal.text

    def path(self) -> bool:
        return "› sample " in self.terminal.rows[0] and "Answer" in self.terminal.text

    def round(self) -> None:
        def step(name: str, keys: bytes, shows: Callable[[], bool]) -> None:
            self.measured.add(name, self.terminal.press(keys, shows, name))

        step("Home → Curves", ENTER, self.curves)
        step("Curves → Sets", ENTER, self.sets)
        self.terminal.settle()
        self.terminal.send(DOWN)
        self.terminal.settle()
        step("Sets → Problem", ENTER, self.problem)
        step("Problem → Path", ENTER, self.path)
        shown = self.terminal.rows[0]
        step("Path → next", RIGHT, lambda: self.path() and self.terminal.rows[0] != shown)
        step("back to Problem", ESCAPE, self.problem)
        step("back to Sets", ESCAPE, self.sets)
        step("back to Curves", ESCAPE, self.curves)
        step("back to Home", ESCAPE, self.home)


@contextmanager
def _job(store: StoreLayout) -> Iterator[Callable[[], float]]:
    """A real job that draws into the store; gives how many samples a second it has delivered."""
    asked = [command(), "sample", "--store", str(store.root), "--run", RUN, "--add", "512"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"The job did not start: {done.stdout}{done.stderr}")
    job = find_job(store, "last")

    def rate() -> float:
        status = job.status()
        return status.samples / status.seconds if status.seconds else 0.0

    try:
        deadline = time.monotonic() + 60
        while not job.status().samples and time.monotonic() < deadline:
            time.sleep(0.2)
        yield rate
    finally:
        job.cancel()
        deadline = time.monotonic() + 20
        while job.status().state == "running" and time.monotonic() < deadline:
            time.sleep(0.2)


def _walked(store: StoreLayout, rounds: int) -> Measured:
    measured = Measured()
    walk = _Walk(store, measured)
    try:
        for _ in range(rounds):
            walk.round()
    finally:
        walk.terminal.close()
    return measured


def beside_a_job(folder: Path, rounds: int) -> list[str]:
    """Each drill-in without a job and while one delivers."""
    store = _copy(folder / "explored.passk")
    quiet = _walked(store, rounds)
    with _job(store) as rate:
        busy = _walked(store, rounds)
        delivered = rate()
    lines = [
        f"Explorer at 120x40 while a job delivers {delivered:.0f} samples/s ({RUN}), load average"
        f" {os.getloadavg()[0]:.1f}; milliseconds, alone as above, budget {MILLISECONDS['drill']:.0f}",
        f"  {'':<18}{'without a job':^26}{'with one':^26}",
        f"  {'step':<18}" + f"{'p50':>6}{'p95':>6}{'alone':>7}{'p95':>6} " * 2,
    ]
    for step in quiet.steps:
        cells = ""
        for measured in (quiet, busy):
            times = 1000 * np.array([[seen.seconds, seen.alone] for seen in measured.steps[step]])
            p50, p95 = np.percentile(times, (50, 95), axis=0)
            cells += f"{p50[0]:>6.0f}{p95[0]:>6.0f}{p50[1]:>7.0f}{p95[1]:>6.0f} "
        lines.append(f"  {step:<18}{cells} {'ok' if p95[1] <= MILLISECONDS['drill'] else 'over'}")
    return lines
