"""passk stats: the paper's views of runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.wording import span
from explorer.commands.options import add_format, add_problems, add_store, positive, problems_of, reading
from explorer.commands.output import print_csv, print_json, print_table, say

if TYPE_CHECKING:
    from backend import Reader
    from backend.records import Run
    from backend.records.views import Lengths, LengthSummary, RunSummary

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a view is asked for."""

    reader: Reader
    runs: Sequence[Run]
    base: Run
    k: int | None
    problems: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A view in its three forms: a JSON document, flat rows for table and csv, and what must be known to read them."""

    document: Any
    columns: tuple[str, ...]
    rows: Sequence[Row]
    notes: Sequence[str] = ()


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
        answer = VIEWS[arguments.view][0](Asked(reader, runs, base, arguments.k, meant.problems))
    for note in answer.notes:
        say(note)
    if arguments.format == "json":
        print_json(answer.document)
    elif arguments.format == "csv":
        print_csv(answer.columns, answer.rows)
    else:
        print_table(answer.columns, answer.rows)
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


def _of(run: Run) -> Row:
    model = run.model
    return {"run": run.name, "benchmark": run.benchmark, "role": model.role, "algorithm": model.algorithm,
            "n_min": run.n_min, "n_max": run.n_max}  # fmt: skip


def _level(level: RunSummary) -> Row:
    return {
        **_of(level.run),
        "problems": level.problems,
        "pass_at_1": level.pass_at_1,
        "pass_at_k": level.pass_at_k,
    }


def histogram(asked: Asked) -> Answer:
    """Problems by their share correct."""
    from backend import BINS, accuracy_histograms

    found = accuracy_histograms(asked.reader, asked.runs, problems=asked.problems)
    rows = [
        {
            "run": entry.run.name,
            "bin": name,
            "problems": count,
            "share": count / entry.problems if entry.problems else None,
        }
        for entry in found
        for name, count in zip(BINS, entry.counts, strict=True)
    ]
    document = [
        {
            **_of(entry.run),
            "problems": entry.problems,
            "bins": [
                {key: row[key] for key in ("bin", "problems", "share")} for row in rows if row["run"] == entry.run.name
            ],
        }
        for entry in found
    ]
    notes = [
        f"{entry.run.name}: {entry.problems} problems, n = {span(entry.run.n_min, entry.run.n_max)}" for entry in found
    ]
    return Answer(document, ("run", "bin", "problems", "share"), rows, ["share of problems by c/n", *notes])


def efficiency(asked: Asked) -> Answer:
    """Delta_SE."""
    from backend import efficiency as read

    found = read(asked.reader, asked.base, asked.runs, k=asked.k, problems=asked.problems)
    rows = [{**_level(gap.summary), "k": found.k, "delta_se": gap.delta, "common": gap.common} for gap in found.gaps]
    columns = ("run", "algorithm", "problems", "n_min", "n_max", "k", "pass_at_1", "pass_at_k", "delta_se", "common")
    note = f"delta_se: pass@{found.k} of {found.base.name} less pass@1 of the run, over the common problems"
    return Answer({"base": found.base.name, "k": found.k, "runs": rows}, columns, rows, [note])


def steps(asked: Asked) -> Answer:
    """Training steps as series."""
    from backend import step_series

    found = step_series(asked.reader, asked.runs, k=asked.k, problems=asked.problems)
    points = [
        [
            {"step": level.run.model.step, **_level(level), "solvable": level.run.solvable,
             "mean_tokens": level.run.mean_tokens}
            for level in series.points
        ]
        for series in found
    ]  # fmt: skip
    heads = [{"algorithm": series.algorithm, "from_model": series.from_model, "k": series.k} for series in found]
    both = list(zip(heads, points, strict=True))
    rows = [{"series": i, **head, **point} for i, (head, inside) in enumerate(both, 1) for point in inside]
    columns = ("series", "algorithm", "step", "run", "problems", "n_min", "n_max", "pass_at_1", "k", "pass_at_k",
               "solvable", "mean_tokens")  # fmt: skip
    notes = [] if rows else ["No two of these runs are checkpoints of one training."]
    return Answer([{**head, "points": inside} for head, inside in both], columns, rows, notes)


def temperature(asked: Asked) -> Answer:
    """Temperature sweep and matching entropy."""
    from backend import temperature_sweep

    found = temperature_sweep(asked.reader, asked.base, asked.runs, k=asked.k, problems=asked.problems)
    rows = [
        {
            **_level(point.summary),
            "k": found.k,
            "temperature": point.temperature,
            "entropy": point.entropy and point.entropy.value,
            "entropy_samples": point.entropy and point.entropy.samples,
            "entropy_tokens": point.entropy and point.entropy.tokens,
        }
        for point in found.points
    ]
    nearest = found.nearest and found.nearest.summary.run.name
    columns = ("run", "temperature", "problems", "n_min", "n_max", "k", "pass_at_1", "pass_at_k", "entropy",
               "entropy_samples")  # fmt: skip
    notes = [
        "entropy: mean negative log-probability per token (nats) of the run's own samples, as stored",
        f"nearest to the entropy of {found.base.name}: {nearest or 'unknown'}",
    ]
    return Answer({"base": found.base.name, "k": found.k, "nearest": nearest, "runs": rows}, columns, rows, notes)


def _lengths(asked: Asked) -> Lengths:
    from backend import response_lengths

    return response_lengths(asked.reader, asked.runs, problems=asked.problems)


def lengths(asked: Asked) -> Answer:
    """Response lengths."""
    found = _lengths(asked)
    document = {
        "bin_width": found.width,
        "runs": [
            {**_of(entry.run), "unknown": entry.unknown, "right": _summary(entry.right), "other": _summary(entry.other)}
            for entry in found.runs
        ],
    }
    columns = ("run", "samples_that_are", "samples", "mean", "tenth", "median", "ninetieth", "longest")
    rows = [
        {"run": entry.run.name, "samples_that_are": kind, **(_summary(summary) or dict.fromkeys(columns[2:]))}
        for entry in found.runs
        for kind, summary in (("right", entry.right), ("other", entry.other))
    ]
    notes = [
        f"{entry.run.name}: no token counts are stored" if entry.right is None and entry.other is None
        else f"{entry.run.name}: {entry.unknown} samples without a token count are left out"
        for entry in found.runs
        if entry.unknown or (entry.right is None and entry.other is None)
    ]  # fmt: skip
    return Answer(document, columns, rows, ["lengths in tokens", *notes])


def _summary(summary: LengthSummary | None) -> Row | None:
    if summary is None:
        return None
    fields = ("samples", "mean", "tenth", "median", "ninetieth", "longest", "bins")
    return {field: getattr(summary, field) for field in fields}


def verdicts(asked: Asked) -> Answer:
    """Shares of verdicts."""
    found = _lengths(asked).runs
    rows = [
        {"run": entry.run.name, "verdict": verdict, "samples": samples, "of": of, "share": samples / of}
        for entry in found
        for of in [sum(entry.verdicts.values())]
        for verdict, samples in entry.verdicts.items()
    ]
    document = [{**_of(entry.run), "verdicts": dict(entry.verdicts) or None} for entry in found]
    notes = [f"{entry.run.name}: only counts are stored, no verdicts" for entry in found if not entry.verdicts]
    return Answer(document, ("run", "verdict", "samples", "of", "share"), rows, notes)


def agreement(asked: Asked) -> Answer:
    """Majority answers and maj@k."""
    from backend import agreement as read

    found = read(asked.reader, asked.runs, problems=asked.problems)
    rows = [
        {"run": entry.run.name, "problems": entry.problems, "samples": entry.samples, "k": point.k,
         "maj_at_k": point.value, "standard_error": point.error}
        for entry in found
        for point in entry.points
    ]  # fmt: skip
    document = [
        {
            **_of(entry.run),
            "problems": entry.problems,
            "samples": entry.samples,
            "answered": entry.answered,
            "draws": entry.draws,
            "points": [{key: row[key] for key in ("k", "maj_at_k", "standard_error")} for row in rows
                       if row["run"] == entry.run.name],
            "majorities": [
                {"problem": most.label, "answer": most.answer, "votes": most.votes, "n": most.n, "right": most.right}
                for most in entry.majorities
            ],
        }
        for entry in found
    ]  # fmt: skip
    notes = [
        f"{entry.run.name}: {entry.samples - entry.answered} of {entry.samples} samples gave no answer and do not vote"
        if entry.points
        else f"{entry.run.name}: no answers are stored"
        for entry in found
    ]
    how = "without a standard error: exact; else the mean of {} random subsets of each problem, with a fixed seed"
    return Answer(document, ("run", "problems", "samples", "k", "maj_at_k", "standard_error"), rows,
                  [*notes, *(how.format(entry.draws) for entry in found[:1])])  # fmt: skip


VIEWS: dict[str, tuple[Callable[[Asked], Answer], str]] = {
    "histogram": (histogram, "problems by their share correct"),
    "efficiency": (efficiency, "base pass@k less RL pass@1"),
    "steps": (steps, "training steps of one model as a series"),
    "temperature": (temperature, "temperatures, and the RL run of nearest entropy"),
    "lengths": (lengths, "tokens of right and other samples"),
    "agreement": (agreement, "majority answers and maj@k"),
    "verdicts": (verdicts, "shares of verdicts"),
}
"""View -> how it is read, and what it shows."""
