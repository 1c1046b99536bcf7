"""How tree, comparison and reading view look; see `test_snapshots`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.store.layout import StoreLayout
from tests.explorer.driving import Driver, import_into
from tests.explorer.test_snapshots import Compare, looks_as_before, shows_on_large_screens
from tests.explorer.test_tree import rows
from tests.support import jsonl

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


LARGE_TEXTS = {
    "tree": (
        "base n = 8, c = 2 RL n = 7, c = 1",
        "− 1 12.5 1 0 0.0 0 · 2 * 3 = 6. Good.",
        "1 12.5 1 1 14.3 0 ▸ ## Solution",
    ),
    "branch": ("tokens chars", "tiny-rl 4 ✓ correct Good. 9 26"),
    "compare": (
        r"tiny-base, sample 7 answer: \frac{5}{2} │ ✗ wrong tiny-rl, sample 6",
        "⟦5⟧*x + 6 <= 0",
        "The ⟦middle of it⟧ is",
    ),
    "reading": ("The midpoint is ⟪⁵⁄₂⟫, a matrix $", r"The answer is ⟪\boxed{⁵⁄₂}⟫.<|im_end|>"),
}


async def walk_to(user: Driver, what: str) -> None:
    await user.press("enter", "enter", "enter", *WALKS[what])


@pytest.mark.parametrize("what", WALKS)
def test_screen(snap_compare: Compare, reading_store: StoreLayout, what: str) -> None:
    assert looks_as_before(snap_compare, reading_store, lambda user: walk_to(user, what))


@pytest.mark.parametrize("what", WALKS)
async def test_large_screen(reading_store: StoreLayout, what: str) -> None:
    await shows_on_large_screens(reading_store, lambda user: walk_to(user, what), LARGE_TEXTS[what])
