"""The search tree as rows of a table and in words, and the samples of one of its branches."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.content import Content

from backend import SearchTree
from backend.records import Run
from backend.records.reading import Branch, BranchSample, TreeRow
from backend.visible_text import visible_line
from backend.wording import UNKNOWN, compact, count, percent, run_label, short_names, with_noun
from explorer.render.branches import branch_words, only_run, sign_of
from explorer.render.names import VERDICT_MARKS, VERDICT_STYLES, shorten_middle
from explorer.render.text import Column, cell, join_words, literal

# The search tree as rows of a table, and in words.

FEW, MANY = 2, 4
"""Runs that have columns of their own on a narrow and on a wide terminal."""

ORDER_WORDS = {"taken": "most samples first", "right": "most correct first", "difference": "most one-sided first"}

ONLY_STYLES = ("bold yellow", "bold cyan", "bold magenta", "bold blue")
"""Colours of branches that only one run takes, by its place."""


def tree_columns(runs: Sequence[Run], width: int) -> list[Column]:
    """A sign, every run's samples and correct ones, and the step; shares where there is room."""
    words = short_names(runs)
    wide = width >= 110
    shown = [Column("mark", "", 1)]
    for place, word in enumerate(words[: MANY if wide else FEW]):
        shown.append(Column(f"taken {place}", shorten_middle(word, 6), 6, True))
        if wide:
            shown.append(Column(f"share {place}", "%", 5, True))
        shown.append(Column(f"right {place}", "✓", 4, True))
    rest = width - 3 - sum(column.width + 2 for column in shown)
    return [*shown, Column("step", "step", max(rest, 20))]


def tree_cells(row: TreeRow, root: Branch, columns: Sequence[Column]) -> list[Text]:
    branch = row.branch
    only = only_run(branch)
    style = "" if only is None else ONLY_STYLES[only % len(ONLY_STYLES)]
    cells = []
    for column in columns:
        kind, _, place = column.key.partition(" ")
        tally = branch.tallies[int(place)] if place else branch.tallies[0]
        if kind == "mark":
            cells.append(cell(sign_of(branch), style))
        elif kind == "taken":
            cells.append(cell(compact(tally.taken), "" if tally.taken else "dim", right=True))
        elif kind == "share":
            whole = root.tallies[int(place)].taken
            cells.append(cell(percent(tally.taken / whole) if whole else UNKNOWN, "dim", right=True))
        elif kind == "right":
            right = cell(compact(tally.c), "bold green" if tally.c else "dim", right=True)
            cells.append(right if tally.n or not tally.taken else cell(UNKNOWN, right=True))
        else:
            cells.append(_step(row, column.width, style))
    return cells


def _step(row: TreeRow, width: int, style: str) -> Text:
    """Indented; deep lines keep half of the width, and say how deep they are instead."""
    depth = row.depth
    lead = "  " * depth if 2 * depth <= width // 3 else f"{'  ' * (width // 6 - 2)}{depth:>3} "
    signs = {"branch": "▾ " if row.open else "▸ ", "more": "▸ ", "leaf": "· ", "end": "∎ ", "no_text": "? "}
    return cell(
        f"{lead}{signs[row.branch.kind]}{branch_words(row.branch)}",
        "dim" if row.branch.kind in ("more", "no_text") else style.removeprefix("bold "),
        longest=width,
    )


def tree_heading(tree: SearchTree, order: str) -> Content:
    """Every run's n and c, and how the tree is made."""
    parts = [
        literal(f"{word} n = {tally.n}, c = {tally.c}", "bold")
        for word, tally in zip(short_names(tree.runs), tree.root.tallies, strict=True)
    ]
    return join_words([*parts, literal(f"by {tree.by}s, {ORDER_WORDS[order]}", "dim")], "   ")


def branch_status(branch: Branch, tree: SearchTree) -> Content:
    """The branch under the cursor: how often each run took it, of how many, and how often it was correct."""
    words = short_names(tree.runs)
    parts = []
    for word, tally, whole in zip(words, branch.tallies, tree.root.tallies, strict=True):
        share = f" ({percent(tally.taken / whole.taken)} %)" if whole.taken else ""
        verified = "" if tally.n == tally.taken else f" of {tally.n} verified"
        right = f", {tally.c}{verified} correct" if tally.taken else ""
        parts.append(literal(f"{word} {tally.taken} of {whole.taken}{share}{right}"))
    only = only_run(branch)
    if only is not None:
        parts.append(literal(f"{sign_of(branch)} only {words[only]}", ONLY_STYLES[only % len(ONLY_STYLES)]))
    return join_words(parts, "   ")


def branch_text(branch: Branch) -> str:
    """The text of a branch for the panel below the tree, or what stands for it."""
    if branch.kind == "more":
        return f"{count(branch.ways)} rarer branches: → shows them, enter lists their samples."
    if branch.kind == "end":
        return "These samples end here."
    if branch.kind == "no_text":
        return "No text is stored for these samples."
    if len(branch.text) < branch.characters:
        return f"{branch.text}\n… {count(branch.characters - len(branch.text))} more characters"
    return branch.text


# The samples of a branch of the search tree, as rows of a table.


def branch_heading(branch: Branch, samples: int) -> Content:
    """The branch's step, and how many samples took it."""
    words = visible_line(branch_words(branch), 60)
    return join_words([literal(with_noun(samples, "sample"), "bold"), words])


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
            shorten_middle(values[column.key], column.width) if column.key == "run" else values[column.key],
            VERDICT_STYLES.get(sample.verdict, "") if column.key == "verdict" else "",
            longest=column.width,
            right=column.right,
        )
        for column in columns
    ]
