"""The search tree as rows of a table and in words, and the samples of one of its branches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text
from textual.content import Content

from backend import SearchTree
from backend.records import Run
from backend.records.reading import Branch, BranchSample, BranchTally, TreeRow
from backend.visible_text import visible_line
from backend.wording import UNKNOWN, compact, count, percent, run_label, short_names, with_noun
from explorer.render.branches import branch_words, only_run, sign_of
from explorer.render.names import VERDICT_STYLES, sample_verdict, shorten_middle
from explorer.render.text import Column, cell, join_words, literal, room_beside

# The search tree as rows of a table, and in words.

FEW, MANY = 2, 4
"""Runs that have columns of their own on a narrow and on a wide terminal."""

ORDER_WORDS = {"taken": "most samples first", "right": "most correct first", "difference": "most one-sided first"}

ONLY_STYLES = ("bold yellow", "bold cyan", "bold magenta", "bold blue")
"""Colours of branches that only one run takes, by its place."""


def tree_columns(runs: Sequence[Run], root: Branch, width: int) -> list[Column]:
    """A sign, every run's samples and correct ones, and the step; shares where there is room."""
    wide = width >= 110
    shown = [Column("mark", "", 1, False, lambda row: sign_of(row.branch), _style)]
    for place, word in enumerate(short_names(runs)[: MANY if wide else FEW]):
        shown += _run_columns(place, word, root.tallies[place].taken, shares=wide)
    rest = max(room_beside(shown, width) - 1, 20)
    return [*shown, Column("step", "step", rest, value=lambda row: _step(row, rest))]


def _run_columns(place: int, word: str, whole: int, *, shares: bool) -> Iterator[Column]:
    def tally(row: TreeRow) -> BranchTally:
        return row.branch.tallies[place]

    def share(row: TreeRow) -> str:
        return percent(tally(row).taken / whole) if whole else UNKNOWN

    def is_unverified(row: TreeRow) -> bool:
        return tally(row).taken > tally(row).n == 0

    yield Column(f"taken {place}", shorten_middle(word, 6), 6, True, lambda row: compact(tally(row).taken),
                 lambda row: "" if tally(row).taken else "dim")  # fmt: skip
    if shares:
        yield Column(f"share {place}", "%", 5, True, share, lambda _: "dim")
    yield Column(f"right {place}", "✓", 4, True,
                 lambda row: UNKNOWN if is_unverified(row) else compact(tally(row).c),
                 lambda row: "" if is_unverified(row) else "bold green" if tally(row).c else "dim")  # fmt: skip


def _style(row: TreeRow) -> str:
    only = only_run(row.branch)
    return "" if only is None else ONLY_STYLES[only % len(ONLY_STYLES)]


def _step(row: TreeRow, width: int) -> Text:
    """Indented; deep lines keep half of the width, and say how deep they are instead."""
    depth = row.depth
    lead = "  " * depth if 2 * depth <= width // 3 else f"{'  ' * (width // 6 - 2)}{depth:>3} "
    signs = {"branch": "▾ " if row.open else "▸ ", "more": "▸ ", "leaf": "· ", "end": "∎ ", "no_text": "? "}
    return cell(
        f"{lead}{signs[row.branch.kind]}{branch_words(row.branch)}",
        "dim" if row.branch.kind in ("more", "no_text") else _style(row).removeprefix("bold "),
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
        Column("index", "#", 6, True, lambda sample: str(sample.index)),
        Column("verdict", "verdict", 11, False, sample_verdict,
               lambda sample: VERDICT_STYLES.get(sample.verdict, "")),
        Column("tokens", "tokens", 7, True, lambda sample: compact(sample.tokens)),
        Column("characters", "chars", 7, True, lambda sample: compact(sample.characters)),
    ]  # fmt: skip
    rest = room_beside(fixed, width) - 5
    name = max(min(rest // 2, 40), 12)
    run = Column("run", "run", name, value=lambda sample: shorten_middle(run_label(sample.run), name))
    answer = Column("answer", "answer", max(rest - name, 8), value=_answer)
    return [run, *fixed[:2], answer, *fixed[2:]]


def _answer(sample: BranchSample) -> str:
    return UNKNOWN if sample.answer is None else sample.answer
