"""Measures drawing into a store, verified and not, against the bare engine on the same requests.

    python -m tests.bench.throughput [--engine vllm] [--packages FOLDER]

vLLM runs in an environment of its own (tests/engines/vllm_environment.py); what passk needs beyond it is taken from the
packages of another one, after its own.
"""

from __future__ import annotations

import argparse
import os
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend import SamplingPlan
    from backend.engines.protocol import Engine

GOAL = 0.95
MODEL = Path(__file__).parents[2] / "sample_data" / "models" / "countdown-base"
PARAMETERS = {"temperature": 1.0, "top_p": 0.95, "max_tokens": 160}
ENGINES: dict[str, dict[str, object]] = {
    "transformers": {},
    "vllm": {"dtype": "float32", "max_model_len": 256, "max_num_seqs": 64, "enforce_eager": True},
}


@dataclass(frozen=True, slots=True)
class Spent:
    """What one way of drawing took."""

    tokens: int
    wall: float
    cpu: float
    """Seconds of processor time of all threads: what else the machine does hardly changes it."""

    def beside(self, bare: Spent) -> tuple[float, float]:
        """Tokens a second of wall and of processor time, each as a share of the bare engine's."""
        tokens = self.tokens / bare.tokens
        return tokens * bare.wall / self.wall, tokens * bare.cpu / self.cpu


def planned(folder: Path, problems: int, n: int) -> SamplingPlan:
    """N samples of the first problems of the sample store, from the base model."""
    from backend import Reader, RunOptions, StoreLayout, open_store, plan_run
    from tests.bench.sampling import copy_of_the_sample_store

    store = open_store(StoreLayout(copy_of_the_sample_store(folder / "plan.passk").root), merging=False)
    try:
        with Reader(store) as reader:
            rows = reader.rows("reads/problems_to_sample", benchmark="countdown")
            return plan_run(
                reader,
                benchmark="countdown",
                n=n,
                run_options=RunOptions(run="bench", model="countdown-base"),
                parameters=PARAMETERS,
                problems=[row[1] for row in rows[:problems]],
            )
    finally:
        store.close()


def bare(engine: Engine, plan: SamplingPlan) -> int:
    """Tokens of the plan's samples, drawn and dropped."""
    from backend.engines.protocol import make_request
    from backend.jobs.draw import sampling_params

    run = plan.target.run
    requests = [make_request(run, problem.label, problem.prompt, problem.indices) for problem in plan.problems]
    return sum(sample.tokens for sample in engine.generate(requests, sampling_params(plan.target.parameters)))


def measured(name: str, problems: int, n: int, repeats: int) -> tuple[str, dict[str, list[Spent]]]:
    """The engine's version, and what each way took in each turn. The order changes from turn to turn."""
    from backend import StoreLayout, draw, load_engine
    from backend.verifiers.expression import ExpressionVerifier

    with tempfile.TemporaryDirectory(prefix="passk-throughput-") as scratch:
        folder = Path(scratch)
        plan = planned(folder, problems, n)
        engine = load_engine(str(MODEL), name=name, options=ENGINES[name])

        def drawn(turn: int, verified: bool) -> int:
            target = StoreLayout(folder / f"drawn-{turn}-{verified}.passk")
            return draw(target, plan, engine, ExpressionVerifier() if verified else None).tokens

        ways: list[tuple[str, Callable[[int], int]]] = [
            ("bare engine", lambda turn: bare(engine, plan)),
            ("drawn, unverified", lambda turn: drawn(turn, False)),
            ("drawn and verified", lambda turn: drawn(turn, True)),
        ]
        spent: dict[str, list[Spent]] = {way: [] for way, _ in ways}
        for turn in range(repeats + 1):
            for way, go in [*ways[turn % 3 :], *ways[: turn % 3]]:
                wall, cpu = time.perf_counter(), time.process_time()
                tokens = go(turn)
                if turn:  # the first turn warms up
                    spent[way].append(Spent(tokens, time.perf_counter() - wall, time.process_time() - cpu))
        version = engine.version
        engine.close()
    return version, spent


def table(name: str, problems: int, n: int, repeats: int) -> list[str]:
    """The figures as lines to print."""
    version, spent = measured(name, problems, n, repeats)
    lines = [
        f"Drawing {problems * n:,} samples of {problems} problems, {version}; medians of {repeats} turns after one to"
        f" warm up, the order changing, load average {os.getloadavg()[0]:.1f}",
        f"  {'way':<22}{'tokens/s':>9}{'to bare':>9}{'lowest':>8}{'highest':>9}{'by CPU time':>13}{'lowest':>8}",
    ]
    for way, found in spent.items():
        # Each to the bare one of its own turn: what else the machine does changes from turn to turn.
        shares = [each.beside(beside) for each, beside in zip(found, spent["bare engine"], strict=True)]
        wall, cpu = [share for share, _ in shares], [share for _, share in shares]
        goal = "" if way == "bare engine" else f"  goal {GOAL} {'ok' if median(wall) >= GOAL else 'missed'}"
        lines.append(
            f"  {way:<22}{median(each.tokens / each.wall for each in found):>9,.0f}{median(wall):>9.3f}"
            f"{min(wall):>8.3f}{max(wall):>9.3f}{median(cpu):>13.3f}{min(cpu):>8.3f}{goal}"
        )
    return lines


def in_this_environment(problems: int, n: int, repeats: int) -> list[str]:
    """The same with transformers; one sentence where it is not installed."""
    missing = [package for package in ("torch", "transformers") if find_spec(package) is None]
    if missing:
        return [f"The transformers engine is not measured: {' and '.join(missing)} missing."]
    return table("transformers", problems, n, repeats)


def in_vllms_environment(problems: int, n: int, repeats: int) -> list[str]:
    """The same with vLLM; one sentence where its environment is not there."""
    from tests.engines.vllm_environment import SETTINGS, Unavailable, default_folder

    try:
        python = default_folder() / "environment" / "bin" / "python"
    except Unavailable as error:
        return [f"vLLM is not measured: {error}"]
    if not python.exists():
        return [f"vLLM is not measured: {python} is not there; the tests make it, or tests.engines.vllm_environment."]
    command = [str(python), "-m", "tests.bench.throughput", "--engine", "vllm", "--packages", site.getsitepackages()[0]]
    size = ["--problems", str(problems), "--n", str(n), "--repeats", str(repeats)]
    done = subprocess.run(
        [*command, *size], capture_output=True, text=True, env={**os.environ, **SETTINGS}, cwd=Path(__file__).parents[2]
    )
    return done.stdout.splitlines() if done.returncode == 0 else [f"vLLM could not be measured: {done.stderr[-2000:]}"]


def main() -> int:
    """See --help."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.throughput", description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="transformers")
    parser.add_argument("--packages", help="folder of more packages, which come after this environment's own")
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--n", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.packages:
        sys.path.append(arguments.packages)
    print("\n".join(table(arguments.engine, arguments.problems, arguments.n, arguments.repeats)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
