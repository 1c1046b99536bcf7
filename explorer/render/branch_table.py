"""The samples of a branch of the search tree, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.content import Content

from backend.records.reading import Branch, BranchSample
from explorer.render.branch_words import branch_words
from explorer.render.literal import cell, literal
from explorer.render.names import VERDICT_MARKS, VERDICT_STYLES, run_label, squeezed
from explorer.render.numbers import UNKNOWN, compact, count
from explorer.render.visible import visible_line
from explorer.widgets.paged_table import Column


def branch_heading(branch: Branch, samples: int) -> Content:
    """The branch's step, and how many samples took it."""
    words = visible_line(branch_words(branch), 60)
    return Content.assemble(literal(f"{count(samples)} samples  ", "bold"), literal(words))


def branch_columns(width: int) -> list[Column]:
    """Columns for this width; run and answer share what is left."""
    fixed = [
        Column("index", "#", 6, True),
        Column("verdict", "verdict", 11),
        Column("tokens", "tokens", 7, True),
        Column("characters", "chars", 7, True),
    ]
    rest = width - 3 - sum(column.width + 2 for column in fixed) - 4
    run = max(min(rest // 2, 40), 12)
    return [Column("run", "run", run), *fixed[:2], Column("answer", "answer", max(rest - run, 8)), *fixed[2:]]


def branch_cells(sample: BranchSample, columns: Sequence[Column]) -> list[Text]:
    """The cells of one sample under these columns."""
    values = {
        "run": run_label(sample.run),
        "index": str(sample.index),
        "verdict": f"{VERDICT_MARKS[sample.verdict]} {sample.verdict.replace('_', ' ')}",
        "answer": UNKNOWN if sample.answer is None else sample.answer,
        "tokens": compact(sample.tokens),
        "characters": compact(sample.characters),
    }
    return [
        cell(
            squeezed(values[column.key], column.width) if column.key == "run" else values[column.key],
            VERDICT_STYLES.get(sample.verdict, "") if column.key == "verdict" else "",
            longest=column.width,
            right=column.right,
        )
        for column in columns
    ]
