"""passk stats: the paper's views of runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from explorer.commands.command import Command
from explorer.commands.inputs import benchmark_of, problems_of, reading, runs_named
from explorer.commands.output import print_table
from explorer.options import BASE, BENCHMARK, FORMAT, POSITIVE, PROBLEMS, RL, RUNS, STORE, Option

if TYPE_CHECKING:
    from backend import Reader
    from backend.records import Run
    from backend.records.table import Table


@dataclass(frozen=True, slots=True)
class Asked:
    """What a view is asked for."""

    reader: Reader
    runs: Sequence[Run]
    base: Run
    k: int | None
    problems: frozenset[int] | None


def print_view(view: Callable[[Asked], Table], arguments: argparse.Namespace) -> int:
    with reading(arguments.store) as reader:
        runs, base = _runs(reader, arguments)
        meant = problems_of(reader, runs, arguments.problems)
        table = view(Asked(reader, runs, base, getattr(arguments, "k", None), meant.problems))
    print_table(arguments.format, table)
    return 0


def _runs(reader: Reader, arguments: argparse.Namespace) -> tuple[list[Run], Run]:
    """The runs that are meant, of one benchmark, and the base run among them."""
    from backend import default_pairs
    from backend.errors import UsageError

    runs = runs_named(reader, [arguments.base, *arguments.rl, *arguments.run], arguments.benchmark)
    if len({run.benchmark for run in runs}) > 1:
        raise UsageError(
            "Only runs of one benchmark can be seen together",
            ", ".join(f"{run.name} is of {run.benchmark}" for run in runs),
            "passk runs lists the runs of each benchmark.",
        )
    if not runs:
        benchmark = benchmark_of(reader, arguments.benchmark)
        runs = list(reader.runs(benchmark))
        if not runs:
            raise UsageError(f"{benchmark} has no run", next_step="passk runs lists the runs of each benchmark.")
    pairs = default_pairs(runs)
    return runs, runs[0] if arguments.base or not pairs else pairs[0][0]


def histogram(asked: Asked) -> Table:
    from backend import accuracy_histograms, histogram_table

    return histogram_table(accuracy_histograms(asked.reader, asked.runs, problems=asked.problems))


def efficiency(asked: Asked) -> Table:
    from backend import efficiency as read
    from backend import efficiency_table

    return efficiency_table(read(asked.reader, asked.base, asked.runs, k=asked.k, problems=asked.problems))


def steps(asked: Asked) -> Table:
    from backend import step_series, steps_table

    return steps_table(step_series(asked.reader, asked.runs, k=asked.k, problems=asked.problems))


def temperature(asked: Asked) -> Table:
    from backend import temperature_sweep, temperature_table

    return temperature_table(
        temperature_sweep(asked.reader, asked.base, asked.runs, k=asked.k, problems=asked.problems)
    )


def lengths(asked: Asked) -> Table:
    from backend import lengths_table, response_lengths

    return lengths_table(response_lengths(asked.reader, asked.runs, problems=asked.problems))


def verdicts(asked: Asked) -> Table:
    from backend import response_lengths, verdicts_table

    return verdicts_table(response_lengths(asked.reader, asked.runs, problems=asked.problems))


def agreement(asked: Asked) -> Table:
    from backend import agreement as read
    from backend import agreement_table

    return agreement_table(read(asked.reader, asked.runs, problems=asked.problems))


VIEWS: dict[str, tuple[Callable[[Asked], Table], str]] = {
    "histogram": (histogram, "problems by their share correct"),
    "efficiency": (efficiency, "base pass@k − RL pass@1"),
    "steps": (steps, "training steps of one model as a series"),
    "temperature": (temperature, "temperatures, and the RL run of nearest entropy"),
    "lengths": (lengths, "tokens of correct and other samples"),
    "agreement": (agreement, "majority answers and maj@k"),
    "verdicts": (verdicts, "shares of verdicts"),
}
"""View -> how it is read, and what it shows."""


USED = (
    STORE, BENCHMARK, RUNS, BASE.but(help="the base run (default: of the first pair)"),
    RL.but(help="a run against it; repeatable", repeated=True), PROBLEMS, FORMAT,
)  # fmt: skip
K = Option("--k", "k of pass@k (default: 256, or the largest common one)", "K", POSITIVE)
OF_K = ("efficiency", "steps", "temperature")

COMMANDS = {
    "stats": Command(
        None,
        actions={
            name: Command(partial(print_view, view), (*USED, *((K,) if name in OF_K else ())), purpose)
            for name, (view, purpose) in VIEWS.items()
        },
    )
}
