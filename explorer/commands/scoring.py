"""passk score and perplexity."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.options import add_engine, add_format, add_problems, add_store, positive, problems_of, reading
from explorer.commands.output import print_table, say
from explorer.commands.sampling import add_where, begin

if TYPE_CHECKING:
    from backend import LogprobRequest, Reader


def add_score(parser: argparse.ArgumentParser) -> None:
    """Options of `passk score`."""
    add_store(parser, writing=True)
    parser.add_argument("--run", metavar="R", action="append", default=[], help="a run with texts; repeatable")
    parser.add_argument("--under", metavar="MODEL", required=True, help="a model of the store, or a model folder")
    parser.add_argument("--model", metavar="PATH", help="where that model lies, or what the engine calls it")
    parser.add_argument("--benchmark", metavar="B", help="look for the runs, or for the references, in this benchmark")
    add_problems(parser)
    parser.add_argument("--samples", metavar="N", type=positive, help="only the first N samples of each problem")
    parser.add_argument(
        "--references", metavar="FILE", nargs="?", const="", default=None,
        help="reference responses too: the benchmark's own, or those of a file of lines with problem and text",
    )  # fmt: skip
    parser.add_argument("--tokens", action="store_true", help="keep the score of every token, for the reader's t")
    parser.add_argument(
        "--alternatives", metavar="N", type=int, choices=range(0, 21), default=None,
        help="likeliest tokens kept at each place with --tokens (default 4)",
    )  # fmt: skip
    parser.add_argument("--template", metavar="T", help="prompt template of a run that does not say which it had")
    add_engine(parser)
    parser.add_argument("--dtype", metavar="D", help="precision (default: float32); of a server: what it runs in")
    parser.add_argument("--option", metavar="A=B", action="append", default=[], help="an option of the engine")
    add_where(parser)


def run_score(arguments: argparse.Namespace) -> int:
    """Make a job and start it."""
    from backend import prepare_logprobs

    with reading(arguments.store) as reader:
        layout = reader.database.layout
        request = _planned(reader, arguments)
    for remark in request.remarks:
        say(remark)
    plan = request.plan
    job = prepare_logprobs(layout, request) if plan.samples else None
    if job is None:
        say(f"All {request.scored_already:,} texts are scored under {plan.scorer} already, or a job is at them.")
        return 0
    precision = plan.dtype or "the server's precision, which it does not tell"
    done = f" ({request.scored_already:,} are scored already)" if request.scored_already else ""
    problems = f"{len(plan.problems):,} {'problem' if len(plan.problems) == 1 else 'problems'}"
    say(f"Job {job.name}: {plan.samples:,} texts of {problems}, {plan.title}, in {precision}{done}")
    if plan.dtype not in ("float32", "float64"):
        say("Only float32 gives log-probabilities that engines agree on: in bfloat16 a token is off by up to 0.12.")
    return begin(job, arguments, "texts")


def _planned(reader: Reader, arguments: argparse.Namespace) -> LogprobRequest:
    """What the options ask for."""
    from backend import TextChoice, engine_option, plan_logprobs, read_configuration, read_references, template_for
    from backend.errors import UsageError

    benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
    runs = tuple(reader.run(name, benchmark) for name in arguments.run)
    if not runs and arguments.references is None:
        raise UsageError("Which texts are to be scored?", next_step="Those of a run: --run R. And --references.")
    if len({run.benchmark for run in runs}) > 1:
        raise UsageError("The runs are of different benchmarks", next_step="Score each benchmark by itself.")
    benchmark = runs[0].benchmark if runs else reader.benchmark(arguments.benchmark)
    meant = problems_of(reader, runs or reader.runs(benchmark), arguments.problems) if arguments.problems else None
    if arguments.alternatives is not None and not arguments.tokens:
        raise UsageError("--alternatives are kept with --tokens only")
    options = dict(engine_option(entry) for entry in arguments.option)
    if arguments.dtype is not None:
        options["dtype"] = arguments.dtype
    template = arguments.template
    return plan_logprobs(
        reader,
        arguments.under,
        TextChoice(
            runs,
            benchmark,
            problems=None if meant is None else meant.problems,
            samples=arguments.samples,
            references=read_references(Path(arguments.references))
            if arguments.references
            else arguments.references is not None,
            template=None if template is None else template_for(template, arguments.model or arguments.under),
        ),
        configuration=read_configuration(),
        engine=arguments.engine,
        options=options,
        model=arguments.model,
        by_token=arguments.tokens,
        **({} if arguments.alternatives is None else {"alternatives": arguments.alternatives}),
    )


def add_perplexity(parser: argparse.ArgumentParser) -> None:
    """Options of `passk perplexity`."""
    from backend.records.reading import CHOICES

    add_store(parser)
    parser.add_argument("--run", metavar="R", action="append", default=[], help="a run; repeatable (default: all)")
    parser.add_argument("--benchmark", metavar="B", help="look for the runs in this benchmark")
    add_problems(parser)
    choices = [choice.replace(" ", "-") for choice in CHOICES]
    parser.add_argument("--verdict", choices=choices, default="all", help="only such samples (default: all)")
    add_format(parser)


def run_perplexity(arguments: argparse.Namespace) -> int:
    """Print the perplexity of every group of responses under every model that scored it."""
    from backend import perplexities, perplexity_table

    with reading(arguments.store) as reader:
        named = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        chosen = [reader.run(name, named) for name in arguments.run]
        benchmark = chosen[0].benchmark if chosen else reader.benchmark(arguments.benchmark)
        runs = chosen or list(reader.runs(benchmark))
        meant = problems_of(reader, runs, arguments.problems)
        choice = arguments.verdict.replace("-", " ")
        found = perplexities(reader, benchmark, runs, problems=meant.problems, choice=choice)
    print_table(arguments.format, perplexity_table(found))
    return 0
