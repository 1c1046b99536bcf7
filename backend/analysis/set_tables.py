"""The table of a solve-set comparison: the one place where its columns, headings and names in data are written down.

A column that is added to `SETS` is in the explorer, in what `passk sets` prints and in every exported form, but for
where `on` leaves it out. Names in data are a promise: scripts read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from itertools import groupby
from typing import Any

from backend.analysis.false_positives import rate_in_words
from backend.records import Curve, SetProblem, SolveSets
from backend.records.audit import FalsePositives
from backend.records.comparison import (
    UNCERTAIN,
    ProblemEvidence,
    ProblemUncertainty,
    SetEvidence,
    SetUncertainty,
)
from backend.records.reading import ValidSets
from backend.records.table import (
    CSV,
    DATA,
    DOCUMENT,
    EVERYWHERE,
    EXPORT,
    JSON,
    PEOPLE,
    PRINT,
    SCREEN,
    Column,
    Table,
)
from backend.wording import (
    PAIR_SETS,
    nothing_in_common,
    percent,
    run_label,
    sampled_otherwise,
    set_name,
    short_names,
    span,
    with_noun,
)


@dataclass(frozen=True)
class SetsShown:
    """A comparison and what is known beside it, for the columns of its table."""

    sets: SolveSets
    uncertainty: SetUncertainty | None = None
    """None where it is not known (yet)."""
    evidence: SetEvidence | None = None
    """None where it is not asked for, and for other comparisons than of a pair."""
    valid: ValidSets | None = None
    """The same by valid paths only; None where it is not asked for."""
    stored: Mapping[int, Any] = field(default_factory=dict)
    """For exports: by key, the problem with all its texts."""
    settled: Mapping[tuple[int, int], tuple[int, int, int]] | None = None
    """For exports: by run and problem key, how many right paths are judged valid, invalid and unsure; None where it is
    not asked for."""
    answers: dict[tuple[int, int], Any] = field(default_factory=dict)
    """For exports: by problem and run key, the answers with verdict and count."""
    overridden: int = 0
    """Verdicts of these runs that a person has given instead of the verifier's."""
    false_positives: FalsePositives | None = None
    """None where no rate of false positives is supposed."""

    @property
    def words(self) -> tuple[str, ...]:
        return short_names(self.sets.runs)

    def name(self, solved: Sequence[bool]) -> str:
        """A set as people call it."""
        return set_name(solved, self.words)

    def data_name(self, solved: Sequence[bool]) -> str:
        """A set as data name it: both, base_only, rl_only, neither; for more runs those that solve it, or none."""
        if len(solved) == 2:
            return PAIR_SETS[tuple(solved)]
        return " + ".join(run.name for run, one in zip(self.sets.runs, solved, strict=True) if one) or "none"

    def valid_name(self, problem: SetProblem) -> str | None:
        found = self._by_valid.get(problem.key)
        return None if found is None else self.data_name(found)

    @cached_property
    def _by_valid(self) -> Mapping[int, tuple[bool, ...]]:
        return {problem.key: problem.solved for problem in self.valid.sets.problems} if self.valid else {}

    def sure(self, problem: SetProblem) -> ProblemUncertainty | None:
        return self.uncertainty.problems.get(problem.key) if self.uncertainty else None

    def rate(self, problem: SetProblem, run: int, name: str) -> float | None:
        """mean, low or high of a success rate."""
        sure = self.sure(problem)
        return getattr(sure.rates[run], name) if sure else None

    def ends(self, problem: SetProblem, run: int) -> tuple[float, float] | None:
        """The 95 % credible interval of a success rate."""
        sure = self.sure(problem)
        return (sure.rates[run].low, sure.rates[run].high) if sure else None

    def change(self, problem: SetProblem, run: int | None = None) -> float | None:
        """The chance that a replication puts the problem into another set, or that a run of it does."""
        sure = self.sure(problem)
        return None if sure is None else sure.set if run is None else sure.runs[run]

    def shown_by(self, problem: SetProblem) -> ProblemEvidence | None:
        """What the counts of a problem are evidence of."""
        return self.evidence.problems.get(problem.key) if self.evidence else None

    def all_false(self, problem: SetProblem, run: int) -> float | None:
        """The chance that a run solves a problem by false verdicts alone; None where it does not solve it."""
        found = self.false_positives
        return found.problems.get(problem.key, (None,) * (run + 1))[run] if found else None

    def judged(self, problem: SetProblem, run: int, place: int) -> int | None:
        """Right paths that are judged valid (0), invalid (1), unsure (2); None where no paths are, or not asked for."""
        if self.settled is None:
            return None
        of = self.sets.runs[run]
        return self.settled.get((of.key, problem.key), (0, 0, 0) if of.texts else (None, None, None))[place]


SETS = (
    Column("benchmark", value=lambda at, _: at.sets.benchmark, on=EXPORT),
    Column("problem", value=lambda _, problem: problem.label),
    Column("set", value=lambda at, problem: at.data_name(problem.solved), on=CSV | JSON | EXPORT),
    Column("level", value=lambda _, problem: problem.level, on=PEOPLE | EXPORT),
    Column("set_name", heading="set", value=lambda at, problem: at.name(problem.solved), on=PRINT | DOCUMENT),
    Column("reference", value=lambda at, problem: at.stored[problem.key].reference, on=EXPORT),
    Column("statement", value=lambda at, problem: at.stored[problem.key].statement, on=EXPORT),
    Column("doubt", "number", value=lambda at, problem: at.change(problem), on=EXPORT),
    Column("set_by_valid", value=lambda at, problem: at.valid_name(problem), on=EXPORT),
    Column("{run}_run", value=lambda at, _, run: at.sets.runs[run].name, on=EXPORT),
    Column("{run}_c", "whole", value=lambda _, problem, run: problem.tallies[run].c, on=CSV | JSON, path="{run}.c"),
    Column("{run}_n", "whole", value=lambda _, problem, run: problem.tallies[run].n, path="{run}.n",
           on=CSV | JSON | EXPORT),
    Column("{run}_c", "whole", value=lambda _, problem, run: problem.tallies[run].c, on=EXPORT),
    Column("{run}_low", "number", value=lambda at, problem, run: at.rate(problem, run, "low"), on=EXPORT),
    Column("{run}_high", "number", value=lambda at, problem, run: at.rate(problem, run, "high"), on=EXPORT),
    Column("{run}_doubt", "number", value=lambda at, problem, run: at.change(problem, run), on=EXPORT),
    Column("{run}_valid", "whole", value=lambda at, problem, run: at.judged(problem, run, 0), on=EXPORT),
    Column("{run}_invalid", "whole", value=lambda at, problem, run: at.judged(problem, run, 1), on=EXPORT),
    Column("{run}_unsure", "whole", value=lambda at, problem, run: at.judged(problem, run, 2), on=EXPORT),
    Column("{run}_answers", "json", on=EXPORT,
           value=lambda at, problem, run: at.answers.get((problem.key, at.sets.runs[run].key))),
    Column("{run}_tally", "tally", "{word} c/n", lambda _, problem, run: problem.tallies[run], on=PEOPLE),
    Column("{run}_rate", "interval", "95 %", lambda at, problem, run: at.ends(problem, run), on=DOCUMENT),
    Column("p_change", "chance", "P(change) %", lambda at, problem: at.change(problem), on=SCREEN | DOCUMENT),
    Column("level", value=lambda _, problem: problem.level, on=CSV),
    Column("statement", "prose", value=lambda _, problem: problem.excerpt, on=PEOPLE | CSV),
    Column("{run}_tokens", "compact", "{word} tok", lambda _, problem, run: problem.mean_tokens[run], on=SCREEN,
           gives_way=1),
)  # fmt: skip
"""Values of a `SetsShown`, a problem and, where the key has {run} in it, the place of a run: such columns are repeated.

For a pair {run} is base and rl, else run1, run2, ...; {word} is what people call it."""

SURE = (
    Column("{run}_rate", "interval", "{word} 95 %", lambda at, problem, run: at.ends(problem, run), on=PRINT),
    Column("doubt_{run}", "chance", "{word} P(change) %", lambda at, problem, run: at.change(problem, run),
           on=CSV | JSON | PRINT, path="doubt.{run}"),
    Column("doubt_set", "chance", "P(change) %", lambda at, problem: at.change(problem), on=CSV | JSON | PRINT,
           path="doubt.set"),
    Column("ends", value=lambda at, problem, run: list(at.sure(problem).ranges[run]), on=JSON,
           path="doubt_range.{run}"),
    *(Column(f"{{run}}_{name}", "number", path=f"rate.{{run}}.{name}", on=JSON,
             value=lambda at, problem, run, name=name: at.rate(problem, run, name))
      for name in ("mean", "low", "high")),
)  # fmt: skip
"""More of the command's columns, where it was asked how sure the sets are."""

SURE_ENDS = (
    Column("doubt_{run}_range", heading="{word} P(change) 95 %", on=CSV | PRINT,
           value=lambda at, problem, run: "{:.3f}–{:.3f}".format(*at.sure(problem).ranges[run])),
)  # fmt: skip
"""More of them, where further samples are thought of: the chances at the ends of the rates' credible intervals."""


def _p(name: str) -> Callable[[SetsShown, SetProblem], float | None]:
    """P of the side with the higher c/n."""

    def value(at: SetsShown, problem: SetProblem) -> float | None:
        found = at.shown_by(problem)
        return min(getattr(found, name)) if found else None

    return value


def _bound(end: int) -> Callable[..., float | None]:
    def value(at: SetsShown, problem: SetProblem, run: int) -> float | None:
        found = at.shown_by(problem)
        return found.bounds[run][end] if found else None

    return value


def _bounds(at: SetsShown, problem: SetProblem) -> str | None:
    """Upper bound of the run with the lower rate beside the lower bound of the other: what cannot can mean."""
    found = at.shown_by(problem)
    if found is None:
        return None
    low, high = (0, 1) if found.p[1] <= found.p[0] else (1, 0)
    sides = {low: f"≤{percent(found.bounds[low][1])}", high: f"≥{percent(found.bounds[high][0])}"}
    return f"{sides[0]} {sides[1]}"


EVIDENCE = (
    Column(
        "evidence",
        on=EVERYWHERE,
        path="evidence.ahead",
        value=lambda at, problem: (found := at.shown_by(problem)) and (found.ahead or "none"),
        gives_way=4,
    ),
    Column("evidence_p", "number", "p", _p("p"), on=DATA, path="evidence.p"),
    Column("evidence_holm", "number", "p, Holm", _p("holm"), on=DATA | PRINT, path="evidence.holm"),
    Column("bounds", heading="bounds %", value=_bounds, on=PRINT | DOCUMENT),
    Column("{run}_lower", "number", value=_bound(0), on=DATA, path="evidence.{run}.lower"),
    Column("{run}_upper", "number", value=_bound(1), on=DATA, path="evidence.{run}.upper"),
)
"""More of them for a pair: whether the difference on a problem is more than luck."""


FALSE = (
    Column("{run}_all_false", "chance", "{word} false %", lambda at, problem, run: at.all_false(problem, run),
           on=EVERYWHERE, path="all_false.{run}"),
)  # fmt: skip
"""More of them under a rate of false positives: the chance that a run solves a problem by false verdicts alone."""


def sets_table(shown: SetsShown) -> Table:
    uncertainty = shown.uncertainty
    columns = [
        *SETS,
        *(EVIDENCE if shown.evidence else ()),
        *(FALSE if shown.false_positives else ()),
        *(SURE if uncertainty else ()),
        *(SURE_ENDS if uncertainty and uncertainty.more else ()),
    ]
    return Table(
        tuple(_of_runs(columns, shown)),
        shown.sets.problems,
        tuple(sets_notes(shown)),
        partial(_sets_document, shown),
    )


def _of_runs(columns: Iterable[Column], shown: SetsShown) -> Iterator[Column]:
    """The columns bound to a comparison, those of runs repeated for each."""
    runs = len(shown.sets.runs)
    prefixes = ("base", "rl") if runs == 2 else tuple(f"run{place}" for place in range(1, runs + 1))
    for of_run, block in groupby(columns, key=lambda column: "{run}" in column.key + column.path):
        together = [replace(column, value=column.value and partial(column.value, shown)) for column in block]
        if not of_run:
            yield from together
            continue
        for place, (run, word) in enumerate(zip(prefixes, shown.words, strict=True)):
            for column in together:
                yield replace(
                    column,
                    key=column.key.format(run=run),
                    heading=column.heading.format(word=word),
                    path=column.path.format(run=run),
                    value=column.value and partial(column.value, run=place),
                    gives_way=column.gives_way and runs - place,
                )


def sets_notes(shown: SetsShown) -> list[str]:
    """What must be known to read solve sets: the threshold, the runs with their n, and what is not compared."""
    sets = shown.sets
    lines = [f"Solved: at least {sets.min_correct} correct of n samples."]
    for word, run, size in zip(shown.words, sets.runs, sets.n_ranges, strict=True):
        lines.append(f"{word}: {run.name}, n = {span(*size) if size else 'unknown'}.")
    if not sets.problems and len(sets.runs) == 2:
        lines.append(nothing_in_common(*sets.runs, sets.shared_names))
    if otherwise := sampled_otherwise(sets.runs):
        lines.append(otherwise)
    if sets.expected_at_common_n is not None:
        expected = ", ".join(f"{shown.name(entry)} {count:.1f}" for entry, count in sets.expected_at_common_n.items())
        lines.append(
            f"n differs, and more samples solve more. Expected at n = {sets.common_n} samples each: {expected}."
        )
    for word, labels in zip(shown.words, sets.not_compared.missing, strict=True):
        if labels:
            lines.append(f"Not compared: {with_noun(len(labels), 'problem')} that {word} does not have.")
    if without := sets.not_compared.without_verdict:
        lines.append(f"Not compared: {with_noun(len(without), 'problem')} without a verdict.")
    if shown.overridden:
        lines.append(f"{with_noun(shown.overridden, 'verdict')} overridden by hand.")
    if shown.valid is not None:
        judged = ", ".join(
            f"{word} {of_run.judged:,} of {of_run.right:,} correct paths ({of_run.valid:,} valid)"
            for word, of_run in zip(shown.words, shown.valid.judged, strict=True)
        )
        lines.append(
            "By valid paths: only correct answers whose reasoning was judged valid count; the upper end of a range "
            f"counts unjudged ones too. Judged: {judged}."
        )
    return lines


def evidence_in_words(shown: SetsShown) -> str:
    """RL-only 3: 2 beyond chance, 1 compatible with none; base-only 19: 2 beyond chance, ...; 19 against 3, p = ..."""
    found = shown.evidence
    if found is None:
        return ""
    parts, names = [], {name: entry for entry, name in PAIR_SETS.items()}
    for name in ("rl_only", "base_only"):
        count, beyond = shown.sets.counts[names[name]], found.beyond[name]
        rest = f", {count - beyond:,} compatible with none" if count - beyond else ""
        parts.append(f"{shown.name(names[name])} {count:,}" + (f": {beyond:,} beyond chance{rest}" if count else ""))
    base, rl = (shown.sets.counts[names[name]] for name in ("base_only", "rl_only"))
    if found.discordance is not None:
        parts.append(f"{base:,} against {rl:,}, p = {found.discordance:.2g}")
    elif not found.even:
        parts.append(f"{base:,} against {rl:,} is not tested: n differs")
    return "; ".join(parts)


def evidence_notes(shown: SetsShown) -> list[str]:
    """The same, with what was tested and how."""
    if shown.evidence is None:
        return []
    return [
        f"{evidence_in_words(shown)}.",
        f"Beyond chance: Fisher's exact test, one-sided, on each problem, adjusted by Holm over "
        f"{shown.evidence.tested:,} problems in either direction, 5 %; the counts against each other: McNemar, exact. "
        "Bounds: Clopper-Pearson, each one-sided with 95 %: one rate is at most so much, the other at least.",
    ]


def false_positives_in_words(shown: SetsShown) -> list[str]:
    """What is spurious in the sets and what is left of them; and where counts do not allow the supposed rate."""
    found = shown.false_positives
    if found is None:
        return []
    rates = ", ".join(f"{word} {rate_in_words(rate)}" for word, rate in zip(shown.words, found.rates, strict=True))
    sets = "; ".join(
        f"{shown.name(entry)} {members.corrected:.1f} ({span(*members.interval)}; {members.spurious:.1f} spurious of "
        f"{shown.sets.counts[entry]:,})"
        for entry, members in found.sets.items()
    )
    return [
        f"without false positives ({rates}): {sets}",
        *(
            f"{word}: its counts do not allow {rate_in_words(rate)}: too many problems have no correct sample"
            for word, rate in zip(shown.words, found.rates, strict=True)
            if not rate.allowed
        ),
    ]


def false_positive_notes(shown: SetsShown) -> list[str]:
    """The same, with what it supposes."""
    if shown.false_positives is None:
        return []
    return [
        *false_positives_in_words(shown),
        "Supposed: so many of the incorrect samples are called correct, each by chance. Expected counts with 95 % over "
        "which verdicts are false, under a prior fitted to all problems; false: the chance in per cent that a run "
        "solves a problem by false verdicts alone.",
    ]


def problem_notes(shown: SetsShown) -> list[str]:
    """What interval and P(change) of a problem are."""
    if shown.uncertainty is None:
        return []
    return [
        "95 %: credible interval of the success rate c/n in per cent, under a prior fitted to all problems. P(change): "
        "the chance in per cent that a replication (fresh runs of the same n) puts the problem into another set."
    ]


def count_notes(shown: SetsShown) -> list[str]:
    """What the range of a set's count is, and how many problems are uncertain."""
    found = shown.uncertainty
    if found is None:
        return []
    return [
        f"In 95 % of replications the count of a set is expected in its range; about {found.expected_changes:.0f} of "
        f"{len(found.problems):,} problems would change set in one, {found.uncertain:,} with a chance of "
        f"{percent(UNCERTAIN)} % or more."
    ]


def set_counts_table(shown: SetsShown) -> Table:
    """How many problems each set has; for a document, with what is expected of replications and of valid paths."""
    uncertainty, valid = shown.uncertainty, shown.valid
    columns = [
        Column("set", value=lambda entry: shown.name(entry)),
        Column("problems", "count", value=lambda entry: shown.sets.counts[entry]),
    ]
    if uncertainty is not None:
        columns.append(Column("range", "span", "95 % of replications", lambda entry: uncertainty.expected[entry]))
    if valid is not None:
        columns.append(Column("by valid paths", value=partial(_by_valid, valid)))
    return Table(tuple(columns), tuple(shown.sets.counts))


def _by_valid(valid: ValidSets, entry: tuple[bool, ...]) -> str:
    """A count by valid paths: with unjudged paths as invalid, and as valid."""
    surely, at_most = valid.sets.counts[entry], valid.counts_if_open_valid[entry]
    return f"{surely:,}" if surely == at_most else f"{surely:,}–{at_most:,}"


def compared_runs_table(sets: SolveSets, found: Sequence[Curve]) -> Table:
    """The runs of a comparison with both ends of their curves."""
    places = {run.key: place for place, run in enumerate(sets.runs)}

    def solved(curve: Curve) -> float:
        place = places[curve.run.key]
        if expected is not None:
            return sum(count for entry, count in expected.items() if entry[place])
        return sum(problem.solved[place] for problem in sets.problems)

    k = min((curve.points[-1].k for curve in found if curve.points), default=None)
    expected = sets.expected_at_common_n
    return Table(
        (
            Column("run", value=lambda curve: run_label(curve.run)),
            Column("n", "span", value=lambda curve: sets.n_ranges[places[curve.run.key]]),
            Column("pass_at_1", "percent", "pass@1", lambda curve: curve.at(1)),
            Column("k", "whole", value=lambda curve: k if curve.points else None),
            Column("pass_at_k", "percent", "pass@k", lambda curve: curve.at(k) if curve.points else None),
            Column("solved", "decimal" if expected is not None else "count", value=solved),
        ),
        found,
    )  # fmt: skip


def _sets_document(shown: SetsShown, records: list[dict[str, Any]]) -> dict[str, Any]:
    """The solve sets of a pair as the command line promises them."""
    from backend.analysis.uncertainty import support

    sets = shown.sets
    sizes = [size or (None, None) for size in sets.n_ranges]
    base, rl = (
        {"run": run.name, "n_min": low, "n_max": high} for run, (low, high) in zip(sets.runs, sizes, strict=True)
    )
    result: dict[str, Any] = {
        "benchmark": sets.benchmark,
        "base": base,
        "rl": rl,
        "min_correct": sets.min_correct,
        "counts": _by_name(sets.counts),
        "not_compared": {
            "only_in_base": list(sets.not_compared.missing[1]),
            "only_in_rl": list(sets.not_compared.missing[0]),
            "without_verdict": list(sets.not_compared.without_verdict),
        },
    }
    if sets.expected_at_common_n is not None:
        result["expected_at_common_n"] = {"n": sets.common_n, **_by_name(sets.expected_at_common_n)}
    if (tested := shown.evidence) is not None:
        result["evidence"] = {
            "tested": tested.tested,
            "beyond_chance": dict(tested.beyond),
            "discordance_p": tested.discordance,
            "method": "Fisher one-sided, Holm over the problems; McNemar exact; bounds Clopper-Pearson one-sided 95 %",
        }
    if (false := shown.false_positives) is not None:
        result["false_positives"] = {
            "rates": {
                name: {"value": rate.value, "interval": rate.interval, "allowed": rate.allowed}
                for name, rate in zip(("base", "rl"), false.rates, strict=True)
            },
            "sets": {
                PAIR_SETS[entry]: {
                    "spurious": members.spurious,
                    "corrected": members.corrected,
                    "interval": list(members.interval),
                }
                for entry, members in false.sets.items()
            },
        }
    if (found := shown.uncertainty) is not None:
        result |= {
            "expected": _by_name({entry: list(ends) for entry, ends in found.expected.items()}),
            "expected_mean": _by_name(found.means),
            "expected_of": "a fresh run of the same n" if found.more is None else f"{found.more} further samples",
            "more": found.more,
            "interval": "expected: "
            + ("95 % prediction interval" if found.calibrated else "range without a percentage, beyond 3 n")
            + "; rate: posterior mean and 95 % credible interval",
            "calibrated": found.calibrated,
            "prior": found.prior
            and {"of": "P(change) at c = 2 against 0, and at 0 against 2", "n": sets.common_n, "values": found.prior},
            "in_doubt": found.uncertain,
            "expected_changes": found.expected_changes,
            "support": asdict(support(sets)),
        }
    return {**result, "problems": records}


def _by_name(values: Mapping[tuple[bool, ...], Any]) -> dict[str, Any]:
    return {PAIR_SETS[entry]: value for entry, value in values.items()}
