"""passk sample, plan, jobs and work: more samples, and the jobs that draw them."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.wording import with_noun
from explorer.commands.options import add_engine, add_format, add_problems, add_store, positive, problems_of, reading
from explorer.commands.output import print_json, print_rows, print_table, say

if TYPE_CHECKING:
    from subprocess import Popen

    from backend import Configuration, EngineChoice, Job, Reader, SamplingPlan
    from backend.records import SolveSets
    from backend.records.comparison import SamplePlan


def add_sample(parser: argparse.ArgumentParser) -> None:
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
    add_engine(how)
    how.add_argument("--option", metavar="A=B", action="append", default=[], help="an option of the engine; repeatable")
    add_where(parser)


def run_sample(arguments: argparse.Namespace) -> int:
    """Make a job and start it."""
    from backend import claiming_jobs, planning_lock, prepare

    with reading(arguments.store) as reader, planning_lock(reader.database.layout):
        layout = reader.database.layout
        reader.database.refresh()
        plan, engine = _planned(reader, arguments)
        if not plan.samples:
            say(f"{plan.target.run} has all these samples already, or jobs will draw them: nothing to draw.")
            for job, _ in claiming_jobs(layout, plan.target.run):
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


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Options of `passk plan`."""
    from backend import POLICIES

    add_store(parser)
    parser.add_argument("--base", metavar="R", required=True, help="the base run")
    parser.add_argument("--rl", metavar="R", required=True, help="the RL run")
    parser.add_argument("--benchmark", metavar="B", help="look for the runs in this benchmark")
    parser.add_argument(
        "--budget", metavar="N", type=positive, required=True, help="samples of this round, over both runs"
    )
    parser.add_argument(
        "--policy",
        choices=POLICIES,
        default="doubt",
        help="where most memberships are expected to change for their tokens; alike where no sample is right; "
        "alike everywhere (default: doubt)",
    )
    parser.add_argument("--start", action="store_true", help="draw them: a job for each run, in the background")
    add_engine(parser, "with --start: ")
    add_problems(parser)
    add_format(parser)


def run_plan(arguments: argparse.Namespace) -> int:
    """Print where the next samples go, and what they are expected to find."""
    from backend import plan_samples, plan_table, solve_sets

    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        pair = [reader.run(name, benchmark) for name in (arguments.base, arguments.rl)]
        meant = problems_of(reader, pair, arguments.problems)
        sets = solve_sets(reader, pair, problems=meant.problems)
        plan = plan_samples(reader, sets, arguments.budget, arguments.policy)
        for line in plan_in_words(sets, plan):
            say(line)
        if arguments.start:
            start(reader, arguments.engine, sets, plan)
    print_table(arguments.format, plan_table(plan))
    return 0


def start(reader: Reader, engine: str | None, sets: SolveSets, plan: SamplePlan) -> None:
    """Start the jobs of a plan, and say of a run that cannot be sampled why."""
    from backend import ResamplingRequest, plan_resampling, read_configuration, requests_of_plan, start_by_uncertainty

    names = tuple(run.name for run in sets.runs)
    request = ResamplingRequest(names, names, (), plan.budget, engine or read_configuration().engine)
    parts = requests_of_plan(plan, request)
    for refusal in [reason for part in parts for reason in plan_resampling(reader, part).refusals]:
        say(refusal)
    for job in start_by_uncertainty(reader.database.layout, parts):
        say(f"Job {job.name} runs on its own; passk jobs shows it.")


def plan_in_words(sets: SolveSets, plan: SamplePlan) -> list[str]:
    """What the plan spends and expects, and whether the stopping rule is met."""
    from explorer.render.plans import plan_in_words, tokens_in_words

    compared = f"{sets.benchmark}, {len(sets.problems)} problems compared; {tokens_in_words(plan)}"
    return [compared, *plan_in_words(plan)]


def add_where(parser: argparse.ArgumentParser) -> None:
    """--prepare and --wait."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--prepare", action="store_true", help="write the job and stop; passk work JOB does it elsewhere"
    )
    where.add_argument("--wait", action="store_true", help="stay, show progress, fail if the job fails")


def begin(job: Job, arguments: argparse.Namespace, what: str = "samples") -> int:
    """Leave a job prepared, start it, or start it and wait, as the options say; the exit status."""
    if arguments.prepare:
        print(job.folder)
        say(f"Prepared. On a machine with the engine: passk work {job.folder}")
        return 0
    worker = job.start()
    if not arguments.wait:
        say(f"It runs on its own; passk jobs shows it, passk jobs log {job.name} what it says.")
        return 0
    return wait(job, worker, what)


def wait(job: Job, worker: Popen[bytes], what: str = "samples") -> int:
    """Show the job's progress until it ends; the exit status."""
    terminal = sys.stderr.isatty()
    said = 0.0
    while True:
        ended = worker.poll() is not None
        status = job.status()
        share = status.samples / max(status.wanted, 1)
        rate = status.tokens / status.seconds if status.seconds else 0.0
        line = f"{'█' * round(30 * share):░<30} {status.samples:,} of {status.wanted:,} {what}"
        if share and rate:
            line += f", {rate:,.0f} tokens/s, {status.seconds * (1 - share) / share:,.0f} s left"
        if terminal or ended or time.monotonic() - said > 10:
            said = time.monotonic()
            print(f"\r{line} ", end="" if terminal and not ended else "\n", file=sys.stderr, flush=True)
        if ended:
            break
        time.sleep(0.3)
    verdicts = ", ".join(f"{times:,} {verdict.replace('_', ' ')}" for verdict, times in sorted(status.verdicts.items()))
    say(f"{status.state}: {verdicts}" if verdicts else status.state)
    if status.state != "finished":
        say(status.error or "\n".join(job.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]))
        return 1
    if set(status.verdicts) == {"unverified"}:
        say(
            "Unverified samples count into neither n nor c. For verdicts give the benchmark reference answers "
            "(passk benchmark add --answer COLUMN)."
        )
    return 0


SPEED = ("samples_per_second", "tokens_per_second", "seconds_left")
JOBS_COLUMNS = ("job", "state", "run", "engine", "problems", "samples", "wanted", *SPEED)
ACTIONS = ("show", "log", "cancel", "resume")
TOO_LATE = {"cancel": ("finished", "cancelled"), "resume": ("running", "finished")}
"""States in which there is nothing to do."""


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Options of `passk jobs`."""
    parser.add_argument("action", nargs="?", choices=ACTIONS, help="what to do with one job; without, list all jobs")
    parser.add_argument("job", nargs="?", metavar="JOB", help="its name or a part of it; last for the newest")
    add_store(parser)
    add_format(parser)


def run_jobs(arguments: argparse.Namespace) -> int:
    """List jobs, or show, cancel or resume one."""
    from dataclasses import asdict

    from backend import describe, find_job, jobs_of, resampling_outcome, store_for_reading
    from backend.errors import UsageError

    layout = store_for_reading(arguments.store)
    if arguments.action is None:
        rows = [describe(job) for job in jobs_of(layout)]
        if not rows:
            say("No jobs yet. passk sample makes one.")
        print_rows(arguments.format, JOBS_COLUMNS, rows)
        for row in rows:
            if row["state"] == "damaged":
                say(row["error"])
        return 0
    if arguments.job is None:
        raise UsageError(f"passk jobs {arguments.action}: which job?", next_step="passk jobs lists them.")
    job = find_job(layout, arguments.job)
    if arguments.action in TOO_LATE and (state := job.status().state) in TOO_LATE[arguments.action]:
        raise UsageError(f"The job {job.name} is {state}")
    if arguments.action == "show":
        with reading(arguments.store) as reader:
            print_json({**describe(job), **asdict(resampling_outcome(reader, job))})
    elif arguments.action == "log":
        print(job.log.read_text(encoding="utf-8", errors="replace"), end="")
    elif arguments.action == "cancel":
        job.cancel()
        say(f"{job.name}: asked to stop; what has been drawn stays. passk jobs resume {job.name} goes on.")
    else:
        job.start()
        say(f"{job.name}: started again")
    return 0


def add_work(parser: argparse.ArgumentParser) -> None:
    """Options of `passk work`."""
    parser.add_argument("job", metavar="JOB", help="the job's folder: STORE/jobs/NAME")


def run_work(arguments: argparse.Namespace) -> int:
    """Do the job, or what is left of it; the exit status is 1 when it was cancelled."""
    from backend import work

    status = work(Path(arguments.job).resolve())
    rate = status.tokens / status.seconds if status.seconds else 0
    counts = f"{status.samples:,} of {status.wanted:,} samples, {status.tokens:,} tokens"
    say(f"{status.state}: {counts}, {rate:,.0f} tokens/s")
    return 0 if status.state == "finished" else 1
