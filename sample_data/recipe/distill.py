"""Step "distill": the base model fine-tuned on paths of a stronger teacher, the exhaustive search over plans.

The teacher masters every plan: in its problems each plan hides equally often, it writes one try, with a
plan that solves the problem, and never misses. It picks among the solving plans, then among the plan's
expressions, with equal chances.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

from sample_data.recipe import countdown, training
from sample_data.recipe.config import Config
from sample_data.recipe.countdown import Key
from sample_data.recipe.progress import Progress


def teach(config: Config, problems: list[Key], seed: int) -> list[str]:
    """One correct document for each problem."""
    rng = random.Random(f"{config.problems.seed}-{seed}-teacher")
    texts: list[str] = []
    progress = Progress("teacher", len(problems), "paths")
    for numbers, target in problems:
        solving = countdown.plans_solving(numbers, target, config.task)
        plan = rng.choice(list(solving))
        expression = rng.choice(solving[plan])
        prompt = countdown.prompt(countdown.statement(numbers, target))
        texts.append(prompt + countdown.try_line(plan, expression, target, target) + countdown.answer_line(expression))
        progress.update(len(texts))
    progress.close()
    return texts


def build(config: Config, base: Path, folder: Path, problems: list[Key], seed: int) -> None:
    """Fine-tunes and saves the distilled model of one seed."""
    import torch

    start, cpu = time.monotonic(), time.process_time()
    torch.manual_seed(seed)
    tokenizer = training.load_tokenizer(base)
    texts = teach(config, problems, seed)
    end, pad_id = tokenizer.eos_token_id, tokenizer.pad_token_id
    rows = [[*ids, end] for ids in tokenizer(texts)["input_ids"]]
    model = training.load_model(base)
    loss = training.train(model, rows, pad_id, config.distill, seed, "distill")
    facts = {
        "step": "distill",
        "seed": seed,
        "documents": len(rows),
        "tokens": sum(map(len, rows)),
        "loss": loss,
        "seconds": round(time.monotonic() - start),
        "cpu_seconds": round(time.process_time() - cpu),
    }
    training.save_model(model, tokenizer, folder, facts)
