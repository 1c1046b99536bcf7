"""passk sample, plan, jobs and work: more samples, and the jobs that draw them."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import POLICIES
from backend.visible_text import visible
from backend.wording import with_noun
from explorer.commands.command import Command, Mode
from explorer.commands.inputs import benchmark_named, benchmark_of, pair_of, problems_of, reading
from explorer.commands.output import print_exactly, print_json, print_rows, print_table, say
from explorer.options import (
    ADD,
    BENCHMARK,
    COUNT,
    ENGINE,
    ENGINE_OPTION,
    FORMAT,
    FROM_MODEL,
    MODEL,
    PAIR,
    POOL,
    POSITIVE,
    PROBLEMS,
    ROLE,
    RUN,
    SAMPLING_PARAMETERS,
    STEP,
    STORE,
    STORE_TO_WRITE,
    TEMPLATE,
    VERIFIER,
    WHERE,
    Option,
    file_path,
)  # fmt: skip
from explorer.render.names import progress_bar

if TYPE_CHECKING:
    from subprocess import Popen

    from backend import Configuration, EngineChoice, Job, Reader, SamplingPlan
    from backend.records import SolveSets
    from backend.records.comparison import SamplePlan


def run_sample(arguments: argparse.Namespace) -> int:
    from backend import claiming_jobs, fitting_verifier, planning_lock, prepare

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
    if plan.verifier is None:
        say("Nothing tells how to verify these samples (no reference answers): they stay unverified.")
    else:
        fitting = None if arguments.verifier else fitting_verifier(plan.known)
        because = f", because {fitting.because}; --verifier names another" if fitting else ""
        say(f"Verified by {plan.verifier}{because if fitting and fitting.name == plan.verifier else ''}")
    if plan.target.parameters["temperature"] == 0 and any(max(problem.indices) for problem in plan.problems):
        say("At temperature 0 all samples of a problem are the same text: one says as much (--n 1).")
    return begin(job, arguments)


def _planned(reader: Reader, arguments: argparse.Namespace) -> tuple[SamplingPlan, EngineChoice]:
    from backend import engine_option, read_configuration
    from backend.errors import UsageError

    configuration = read_configuration()
    given = {option.name: getattr(arguments, option.name) for option in SAMPLING_PARAMETERS}
    parameters = {name: value for name, value in given.items() if value is not None}
    if arguments.add is not None and arguments.run is not None:
        plan, engine = _more_of_a_run(reader, arguments, parameters, configuration)
    elif arguments.model and arguments.n:
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

    run = reader.run(arguments.run, benchmark_named(reader, arguments.benchmark))
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

    benchmark = benchmark_of(reader, arguments.benchmark)
    return plan_new_run(
        reader,
        benchmark=benchmark,
        n=arguments.n,
        model=arguments.model,
        run_options=RunOptions(
            run=arguments.run,
            model=arguments.name or Path(arguments.model).name,
            role=arguments.role,
            from_model=arguments.from_model,
            step=arguments.step,
        ),
        parameters=parameters,
        configuration=configuration,
        engine=arguments.engine,
        template=_template(arguments, arguments.model),
        problems=select_unsampled(reader, benchmark, arguments.problems) if arguments.problems else None,
    )


def _template(arguments: argparse.Namespace, model: str) -> str | None:
    """The template that the user named; None to take that of the run or benchmark."""
    from backend import template_for

    return None if arguments.template is None else template_for(arguments.template, model)


def run_plan(arguments: argparse.Namespace) -> int:
    from backend import plan_samples, plan_table, solve_sets

    with reading(arguments.store) as reader:
        pair = pair_of(reader, arguments)
        meant = problems_of(reader, pair, arguments.problems)
        sets = solve_sets(reader, pair, problems=meant.problems)
        plan = plan_samples(reader, sets, arguments.budget, arguments.policy)
        for line in _plan_in_words(sets, plan):
            say(line)
        if arguments.start:
            start_plan(reader, arguments.engine, sets, plan)
    print_table(arguments.format, plan_table(plan))
    return 0


def start_plan(reader: Reader, engine: str | None, sets: SolveSets, plan: SamplePlan) -> None:
    """Start the jobs of a plan, and say of a run that cannot be sampled why."""
    from backend import ResamplingRequest, plan_resampling, read_configuration, requests_of_plan, start_by_uncertainty

    names = tuple(run.name for run in sets.runs)
    request = ResamplingRequest(names, names, (), plan.budget, engine or read_configuration().engine)
    parts = requests_of_plan(plan, request)
    for refusal in [reason for part in parts for reason in plan_resampling(reader, part).refusals]:
        say(refusal)
    for job in start_by_uncertainty(reader.database.layout, parts):
        say(f"Job {job.name} runs on its own; passk jobs shows it.")


def _plan_in_words(sets: SolveSets, plan: SamplePlan) -> list[str]:
    """What the plan spends and expects, and whether the stopping rule is met."""
    from explorer.render.plans import plan_in_words, tokens_in_words

    compared = f"{sets.benchmark}, {len(sets.problems)} problems compared; {tokens_in_words(plan)}"
    return [compared, *plan_in_words(plan)]


def begin(job: Job, arguments: argparse.Namespace, what: str = "samples") -> int:
    """Leave a job prepared, start it, or start it and wait, as the options say; the exit status."""
    if arguments.prepare:
        print_exactly(str(job.folder))
        say(f"Prepared. On a machine with the engine: passk work {job.folder}")
        return 0
    # What no plan may hold, such as the host that a key is for, goes to the worker by its command line.
    worker = job.start(arguments.option)
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
        line = f"{progress_bar(status.samples, status.wanted)} {status.samples:,} of {status.wanted:,} {what}"
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
        say(status.error or "\n".join(job.log_text().splitlines()[-5:]))
        return 1
    if set(status.verdicts) == {"unverified"}:
        say(
            "Unverified samples count into neither n nor c. For verdicts give the benchmark reference answers "
            "(passk benchmark add --answer COLUMN)."
        )
    return 0


SPEED = ("samples_per_second", "tokens_per_second", "seconds_left")
JOBS_COLUMNS = ("job", "state", "run", "engine", "problems", "samples", "wanted", *SPEED)
TOO_LATE = {"cancel": ("finished", "cancelled"), "resume": ("running", "finished")}
"""States in which there is nothing to do."""


def list_jobs(arguments: argparse.Namespace) -> int:
    from backend import describe, jobs_of, store_for_reading

    layout = store_for_reading(arguments.store)
    jobs = jobs_of(layout)
    rows = []
    if jobs:
        with reading(arguments.store) as reader:
            rows = [describe(job, reader.database.decided) for job in jobs]
    if not rows:
        say("No jobs yet. passk sample makes one.")
    print_rows(arguments.format, JOBS_COLUMNS, rows)
    for row in rows:
        if row["state"] == "damaged":
            say(row["error"])
    return 0


def act_on_job(action: str, arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from backend import describe, find_job, resampling_outcome, store_for_reading
    from backend.errors import UsageError

    job = find_job(store_for_reading(arguments.store), arguments.job)
    if action in TOO_LATE and (state := job.status().state) in TOO_LATE[action]:
        raise UsageError(f"The job {job.name} is {state}")
    if action == "show":
        with reading(arguments.store) as reader:
            print_json({**describe(job, reader.database.decided), **asdict(resampling_outcome(reader, job))})
    elif action == "log":
        print(visible(job.log_text()), end="")
    elif action == "cancel":
        job.cancel()
        say(f"{job.name}: asked to stop; what has been drawn stays. passk jobs resume {job.name} goes on.")
    else:
        job.start(arguments.option, confirmed_by_user(job, trust=arguments.trust))
        say(f"{job.name}: started again")
    return 0


def confirmed_by_user(job: Job, *, trust: bool) -> str:
    """The hash of the plan that the user has confirmed, by --trust or now; empty where it is their own.

    Raises:
        NotConfirmed: they said no, or there is no terminal to ask on.
    """
    from backend import NotConfirmed, job_in_confirmation

    if (found := job_in_confirmation(job)) is None:
        return ""
    owner, what, confirmed = found
    title = f"The job {job.name} was prepared by {owner}"
    if trust:
        say(f"{title}\n{what}")
        return confirmed
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise NotConfirmed(title, what, "If that is what you want to do here, in your name, say so with --trust.")
    say(f"{title}\n{what}")
    print("Do it here, in your name? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NotConfirmed("Nothing was done")
    return confirmed


def run_work(arguments: argparse.Namespace) -> int:
    """Do the job, or what is left of it; the exit status is 1 when it was cancelled."""
    from backend import Job, engine_option, work

    options = dict(engine_option(entry) for entry in arguments.option)
    # Not resolved: a link to a job is none.
    confirmed = arguments.confirmed or confirmed_by_user(Job(arguments.job), trust=arguments.trust)
    status = work(arguments.job, options, confirmed)
    rate = status.tokens / status.seconds if status.seconds else 0
    counts = f"{status.samples:,} of {status.wanted:,} samples, {status.tokens:,} tokens"
    say(f"{status.state}: {counts}, {rate:,.0f} tokens/s")
    return 0 if status.state == "finished" else 1


NEW = "--model PATH --n N"
MORE = "--run R --add N"
RUN_NAME = RUN.but(help="the run to add to, or the new run's name (default: MODEL@BENCHMARK)", required=False)
AGAINST = Option("--against", "the other run of the pair, for set:", "R", needs="--problems")
NAME = Option("--name", "name of the model (default: its folder's name)", "M")
CHOSEN = PROBLEMS.but(help='ids 17,23; level=5; "words" in quotes; RUN.c=0; with --run also c=0, set:base_only')

BUDGET = Option("--budget", "samples of this round, over both runs", "N", POSITIVE, required=True)
POLICY = Option(
    "--policy",
    "where most solve sets are expected to change for their tokens; evenly where no sample is correct; evenly over all "
    "problems",
    choices=POLICIES,
    default="doubt",
)
START = Option("--start", "draw them: a job for each run, in the background")

JOB = Option("job", "its name or a part of it; last for the newest", "JOB")
TRUST = Option("--trust", "do it although somebody else prepared it; passk jobs show says what it does")
CONFIRMED = Option("--confirmed", "do it only if its plan is still the one with this hash", "HASH", default="")
WORKING = (TRUST, ENGINE_OPTION, CONFIRMED)
JSON = FORMAT.but(choices=("json",), default="json")

COMMANDS = {
    "sample": Command(
        run_sample,
        (
            STORE_TO_WRITE, BENCHMARK, CHOSEN, *SAMPLING_PARAMETERS, TEMPLATE, VERIFIER, ENGINE, ENGINE_OPTION, *WHERE,
        ),
        modes=(
            Mode(MORE, (RUN_NAME, ADD), (MODEL, AGAINST, POOL)),
            Mode(NEW, (MODEL, COUNT), (RUN_NAME, NAME, ROLE, FROM_MODEL, STEP)),
        ),
    ),
    "plan": Command(
        run_plan,
        (STORE, *PAIR, BUDGET, POLICY, START, replace(ENGINE, needs="--start"), PROBLEMS, FORMAT),
    ),
    "jobs": Command(
        list_jobs,
        (STORE, FORMAT),
        actions={
            "show": Command(partial(act_on_job, "show"), (JOB, STORE, JSON), "all that is known about one, as json"),
            "log": Command(partial(act_on_job, "log"), (JOB, STORE), "what its worker printed"),
            "cancel": Command(partial(act_on_job, "cancel"), (JOB, STORE), "ask it to stop; what is drawn stays"),
            "resume": Command(
                partial(act_on_job, "resume"), (JOB, STORE, TRUST, ENGINE_OPTION), "start a worker for what is left"
            ),
        },
    ),
    "work": Command(run_work, (Option("job", "the job's folder: STORE/jobs/NAME", "JOB", file_path), *WORKING)),
}  # fmt: skip
