"""How tree, comparison and reading view look at three sizes; see `test_snapshots`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.store.layout import StoreLayout
from tests.explorer.driving import Driver, import_into
from tests.explorer.test_snapshots import Compare, looks_as_before
from tests.explorer.test_tree import rows
from tests.support import jsonl

LONG_SIZES = ((80, 24), (120, 40), (200, 60))

SOLUTION = r"""## Solution
We need **all** $x$ with $x^2 - 5x + 6 \le 0$.
1. Factor: \( (x-2)(x-3) \le 0 \), so \[ 2 \le x \le 3. \]
2. Check with a program:
```python
def holds(x):
    return x**2 - 5*x + 6 <= 0  # true between the roots
```
The midpoint is $\frac{5}{2}$, a matrix $\begin{pmatrix} 2 & 3 \end{pmatrix}$ would not help.
The answer is $\boxed{\frac{5}{2}}$.<|im_end|>"""


@pytest.fixture(scope="module")
def reading_store(made: Path) -> StoreLayout:
    """The problem of the tree's tests, with a longer path in each run."""
    layout = StoreLayout(made / "reading.passk")
    for role, changed in (
        ("base", SOLUTION),
        ("rl", SOLUTION.replace("midpoint", "middle of it").replace("5*x", "6*x")),
    ):
        long: dict[str, Any] = rows(role)[0] | {
            "completion": changed,
            "is_correct": role == "base",
            "extracted_answer": "\\frac{5}{2}",
            "finish_reason": "stop" if role == "base" else "length",
        }
        import_into(layout, [jsonl(made / f"reading-{role}.jsonl", [*rows(role), long])])
    return layout


WALKS = {
    "tree": ("t", "d", "right", "g", "right"),
    "branch": ("t", "enter"),
    "compare": ("G", "enter", "c"),
    "reading": ("G", "enter", "m"),
}
"""From the problem, to what is looked at."""


@pytest.mark.parametrize("size", LONG_SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("what", WALKS)
def test_screen(snap_compare: Compare, reading_store: StoreLayout, what: str, size: tuple[int, int]) -> None:
    async def walk(user: Driver) -> None:
        await user.press("enter", "enter", "enter", *WALKS[what])

    assert looks_as_before(snap_compare, reading_store, size, walk)
