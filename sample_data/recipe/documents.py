"""Step "documents": the texts the base model learns from.

A problem is made from a hidden expression of one plan. Each try is that expression with probability
`hit`, else a random expression of a random plan; after a miss another try follows with probability
`retry`, else the path stops and boxes its last, wrong, expression. Problems of the held-out and the
development set never occur.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from sample_data.recipe import countdown
from sample_data.recipe.config import Config
from sample_data.recipe.countdown import Key


def path(
    rng: random.Random,
    config: Config,
    numbers: tuple[int, ...],
    target: int,
    plan: str,
    hidden: countdown.Expression,
) -> str:
    """One reasoning path for a problem made from `hidden`."""
    task, text = config.task, ""
    for attempt in range(config.documents.tries):
        tried, expression, value = plan, hidden, target
        if rng.random() >= config.documents.hit:
            drawn = None
            while drawn is None:
                tried = countdown.draw_plan(rng, len(numbers), task)
                drawn = countdown.draw_expression(rng, tried, numbers, task.largest_intermediate)
            expression, value = drawn
        text += countdown.try_line(tried, expression, value, target)
        if value == target:
            return text + countdown.answer_line(expression)
        if attempt + 1 == config.documents.tries or rng.random() >= config.documents.retry:
            break
    return text + countdown.STOP_LINE + countdown.answer_line(expression)


def documents(config: Config, seed: int, forbidden: set[Key]) -> Iterator[tuple[Key, str]]:
    """All documents of one seed, deterministic, each with the key of its problem."""
    rng = random.Random(f"{config.problems.seed}-{seed}-documents")
    task, made = config.task, 0
    while made < config.documents.count:
        count = rng.choices(task.counts, task.count_weights)[0]
        plan = countdown.draw_plan(rng, count, task)
        numbers, target, hidden = countdown.draw_problem(rng, count, plan, task)
        problem_key = countdown.key(numbers, target)
        if problem_key in forbidden:
            continue
        made += 1
        prompt = countdown.prompt(countdown.statement(numbers, target))
        yield problem_key, prompt + path(rng, config, numbers, target, plan, hidden)
