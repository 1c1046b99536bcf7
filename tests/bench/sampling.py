"""Measures drawing: the worker's path against the bare engine, and the explorer while a job delivers samples."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from backend import find_job, sample_store
from backend.store.layout import StoreLayout
from tests.bench import throughput
from tests.bench.explore import DOWN, ENTER, ESCAPE, MILLISECONDS, RIGHT, Measured, command
from tests.bench.terminal import Terminal

RUN = "countdown-base@countdown"
RATE = 200
"""Samples a second that arrive while the explorer is measured."""


def table(*, problems: int = 200, n: int = 16, repeats: int = 5, rounds: int = 8) -> list[str]:
    """The figures as lines to print; a sentence for an engine that is not here."""
    with tempfile.TemporaryDirectory(prefix="passk-sampling-") as folder:
        return [
            *throughput.in_this_environment(problems, n, repeats),
            *throughput.in_vllms_environment(problems // 4, n, repeats),
            *beside_a_job(Path(folder), rounds),
        ]


def copy_of_the_sample_store(target: Path) -> StoreLayout:
    """A store that a benchmark may change."""
    shutil.copytree(sample_store().root, target)
    return StoreLayout(target)


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
    """A real job that draws into the store from a server at a steady rate; gives samples a second since it began."""
    serve = [sys.executable, "-m", "tests.bench.stored_server", str(store.root), RUN, str(RATE)]
    server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        asked = [command(), "sample", "--store", str(store.root), "--run", RUN, "--add", "512", "--model", "stored"]
        engine = ["--engine", "server", "--option", f"base_url={url}", "--option", "concurrency=32"]
        done = subprocess.run([*asked, *engine], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"The job did not start: {done.stdout}{done.stderr}")
        job = find_job(store, "last")
        deadline = time.monotonic() + 60
        while not job.status().samples:
            if time.monotonic() > deadline:
                raise SystemExit(f"The job delivers nothing: {job.status().error or job.log.read_text()}")
            time.sleep(0.2)
        began, before = time.monotonic(), job.status().samples
        try:
            yield lambda: (job.status().samples - before) / (time.monotonic() - began)
        finally:
            job.cancel()
            deadline = time.monotonic() + 20
            while job.status().state == "running" and time.monotonic() < deadline:
                time.sleep(0.2)
    finally:
        server.terminate()
        server.wait()


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
    store = copy_of_the_sample_store(folder / "explored.passk")
    quiet = _walked(store, rounds)
    with _job(store) as rate:
        busy = _walked(store, rounds)
        delivered = rate()
    lines = [
        f"Explorer at 120x40 while a job stores {delivered:.0f} samples/s ({RUN}), {rounds} rounds, load average"
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
