"""passk stats: the paper's views of runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.commands.options import add_format, add_problems, add_store, positive, problems_of, reading
from explorer.commands.output import print_table

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


def add_stats(parser: argparse.ArgumentParser) -> None:
    """Options of `passk stats`."""
    parser.add_argument(
        "view", choices=tuple(VIEWS), help="; ".join(f"{name}: {what}" for name, (_, what) in VIEWS.items())
    )
    add_store(parser)
    parser.add_argument("--benchmark", metavar="B", help="look for the runs in this benchmark")
    parser.add_argument("--run", metavar="R", action="append", default=[], help="only this run; may be repeated")
    parser.add_argument("--base", metavar="R", help="the base run (default: of the first pair)")
    parser.add_argument("--rl", metavar="R", action="append", default=[], help="a run against it; may be repeated")
    parser.add_argument("--k", metavar="K", type=positive, help="k of pass@k (default: 256, or the largest common one)")
    add_problems(parser)
    add_format(parser)


def run_stats(arguments: argparse.Namespace) -> int:
    """Print one view."""
    with reading(arguments.store) as reader:
        runs, base = _runs(reader, arguments)
        meant = problems_of(reader, runs, arguments.problems)
        table = VIEWS[arguments.view][0](Asked(reader, runs, base, arguments.k, meant.problems))
    print_table(arguments.format, table)
    return 0


def _runs(reader: Reader, arguments: argparse.Namespace) -> tuple[list[Run], Run]:
    """The runs that are meant, of one benchmark, and the base run among them."""
    from backend import default_pairs
    from backend.errors import UsageError

    names = [*([arguments.base] if arguments.base else []), *arguments.rl, *arguments.run]
    benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark or not names else None
    runs = list({run.key: run for name in names for run in [reader.run(name, benchmark)]}.values())
    if len({run.benchmark for run in runs}) > 1:
        raise UsageError(
            "Only runs of one benchmark can be seen together",
            ", ".join(f"{run.name} is of {run.benchmark}" for run in runs),
            "passk runs lists the runs of each benchmark.",
        )
    runs = runs or list(reader.runs(benchmark))
    if not runs:
        raise UsageError(f"{benchmark} has no run", next_step="passk runs lists the runs of each benchmark.")
    pairs = default_pairs(runs)
    return runs, runs[0] if arguments.base or not pairs else pairs[0][0]


def histogram(asked: Asked) -> Table:
    """Problems by their share correct."""
    from backend import accuracy_histograms, histogram_table

    return histogram_table(accuracy_histograms(asked.reader, asked.runs, problems=asked.problems))


def efficiency(asked: Asked) -> Table:
    """Delta_SE."""
    from backend import efficiency as read
    from backend import efficiency_table

    return efficiency_table(read(asked.reader, asked.base, asked.runs, k=asked.k, problems=asked.problems))


def steps(asked: Asked) -> Table:
    """Training steps as series."""
    from backend import step_series, steps_table

    return steps_table(step_series(asked.reader, asked.runs, k=asked.k, problems=asked.problems))


def temperature(asked: Asked) -> Table:
    """Temperature sweep and matching entropy."""
    from backend import temperature_sweep, temperature_table

    return temperature_table(
        temperature_sweep(asked.reader, asked.base, asked.runs, k=asked.k, problems=asked.problems)
    )


def lengths(asked: Asked) -> Table:
    """Response lengths."""
    from backend import lengths_table, response_lengths

    return lengths_table(response_lengths(asked.reader, asked.runs, problems=asked.problems))


def verdicts(asked: Asked) -> Table:
    """Shares of verdicts."""
    from backend import response_lengths, verdicts_table

    return verdicts_table(response_lengths(asked.reader, asked.runs, problems=asked.problems))


def agreement(asked: Asked) -> Table:
    """Majority answers and maj@k."""
    from backend import agreement as read
    from backend import agreement_table

    return agreement_table(read(asked.reader, asked.runs, problems=asked.problems))


VIEWS: dict[str, tuple[Callable[[Asked], Table], str]] = {
    "histogram": (histogram, "problems by their share correct"),
    "efficiency": (efficiency, "base pass@k less RL pass@1"),
    "steps": (steps, "training steps of one model as a series"),
    "temperature": (temperature, "temperatures, and the RL run of nearest entropy"),
    "lengths": (lengths, "tokens of correct and other samples"),
    "agreement": (agreement, "majority answers and maj@k"),
    "verdicts": (verdicts, "shares of verdicts"),
}
"""View -> how it is read, and what it shows."""
