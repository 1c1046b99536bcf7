"""passk paths, search, tree and compare: reading samples."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from backend.records import VERDICTS
from backend.records.reading import TREE_CUTS, TREE_ORDERS
from explorer.commands.command import Command
from explorer.commands.inputs import benchmark_named, benchmark_of, reading, run_of, runs_named
from explorer.commands.output import print_json, print_json_line, print_lines, say
from explorer.options import (
    BENCHMARK,
    INDEX,
    LIMIT,
    POSITIVE,
    PROBLEM,
    PROBLEMS,
    RUN,
    RUNS,
    SAMPLE,
    STORE,
    TEXT_OR_JSON,
    Option,
)  # fmt: skip

if TYPE_CHECKING:
    from backend import Reader, TreeView
    from backend.records import Response, Run
    from backend.records.reading import Branch, PathComparison
    from backend.records.samples import Findings


def run_paths(arguments: argparse.Namespace) -> int:
    with reading(arguments.store) as reader:
        run = run_of(reader, arguments)
        key = reader.problem_key(run.benchmark, arguments.problem)
        printed = 0
        for path in reader.paths(run, key, verdict=arguments.verdict, limit=arguments.limit):
            sample = path.sample
            print_json_line(
                {
                    "run": run.name,
                    "benchmark": run.benchmark,
                    "problem": path.problem_label,
                    "index": sample.index,
                    "verdict": sample.verdict,
                    **({"overridden": True} if sample.overridden else {}),
                    "detail": sample.detail,
                    "answer": sample.answer,
                    "tokens": sample.tokens,
                    "finish_reason": sample.finish_reason,
                    "seed": sample.seed,
                    "logprob_sum": sample.logprob_sum,
                    "format": sample.format,
                    "source": sample.source,
                    "source_row": sample.source_row,
                    "text": path.text,
                }
            )
            printed += 1
        if not printed:
            verdict = f" with the verdict {arguments.verdict}" if arguments.verdict else ""
            published = "" if run.texts else " (published counts: no samples are stored)"
            say(f"{run.name} has no sample of problem {arguments.problem}{verdict}{published}.")
        elif printed == arguments.limit:
            page = reader.samples(run.key, key, verdict=arguments.verdict, limit=1)
            if page.total > printed:
                say(f"{printed} of {page.total} samples; --limit cut the rest.")
    return 0


def run_search(arguments: argparse.Namespace) -> int:
    """Print the paths that match, one JSON object a line, as they are found; the counts on stderr.

    Returns:
        0 when something was found, 1 when nothing was, as grep does.
    """
    from backend import hits_table, pattern, regex_pattern, search, selected_problems, text_in_any_case

    if arguments.regex:
        wanted = regex_pattern(arguments.pattern, ignore_case=arguments.ignore_case)
    elif arguments.ignore_case:
        wanted = text_in_any_case(arguments.pattern)
    else:
        wanted = pattern(arguments.pattern)
    printed = 0
    with reading(arguments.store) as reader:
        runs = _search_runs(arguments, reader)
        problem = reader.problem_key(runs[0].benchmark, arguments.problem) if arguments.problem else None
        problems = selected_problems(reader, runs, arguments.problems) if arguments.problems else None
        for findings in search(reader, runs, wanted, problem=problem, problems=problems):
            left = len(findings.hits) if arguments.limit is None else arguments.limit - printed
            print_lines(hits_table(findings.hits[:left]))
            if len(findings.hits) > left:
                say(f"{arguments.limit} paths; --limit cut the rest.")
                return 0
            printed += len(findings.hits)
    _search_say_counts(findings)
    return 0 if printed else 1


def _search_runs(arguments: argparse.Namespace, reader: Reader) -> list[Run]:
    if arguments.run:
        return runs_named(reader, arguments.run, arguments.benchmark)
    benchmark = (benchmark_of if arguments.problem else benchmark_named)(reader, arguments.benchmark)
    return [run for run in reader.runs(benchmark) if run.texts]


def _search_say_counts(findings: Findings) -> None:
    for run in findings.runs:
        of = f" of {run.searched:,}" if run.searched else ""
        problems = "1 problem" if len(run.problems) == 1 else f"{len(run.problems):,} problems"
        say(f"{run.run}: {run.samples:,}{of} paths, in {problems}")


LONGEST_STEP = 100
"""Characters of a step in the text form."""


def run_tree(arguments: argparse.Namespace) -> int:
    from backend import TreeView, search_tree

    with reading(arguments.store) as reader:
        runs = runs_named(reader, arguments.run, arguments.benchmark)
        key = reader.problem_key(runs[0].benchmark, arguments.problem)
        tree = search_tree(reader, key, runs, arguments.by)
    view = TreeView(tree, order=arguments.sort, most=arguments.most).opened_to(arguments.depth)
    if arguments.format == "json":
        whole = {"problem": arguments.problem, "benchmark": runs[0].benchmark, "by": tree.by}
        print_json(whole | tree_as_json(view))
    else:
        _tree_print(view)
    return 0


def tree_as_json(view: TreeView) -> dict[str, Any]:
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


def _tree_print(view: TreeView) -> None:
    """A line a branch: its sign, every run's samples and right ones, the step."""
    from backend.visible_text import visible_line
    from backend.wording import short_names
    from explorer.render.branches import ONLY_FIRST, ONLY_SECOND, branch_words, sign_of

    words = short_names(view.tree.runs)
    for word, run, tally in zip(words, view.tree.runs, view.tree.root.tallies, strict=True):
        say(f"{word}: {run.name}, n = {tally.n}, c = {tally.c}")
    if len(words) == 2:
        say(f"{ONLY_FIRST} only {words[0]}   {ONLY_SECOND} only {words[1]}   (samples, correct ones)")
    for row in view.rows():
        numbers = "  ".join(f"{tally.taken:>5} {tally.c:>5}" for tally in row.branch.tallies)
        step = visible_line(branch_words(row.branch), LONGEST_STEP)
        print(f"{sign_of(row.branch) or ' '} {numbers}   {'  ' * row.depth}{step}")


def run_compare(arguments: argparse.Namespace) -> int:
    """Print two paths as one text, with what only one of them has in [- -] and {+ +}."""
    from backend import compare_paths, neighbours
    from backend.errors import UsageError

    with reading(arguments.store) as reader:
        run = run_of(reader, arguments)
        other = run if arguments.with_run is None else reader.run(arguments.with_run, run.benchmark)
        key = reader.problem_key(run.benchmark, arguments.problem)
        path = reader.path(run, key, arguments.sample)
        if arguments.with_sample is None:
            near = neighbours(reader, path, [other])
            if not near:
                raise UsageError(f"{other.name} has no other path of problem {arguments.problem} to compare with")
            arguments.with_sample = near[0].index
        comparison = compare_paths(path, reader.path(other, key, arguments.with_sample))
    if arguments.format == "json":
        print_json(compare_as_json(comparison))
    else:
        _compare_print(comparison)
    return 0


def compare_as_json(comparison: PathComparison) -> dict[str, Any]:
    """Both paths, and the stretches in which they are the same or differ, as positions in their texts."""

    def side(path: Response) -> dict[str, Any]:
        sample = path.sample
        named = {"run": path.run.name, "problem": path.problem_label, "index": sample.index}
        return named | {"verdict": sample.verdict, "answer": sample.answer, "text": path.text}

    stretches = [
        {"same": part.same, "searched": part.searched, "left": part.left, "right": part.right}
        for part in comparison.stretches
    ]
    return {"left": side(comparison.left), "right": side(comparison.right), "stretches": stretches}


def _compare_print(comparison: PathComparison) -> None:
    from backend.visible_text import visible

    for sign, path in (("-", comparison.left), ("+", comparison.right)):
        say(f"{sign} {path.run.name} sample {path.sample.index}: {path.sample.verdict}")
    shown = ""
    for part in comparison.stretches:
        left = (comparison.left.text or "")[slice(*part.left)]
        right = (comparison.right.text or "")[slice(*part.right)]
        if part.same:
            shown += left
            continue
        # White space behind the last word stays outside, so that lines end where they did.
        words, others = left.rstrip(), right.rstrip()
        shown += f"[-{words}-]" if words else ""
        shown += f"{{+{others}+}}" if others else ""
        shown += right[len(others) :] or left[len(words) :]
    print(visible(shown))


VERDICT = Option("--verdict", "only samples with this verdict", choices=VERDICTS)

COMMANDS = {
    "paths": Command(run_paths, (STORE, RUN, PROBLEM, BENCHMARK, VERDICT, LIMIT)),
    "search": Command(
        run_search,
        (
            Option("pattern", "a text; /a regular expression/ or /one in any case/i (RE2)", "PATTERN"),
            STORE,
            Option("--regex", "PATTERN is a regular expression without the slashes"),
            Option("--ignore-case", "in any case; PATTERN is text, or with --regex an expression"),
            RUNS,
            BENCHMARK.but(help="only runs of this benchmark"),
            PROBLEM.but(help="only this problem, by its id", required=False),
            PROBLEMS,
            LIMIT.but(help="stop after N paths"),
        ),
    ),
    "tree": Command(
        run_tree,
        (
            STORE,
            PROBLEM,
            RUN.but(help="the runs; for a pair, base first", nargs="+", repeated=True),
            BENCHMARK,
            Option("--by", "default: step; word where hardly two first steps are alike", choices=TREE_CUTS),
            Option("--depth", "levels", "D", POSITIVE, default=2),
            Option("--most", "rarer branches of a place are one line", "N", POSITIVE, default=12),
            Option("--sort", "order of branches", choices=TREE_ORDERS, default=TREE_ORDERS[0]),
            TEXT_OR_JSON,
        ),
    ),
    "compare": Command(
        run_compare,
        (
            STORE,
            PROBLEM,
            RUN.but(help="the run of the first path"),
            SAMPLE.but(help="its index", required=True),
            Option("--with-run", "the run of the other path (default: the same)", "R"),
            Option("--with-sample", "its index (default: the nearest one)", "I", INDEX),
            BENCHMARK,
            TEXT_OR_JSON,
        ),
    ),
}
