"""The verdict audit of a pair: where two verifiers disagree, and what that does to rates, sets, curves and crossing."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from backend.analysis.comparison import EXCERPT, leads_of
from backend.errors import UsageError, suggestion
from backend.estimators.pass_at_k import Counts, pass_at_k_of_runs
from backend.estimators.verifier_error import (
    difference_of_rates,
    draw_correct,
    rate_of,
    rate_over_problems,
    share,
)
from backend.records import NOT_JUDGED, Run
from backend.records.audit import (
    Agreed,
    Audit,
    AuditProblem,
    AuditRun,
    AuditView,
    DisputedPath,
    RateDifference,
    ReportedMetric,
    SideErrors,
    Stratum,
)
from backend.records.comparison import CurvePoint
from backend.records.samples import REPORTED
from backend.store.reads import Reader
from backend.verification import IMPORTED, verdict_names

COUNTING, OVERRIDES = "counting", "overrides"
"""The verdicts that count but for what persons overrode; and with that."""
STANDING = (COUNTING, IMPORTED, OVERRIDES)
"""Sides that every run has, beside those who gave verdicts to it by name."""

PAIRS: tuple[tuple[bool, bool], ...] = ((True, True), (True, False), (False, True), (False, False))
"""The four sets: which of base and RL solve a problem."""
ALONE = ((False, True), (True, False))
"""The sets that papers are about, RL-only first."""

Cells = dict[tuple[bool, bool], Stratum]


def audit_sides(reader: Reader, runs: Sequence[Run]) -> list[str]:
    """Whose verdicts stand for every one of these runs: a side of an audit is one of them."""
    named = [set(verdict_names(reader, run)) for run in runs]
    return [*STANDING, *sorted(set.intersection(*named) - set(STANDING) if named else ())]


def check_sides(reader: Reader, runs: Sequence[Run], first: str | None, second: str | None) -> tuple[str, str]:
    """The two sides that are meant: the verdicts that count where no first is named, and the only other one.

    Raises:
        UsageError: there is no such side in both runs, it is not clear which is meant, or they are the same.
    """
    known = audit_sides(reader, runs)
    first = first or COUNTING
    if second is None:
        others = [name for name in known if name not in (*STANDING, first)]
        if len(others) != 1:
            raise UsageError(
                "Against which verdicts?",
                f"Beside both runs stand: {', '.join(known)}.",
                "Name them with --second NAME, or let a verifier judge both runs: --verifier V.",
            )
        second = others[0]
    for name in (first, second):
        if name not in known:
            raise UsageError(
                f"No verdicts of {name} stand beside both runs",
                next_step=suggestion(name, known, "side") + " --verifier V lets a verifier judge them.",
            )
    if first == second:
        raise UsageError(f"{first} is compared with itself", next_step="Name two sides: --first NAME --second NAME.")
    return first, second


def audit(
    reader: Reader,
    base: Run,
    rl: Run,
    first: str | None = None,
    second: str | None = None,
    *,
    min_correct: int = 1,
    problems: Collection[int] | None = None,
) -> Audit:
    """Compare what two sides say of the samples of a pair. Samples that a side has not judged are left out.

    Raises:
        UsageError: as of `check_sides`; or runs of different benchmarks, or no sample was judged by both.
    """
    if base.benchmark != rl.benchmark or base.key == rl.key:
        raise UsageError("An audit is of two different runs of one benchmark", next_step="Name them: --base R --rl R.")
    first, second = check_sides(reader, (base, rl), first, second)
    rows = _sides(reader, (base, rl), first, second, problems)
    tallies, left_out = _tally(rows, rl)
    compared = sorted(tallies[0].keys() & tallies[1].keys())
    if not compared:
        raise UsageError(f"No problem of both runs has a sample that {first} and {second} both judged")
    strata = _strata(rows, rl, frozenset(compared))
    of_runs, drawn = zip(*(_errors(cells, place) for place, cells in enumerate(strata)), strict=True)
    totals = [sum((of_run[key] for key in compared), Agreed()) for of_run in tallies]
    columns = [_columns([of_run[key] for key in compared]) for of_run in tallies]
    found = _problems(reader, (base, rl), tallies, compared, min_correct)
    return Audit(
        benchmark=base.benchmark,
        min_correct=min_correct,
        first=first,
        second=second,
        runs=_pair(
            AuditRun(
                run,
                total,
                left_out[place],
                strata[place],
                of_runs[place],
                accepts=rate_over_problems(*_cases(columns[place], "accepts"))[0],
                rejects=rate_over_problems(*_cases(columns[place], "rejects"))[0],
                reported=reported_metrics(reader, run),
            )
            for place, (run, total) in enumerate(zip((base, rl), totals, strict=True))
        ),
        problems=tuple(sorted(found, key=_interest)),
        not_compared=len({row[1] for row in rows}) - len(compared),
        differences=(*_disagreement(columns), *_error_differences((first, second), of_runs, drawn)),
        views=_pair(_view(side, place, columns, found) for place, side in enumerate((first, second))),
        moved=_moved(found),
    )


def _tally(rows: Sequence[tuple[Any, ...]], rl: Run) -> tuple[tuple[dict[int, Agreed], dict[int, Agreed]], list[int]]:
    """By problem what both sides judged of base and of RL; and how many samples of each they did not."""
    tallies: tuple[dict[int, Agreed], dict[int, Agreed]] = ({}, {})
    left_out = [0, 0]
    for run_key, problem, one, other, _, samples, _ in rows:
        place = int(run_key == rl.key)
        if _judged(one) and _judged(other):
            entry = one == "correct", other == "correct"
            tallies[place][problem] = tallies[place].get(problem, Agreed()) + _agreed(entry, samples)
        else:
            left_out[place] += samples
    return tallies, left_out


def _strata(rows: Sequence[tuple[Any, ...]], rl: Run, compared: Collection[int]) -> tuple[Cells, Cells]:
    """What was read of base and of RL, by what both sides say."""
    strata: tuple[Cells, Cells] = (_no_cells(), _no_cells())
    for run_key, problem, one, other, said, samples, _ in rows:
        if problem in compared and _judged(one) and _judged(other):
            cells, entry = strata[run_key == rl.key], (one == "correct", other == "correct")
            before, read = cells[entry], samples if _judged(said) else 0
            correct = read if said == "correct" else 0
            cells[entry] = Stratum(before.samples + samples, before.read + read, before.correct + correct)
    return strata


def _pair(items: Any) -> Any:
    return tuple(items)


def _judged(verdict: str | None) -> bool:
    return verdict is not None and verdict not in NOT_JUDGED


def _no_cells() -> Cells:
    return {(one, other): Stratum(0) for one in (True, False) for other in (True, False)}


def _agreed(entry: tuple[bool, bool], samples: int) -> Agreed:
    return {
        (True, True): Agreed(both=samples),
        (True, False): Agreed(first_only=samples),
        (False, True): Agreed(second_only=samples),
        (False, False): Agreed(neither=samples),
    }[entry]


def _sides(
    reader: Reader, runs: Sequence[Run], first: str, second: str, problems: Collection[int] | None
) -> list[tuple[Any, ...]]:
    rows = reader.rows("verification/sides", run_keys=[run.key for run in runs], first=first, second=second)
    return [row for row in rows if problems is None or row[1] in problems]


def _columns(tallies: Sequence[Agreed]) -> dict[str, Counts]:
    """n, c by either side, and what one side alone accepts, of each problem."""
    return {
        name: np.array([getattr(entry, name) for entry in tallies], dtype=np.int64)
        for name in ("n", "first", "second", "first_only", "second_only", "both", "neither")
    }


def _errors(cells: Cells, place: int) -> tuple[tuple[SideErrors, SideErrors], dict[tuple[int, str], Any]]:
    """What both sides err on a run, and the draws behind the rates, by side and rate."""
    entries = list(cells)
    sizes = np.array([cells[entry].samples for entry in entries], dtype=np.float64)
    values, draws = draw_correct([cells[entry] for entry in entries], place)
    sides, behind = [], {}
    for side in (0, 1):
        accepted = np.array([entry[side] for entry in entries])
        rates = {}
        for name, part, whole in (
            ("false_positives", (accepted, False), (np.ones(4, dtype=bool), False)),
            ("false_negatives", (~accepted, True), (np.ones(4, dtype=bool), True)),
            ("false_share", (accepted, False), (accepted, None)),
        ):
            value, drawn = (
                share(_sum(sizes, correct, *part), _sum(sizes, correct, *whole)) for correct in (values[:, None], draws)
            )
            rates[name] = rate_of(value[0], drawn)
            behind[side, name] = value[0], drawn
        sides.append(SideErrors(**rates))
    return _pair(sides), behind


def _sum(sizes: Any, correct: Any, meant: Any, which: bool | None) -> Any:
    """Samples of some strata: the correct ones, those that are not, or for None all; shape (draws,)."""
    if which is None:
        return np.full(correct.shape[1], sizes[meant].sum())
    samples = correct if which else sizes[:, None] - correct
    return samples[meant].sum(axis=0)


CASES = {"accepts": ("second_only", "neither"), "rejects": ("first_only", "both")}
"""Of each rate of disagreement the samples that are cases, and those that could have been."""


def _cases(columns: Mapping[str, Counts], rate: str) -> tuple[Counts, Counts]:
    cases, rest = (columns[name] for name in CASES[rate])
    return cases, cases + rest


def _disagreement(columns: Sequence[Mapping[str, Counts]]) -> list[RateDifference]:
    """How often the second side goes beyond the first, on base against RL, over the problems of both."""
    result = []
    for rate in CASES:
        base, rl = (rate_over_problems(*_cases(of_run, rate)) for of_run in columns)
        if base[0].value is not None and rl[0].value is not None:
            result.append(RateDifference(rate, None, base[0].value, rl[0].value, difference_of_rates(base, rl)))
    return result


def _error_differences(sides: tuple[str, str], errors: Any, drawn: Any) -> list[RateDifference]:
    """The same of the estimated errors, where they are known for both runs."""
    result = []
    for place, side in enumerate(sides):
        for rate in ("false_positives", "false_negatives"):
            (base, of_base), (rl, of_rl) = (behind[place, rate] for behind in drawn)
            if np.isnan([base, rl]).any():
                continue
            low, high = np.nanquantile(of_rl - of_base, (0.025, 0.975)).tolist()
            result.append(RateDifference(rate, side, float(base), float(rl), (low, high)))
    return result


def _view(
    side: str, place: int, columns: Sequence[Mapping[str, Counts]], problems: Sequence[AuditProblem]
) -> AuditView:
    name = ("first", "second")[place]
    counted = [(column["n"], column[name]) for column in columns]
    ks = np.arange(1, min(int(n.min()) for n, _ in counted) + 1)
    base, rl = pass_at_k_of_runs(counted, ks)
    return AuditView(
        side,
        _pair(tuple(CurvePoint(k, value) for k, value in zip(ks.tolist(), curve.tolist(), strict=True))
              for curve in (base, rl)),
        leads_of(ks, base, rl),
        {entry: sum(problem.sets[place] == entry for problem in problems) for entry in PAIRS},
    )  # fmt: skip


def _problems(
    reader: Reader,
    runs: tuple[Run, Run],
    tallies: tuple[dict[int, Agreed], dict[int, Agreed]],
    compared: Sequence[int],
    min_correct: int,
) -> list[AuditProblem]:
    """The problems compared, in the order of the benchmark."""
    meant, found = set(compared), {}
    for key, label, position, excerpt, level, *_ in reader.rows(
        "reads/set_problems", run_keys=[run.key for run in runs], excerpt=EXCERPT
    ):
        if key in meant and key not in found:
            base, rl = tallies[0][key], tallies[1][key]
            found[key] = AuditProblem(
                key,
                label,
                position,
                excerpt,
                level,
                (base, rl),
                (
                    (base.first >= min_correct, rl.first >= min_correct),
                    (base.second >= min_correct, rl.second >= min_correct),
                ),
            )
    return list(found.values())


def _interest(problem: AuditProblem) -> tuple[bool, bool, int, int, int]:
    """Where a disagreement decides what a paper says: disputed problems in another set, RL-only and base-only first."""
    rank = min((ALONE.index(entry) for entry in problem.sets if entry in ALONE), default=len(ALONE))
    moved = problem.sets[0] != problem.sets[1]
    return not problem.disputed, not moved, rank, -problem.disputed, problem.position


def _moved(problems: Sequence[AuditProblem]) -> dict[tuple[tuple[bool, bool], tuple[bool, bool]], int]:
    found = {(one, other): 0 for one in PAIRS for other in PAIRS}
    for problem in problems:
        found[problem.sets] += 1
    return found


def reported_metrics(reader: Reader, run: Run) -> tuple[ReportedMetric, ...]:
    """The summary metrics that came with a run's file, beside what its samples say: nothing got lost or changed."""
    result = []
    for side, metric, value in json.loads(run.parameters.get(REPORTED, "[]")):
        counted: dict[int, list[int]] = {}
        for _, problem, _, verdict, _, samples, _ in _sides(reader, [run], IMPORTED, side, None):
            if _judged(verdict):
                tally = counted.setdefault(problem, [0, 0])
                tally[0] += samples
                tally[1] += samples if verdict == "correct" else 0
        read = sum(c / n for n, c in counted.values()) / len(counted) if counted else None
        result.append(ReportedMetric(metric, side, value, read, sum(n for n, _ in counted.values())))
    return tuple(result)


def disputed_samples(reader: Reader, run: Run, problem_key: int) -> frozenset[int]:
    """The samples of a problem on which verdicts that stand beside each other disagree."""
    rows = reader.rows("verification/disputed", run_keys=[run.key], problem_keys=[problem_key])
    return frozenset(sample for _, _, samples in rows for sample in samples)


def disputed_paths(reader: Reader, done: Audit) -> tuple[DisputedPath, ...]:
    """The samples on which the sides of an audit disagree: RL-only and base-only problems first, then by problem.

    Within a problem what decides its set comes first: the samples of a run with few that are correct.
    """
    places = {of.run.key: place for place, of in enumerate(done.runs)}
    rows: dict[int, list[tuple[Any, ...]]] = {}
    for run_key, problem, one, other, said, _, samples in _sides(
        reader, [of.run for of in done.runs], done.first, done.second, None
    ):
        if _judged(one) and _judged(other) and samples:
            rows.setdefault(problem, []).append((places[run_key], one, other, said, samples))
    result = []
    for problem in done.problems:
        entries = rows.get(problem.key, ())
        alone = next((entry for entry in reversed(problem.sets) if entry in ALONE), problem.sets[0])
        few = [min(run.first, run.second) for run in problem.runs]
        for place, one, other, said, samples in sorted(entries, key=lambda row: (few[row[0]], row[0])):
            result += [
                DisputedPath(
                    done.runs[place].run.name, problem.key, problem.label, sample, one, other, alone,
                    said if _judged(said) else None,
                )
                for sample in samples
            ]  # fmt: skip
    return tuple(result)
