"""passk compare."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from explorer.commands.options import add_store, reading
from explorer.commands.output import print_json, say

if TYPE_CHECKING:
    from backend.records import Response
    from backend.records.reading import PathComparison


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk compare`."""
    add_store(parser)
    parser.add_argument("--problem", metavar="P", required=True, help="the problem's id")
    parser.add_argument("--run", metavar="R", required=True, help="the run of the first path")
    parser.add_argument("--sample", metavar="I", type=int, required=True, help="its index")
    parser.add_argument("--with-run", metavar="R", help="the run of the other path (default: the same)")
    parser.add_argument("--with-sample", metavar="I", type=int, help="its index (default: the nearest one)")
    parser.add_argument("--benchmark", metavar="B", help="look for the runs in this benchmark")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(arguments: argparse.Namespace) -> int:
    """Print two paths as one text, with what only one of them has in [- -] and {+ +}."""
    from backend import compare_paths, neighbours
    from backend.errors import UsageError

    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        run = reader.run(arguments.run, benchmark)
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
        print_json(as_json(comparison))
    else:
        _print(comparison)
    return 0


def as_json(comparison: PathComparison) -> dict[str, Any]:
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


def _print(comparison: PathComparison) -> None:
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
