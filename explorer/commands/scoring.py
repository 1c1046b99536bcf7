"""passk score and perplexity."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from backend.records.reading import CHOICES
from backend.wording import with_noun
from explorer.commands.command import Command
from explorer.commands.inputs import benchmark_of, problems_of, reading, runs_named
from explorer.commands.output import print_table, say
from explorer.commands.sampling import begin
from explorer.options import (
    BENCHMARK,
    ENGINE,
    ENGINE_OPTION,
    FORMAT,
    MODEL,
    PROBLEMS,
    RUNS,
    SAMPLES,
    STORE,
    STORE_TO_WRITE,
    TEMPLATE,
    TOKENS,
    WHERE,
    Number,
    Option,
    file_path,
)  # fmt: skip

if TYPE_CHECKING:
    from backend import LogprobRequest, Reader


def run_score(arguments: argparse.Namespace) -> int:
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
    texts, problems = with_noun(plan.samples, "text"), with_noun(len(plan.problems), "problem")
    say(f"Job {job.name}: {texts} of {problems}, {plan.title}, in {precision}{done}")
    if plan.dtype not in ("float32", "float64"):
        say("Only float32 gives log-probabilities that engines agree on: in bfloat16 a token is off by up to 0.12.")
    return begin(job, arguments, "texts")


def _planned(reader: Reader, arguments: argparse.Namespace) -> LogprobRequest:
    from backend import TextChoice, engine_option, plan_logprobs, read_configuration, read_references, template_for
    from backend.errors import UsageError

    runs = tuple(runs_named(reader, arguments.run, arguments.benchmark))
    if not runs and arguments.references is None:
        raise UsageError("Which texts are to be scored?", next_step="Those of a run: --run R. And --references.")
    if len({run.benchmark for run in runs}) > 1:
        raise UsageError("The runs are of different benchmarks", next_step="Score each benchmark by itself.")
    benchmark = runs[0].benchmark if runs else benchmark_of(reader, arguments.benchmark)
    meant = problems_of(reader, runs or reader.runs(benchmark), arguments.problems) if arguments.problems else None
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
            references=read_references(file_path(arguments.references))
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


def run_perplexity(arguments: argparse.Namespace) -> int:
    from backend import perplexities, perplexity_table

    with reading(arguments.store) as reader:
        chosen = runs_named(reader, arguments.run, arguments.benchmark)
        benchmark = chosen[0].benchmark if chosen else benchmark_of(reader, arguments.benchmark)
        runs = chosen or list(reader.runs(benchmark))
        meant = problems_of(reader, runs, arguments.problems)
        choice = arguments.verdict.replace("-", " ")
        found = perplexities(reader, benchmark, runs, problems=meant.problems, choice=choice)
    print_table(arguments.format, perplexity_table(found))
    return 0


COMMANDS = {
    "score": Command(
        run_score,
        (
            STORE_TO_WRITE,
            RUNS.but(help="a run with texts; repeatable"),
            Option("--under", "a model of the store, or a model folder", "MODEL", required=True),
            MODEL.but(help="where that model lies, or what the engine calls it"),
            BENCHMARK,
            PROBLEMS,
            replace(SAMPLES, needs="--run"),
            Option(
                "--references",
                "reference responses too: the benchmark's own, or those of a file of lines with problem and text",
                "FILE",
                nargs="?",
            ),
            TOKENS,
            Option(
                "--alternatives",
                "likeliest tokens kept at each place (default: 4)",
                "N",
                Number(int, 0, 20),
                needs="--tokens",
            ),
            TEMPLATE.but(help="prompt template of a run that does not say which it had"),
            ENGINE,
            Option("--dtype", "precision (default: float32); of a server: what it runs in", "D"),
            ENGINE_OPTION,
            *WHERE,
        ),
    ),
    "perplexity": Command(
        run_perplexity,
        (
            STORE,
            RUNS,
            BENCHMARK,
            PROBLEMS,
            Option(
                "--verdict",
                "only such samples",
                choices=tuple(choice.replace(" ", "-") for choice in CHOICES),
                default="all",
            ),
            FORMAT,
        ),
    ),
}
