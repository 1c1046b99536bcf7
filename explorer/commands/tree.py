"""passk tree."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from explorer.commands.options import add_store, positive, reading
from explorer.commands.output import print_json, say

if TYPE_CHECKING:
    from backend import TreeView
    from backend.records.reading import Branch

LONGEST_STEP = 100
"""Characters of a step in the text form."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk tree`."""
    from backend.records.reading import TREE_CUTS, TREE_ORDERS

    add_store(parser)
    parser.add_argument("--problem", metavar="P", required=True, help="the problem's id")
    parser.add_argument(
        "--run", metavar="R", nargs="+", action="extend", required=True, help="the runs; for a pair, base first"
    )
    parser.add_argument("--benchmark", metavar="B", help="look for the runs in this benchmark")
    parser.add_argument("--by", choices=TREE_CUTS, help="default: step; word where hardly two first steps are alike")
    parser.add_argument("--depth", metavar="D", type=positive, default=2, help="levels (default: 2)")
    parser.add_argument(
        "--most", metavar="N", type=positive, default=12, help="rarer branches of a place are one line (default: 12)"
    )
    parser.add_argument("--sort", choices=TREE_ORDERS, default=TREE_ORDERS[0], help=f"default: {TREE_ORDERS[0]}")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(arguments: argparse.Namespace) -> int:
    """Print the search tree of one problem."""
    from backend import TreeView, search_tree

    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        runs = [reader.run(name, benchmark) for name in arguments.run]
        key = reader.problem_key(runs[0].benchmark, arguments.problem)
        tree = search_tree(reader, key, runs, arguments.by)
    view = TreeView(tree, order=arguments.sort, most=arguments.most).opened_to(arguments.depth)
    if arguments.format == "json":
        whole = {"problem": arguments.problem, "benchmark": runs[0].benchmark, "by": tree.by}
        print_json(whole | as_json(view))
    else:
        _print(view)
    return 0


def as_json(view: TreeView) -> dict[str, Any]:
    """The levels shown, each branch with its own; `samples` add up to those of the branch above."""
    names = [run.name for run in view.tree.runs]

    def numbers(branch: Branch) -> dict[str, Any]:
        pairs = zip(names, branch.tallies, strict=True)
        return {name: {"taken": tally.taken, "n": tally.n, "c": tally.c} for name, tally in pairs}

    whole: dict[str, Any] = {"samples": numbers(view.tree.root), "branches": []}
    open_levels: list[list[dict[str, Any]]] = [whole["branches"]]
    for row in view.rows():
        branch = row.branch
        entry: dict[str, Any] = {"kind": branch.kind, "text": branch.text, "characters": branch.characters}
        entry |= {"ways": branch.ways} if branch.kind == "more" else {}
        entry["samples"] = numbers(branch)
        del open_levels[row.depth + 1 :]
        open_levels[row.depth].append(entry)
        if row.open:
            open_levels.append(entry.setdefault("branches", []))
    return whole


def _print(view: TreeView) -> None:
    """A line a branch: its sign, every run's samples and right ones, the step."""
    from backend.visible_text import visible_line
    from backend.wording import short_names
    from explorer.render.branches import ONLY_FIRST, ONLY_SECOND, branch_words, sign_of

    words = short_names(view.tree.runs)
    for word, run, tally in zip(words, view.tree.runs, view.tree.root.tallies, strict=True):
        say(f"{word}: {run.name}, n = {tally.n}, c = {tally.c}")
    if len(words) == 2:
        say(f"{ONLY_FIRST} only {words[0]}   {ONLY_SECOND} only {words[1]}   (samples, right ones)")
    for row in view.rows():
        numbers = "  ".join(f"{tally.taken:>5} {tally.c:>5}" for tally in row.branch.tallies)
        step = visible_line(branch_words(row.branch), LONGEST_STEP)
        print(f"{sign_of(row.branch) or ' '} {numbers}   {'  ' * row.depth}{step}")
