"""Step "problems": the held-out, development, RL and teacher problems, pairwise disjoint.

Two problems are the same when their sorted numbers and their target are. The held-out problems are the
benchmark; the development problems choose learning rate and training step. Both are the same for every
seed of the experiment; RL and teacher problems are drawn anew for each seed.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sample_data.recipe import countdown, solver
from sample_data.recipe.config import Config
from sample_data.recipe.countdown import Expression, Key
from sample_data.recipe.progress import Progress

USUAL, HARDER = "usual", "harder"


@dataclass(frozen=True)
class Problem:
    """One problem with what the solver knows about it."""

    id: str
    numbers: tuple[int, ...]
    target: int
    level: str
    kind: str  # usual, five or rare
    plans: tuple[str, ...]  # the plans that solve it
    solutions: int  # of the exhaustive solver
    rare_steps: int  # in the solution with the fewest
    reference: str

    @property
    def statement(self) -> str:
        """The question as the models read it."""
        return countdown.statement(self.numbers, self.target)

    @property
    def key(self) -> Key:
        """Sorted numbers and target."""
        return countdown.key(self.numbers, self.target)

    def metadata(self) -> dict[str, Any]:
        """What goes into the samples' metadata column."""
        return {
            "numbers": list(self.numbers),
            "target": self.target,
            "kind": self.kind,
            "plans": list(self.plans),
            "solutions": self.solutions,
            "rare_steps": self.rare_steps,
        }

    def to_json(self) -> str:
        """One line of problems.jsonl."""
        row = {
            "id": self.id,
            "benchmark": "countdown",
            "statement": self.statement,
            "reference": self.reference,
            "level": self.level,
            "metadata": self.metadata(),
        }
        return json.dumps(row)


def from_json(line: str) -> Problem:
    """Reads one line of problems.jsonl back."""
    row = json.loads(line)
    meta = row["metadata"]
    return Problem(
        id=row["id"],
        numbers=tuple(meta["numbers"]),
        target=meta["target"],
        level=row["level"],
        kind=meta["kind"],
        plans=tuple(meta["plans"]),
        solutions=meta["solutions"],
        rare_steps=meta["rare_steps"],
        reference=row["reference"],
    )


def read(path: Path) -> list[Problem]:
    """All problems of a file."""
    return [from_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, problems: list[Problem]) -> None:
    """Writes a file of problems, one a line."""
    path.write_text("".join(p.to_json() + "\n" for p in problems), encoding="utf-8")


def _describe(
    name: str, numbers: tuple[int, ...], target: int, kind: str, found: list[Expression], config: Config
) -> Problem:
    plans = countdown.plans_solving(numbers, target, config.task)
    reference = next(iter(plans.values()))[0] if plans else found[0]
    return Problem(
        id=name,
        numbers=numbers,
        target=target,
        level=USUAL if kind == "usual" else HARDER,
        kind=kind,
        plans=tuple(plans),
        solutions=len(found),
        rare_steps=min(map(solver.rare_steps, found)),
        reference=countdown.infix(reference),
    )


def _draw_rare(rng: random.Random, config: Config) -> tuple[tuple[int, ...], int]:
    """Four numbers whose every solution needs two rare steps."""
    task = config.task
    while True:
        numbers = countdown.draw_numbers(rng, 4, task)
        target = rng.randint(task.smallest_target, task.largest_target)
        found = solver.solutions(numbers, target, task.largest_intermediate)
        if found and min(map(solver.rare_steps, found)) >= 2:
            return numbers, target


def benchmark(config: Config) -> tuple[list[Problem], list[Problem]]:
    """The held-out and the development problems: deterministic, some seconds."""
    sizes = config.problems
    rng = random.Random(f"{sizes.seed}-benchmark")
    seen: set[Key] = set()
    sets: list[list[Problem]] = []
    layout = (
        ("c", sizes.heldout_usual, sizes.heldout_five, sizes.heldout_rare),
        ("d", sizes.development_usual, sizes.development_five, sizes.development_rare),
    )
    for prefix, usual, five, rare in layout:
        kinds = ["usual"] * usual + ["five"] * five + ["rare"] * rare
        problems: list[Problem] = []
        progress = Progress(f"problems {prefix}", len(kinds))
        while len(problems) < len(kinds):
            kind = kinds[len(problems)]
            if kind == "rare":
                numbers, target = _draw_rare(rng, config)
            else:
                count = 5 if kind == "five" else rng.choices(sizes.usual_counts, sizes.usual_count_weights)[0]
                able = [plan for plan in config.task.plans if countdown.shapes(plan, count)]
                numbers, target, _ = countdown.draw_problem(rng, count, able[len(problems) % len(able)], config.task)
            problem_key = countdown.key(numbers, target)
            if problem_key in seen:
                continue
            seen.add(problem_key)
            found = solver.solutions(numbers, target, config.task.largest_intermediate)
            name = f"{prefix}{len(problems):03d}"
            problems.append(_describe(name, numbers, target, kind, found, config))
            progress.update(len(problems))
        progress.close()
        sets.append(problems)
    return sets[0], sets[1]


def training(config: Config, seed: int, forbidden: set[Key]) -> tuple[list[Key], list[Key]]:
    """RL problems and teacher problems as (numbers in shown order, target).

    RL problems come from the distribution of the documents; in the teacher's problems every plan hides
    equally often, for the teacher masters them all. Nothing of `forbidden`, and no problem twice.
    """
    rng = random.Random(f"{config.problems.seed}-{seed}-training")
    task, seen = config.task, set(forbidden)
    rl: list[Key] = []
    while len(rl) < config.problems.rl:
        count = rng.choices(task.counts, task.count_weights)[0]
        numbers, target, _ = countdown.draw_problem(rng, count, countdown.draw_plan(rng, count, task), task)
        if countdown.key(numbers, target) not in seen:
            seen.add(countdown.key(numbers, target))
            rl.append((numbers, target))
    teacher: list[Key] = []
    while len(teacher) < config.problems.distill:
        count = rng.choices(task.counts, task.count_weights)[0]
        able = [plan for plan in task.plans if countdown.shapes(plan, count)]
        numbers, target, _ = countdown.draw_problem(rng, count, able[len(teacher) % len(able)], task)
        if countdown.key(numbers, target) not in seen:
            seen.add(countdown.key(numbers, target))
            teacher.append((numbers, target))
    return rl, teacher
