"""Chooses learning rate and training step of the RL model, on the development problems only.

Each candidate is judged by its mean share of correct samples (pass@1) at temperature 1 on the development
problems. First the learning rates after `trial_steps`, then, with the best rate, the saved steps. A tie
goes to the smaller rate or the earlier step.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.engines.protocol import SamplingParams, make_request
from backend.engines.transformers import TransformersEngine
from backend.verifiers.expression import ExpressionVerifier
from backend.verifiers.protocol import Task
from sample_data.recipe import countdown, training
from sample_data.recipe.config import Config
from sample_data.recipe.problems import Problem
from sample_data.recipe.progress import Progress


@dataclass(frozen=True)
class Choice:
    """What was chosen and from what: pass@1 on the development problems by learning rate, then by step."""

    learning_rate: float
    step: int
    rates: dict[str, float]
    steps: dict[str, float]


def read(path: Path) -> Choice:
    """Reads a saved choice."""
    return Choice(**json.loads(path.read_text(encoding="utf-8")))


def write(path: Path, choice: Choice) -> None:
    """Saves a choice."""
    path.write_text(json.dumps(asdict(choice), indent=1) + "\n", encoding="utf-8")


def development_score(config: Config, model: Path, problems: list[Problem], name: str) -> float:
    """Pass@1 of a model folder on the development problems."""
    engine = TransformersEngine(training.load_model(model), training.load_tokenizer(model), config.sampling.batch)
    verifier = ExpressionVerifier()
    facts = {problem.id: problem.metadata() for problem in problems}
    requests = [
        make_request(
            f"{name}@development",
            problem.id,
            countdown.prompt(problem.statement),
            range(config.rl.development_samples),
        )
        for problem in problems
    ]
    params = SamplingParams(
        temperature=config.sampling.temperature,
        top_p=config.sampling.top_p,
        max_tokens=config.sampling.max_tokens,
    )
    total, correct = sum(request.n for request in requests), 0
    progress = Progress(f"development {name}", total, "samples")
    for done, sample in enumerate(engine.generate(requests, params), start=1):
        judged = verifier.judge(Task(sample.text, sample.finish_reason, metadata=facts[sample.problem]))
        correct += judged.verdict == "correct"
        progress.update(done)
    engine.close()
    progress.close(f"pass@1 {correct / total:.4f}")
    return correct / total


def cached_score(path: Path, name: str, score: Callable[[], float]) -> float:
    """A score from a JSON file of scores, computed and added when it is not there."""
    known: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if name not in known:
        known[name] = score()
        path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return known[name]


def best(scores: dict[str, float]) -> str:
    """The name with the highest score, the first of equals."""
    return max(scores, key=lambda name: scores[name])
