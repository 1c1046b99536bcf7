"""passk sample."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.wording import with_noun
from explorer.commands.options import add_store, positive, reading
from explorer.commands.output import say
from explorer.commands.starting import add_where, begin

if TYPE_CHECKING:
    from backend import Configuration, EngineChoice, Reader, SamplingPlan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk sample`; sampling parameters carry vLLM's names."""
    add_store(parser, writing=True)
    what = parser.add_argument_group("what: --run R --add N, or a new run: --model PATH --benchmark B --n N")
    what.add_argument("--run", metavar="R", help="the run to add to, or the new run's name (default: MODEL@BENCHMARK)")
    what.add_argument("--add", metavar="N", type=positive, help="so many more samples of each problem")
    what.add_argument("--model", metavar="PATH", help="model folder, or what the engine calls a model")
    what.add_argument("--benchmark", metavar="B", help="the benchmark whose problems are asked, or that has the run")
    what.add_argument(
        "--n", metavar="N", type=positive, help="samples wanted of each problem; what is there is not drawn"
    )
    what.add_argument(
        "--problems",
        metavar="SELECTOR",
        help='ids 17,23; level=5; "words" in quotes; RUN.c=0; with --run also c=0, set:base_only (default: all)',
    )
    what.add_argument("--against", metavar="R", help="the other run of the pair, for set:")
    what.add_argument("--pool", action="store_true", help="add to an imported run although its prompt is not known")
    model = parser.add_argument_group("the model of a new run")
    model.add_argument("--name", metavar="M", help="name of the model (default: its folder's name)")
    model.add_argument("--role", metavar="R", help="base, rl, sft, instruct or distill")
    model.add_argument("--from-model", metavar="B", help="the model that it was trained from")
    model.add_argument("--step", metavar="N", type=int, help="training step")
    how = parser.add_argument_group("how")
    how.add_argument(
        "--temperature", metavar="T", type=float, help="default: the run's own, else 0.6; another value makes a new run"
    )
    how.add_argument("--top-p", metavar="P", type=float, help="default: the run's own, else 0.95")
    how.add_argument("--max-tokens", metavar="N", type=positive, help="default: the run's own, else 16384")
    how.add_argument("--template", metavar="T", help="prompt template by name or file (default: the benchmark's runs')")
    how.add_argument("--verifier", metavar="V", help="default: the benchmark's, else the one that fits")
    how.add_argument("--engine", metavar="E", help="transformers, vllm, server, or a name of config.toml")
    how.add_argument("--option", metavar="A=B", action="append", default=[], help="an option of the engine; repeatable")
    add_where(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make a job and start it."""
    from backend import claimants, planning, prepare

    with reading(arguments.store) as reader, planning(reader.database.layout):
        layout = reader.database.layout
        reader.database.refresh()
        plan, engine = _planned(reader, arguments)
        if not plan.samples:
            say(f"{plan.target.run} has all these samples already, or jobs will draw them: nothing to draw.")
            for job, _ in claimants(layout, plan.target.run):
                say(f"Job {job.name} is {job.status().state}; passk jobs resume and passk jobs cancel take it.")
            return 0
        job = prepare(layout, plan, engine)
    samples, problems = with_noun(plan.samples, "sample"), with_noun(len(plan.problems), "problem")
    say(f"Job {job.name}: {samples} of {problems} into {plan.target.run}")
    if plan.target.parameters["temperature"] == 0 and any(max(problem.indices) for problem in plan.problems):
        say("At temperature 0 all samples of a problem are the same text: one says as much (--n 1).")
    return begin(job, arguments)


def _planned(reader: Reader, arguments: argparse.Namespace) -> tuple[SamplingPlan, EngineChoice]:
    """What the options ask for."""
    from backend import engine_option, read_configuration
    from backend.errors import UsageError

    configuration = read_configuration()
    given = {name: getattr(arguments, name) for name in ("temperature", "top_p", "max_tokens")}
    parameters = {name: value for name, value in given.items() if value is not None}
    if arguments.add is not None and arguments.run is not None:
        plan, engine = _more_of_a_run(reader, arguments, parameters, configuration)
    elif arguments.model and arguments.benchmark and arguments.n:
        plan, engine = _new_run(reader, arguments, parameters, configuration)
    else:
        raise UsageError(
            "What is to be drawn?",
            next_step="More of a run: --run R --add N. A new run: --model PATH --benchmark B --n N.",
        )
    options = dict(engine_option(entry) for entry in arguments.option)
    plan = replace(plan, verifier=arguments.verifier or plan.verifier)
    return plan, replace(engine, options={**engine.options, **options})


def _more_of_a_run(
    reader: Reader, arguments: argparse.Namespace, parameters: dict[str, Any], configuration: Configuration
) -> tuple[SamplingPlan, EngineChoice]:
    from backend import ParameterChanges, plan_extension, select

    run = reader.run(arguments.run, reader.benchmark(arguments.benchmark) if arguments.benchmark else None)
    against = None if arguments.against is None else reader.run(arguments.against, run.benchmark)
    template = _template(arguments, arguments.model or run.model.name)
    addition = plan_extension(
        reader,
        run,
        select(reader, run, arguments.problems or "all", against),
        arguments.add,
        configuration=configuration,
        engine=arguments.engine,
        model=arguments.model,
        pool=arguments.pool,
        changes=ParameterChanges(parameters, template, arguments.template or ""),
    )
    if addition.because:
        say(f"{addition.because} So the new samples form the run {addition.plan.target.run}.")
        if addition.can_pool:
            say("Only you can know that prompt and parameters are the same: --pool adds them to the imported run.")
    return addition.plan, addition.engine


def _new_run(
    reader: Reader, arguments: argparse.Namespace, parameters: dict[str, Any], configuration: Configuration
) -> tuple[SamplingPlan, EngineChoice]:
    from backend import RunOptions, plan_new_run, select_unsampled

    folder = Path(arguments.model)
    path = str(folder.resolve()) if folder.is_dir() else arguments.model
    benchmark = reader.benchmark(arguments.benchmark)
    return plan_new_run(
        reader,
        benchmark=benchmark,
        n=arguments.n,
        model=path,
        run_options=RunOptions(
            run=arguments.run,
            model=arguments.name or folder.name,
            role=arguments.role,
            from_model=arguments.from_model,
            step=arguments.step,
        ),
        parameters=parameters,
        configuration=configuration,
        engine=arguments.engine,
        template=_template(arguments, path),
        problems=select_unsampled(reader, benchmark, arguments.problems) if arguments.problems else None,
    )


def _template(arguments: argparse.Namespace, model: str) -> str | None:
    """The template that the user named; None to take that of the run or benchmark."""
    from backend import template_for

    return None if arguments.template is None else template_for(arguments.template, model)
