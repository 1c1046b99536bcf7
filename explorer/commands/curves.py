"""passk curves and difference."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from backend.wording import nothing_in_common
from explorer.commands.command import Command, Mode
from explorer.commands.inputs import benchmark_named, pair_of, problems_of, reading, runs_named
from explorer.commands.output import print_table, say
from explorer.options import (
    BANDS,
    BENCHMARK,
    FALSE_POSITIVES,
    FORMAT,
    PAIR,
    PROBLEMS,
    RUNS,
    STORE,
    K,
    Option,
    error_rates,
)
from explorer.render.curves import crossing_in_words, who_leads, wins_in_words

if TYPE_CHECKING:
    from fractions import Fraction

    from backend.records import Curve
    from backend.records.comparison import BandCurve, Difference

KChoice = Callable[[int], Sequence[int]]


def k_choice(text: str | None) -> tuple[KChoice, list[int]]:
    """What --k asks for: k's as a function of a run's smallest n, and those that were named one by one."""
    from backend import every_k, powers_and_end
    from backend.errors import UsageError

    if text is None:
        return powers_and_end, []
    if text == "all":
        return every_k, []
    try:
        named = sorted({int(word) for word in text.split(",")})
    except ValueError:
        named = [0]
    if named[0] < 1:
        raise UsageError(f"--k {text}: expected numbers of 1 or more, such as 1,2,4, or all")
    return (lambda _: named), named


def tau_choice(text: str | None) -> tuple[Fraction, ...]:
    """What --tau asks for, exactly."""
    from fractions import Fraction

    from backend import TWENTIETHS
    from backend.errors import UsageError

    if text is None:
        return TWENTIETHS
    try:
        named = sorted({Fraction(word) for word in text.split(",")})
    except (ValueError, ZeroDivisionError):
        named = [Fraction(0)]
    if not 0 < named[0] <= named[-1] <= 1:
        raise UsageError(f"--tau {text}: expected shares above 0 and up to 1, such as 0.1,0.5,1")
    return tuple(named)


def run_curves(arguments: argparse.Namespace) -> int:
    from backend import (
        bands_table,
        corrected_curves,
        cover_bands,
        curves,
        curves_table,
        pass_at_k_bands,
        wide_curves_table,
    )

    (choice, named), taus = k_choice(arguments.k), tau_choice(arguments.tau)
    with reading(arguments.store) as reader:
        runs = runs_named(reader, arguments.run, arguments.benchmark)
        runs = runs or list(reader.runs(benchmark_named(reader, arguments.benchmark)))
        problems = problems_of(reader, runs, arguments.problems).problems
        found = curves(reader, runs, choice, problems=problems)
        bands: Sequence[BandCurve] = ()
        if arguments.cover:
            bands = cover_bands(reader, runs, arguments.bands or "problems", taus, problems=problems)
        elif (supposed := error_rates(arguments.false_positives)) is not None:
            bands = corrected_curves(reader, runs, supposed, choice, problems=problems)
            for band in bands:
                say(f"{band.run.name}: {band.method}")
        elif arguments.bands:
            bands = pass_at_k_bands(reader, runs, arguments.bands, choice, problems=problems)
    for curve in found:
        for line in without_verdict(curve) if arguments.cover else why_it_ends(curve, named):
            say(line)
    if bands:
        print_table(arguments.format, bands_table(found, bands, "cover" if arguments.cover else "pass_at_k"))
    else:
        print_table(arguments.format, (wide_curves_table if arguments.format == "table" else curves_table)(found))
    return 0


def why_it_ends(curve: Curve, wanted: Sequence[int]) -> list[str]:
    """In words, what this curve cannot show."""
    run = curve.run
    lines = []
    if run.n_min is None:
        why = "no sample has a verdict" if run.problems else "no problem is left"
        return [f"{run.name}: {why}, so pass@k is unknown."]
    beyond = [k for k in wanted if k > run.n_min]
    if beyond:
        lines.append(
            f"{run.name}: pass@k is undefined for k = {', '.join(map(str, beyond))}: "
            f"the smallest n is {run.n_min} (n = {run.n_min} to {run.n_max}, {curve.problems} problems)."
        )
    if curve.problems_below_n_max:
        lines.append(
            f"{run.name}: n is {run.n_min} to {run.n_max}; the curve ends at k = {run.n_min} because "
            f"{curve.problems_below_n_max} of {curve.problems} problems have fewer than {run.n_max} samples."
        )
    return lines + without_verdict(curve)


def without_verdict(curve: Curve) -> list[str]:
    """In words, what no curve of this run can show."""
    run = curve.run
    left_out = f"{run.name}: {run.without_verdict} problems without a verdict are left out."
    return [left_out] if run.without_verdict else []


def run_difference(arguments: argparse.Namespace) -> int:
    from backend import difference, difference_table

    choice, named = k_choice(arguments.k)
    with reading(arguments.store) as reader:
        base, rl = pair_of(reader, arguments)
        problems = problems_of(reader, [base, rl], arguments.problems).problems
        found = difference(reader, base, rl, arguments.bands, choice, problems=problems)
    for line in difference_in_words(found):
        say(line)
    beyond = [k for k in named if found.n is not None and k > found.n]
    if beyond:
        say(f"undefined for k = {', '.join(map(str, beyond))}: the smaller n of the two is {found.n}")
    print_table(arguments.format, difference_table(found))
    return 0


def difference_in_words(found: Difference) -> list[str]:
    """What must be known to read the numbers."""
    what = f"{found.rl.name} - {found.base.name}"
    if found.crossing is None:
        return [
            f"{what}: no problem that counts has a verdict in both runs",
            nothing_in_common(found.base, found.rl, found.shared_names),
        ]
    return [
        f"{what}: pass@k over {found.problems} problems that both have, k up to {found.n}",
        f"low, high: {found.method}",
        crossing_in_words(found.crossing, found.n, found.leads),
        who_leads(found),
        wins_in_words(found),
    ]


COVER = Option("--cover", "Cover@tau: the share of problems with c/n >= tau")
TAU = Option("--tau", "0.1,0.5,1 (default: 0.05, 0.1 ... 1)", "T")

COMMANDS = {
    "curves": Command(
        run_curves,
        (STORE, BENCHMARK.but(help="only runs of this benchmark"), RUNS, BANDS, PROBLEMS, FORMAT),
        modes=(Mode("--cover", (COVER,), (TAU,)), Mode("", (), (K, FALSE_POSITIVES.but(excludes="--bands")))),
    ),
    "difference": Command(run_difference, (STORE, *PAIR, K, BANDS.but(default="problems"), PROBLEMS, FORMAT)),
}
