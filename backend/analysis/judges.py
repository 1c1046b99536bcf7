"""Judges of reasoning beside people and each other, and CoT-pass@k and solve sets corrected for a judge's errors.

The raw figures (`cot.py`) take what is settled at its word. Here a judge is believed as far as people confirm it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from backend.analysis.comparison import solve_sets, tallies_of
from backend.errors import UsageError, suggestion
from backend.estimators.intervals import TAILS
from backend.estimators.judges import Crossed, JudgedProblems, corrected_share, draw_valid, why_unknown
from backend.estimators.pass_at_k import Counts, Floats, pass_at_k_of_runs, powers_and_end
from backend.estimators.solve_sets import all_combinations
from backend.records import Run
from backend.records.judges import PEOPLE, CorrectedPoint, CorrectedRun, Correction, JudgeComparison
from backend.store.reads import Reader
from backend.votes import RULES, decide

Path = tuple[int, int, int]
"""Run key, problem key, sample."""
Sayings = dict[Path, str]
"""valid, invalid or unsure."""


@dataclass(frozen=True, slots=True)
class Opinions:
    """What people and judges say of the correct paths of some runs."""

    people: Sayings
    judges: Mapping[str, Sayings]
    """Checkers and language models by name and version; of the latter each rule that makes a difference."""
    usual: Mapping[str, int] = field(default_factory=dict)
    """The judges as they decided themselves, with how many paths each has judged."""


def opinions(reader: Reader, runs: Sequence[Run], problems: Collection[int] | None = None) -> Opinions:
    """Everything that was said of the correct paths of some runs, on some problems only where these are given."""
    keys = [run.key for run in runs]
    of_people: dict[Path, set[str]] = {}
    judges: dict[str, Sayings] = {}
    correct: dict[str, set[Path]] = {}
    for author, version, *path, judgement in reader.rows("judgements/latest", run_keys=keys):
        place: Path = (path[0], path[1], path[2])
        if problems is not None and place[1] not in problems:
            continue
        if version is None:
            of_people.setdefault(place, set()).add(judgement)
        else:
            judges.setdefault(f"{author} {version}", {})[place] = judgement
            correct.setdefault(f"{author} {version}", set()).add(place)
    people = {place: said.pop() if len(said) == 1 else "unsure" for place, said in of_people.items()}
    usual = {name: len(said) for name, said in judges.items()}
    for author, version, *path, sound, unsound, unknown, _ in reader.rows(
        "judgements/counted_votes", run_keys=keys, author=None, version=None
    ):
        name, place = f"{author} {version}", (path[0], path[1], path[2])
        # A path of which no vote could be read has no judgement, and may be no correct one: it is left out.
        if sound + unsound + unknown < 2 or place not in correct.get(name, ()):
            continue
        for rule in RULES:
            judges.setdefault(f"{name} ({rule})", {})[place] = decide(rule, sound, unsound, unknown) or "unsure"
    return Opinions(people, judges, usual)


def compare_judges(
    reader: Reader, runs: Sequence[Run], problems: Collection[int] | None = None
) -> tuple[JudgeComparison, ...]:
    """Every judge beside people, over all runs and by run; then every two judges, over all runs."""
    said = opinions(reader, runs, problems)
    found = []
    for judge, sayings in sorted(said.judges.items()):
        found.append(_compared(judge, sayings, PEOPLE, said.people))
        if len(runs) > 1:
            found += [_compared(judge, sayings, PEOPLE, said.people, run) for run in runs]
    found += [
        _compared(first, said.judges[first], second, said.judges[second])
        for first, second in combinations(sorted(said.usual), 2)
    ]
    return tuple(found)


def _compared(judge: str, sayings: Sayings, against: str, others: Sayings, run: Run | None = None) -> JudgeComparison:
    of_run = {path: said for path, said in others.items() if run is None or path[0] == run.key}
    read, undecided = _crossed(sayings, of_run)
    return JudgeComparison(
        judge,
        against,
        None if run is None else run.name,
        read.both_valid,
        read.only_judge,
        read.only_other,
        read.both_invalid,
        undecided,
        read.agreement,
        read.precision,
        read.recall,
        read.specificity,
        read.kappa,
        read.kappa_interval,
    )


def _crossed(sayings: Sayings, others: Sayings) -> tuple[Crossed, int]:
    """The paths that both call valid or invalid, and how many only the other does although the judge was asked."""
    counts = {pair: 0 for pair in (("valid", "valid"), ("valid", "invalid"), ("invalid", "valid"), ("invalid",) * 2)}
    undecided = 0
    for path, other in others.items():
        mine = sayings.get(path)
        if other == "unsure" or mine is None:
            continue
        if mine == "unsure":
            undecided += 1
        else:
            counts[mine, other] += 1
    return Crossed(*counts.values()), undecided


def correction(
    reader: Reader,
    runs: Sequence[Run],
    ks: Callable[[int], Sequence[int]] = powers_and_end,
    *,
    judge: str | None = None,
    problems: Collection[int] | None = None,
    min_correct: int = 1,
) -> Correction:
    """CoT-pass@k and the solve sets by valid paths, corrected for the errors of a judge.

    Args:
        ks: for the smallest n of a run, the k's to compute.
        judge: a part of its name; the one that has judged most of these runs' correct paths when omitted.
        min_correct: valid paths that count as solved.

    Raises:
        UsageError: no judge, or several, of that name.
    """
    said = opinions(reader, runs, problems)
    name = _chosen(said, judge)
    if name is None:
        return Correction(None, None, (), "no step checker and no language model has judged these paths")
    sayings = said.judges[name]
    compared = _compared(name, sayings, PEOPLE, said.people)
    read = Crossed(compared.both_valid, compared.only_judge, compared.only_other, compared.both_invalid)
    tallies = tallies_of(reader, runs, problems)
    shared = [_judged_problems(run, tallies[run.key], sayings, said.people) for run in runs]
    unknown = why_unknown(read)
    drawn = None if unknown else draw_valid([of for _, of in shared], read)
    found = []
    for place, (run, (_, of)) in enumerate(zip(runs, shared, strict=True)):
        called = [value for path, value in sayings.items() if path[0] == run.key and value != "unsure"]
        points = () if drawn is None else tuple(_points(of, drawn[place], ks))
        share = corrected_share(called.count("valid"), len(called), read)
        found.append(CorrectedRun(run, len(called), called.count("valid"), share, points))
    sets = None
    if drawn is not None and len(runs) > 1:
        sets = _sets(reader, runs, [keys for keys, _ in shared], drawn, min_correct, problems)
    return Correction(name, compared, tuple(found), unknown, sets)


def _chosen(said: Opinions, judge: str | None) -> str | None:
    if judge is None:
        return max(sorted(said.usual), key=lambda name: said.usual[name], default=None)
    exact = [name for name in said.judges if name == judge]
    near = exact or [name for name in said.usual if judge in name] or [name for name in said.judges if judge in name]
    if len(near) != 1:
        raise UsageError(
            f"{len(near)} judges match {judge}" if near else f"No judge {judge} has judged these runs",
            suggestion(judge, sorted(said.judges), "judge") if said.judges else "Nobody but people has.",
            "passk judgements judges lists them.",
        )
    return near[0]


def _judged_problems(
    run: Run, tally: tuple[Counts, Counts, Counts], sayings: Sayings, people: Sayings
) -> tuple[Counts, JudgedProblems]:
    """The run's problems with n > 0, and what was said of their correct paths."""
    keys, n, c = tally
    counted = n > 0
    keys, n, c = keys[counted], n[counted], c[counted]
    rows = {key: row for row, key in enumerate(keys.tolist())}
    said = np.zeros((4, len(keys)), dtype=np.int64)
    for first, by in ((0, people), (2, sayings)):
        for path, value in by.items():
            if path[0] != run.key or path[1] not in rows or value == "unsure":
                continue
            if first == 2 and people.get(path) in ("valid", "invalid"):
                continue
            said[first + (value == "invalid"), rows[path[1]]] += 1
    return keys, JudgedProblems(n, c, *said)


def _points(of: JudgedProblems, drawn: Counts, ks: Callable[[int], Sequence[int]]) -> Iterator[CorrectedPoint]:
    smallest = int(of.n.min()) if len(of.n) else 0
    wanted = np.array([k for k in ks(smallest) if 1 <= k <= smallest], dtype=np.int64)
    if not len(wanted):
        return
    low: Floats = pass_at_k_of_runs([(of.n, valid) for valid in drawn], wanted)
    high: Floats = low if not of.open.any() else pass_at_k_of_runs([(of.n, v + of.open) for v in drawn], wanted)
    for place, k in enumerate(wanted.tolist()):
        ends = float(np.quantile(low[:, place], TAILS[0])), float(np.quantile(high[:, place], TAILS[1]))
        yield CorrectedPoint(k, float(low[:, place].mean()), float(high[:, place].mean()), ends)


def _sets(
    reader: Reader,
    runs: Sequence[Run],
    keys: Sequence[Counts],
    drawn: Sequence[Counts],
    min_correct: int,
    problems: Collection[int] | None,
) -> dict[tuple[bool, ...], tuple[float, float, float]]:
    """Problems in each solve set, over those that are compared; open paths do not count, as in the raw sets."""
    compared = [problem.key for problem in solve_sets(reader, runs, min_correct, problems=problems).problems]
    places = [{key: place for place, key in enumerate(of_run.tolist())} for of_run in keys]
    chosen = [[of_run[key] for key in compared] for of_run in places]
    solved = [valid[:, rows] >= min_correct for valid, rows in zip(drawn, chosen, strict=True)]
    found = {}
    for entry in all_combinations(len(runs)):
        counts = np.ones_like(solved[0], dtype=bool)
        for of_run, wanted in zip(solved, entry, strict=True):
            counts &= of_run == wanted
        per_draw = counts.sum(axis=1)
        low, high = np.quantile(per_draw, TAILS, method="inverted_cdf")
        found[entry] = (float(per_draw.mean()), float(low), float(high))
    return found
