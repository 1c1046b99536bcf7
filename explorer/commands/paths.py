"""passk paths."""

from __future__ import annotations

import argparse

from explorer.commands.options import add_store, positive, reading
from explorer.commands.output import print_json_line, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk paths`."""
    from backend.records import VERDICTS

    add_store(parser)
    parser.add_argument("--run", metavar="R", required=True, help="the run")
    parser.add_argument("--problem", metavar="P", required=True, help="the problem's id")
    parser.add_argument("--benchmark", metavar="B", help="look for the run in this benchmark")
    parser.add_argument("--verdict", choices=VERDICTS, help="only samples with this verdict")
    parser.add_argument("--limit", metavar="N", type=positive, help="at most N samples")


def run(arguments: argparse.Namespace) -> int:
    """Print the samples of one problem, one JSON object a line."""
    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        run = reader.run(arguments.run, benchmark)
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
