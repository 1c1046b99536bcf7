"""The exhaustive solver: every way to combine all numbers of a problem under the rules of the task.

It combines any two of the numbers at hand, puts the result back, and goes on until one is left. Five
numbers take about a second. Unlike the plans it knows every expression, and it may divide by one.
"""

from __future__ import annotations

from collections.abc import Iterator

from sample_data.recipe.countdown import Expression


def _results(a: int, b: int, limit: int) -> Iterator[tuple[str, bool, int]]:
    """Steps from two numbers: operator, whether they are swapped, result."""
    if a + b <= limit:
        yield "+", False, a + b
    yield "-", a < b, abs(a - b)
    if a * b <= limit:
        yield "*", False, a * b
    if b and a % b == 0:
        yield "/", False, a // b
    elif a and b % a == 0:
        yield "/", True, b // a


def solutions(numbers: tuple[int, ...], target: int, limit: int) -> list[Expression]:
    """All expressions over exactly these numbers whose value is the target, without repetition.

    Commuted operands of + and * count once; when a = b, only one order of - and / is listed.
    """
    found: dict[Expression, None] = {}

    def combine(pool: list[tuple[int, Expression]]) -> None:
        if len(pool) == 1:
            if pool[0][0] == target:
                found[pool[0][1]] = None
            return
        for i in range(len(pool)):
            for j in range(i + 1, len(pool)):
                rest = [pool[k] for k in range(len(pool)) if k not in (i, j)]
                for op, swap, value in _results(pool[i][0], pool[j][0], limit):
                    left, right = (pool[j][1], pool[i][1]) if swap else (pool[i][1], pool[j][1])
                    combine([*rest, (value, (op, left, right))])

    combine([(number, number) for number in sorted(numbers)])
    return list(found)


def rare_steps(expression: Expression) -> int:
    """How many steps of an expression are rare: a division, or a product of a computed result."""
    if isinstance(expression, int):
        return 0
    op, left, right = expression
    computed = not (isinstance(left, int) and isinstance(right, int))
    here = op == "/" or (op == "*" and computed)
    return int(here) + rare_steps(left) + rare_steps(right)
