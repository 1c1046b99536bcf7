"""Reference responses to the held-out problems: one right path each, of the search that taught the distilled model.

Fifteen problems that no plan solves have none. They are not sampled; `passk score --references` scores them.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from sample_data.recipe import config, countdown, problems

SHIPPED = Path(__file__).parent.parent


def responses(settings: config.Config, held_out: list[problems.Problem]) -> dict[str, str]:
    """Problem -> its response; among the plans that solve it, then among the plan's expressions, with equal chances."""
    rng = random.Random(f"{settings.problems.seed}-references")
    found: dict[str, str] = {}
    for problem in held_out:
        solving = countdown.plans_solving(problem.numbers, problem.target, settings.task)
        if solving:
            plan = rng.choice(list(solving))
            expression = rng.choice(solving[plan])
            path = countdown.try_line(plan, expression, problem.target, problem.target)
            found[problem.id] = path + countdown.answer_line(expression)
    return found


def write(target: Path = SHIPPED / "references.jsonl") -> None:
    """The file as it is shipped."""
    found = responses(config.load(), problems.read(SHIPPED / "problems.jsonl"))
    with open(target, "w", encoding="utf-8") as file:
        file.writelines(json.dumps({"problem": problem, "text": text}) + "\n" for problem, text in found.items())
