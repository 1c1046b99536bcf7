"""passk plan."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from explorer.commands.options import add_format, add_problems, add_store, positive, problems_of, reading
from explorer.commands.output import print_rows, say

if TYPE_CHECKING:
    from backend import Reader
    from backend.records import SolveSets
    from backend.records.comparison import SamplePlan

COLUMNS = ("run", "problem", "add", "expected_changes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
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
    parser.add_argument(
        "--engine", metavar="E", help="with --start: transformers, vllm, server, or a name of config.toml"
    )
    add_problems(parser)
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print where the next samples go, and what they are expected to find."""
    from backend import plan_samples, solve_sets

    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        pair = [reader.run(name, benchmark) for name in (arguments.base, arguments.rl)]
        meant = problems_of(reader, pair, arguments.problems)
        sets = solve_sets(reader, pair, problems=meant.problems)
        plan = plan_samples(reader, sets, arguments.budget, arguments.policy)
        for line in in_words(sets, plan):
            say(line)
        if arguments.start:
            start(reader, arguments.engine, sets, plan)
    rows = [{column: getattr(row, column) for column in COLUMNS} for row in plan.rows]
    print_rows(arguments.format, COLUMNS, rows)
    return 0


def start(reader: Reader, engine: str | None, sets: SolveSets, plan: SamplePlan) -> None:
    """Start the jobs of a plan, and say of a run that cannot be sampled why."""
    from backend import ResamplingRequest, plan_resampling, read_configuration, requests_of_plan, start_by_uncertainty

    names = tuple(run.name for run in sets.runs)
    wish = ResamplingRequest(names, names, (), plan.budget, engine or read_configuration().engine)
    parts = requests_of_plan(plan, wish)
    for refusal in [reason for part in parts for reason in plan_resampling(reader, part).refusals]:
        say(refusal)
    for job in start_by_uncertainty(reader.database.layout, parts):
        say(f"Job {job.name} runs on its own; passk jobs shows it.")


def in_words(sets: SolveSets, plan: SamplePlan) -> list[str]:
    """What the plan spends and expects, and whether the stopping rule is met."""
    from explorer.render.plans import plan_in_words, tokens_in_words

    compared = f"{sets.benchmark}, {len(sets.problems)} problems compared; {tokens_in_words(plan)}"
    return [compared, *plan_in_words(plan)]
