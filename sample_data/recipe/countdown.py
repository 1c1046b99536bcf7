"""Countdown: expressions, the five plans that make them, and the text of a reasoning path.

An expression is an int or ``(op, left, right)``. A plan is a set of expression shapes:

- sums: a chain of + and -
- products: a * b, then a chain of + and -
- groups: (a +- b) * c, then a chain of + and -
- pairs: (a o b) o (c o d) with o among + - *, then + or - (four numbers at least)
- quotients: a chain with one exact division as its first or second step and one * at most

Every intermediate result is an integer in 0..100, and no plan divides by one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from itertools import permutations, product
from typing import TypeAlias

from sample_data.recipe.config import TaskConfig

Expression: TypeAlias = "int | tuple[str, Expression, Expression]"
Key: TypeAlias = tuple[tuple[int, ...], int]

STATEMENT = "Numbers: {numbers}. Target: {target}."
ATTEMPTS = 60
PLACEHOLDER = "{{ statement }}"
TEMPLATE = f"{PLACEHOLDER}\n"
NOREASON_TEMPLATE = f"{PLACEHOLDER}\nAnswer:"
"""Prompt templates as the project keeps them with a run: jinja2, with nothing in it but the statement."""


def prompt(statement: str, template: str = TEMPLATE) -> str:
    """The prompt of a problem."""
    return template.replace(PLACEHOLDER, statement)


def statement(numbers: tuple[int, ...], target: int) -> str:
    """The question as the models read it."""
    return STATEMENT.format(numbers=" ".join(map(str, numbers)), target=target)


def key(numbers: tuple[int, ...], target: int) -> Key:
    """What makes two problems the same: the sorted numbers and the target."""
    return tuple(sorted(numbers)), target


def apply(op: str, left: int, right: int, limit: int) -> int | None:
    """The result of one step, or None where the task forbids it (range, inexact, division by one)."""
    if op == "+":
        value = left + right
    elif op == "-":
        value = left - right
    elif op == "*":
        value = left * right
    else:
        if right < 2 or left % right:
            return None
        value = left // right
    return value if 0 <= value <= limit else None


def evaluate(expression: Expression, limit: int) -> int | None:
    """The value of an expression, or None where one of its steps is forbidden."""
    if isinstance(expression, int):
        return expression
    op, left, right = expression
    first, second = evaluate(left, limit), evaluate(right, limit)
    if first is None or second is None:
        return None
    return apply(op, first, second, limit)


def _chain(start: Expression, ops: tuple[str, ...], first: int) -> Expression:
    for offset, op in enumerate(ops):
        start = (op, start, first + offset)
    return start


@lru_cache
def shapes(plan: str, count: int) -> tuple[Expression, ...]:
    """All shapes of a plan for `count` numbers; the leaves are positions 0..count-1."""
    found: list[Expression] = []
    if plan == "sums":
        found += [_chain(0, ops, 1) for ops in product("+-", repeat=count - 1)]
    elif plan == "products":
        found += [_chain(("*", 0, 1), ops, 2) for ops in product("+-", repeat=count - 2)]
    elif plan == "groups":
        for op in "+-":
            found += [_chain(("*", (op, 0, 1), 2), ops, 3) for ops in product("+-", repeat=count - 3)]
    elif plan == "pairs" and count >= 4:
        for a, b, c in product("+-*", repeat=3):
            pair: Expression = (b, (a, 0, 1), (c, 2, 3))
            found += [_chain(pair, ops, 4) for ops in product("+-", repeat=count - 4)]
    elif plan == "quotients":
        for ops in product("+-*/", repeat=count - 1):
            if ops.count("/") == 1 and ops.index("/") < 2 and ops.count("*") <= 1:
                found.append(_chain(0, ops, 1))
    return tuple(found)


def fill(shape: Expression, numbers: tuple[int, ...]) -> Expression:
    """Puts numbers in the places of a shape."""
    if isinstance(shape, int):
        return numbers[shape]
    return shape[0], fill(shape[1], numbers), fill(shape[2], numbers)


def of_plan(plan: str, numbers: tuple[int, ...], limit: int) -> Iterator[tuple[Expression, int]]:
    """Every allowed expression of a plan over exactly these numbers, with its value."""
    for order in sorted(set(permutations(numbers))):
        for shape in shapes(plan, len(numbers)):
            expression = fill(shape, order)
            value = evaluate(expression, limit)
            if value is not None:
                yield expression, value


def plans_solving(numbers: tuple[int, ...], target: int, task: TaskConfig) -> dict[str, list[Expression]]:
    """The plans with at least one expression of the target's value, and those expressions."""
    found: dict[str, list[Expression]] = {}
    for plan in task.plans:
        hits = [e for e, value in of_plan(plan, numbers, task.largest_intermediate) if value == target]
        if hits:
            found[plan] = hits
    return found


def draw_numbers(rng: random.Random, count: int, task: TaskConfig) -> tuple[int, ...]:
    """`count` numbers, independent and uniform, in random order."""
    return tuple(rng.randint(task.smallest_number, task.largest_number) for _ in range(count))


def draw_expression(
    rng: random.Random, plan: str, numbers: tuple[int, ...], limit: int
) -> tuple[Expression, int] | None:
    """A random allowed expression of a plan, or None when 60 attempts found none."""
    candidates = shapes(plan, len(numbers))
    if not candidates:
        return None
    order = list(numbers)
    for _ in range(ATTEMPTS):
        rng.shuffle(order)
        expression = fill(rng.choice(candidates), tuple(order))
        value = evaluate(expression, limit)
        if value is not None:
            return expression, value
    return None


def draw_problem(
    rng: random.Random, count: int, plan: str, task: TaskConfig
) -> tuple[tuple[int, ...], int, Expression]:
    """A problem made from a hidden expression of a plan: numbers, target, the expression."""
    if not shapes(plan, count):
        raise ValueError(f"plan {plan} has no shape for {count} numbers")
    while True:
        numbers = draw_numbers(rng, count, task)
        drawn = draw_expression(rng, plan, numbers, task.largest_intermediate)
        if drawn and task.smallest_target <= drawn[1] <= task.largest_target:
            return numbers, drawn[1], drawn[0]


def draw_plan(rng: random.Random, count: int, task: TaskConfig) -> str:
    """A plan by the weights of the configuration, among those that have a shape for `count` numbers."""
    while True:
        plan = rng.choices(task.plans, task.plan_weights)[0]
        if shapes(plan, count):
            return plan


def steps(expression: Expression) -> list[str]:
    """The steps of an expression in the order of evaluation, each like ``8 * 3 = 24``."""
    lines: list[str] = []

    def walk(node: Expression) -> int:
        if isinstance(node, int):
            return node
        left, right = walk(node[1]), walk(node[2])
        value = {"+": left + right, "-": left - right, "*": left * right}.get(node[0])
        value = left // right if value is None else value
        lines.append(f"{left} {node[0]} {right} = {value}")
        return value

    walk(expression)
    return lines


def infix(expression: Expression, top: bool = True) -> str:
    """The expression in words of the language: spaces everywhere, brackets around all but the outermost."""
    if isinstance(expression, int):
        return str(expression)
    text = f"{infix(expression[1], False)} {expression[0]} {infix(expression[2], False)}"
    return text if top else f"( {text} )"


def try_line(plan: str, expression: Expression, value: int, target: int) -> str:
    """One try of a path: plan, steps, and whether the target was hit."""
    verb = "is" if value == target else "is not"
    return f"Try {plan}: {', '.join(steps(expression))}. {value} {verb} {target}.\n"


def answer_line(expression: Expression) -> str:
    """The last line of a path."""
    return f"Answer: \\boxed{{ {infix(expression)} }}"


STOP_LINE = "I stop here.\n"
