"""The tables of a verdict audit and its sentences: screen, command and export print these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from backend.records.audit import Agreed, Audit, AuditProblem, AuditRun, DisputedPath, ErrorRate, RateDifference
from backend.records.comparison import Interval
from backend.records.table import CSV, DATA, DOCUMENT, EVERYWHERE, EXPORT, JSON, PEOPLE, PRINT, SCREEN, Column, Table
from backend.wording import PAIR_SETS, UNKNOWN, listed, percent, set_name, short_names, with_noun

CELLS = {
    (True, True): "both_correct",
    (True, False): "first_only",
    (False, True): "second_only",
    (False, False): "neither_correct",
}
"""Strata by what the first and the second side say, as data name them."""

RATES = {"false_positives": "false positives", "false_negatives": "false negatives", "false_share": "false of correct"}


def words_of(done: Audit) -> tuple[str, ...]:
    return short_names([of.run for of in done.runs])


def ends(interval: Interval | None, places: int = 2) -> str:
    """An interval of shares in percent."""
    return UNKNOWN if interval is None else f"{100 * interval[0]:.{places}f}–{100 * interval[1]:.{places}f}"


def share_in_words(share: float | None) -> str:
    """A share in percent with two decimals: errors of verifiers are small."""
    return UNKNOWN if share is None else f"{100 * share:.2f}"


def rate_in_words(rate: ErrorRate) -> str:
    return UNKNOWN if rate.value is None else f"{share_in_words(rate.value)} ({ends(rate.interval)})"


# Problems

Place = Callable[[AuditProblem], Agreed]


def audit_table(done: Audit) -> Table:
    """Where two sides disagree, problem by problem; its document is the whole audit."""
    words = words_of(done)
    columns = [
        Column("benchmark", value=lambda _: done.benchmark, on=EXPORT),
        Column("problem", value=lambda problem: problem.label),
    ]
    for place, side in enumerate((done.first, done.second)):
        key = ("first", "second")[place]
        columns += [
            Column(f"set_{key}", path=f"set.{key}", on=DATA,
                   value=lambda problem, place=place: PAIR_SETS[problem.sets[place]]),
            Column(f"set_{key}_name", heading=f"set: {side}", on=PEOPLE,
                   value=lambda problem, place=place: set_name(problem.sets[place], words)),
        ]  # fmt: skip
    for place, (run, word) in enumerate(zip(("base", "rl"), words, strict=True)):
        columns += _of_run(place, run, word, done)
    columns += [
        Column("disputed", "whole", value=lambda problem: problem.disputed, on=DATA),
        Column("level", value=lambda problem: problem.level, on=EVERYWHERE - SCREEN - JSON),
        Column("statement", "prose", value=lambda problem: problem.excerpt, on=PEOPLE | CSV),
    ]
    return Table(
        tuple(columns), done.problems, tuple(audit_notes(done)), lambda records: _document(done, records)
    )  # fmt: skip


def _of_run(place: int, run: str, word: str, done: Audit) -> list[Column]:
    def whole(name: str) -> Column:
        return Column(f"{run}_{name}", "whole", path=f"{run}.{name}", on=DATA,
                      value=lambda problem: getattr(problem.runs[place], name))  # fmt: skip

    def shown(problem: AuditProblem) -> str:
        of = problem.runs[place]
        return f"{of.first} → {of.second}" if of.first != of.second else str(of.first)

    return [
        *map(whole, ("n", "first", "second", "first_only", "second_only")),
        Column(f"{run}_n", "whole", f"{word} n", on=PRINT | DOCUMENT, value=lambda problem: problem.runs[place].n),
        Column(f"{run}_change", heading=f"{word} c", value=shown, on=PEOPLE),
        Column(f"{run}_alone", heading=f"{word} −/+", on=PEOPLE, gives_way=2 - place,
               value=lambda problem: f"−{problem.runs[place].first_only} +{problem.runs[place].second_only}"),
    ]  # fmt: skip


# Runs and sides


@dataclass(frozen=True, slots=True)
class RunSide:
    """One side on one run."""

    audit: Audit
    run: int
    side: int

    @property
    def of(self) -> AuditRun:
        return self.audit.runs[self.run]

    @property
    def correct(self) -> int:
        return (self.of.agreed.first, self.of.agreed.second)[self.side]

    @property
    def alone(self) -> int:
        """Samples that only this side calls correct."""
        return (self.of.agreed.first_only, self.of.agreed.second_only)[self.side]

    def at(self, last: bool) -> float | None:
        """pass@1, or pass@n at the common n."""
        return self.audit.views[self.side].curves[self.run][-1 if last else 0].pass_at_k

    def rate(self, name: str) -> ErrorRate:
        found: ErrorRate = getattr(self.of.errors[self.side], name)
        return found


def audit_runs_table(done: Audit) -> Table:
    """By run: what each side counts, and how often it errs by what was read."""
    words = words_of(done)
    n = len(done.views[0].curves[0])

    def rate(name: str, heading: str) -> list[Column]:
        return [
            Column(name, heading=f"{heading} %", on=PEOPLE, value=lambda row: rate_in_words(row.rate(name))),
            Column(name, "number", on=CSV, value=lambda row: row.rate(name).value),
            Column(f"{name}_low", "number", on=CSV, value=lambda row: (row.rate(name).interval or (None, None))[0]),
            Column(f"{name}_high", "number", on=CSV, value=lambda row: (row.rate(name).interval or (None, None))[1]),
        ]

    columns = [
        Column("run", value=lambda row: row.of.run.name, on=CSV),
        Column("run_name", heading="run", value=lambda row: words[row.run], on=PEOPLE),
        Column("verdicts", value=lambda row: (done.first, done.second)[row.side]),
        Column("samples", "count", value=lambda row: row.of.agreed.n, gives_way=4),
        Column("correct", "count", value=lambda row: row.correct, gives_way=3),
        Column("alone", "count", "it alone", lambda row: row.alone),
        Column("pass_at_1", "percent", "pass@1 %", lambda row: row.at(False), gives_way=2),
        Column("pass_at_n", "percent", f"pass@{n} %", lambda row: row.at(True), gives_way=1),
        *rate("false_positives", "false positives"),
        *rate("false_negatives", "false negatives"),
    ]
    rows = [RunSide(done, run, side) for run in (0, 1) for side in (0, 1)]
    return Table(tuple(columns), rows)


def audit_sets_table(done: Audit) -> Table:
    """Which problems go from which set to which, and how many of them are disputed."""
    words = words_of(done)
    disputed = dict.fromkeys(done.moved, 0)
    for problem in done.problems:
        disputed[problem.sets] += problem.disputed
    rows = [(move, count) for move, count in done.moved.items() if count]
    columns = []
    for place, (key, side) in enumerate((("first", done.first), ("second", done.second))):
        columns += [
            Column(key, value=lambda row, place=place: PAIR_SETS[row[0][place]], on=CSV),
            Column(f"{key}_name", heading=f"set: {side}", on=PEOPLE,
                   value=lambda row, place=place: set_name(row[0][place], words)),
        ]  # fmt: skip
    columns += [
        Column("problems", "count", value=lambda row: row[1]),
        Column("disputed", "count", "disputed samples", lambda row: disputed[row[0]]),
    ]
    return Table(tuple(columns), rows)


def audit_curves_table(done: Audit) -> Table:
    """pass@k of both runs by both sides, at powers of two and the common n."""
    from backend.estimators.pass_at_k import powers_and_end

    words = words_of(done)
    ks = powers_and_end(len(done.views[0].curves[0]))
    columns = [Column("k", "whole", value=lambda k: k)]
    for place, view in enumerate(done.views):
        for run, word in enumerate(words):
            columns.append(
                Column(
                    f"{('base', 'rl')[run]}_{('first', 'second')[place]}",
                    "percent",
                    f"{word}: {view.side} %",
                    lambda k, curve=view.curves[run]: curve[k - 1].pass_at_k,
                )
            )
    return Table(tuple(columns), ks)


def queue_of_disputed(paths: Sequence[DisputedPath], words: Sequence[str]) -> Table:
    """The reading queue of an audit."""
    return Table(
        (
            Column("problem", value=lambda path: path.label),
            Column("set", value=lambda path: PAIR_SETS[path.set], on=DATA),
            Column("set_name", heading="set", value=lambda path: set_name(path.set, words), on=PEOPLE),
            Column("run", value=lambda path: path.run),
            Column("sample", "whole", value=lambda path: path.sample),
            Column("first", value=lambda path: path.first),
            Column("second", value=lambda path: path.second),
            Column("said", heading="read", value=lambda path: path.said),
        ),
        paths,
    )


# In words


def difference_in_words(done: Audit, found: RateDifference) -> str:
    base, rl = words_of(done)
    rates = f"{share_in_words(found.base)} % on {base}, {share_in_words(found.rl)} % on {rl}"
    low, high = (points_of(end) for end in found.interval)
    apart = f"{rl} − {base} {points_of(found.difference)} points (95 % {low} to {high})"
    verdict = "they differ" if found.differs else "no difference is seen"
    if found.rate == "accepts":
        what = f"Of what {done.first} calls incorrect, {done.second} accepts"
    elif found.rate == "rejects":
        what = f"Of what {done.first} calls correct, {done.second} rejects"
    else:
        what = f"By what was read, {found.side} has {RATES[found.rate]}:"
    return f"{what} {rates}: {apart}, {verdict}."


def points_of(difference: float) -> str:
    """A small difference of shares in percentage points."""
    return f"{100 * difference:+.2f}".replace("-", "−")


def first_sentence(done: Audit) -> str:
    """What is said before everything: whether the verifiers err differently on base and on RL."""
    base, rl = words_of(done)
    total = done.runs[0].agreed + done.runs[1].agreed
    if not total.disputed:
        return f"{done.first} and {done.second} agree on every one of {with_noun(total.n, 'sample')}."
    if any(found.differs for found in done.differences):
        return (
            f"{done.first} and {done.second} disagree at different rates on {base} and {rl}: that alone moves sets "
            "and curves of one run against the other."
        )
    return f"No difference between {base} and {rl} is seen in how {done.first} and {done.second} disagree."


def differences_in_words(done: Audit) -> list[str]:
    """Every difference between base and RL; a rate of which neither has a case, and so says nothing, is left out."""
    return [difference_in_words(done, found) for found in done.differences if found.base or found.rl or found.differs]


def sets_in_words(done: Audit) -> str:
    words = words_of(done)
    by = "; ".join(
        f"by {view.side}: {', '.join(f'{set_name(entry, words)} {count:,}' for entry, count in view.counts.items())}"
        for view in done.views
    )
    moves = [
        f"{set_name(one, words)} to {set_name(other, words)} {count:,}"
        for (one, other), count in sorted(done.moved.items(), key=lambda item: -item[1])
        if one != other and count
    ]
    return f"Sets {by}. " + (f"Change set: {', '.join(moves)}." if moves else "No problem changes set.")


def curves_in_words(done: Audit) -> str:
    """pass@n of both runs and the crossing, by either side."""
    words, parts = words_of(done), []
    for view in done.views:
        n = len(view.curves[0])
        at_n = " and ".join(
            f"{word} {percent(curve[-1].pass_at_k)} %" for word, curve in zip(words, view.curves, strict=True)
        )
        where = (
            f"the curves cross at k = {listed([f'{k:,}' for k in view.crossings])}"
            if view.crossings
            else f"no crossing up to {n:,}"
        )
        parts.append(f"by {view.side}: {at_n} at k = {n:,}, {where}")
    return f"pass@k {'; '.join(parts)}."


def read_in_words(done: Audit) -> str:
    """How many disagreements and agreements were read, and how."""
    counts = []
    for name, entries in (("disagreements", (False,)), ("agreements", (True,))):
        strata = [
            of.strata[entry] for of in done.runs for entry in CELLS if (entry[0] == entry[1]) is entries[0]
        ]  # fmt: skip
        counts.append(f"{sum(s.read for s in strata):,} of {sum(s.samples for s in strata):,} {name}")
    return f"Read by people (passk override): {' and '.join(counts)}."


def audit_notes(done: Audit) -> list[str]:
    """All that is said of an audit, what matters most first."""
    left_out = sum(of.not_compared for of in done.runs)
    lines = [
        first_sentence(done),
        *differences_in_words(done),
        sets_in_words(done),
        curves_in_words(done),
        read_in_words(done),
    ]
    if any(stratum.read for of in done.runs for stratum in of.strata.values()):
        lines.append(METHOD)
    lines += reported_in_words(done)
    if left_out or done.not_compared:
        lines.append(
            f"Not compared: {with_noun(left_out, 'sample')} that {done.first} or {done.second} did not judge, "
            f"{with_noun(done.not_compared, 'problem')}."
        )
    return lines


def reported_in_words(done: Audit) -> list[str]:
    """The summary metric of each run's file beside what was read from it."""
    lines = []
    for word, of in zip(words_of(done), done.runs, strict=True):
        for found in of.reported:
            read = f"what was read ({with_noun(found.samples, 'sample')}) says {percent(found.read)} %"
            says = f"{word}: its results file says {found.metric} {percent(found.reported)} %, {read}"
            lines.append(f"{says}: {'the same' if found.agrees else 'they differ'}.")
    return lines


METHOD = (
    "Rates from what was read: each stratum (what both say together) weighted by its samples, Jeffreys posterior in "
    "each, 95 % credible; as if those read were drawn by chance within a stratum. A rate that needs a stratum of which "
    "nothing was read is unknown."
)
INTERVALS = {
    "differences": "95 %, bootstrap by problem (rates by what was read: difference of the posteriors)",
    "accepts": "95 %, bootstrap by problem; Clopper-Pearson where there is no case",
    "rates": "95 % credible: Jeffreys in each stratum, combined by draws",
}


# The document


def _document(done: Audit, records: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "benchmark": done.benchmark,
        "min_correct": done.min_correct,
        "first": done.first,
        "second": done.second,
        "says": audit_notes(done),
        "differences": [
            {
                "rate": found.rate,
                "of": found.side or done.second,
                "base": found.base,
                "rl": found.rl,
                "difference": found.difference,
                "low": found.interval[0],
                "high": found.interval[1],
                "differs": found.differs,
            }
            for found in done.differences
        ],
        "intervals": INTERVALS,
        "runs": {name: _run_facts(of) for name, of in zip(("base", "rl"), done.runs, strict=True)},
        "sets": {name: _by_name(view.counts) for name, view in zip(("first", "second"), done.views, strict=True)},
        "moved": [
            {"first": PAIR_SETS[one], "second": PAIR_SETS[other], "problems": count}
            for (one, other), count in done.moved.items()
            if count
        ],
        "curves": {
            name: {
                "crossings": list(view.crossings),
                **{
                    run: [{"k": point.k, "pass_at_k": point.pass_at_k} for point in curve]
                    for run, curve in zip(("base", "rl"), view.curves, strict=True)
                },
            }
            for name, view in zip(("first", "second"), done.views, strict=True)
        },
        "not_compared": {
            "problems": done.not_compared,
            "base_samples": done.runs[0].not_compared,
            "rl_samples": done.runs[1].not_compared,
        },
        "problems": records,
    }


def _run_facts(of: AuditRun) -> dict[str, Any]:
    return {
        "run": of.run.name,
        "samples": of.agreed.n,
        "correct": {"first": of.agreed.first, "second": of.agreed.second},
        "accepts": _rate(of.accepts),
        "rejects": _rate(of.rejects),
        "reported": [
            {
                "metric": found.metric,
                "of": found.side,
                "reported": found.reported,
                "read": found.read,
                "samples": found.samples,
                "agrees": found.agrees,
            }
            for found in of.reported
        ],
        "strata": {
            CELLS[entry]: {"samples": stratum.samples, "read": stratum.read, "correct": stratum.correct}
            for entry, stratum in of.strata.items()
        },
        "errors": {
            side: {name: _rate(getattr(errors, name)) for name in RATES}
            for side, errors in zip(("first", "second"), of.errors, strict=True)
        },
    }


def _rate(rate: ErrorRate) -> dict[str, float | None]:
    low, high = rate.interval or (None, None)
    return {"value": rate.value, "low": low, "high": high}


def _by_name(counts: Any) -> dict[str, int]:
    return {PAIR_SETS[entry]: count for entry, count in counts.items()}
