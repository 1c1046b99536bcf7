"""Step "samples": draws all samples with the project's transformers engine, judges them, writes Parquet.

One file a run, one row a sample, sorted by problem and index. A file is renamed into place when complete,
so a run that was cut off is drawn again, with the same seeds.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.engines.protocol import DrawnSample, SamplingParams, make_request
from backend.engines.transformers import TransformersEngine
from backend.verifiers.expression import ExpressionVerifier
from backend.verifiers.protocol import Task
from sample_data.recipe import countdown
from sample_data.recipe.choice import Choice
from sample_data.recipe.config import Config
from sample_data.recipe.problems import Problem
from sample_data.recipe.progress import Progress

BENCHMARK = "countdown"
BASE, DISTILL = "countdown-base", "countdown-distill"


@dataclass(frozen=True)
class Run:
    """One model under one sampling configuration."""

    name: str
    model: str
    role: str
    step: int | None
    algorithm: str | None
    template: str
    n: int
    params: SamplingParams

    @property
    def from_model(self) -> str | None:
        """The model this one was trained from."""
        return None if self.role == "base" else BASE


def rl_name(step: int) -> str:
    """The name of an RL checkpoint."""
    return f"countdown-rl-{step}"


def plan(config: Config, choice: Choice, *, everything: bool) -> list[Run]:
    """The runs to draw: all of them, or only what the comparison of seeds needs."""
    sampling = config.sampling
    warm = SamplingParams(sampling.temperature, sampling.top_p, sampling.max_tokens)
    cool = SamplingParams(sampling.low_temperature, sampling.top_p, sampling.max_tokens)
    short = SamplingParams(sampling.temperature, sampling.top_p, sampling.noreason_max_tokens)
    final = rl_name(choice.step)
    usual = countdown.TEMPLATE
    base = Run(f"{BASE}@{BENCHMARK}", BASE, "base", None, None, usual, sampling.samples, warm)
    rl = Run(f"{final}@{BENCHMARK}", final, "rl", choice.step, "GRPO", usual, sampling.samples, warm)
    distilled = Run(f"{DISTILL}@{BENCHMARK}", DISTILL, "distill", None, "SFT", usual, sampling.samples, warm)
    runs = [base, rl, distilled]
    if not everything:
        return runs
    low = f"@{BENCHMARK}-t{sampling.low_temperature:g}"
    runs.append(Run(BASE + low, BASE, "base", None, None, usual, sampling.low_samples, cool))
    runs.append(Run(final + low, final, "rl", choice.step, "GRPO", usual, sampling.low_samples, cool))
    for step in range(config.rl.save_steps, config.rl.steps + 1, config.rl.save_steps):
        if step != choice.step:
            name, n = rl_name(step), sampling.checkpoint_samples
            runs.append(Run(f"{name}@{BENCHMARK}", name, "rl", step, "GRPO", usual, n, warm))
    direct, n = countdown.NOREASON_TEMPLATE, sampling.noreason_samples
    runs.append(Run(f"{BASE}@{BENCHMARK}-noreason", BASE, "base", None, None, direct, n, short))
    return runs


def row(run: Run, problem: Problem, sample: DrawnSample, verifier: ExpressionVerifier) -> dict[str, Any]:
    """One row of the file, judged."""
    facts = problem.metadata()
    judged = verifier.judge(Task(sample.text, sample.finish_reason, metadata=facts))
    return {
        "run": run.name,
        "model": run.model,
        "role": run.role,
        "from_model": run.from_model,
        "step": run.step,
        "algorithm": run.algorithm,
        "benchmark": BENCHMARK,
        "problem": problem.id,
        "statement": problem.statement,
        "reference": problem.reference,
        "level": problem.level,
        "metadata": json.dumps(facts),
        "index": sample.index,
        "seed": sample.seed,
        "text": sample.text,
        "verdict": judged.verdict,
        "answer": judged.answer,
        "tokens": sample.tokens,
        "finish_reason": sample.finish_reason,
        "logprob_sum": sample.logprob_sum,
        "temperature": run.params.temperature,
        "top_p": run.params.top_p,
        "max_tokens": run.params.max_tokens,
        "template": run.template,
    }


def schema() -> Any:
    """The Arrow schema of a file of samples."""
    import pyarrow as pa

    text, whole, real = pa.string(), pa.int32(), pa.float64()
    kinds = {"step": whole, "index": whole, "seed": pa.int64(), "tokens": whole, "max_tokens": whole}
    kinds |= {"logprob_sum": real, "temperature": real, "top_p": real}
    names = (
        *("run", "model", "role", "from_model", "step", "algorithm", "benchmark", "problem", "statement"),
        *("reference", "level", "metadata", "index", "seed", "text", "verdict", "answer", "tokens"),
        *("finish_reason", "logprob_sum", "temperature", "top_p", "max_tokens", "template"),
    )
    return pa.schema([pa.field(name, kinds.get(name, text)) for name in names])


def draw(config: Config, run: Run, seed_name: str, model: Path, problems: list[Problem], target: Path) -> None:
    """Draws one run and writes its file; the seeds follow from `seed_name`, usually the run's name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    start, cpu = time.monotonic(), time.process_time()
    engine = TransformersEngine.load(model, device="cpu", batch=config.sampling.batch)
    verifier, tokens = ExpressionVerifier(), 0
    known = {problem.id: problem for problem in problems}
    requests = [
        make_request(seed_name, p.id, countdown.prompt(p.statement, run.template), range(run.n)) for p in problems
    ]
    rows: list[dict[str, Any]] = []
    progress = Progress(f"samples {run.name}", run.n * len(problems), "samples")
    for sample in engine.generate(requests, run.params):
        rows.append(row(run, known[sample.problem], sample, verifier))
        tokens += sample.tokens
        progress.update(len(rows), f"{tokens / (time.monotonic() - start):.0f} tokens/s")
    rows.sort(key=lambda r: (r["problem"], r["index"]))
    table = pa.Table.from_pylist(rows, schema=schema()).replace_schema_metadata(
        {
            "engine": engine.version,
            "verifier": f"{verifier.name} {verifier.version}",
            "seconds": f"{time.monotonic() - start:.0f}",
            "cpu_seconds": f"{time.process_time() - cpu:.0f}",
        }
    )
    temporary = target.with_suffix(".part")
    pq.write_table(table, temporary, compression="zstd", compression_level=19)
    temporary.replace(target)
    progress.close(f"{tokens} tokens, {tokens / (time.monotonic() - start):.0f} tokens/s")
