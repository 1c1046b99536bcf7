"""The table of each record: the one place where its columns, their headings and their names in data are written down.

A column that is added here is in the explorer, in what commands print and in every exported form, but for where `on`
leaves it out. Names in data are a promise: scripts read them. Solve sets: `set_tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

from backend.analysis.judge_tables import correction_in_words
from backend.records import VERDICTS, Curve, Run
from backend.records.comparison import (
    BandCurve,
    Difference,
    SamplePlan,
)
from backend.records.judges import CorrectedPoint, CorrectedRun, Correction
from backend.records.reading import (
    CotCurve,
    CotPoint,
    Judged,
    JudgedPath,
    Perplexities,
    PerplexityGroup,
    QueuedPath,
    ValidSets,
)
from backend.records.samples import Hit
from backend.records.table import (
    CSV,
    DATA,
    EVERYWHERE,
    EXPORT,
    JSON,
    PEOPLE,
    PRINT,
    SCREEN,
    Column,
    Media,
    Table,
)
from backend.records.views import (
    AccuracyHistogram,
    Agreement,
    Efficiency,
    EfficiencyGap,
    Lengths,
    LengthSummary,
    RunLengths,
    RunSummary,
    Series,
    TemperaturePoint,
    TemperatureSweep,
)
from backend.wording import (
    PAIR_SETS,
    ROLE_WORDS,
    UNKNOWN,
    copies_in_words,
    nothing_in_common,
    run_label,
    sampled_otherwise,
    set_name,
    short_names,
    span,
    with_noun,
)

# Runs, and what every table of runs begins with.

RUNS = (
    Column("run", value=lambda run: run.name),
    Column("model", value=lambda run: run.model.name),
    Column("role", value=lambda run: run.model.role),
    Column("from_model", value=lambda run: run.model.from_model, on=DATA),
    Column("step", "whole", value=lambda run: run.model.step),
    Column("algorithm", value=lambda run: run.model.algorithm, on=DATA),
    Column("benchmark", value=lambda run: run.benchmark),
    Column("problems", "count", value=lambda run: run.problems),
    Column("samples", "count", value=lambda run: run.samples),
    Column("correct", "count", value=lambda run: run.correct),
    Column("unverified", "count", value=lambda run: run.unverified, on=DATA),
    Column("solvable", "count", value=lambda run: run.solvable, on=DATA),
    Column("n_min", "whole", value=lambda run: run.n_min, on=DATA),
    Column("n_max", "whole", value=lambda run: run.n_max, on=DATA),
    Column("n", "span", value=lambda run: (run.n_min, run.n_max), on=PEOPLE),
    Column("paths", "count", value=lambda run: run.texts, on=DATA),
    Column("parameters", "json", value=lambda run: dict(run.parameters), on=DATA),
    Column("copies", "count", value=lambda run: run.copies, on=DATA),
)


def runs_table(runs: Sequence[Run]) -> Table:
    notes = (f"{run.name}: {copies_in_words(run)}" for run in runs if run.copies)
    return Table(RUNS, runs, tuple(notes))


def _run_columns(run: Callable[[Any], Run], *, algorithm: Media = DATA) -> tuple[Column, ...]:
    """Which run an item is of."""
    return (
        Column("run", value=lambda item: run(item).name, on=EVERYWHERE - SCREEN),
        Column("run_label", heading="run", value=lambda item: run_label(run(item)), on=SCREEN),
        Column("benchmark", value=lambda item: run(item).benchmark, on=JSON),
        Column("role", value=lambda item: run(item).model.role, on=JSON),
        Column("algorithm", value=lambda item: run(item).model.algorithm, on=algorithm),
    )


def _size_columns(run: Callable[[Any], Run]) -> tuple[Column, ...]:
    """What figures of a run are figures of."""
    return (
        Column("n_min", "whole", value=lambda item: run(item).n_min, on=DATA),
        Column("n_max", "whole", value=lambda item: run(item).n_max, on=DATA),
        Column("n", "span", value=lambda item: (run(item).n_min, run(item).n_max), on=PEOPLE),
    )


def _run_facts(run: Run) -> dict[str, Any]:
    """A run at the head of its part of a JSON document."""
    table = Table((*_run_columns(lambda run: run), *_size_columns(lambda run: run))).on(JSON)
    return table.record(run)


def sizes(run: Run, problems: int) -> str:
    """What figures of a run are figures of, in words."""
    return f"n = {span(run.n_min, run.n_max)}, {with_noun(problems, 'problem')}"


def why_this_k(k: int | None, who: str = "all these runs reach") -> str:
    if k is None:
        return "pass@k is unknown: a run has no sample with a verdict."
    return "k = 256, as in the paper." if k == 256 else f"k = {k}: the largest up to 256 that {who}."


# Curves, their intervals, differences.


def curves_table(found: Sequence[Curve]) -> Table:
    """pass@k of runs, a point a row."""
    columns = (
        Column("run", value=lambda item: item[0].run.name),
        Column("benchmark", value=lambda item: item[0].run.benchmark),
        Column("problems", "count", value=lambda item: item[0].problems),
        Column("n", "whole", value=lambda item: item[0].run.n_min),
        Column("k", "whole", value=lambda item: item[1].k),
        Column("pass_at_k", "percent", "pass@k %", lambda item: item[1].pass_at_k),
    )
    items = [(curve, point) for curve in found for point in curve.points]
    return Table(columns, items, _parameters_note(found), lambda _: [curve_facts(curve) for curve in found])


def _parameters_note(found: Sequence[Curve]) -> tuple[str, ...]:
    return tuple(filter(None, [sampled_otherwise([curve.run for curve in found])]))


def curve_facts(curve: Curve) -> dict[str, Any]:
    """One curve as the command line promises it."""
    run = curve.run
    return {
        "run": run.name,
        "model": run.model.name,
        "role": run.model.role,
        "benchmark": run.benchmark,
        "problems": curve.problems,
        "n_min": run.n_min,
        "n_max": run.n_max,
        "points": [asdict(point) for point in curve.points],
    }


def wide_curves_table(found: Sequence[Curve]) -> Table:
    """The same for people: a row a run, a column a k; unknown beyond a run's smallest n."""
    ks = sorted({point.k for curve in found for point in curve.points})
    columns = (
        Column("run", value=lambda curve: curve.run.name),
        Column("problems", "count", value=lambda curve: curve.problems),
        Column("n", "whole", value=lambda curve: curve.run.n_min),
        *(Column(f"@{k}", "percent", value=lambda curve, k=k: curve.at(k)) for k in ks),
    )
    return Table(columns, found, ("pass@k in %", *_parameters_note(found)) if found else ())


def _band_columns(at: str, value: Column) -> tuple[Column, ...]:
    return (
        Column(at, "number" if at == "tau" else "whole", value=lambda item: item[1].at),
        replace(value, value=lambda item: item[1].value),
        Column("low", value.kind, value=lambda item: item[1].low),
        Column("high", value.kind, value=lambda item: item[1].high),
    )


def bands_table(found: Sequence[Curve], bands: Sequence[BandCurve], value: Literal["pass_at_k", "cover"]) -> Table:
    """pass@k or Cover@tau of runs with their intervals, a point a row."""
    heading = "Cover@τ %" if value == "cover" else "pass@k %"
    points = _band_columns("tau" if value == "cover" else "k", Column(value, "percent", heading))
    columns = (
        Column("run", value=lambda item: item[0].run.name, on=EVERYWHERE - JSON),
        Column("benchmark", value=lambda item: item[0].run.benchmark, on=EVERYWHERE - JSON),
        Column("problems", "count", value=lambda item: item[0].problems, on=EVERYWHERE - JSON),
        Column("n", "whole", value=lambda item: item[0].run.n_min, on=EVERYWHERE - JSON),
        *points,
    )

    def document(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rest = iter(records)
        return [
            curve_facts(curve) | {"method": band.method, "points": [next(rest) for _ in band.points]}
            for curve, band in zip(found, bands, strict=True)
        ]

    methods = dict.fromkeys(f"low, high: {band.method}" for band in bands)
    return Table(
        columns,
        [(band, point) for band in bands for point in band.points],
        (*methods, *_parameters_note(found)),
        document,
    )


def difference_table(found: Difference) -> Table:
    facts = {"benchmark": found.base.benchmark, "base": found.base.name, "rl": found.rl.name}
    facts |= {name: getattr(found, name) for name in ("problems", "n", "method")}
    more: dict[str, Any] = {"crossing": found.crossing and asdict(found.crossing), "wins": asdict(found.wins)}
    more["leads"] = [{"from": lead.first, "to": lead.last, "ahead": lead.ahead, "by": lead.by} for lead in found.leads]
    more["crossings"] = [lead.first for lead in found.leads[1:]]
    return Table(
        _band_columns("k", Column("delta", "points", "Δ points")),
        [(found, point) for point in found.points],
        tuple(filter(None, [sampled_otherwise([found.base, found.rl])])),
        document=lambda records: {**facts, "points": records, **more},
    )


# The paper's views


def histogram_table(found: Sequence[AccuracyHistogram]) -> Table:
    from backend.estimators.histograms import BINS

    columns = (
        Column("run", value=lambda item: item[0].run.name, on=EVERYWHERE - JSON),
        Column("bin", heading="c/n", value=lambda item: item[1]),
        Column("problems", "count", value=lambda item: item[2]),
        Column("share", "percent", "%", lambda item: item[2] / item[0].problems if item[0].problems else None),
    )

    def document(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rest = iter(records)
        return [
            {**_run_facts(each.run), "problems": each.problems, "bins": [next(rest) for _ in each.counts]}
            for each in found
        ]

    notes = [f"{run_label(each.run)}: {sizes(each.run, each.problems)}" for each in found]
    items = [(each, *pair) for each in found for pair in zip(BINS, each.counts, strict=True)]
    return Table(columns, items, ("Share of problems by c/n; a bin includes its upper end.", *notes), document)


def _pass_columns(level: Callable[[Any], RunSummary], k: int | None) -> tuple[Column, ...]:
    return (
        Column("k", "whole", value=lambda _: k, on=DATA),
        Column("pass_at_1", "percent", "pass@1 %", lambda item: level(item).pass_at_1),
        Column("pass_at_k", "percent", f"pass@{UNKNOWN if k is None else k} %", lambda item: level(item).pass_at_k),
    )


def efficiency_table(found: Efficiency) -> Table:
    def run(gap: EfficiencyGap) -> Run:
        return gap.summary.run

    data, people = _size_columns(run)[:2], _size_columns(run)[2:]
    columns = (
        *_run_columns(run),
        Column("problems", "count", value=lambda gap: gap.summary.problems, on=DATA),
        *data,
        *_pass_columns(lambda gap: gap.summary, found.k),
        Column("delta_se", "points", "Δ_SE points", lambda gap: gap.delta),
        Column("delta_se_low", "points", "from", lambda gap: gap.low),
        Column("delta_se_high", "points", "to", lambda gap: gap.high),
        Column("common", "count", "problems", lambda gap: gap.common),
        *people,
        Column("training", on=PEOPLE,
               value=lambda gap: run(gap).model.algorithm or ROLE_WORDS.get(run(gap).model.role or "")),
    )  # fmt: skip
    return Table(
        columns,
        found.gaps,
        (
            f"Δ_SE, the sampling efficiency gap: pass@{UNKNOWN if found.k is None else found.k} of "
            f"{run_label(found.base)} minus pass@1 of the run, over the problems that both have. Smaller is better.",
            f"From and to: {found.method}.",
            why_this_k(found.k, "the base run reaches"),
            *(
                nothing_in_common(found.base, run(gap), gap.shared_names)
                for gap in found.gaps
                if gap.shared_names is not None
            ),
        ),
        lambda records: {"base": found.base.name, "k": found.k, "runs": records},
    )


def steps_table(found: Sequence[Series]) -> Table:
    """Trainings by step; `k` may differ between them."""
    ks = {series.k for series in found}
    at = f"pass@{ks.pop()} %" if len(ks) == 1 and None not in ks else "pass@k %"

    def level(item: tuple[int, Series, RunSummary]) -> RunSummary:
        return item[2]

    def run(item: tuple[int, Series, RunSummary]) -> Run:
        return item[2].run

    columns = (
        Column("series", "whole", value=lambda item: item[0], on=CSV | PRINT),
        Column("algorithm", value=lambda item: run(item).model.algorithm, on=CSV | PRINT),
        Column("step", value=lambda item: run(item).model.step),
        *_run_columns(run, algorithm=JSON),
        Column("problems", "count", value=lambda item: level(item).problems, on=DATA),
        *_size_columns(run),
        Column("pass_at_1", "percent", "pass@1 %", lambda item: level(item).pass_at_1),
        Column("k", "whole", value=lambda item: item[1].k, on=CSV | PRINT),
        Column("pass_at_k", "percent", at, lambda item: level(item).pass_at_k),
        Column("solvable", "count", value=lambda item: run(item).solvable),
        Column("problems", "count", value=lambda item: level(item).problems, on=PEOPLE),
        Column("mean_tokens", "count", "tokens", lambda item: run(item).mean_tokens),
    )

    def document(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rest = iter(records)
        heads = [{name: getattr(series, name) for name in ("algorithm", "from_model", "k")} for series in found]
        return [
            {**head, "points": [next(rest) for _ in series.points]} for head, series in zip(heads, found, strict=True)
        ]

    items = [(number, series, point) for number, series in enumerate(found, 1) for point in series.points]
    notes = (
        []
        if found
        else ["No two of these runs are checkpoints of one training. Import checkpoints with --step and --from."]
    )
    if any(len({point.run.n_max for point in series.points}) > 1 for series in found):
        notes.append(f"n differs, and more samples solve more: compare solvable only at equal n, or use {at[:-2]}.")
    return Table(columns, items, tuple(notes), document)


def temperature_table(found: TemperatureSweep) -> Table:
    def run(point: TemperaturePoint) -> Run:
        return point.summary.run

    def entropy(name: str) -> Callable[[TemperaturePoint], Any]:
        return lambda point: point.entropy and getattr(point.entropy, name)

    sized = _size_columns(run)
    columns = (
        Column("nearest", heading=" ", value=lambda point: "≈" if point is found.nearest else "", on=PEOPLE),
        *_run_columns(run, algorithm=JSON),
        Column("temperature", "number", "T", lambda point: point.temperature),
        Column("problems", "count", value=lambda point: point.summary.problems),
        *sized[:2],
        *_pass_columns(lambda point: point.summary, found.k),
        Column("entropy", "number", value=entropy("value")),
        Column("entropy_samples", "count", "of samples", entropy("samples")),
        Column("entropy_tokens", "count", value=entropy("tokens"), on=JSON),
        *sized[2:],
    )
    nearest, base = found.nearest and run(found.nearest), run_label(found.base)
    if nearest:
        said = f"≈ Closest in entropy to {base}: {run_label(nearest)}"
    elif all(point.entropy is None for point in found.points):
        said = "Entropy unknown: no log-probabilities are stored."
    else:
        said = f"No RL run has an entropy to compare with that of {base}."
    notes = (
        said,
        "Entropy is the mean negative log-probability per token (nats) of the run's own samples, as stored: many "
        "engines report it before temperature and top-p.",
        why_this_k(found.k),
    )
    facts = {"base": found.base.name, "k": found.k, "nearest": nearest and nearest.name}
    return Table(columns, found.points, notes, lambda records: {**facts, "runs": records})


KINDS_OF_SAMPLES = (("right", "✓ correct"), ("other", "✗ incorrect"))
"""A field of `RunLengths`, which is also its name in data, and what people read."""


def lengths_table(found: Lengths) -> Table:
    words = dict(KINDS_OF_SAMPLES)

    def summary(name: str) -> Callable[[tuple[RunLengths, str, LengthSummary | None]], Any]:
        return lambda item: item[2] and getattr(item[2], name)

    columns = (
        Column("run", value=lambda item: item[0].run.name, on=EVERYWHERE - SCREEN),
        Column("run_label", heading="tokens of", value=lambda item: run_label(item[0].run), on=SCREEN),
        Column("samples_that_are", value=lambda item: item[1], on=DATA),
        Column("kind", heading=" ", value=lambda item: words[item[1]], on=PEOPLE),
        Column("samples", "count", value=summary("samples")),
        Column("mean", "decimal", value=summary("mean")),
        Column("by_problem", "decimal", "by problem", summary("by_problem")),
        Column("in_common", "decimal", "in common", summary("in_common")),
        Column("common", "count", value=summary("common"), on=DATA),
        Column("tenth", "count", "10 %", summary("tenth")),
        Column("median", "count", value=summary("median")),
        Column("ninetieth", "count", "90 %", summary("ninetieth")),
        Column("longest", "count", value=summary("longest")),
    )

    def document(_: list[dict[str, Any]]) -> dict[str, Any]:
        runs = [
            {
                **_run_facts(each.run),
                "unknown": each.unknown,
                **{kind: (of := getattr(each, kind)) and asdict(of) for kind in words},
            }
            for each in found.runs
        ]
        return {"bin_width": found.width, "runs": runs}

    items = [(each, kind, getattr(each, kind)) for each in found.runs for kind in words]
    return Table(columns, items, tuple(_length_notes(found)), document)


def _length_notes(found: Lengths) -> list[str]:
    notes = [
        f"Lengths in tokens, bins of {found.width:,} labelled by lower end. Incorrect: every verdict but correct; "
        "unverified samples are in neither. Mean, percentiles and bins are over samples, so a problem weighs more the "
        "more of its samples are of that kind."
    ]
    for kind, words in KINDS_OF_SAMPLES:
        known = next((of for each in found.runs if (of := getattr(each, kind)) is not None), None)
        if known is not None:
            notes.append(
                f"{words}: by problem is the mean of the problems' means, in common the same over the "
                f"{with_noun(known.common, 'problem')} in which every run with token counts has some."
            )
    for each in found.runs:
        if each.right is None and each.other is None:
            notes.append(f"{run_label(each.run)}: no token counts are stored")
        elif each.unknown:
            notes.append(f"{run_label(each.run)}: {with_noun(each.unknown, 'sample')} without a token count left out")
    return notes


def length_bins_table(found: Lengths) -> Table:
    """The same as distributions, a bin a row."""
    columns = (
        Column("run", value=lambda item: item[0].run.name),
        Column("samples_that_are", value=lambda item: item[1]),
        Column("from_tokens", "count", value=lambda item: item[2] * found.width),
        Column("below_tokens", "count", value=lambda item: (item[2] + 1) * found.width),
        Column("samples", "count", value=lambda item: item[3]),
        Column("share", "percent", "%", lambda item: item[3] / getattr(item[0], item[1]).samples),
    )
    items = [
        (each, kind, place, count)
        for each in found.runs
        for kind, _ in KINDS_OF_SAMPLES
        if (summary := getattr(each, kind)) is not None
        for place, count in enumerate(summary.bins)
    ]
    return Table(columns, items, tuple(_length_notes(found)))


def verdicts_table(found: Lengths) -> Table:
    """Samples of every verdict that one of the runs has."""
    known = [each for each in found.runs if each.verdicts]
    used = [verdict for verdict in VERDICTS if any(verdict in each.verdicts for each in known)]
    columns = (
        Column("run", value=lambda item: item[0].run.name),
        Column("verdict", value=lambda item: item[1]),
        Column("samples", "count", value=lambda item: item[0].verdicts.get(item[1], 0)),
        Column("of", "count", value=lambda item: sum(item[0].verdicts.values()), on=EVERYWHERE - EXPORT),
        Column("share", "percent", "%",
               lambda item: item[0].verdicts.get(item[1], 0) / sum(item[0].verdicts.values())),
    )  # fmt: skip
    notes = ["Share of all stored samples."] if known else []
    for each in found.runs:
        total = f"{with_noun(sum(each.verdicts.values()), 'sample')}, {sizes(each.run, each.run.problems)}"
        notes.append(f"{run_label(each.run)}: {total if each.verdicts else 'only counts are stored, no verdicts'}")

    def document(_: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**_run_facts(each.run), "verdicts": dict(each.verdicts) or None} for each in found.runs]

    return Table(columns, [(each, verdict) for each in known for verdict in used], tuple(notes), document)


def agreement_table(found: Sequence[Agreement]) -> Table:
    """maj@k of runs, a point a row."""
    columns = (
        Column("run", value=lambda item: item[0].run.name, on=EVERYWHERE - JSON),
        Column("problems", "count", value=lambda item: item[0].problems, on=EVERYWHERE - JSON),
        Column("samples", "count", value=lambda item: item[0].samples, on=EVERYWHERE - JSON),
        Column("k", "whole", value=lambda item: item[1].k),
        Column("maj_at_k", "percent", "maj@k %", lambda item: item[1].value),
        Column("standard_error", "percent", "±", lambda item: item[1].error),
    )

    def document(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rest = iter(records)
        majority = ("answer", "votes", "n", "right")
        return [
            {
                **_run_facts(each.run),
                **{name: getattr(each, name) for name in ("problems", "samples", "answered", "draws")},
                "points": [next(rest) for _ in each.points],
                "majorities": [
                    {"problem": most.label, **{name: getattr(most, name) for name in majority}}
                    for most in each.majorities
                ],
            }
            for each in found
        ]

    items = [(each, point) for each in found for point in each.points]
    return Table(columns, items, tuple(_agreement_notes(found)), document)


def _agreement_notes(found: Sequence[Agreement]) -> list[str]:
    notes = []
    for each in found:
        if each.points:
            correct = sum(majority.right for majority in each.majorities)
            notes.append(
                f"{run_label(each.run)}: {sizes(each.run, each.problems)}; the majority answer is correct on "
                f"{correct:,.1f}; {each.samples - each.answered:,} of {each.samples:,} samples have no answer and do "
                "not vote"
            )
        else:
            nothing = "no answers are stored" if each.samples else "no samples are stored"
            notes.append(f"{run_label(each.run)}: {nothing}")
    draws = [each.draws for each in found if each.points]
    if draws:
        notes += [
            f"Exact where there is no ±; else the mean of {draws[0]} random subsets per problem (fixed seed) ± "
            "standard error.",
            "Two answers are the same when their extracted text is; ties share the vote.",
        ]
    return notes


# Perplexities, plans, judgements.


def perplexity_table(found: Perplexities) -> Table:
    scored = [group for group in found.groups if group.n or group.unfitting]

    def quantile(place: int) -> Callable[[PerplexityGroup], float | None]:
        return lambda group: group.quantiles[place] if group.quantiles else None

    names = ("q05", "q25", "median", "q75", "q95")
    columns = (
        Column("responses", value=lambda group: group.run.name if group.run else "references"),
        Column("under", value=lambda group: group.scorer),
        Column("n", "count", value=lambda group: group.n),
        Column("stored", "count", value=lambda group: group.responses),
        Column("problems", "count", value=lambda group: group.problems),
        *(Column(name, "number", value=quantile(place)) for place, name in enumerate(names)),
        Column("within_own_q95", "percent", "≤ own 95 % in %", lambda group: group.within_own),
        Column("unfitting", "count", value=lambda group: group.unfitting),
    )
    notes = [] if scored else [f"Nothing of {found.benchmark} is scored yet: passk score --run R --under MODEL"]
    if any(not group.exact for group in scored):
        notes.append("Some were not scored in float32: their perplexities are not exact.")
    return Table(columns, scored, tuple(notes))


PLAN = (
    Column("run", value=lambda row: row.run),
    Column("problem", value=lambda row: row.problem),
    Column("add", "count", value=lambda row: row.add),
    Column("expected_changes", "number", "expected changes", lambda row: row.expected_changes),
)


def plan_table(plan: SamplePlan) -> Table:
    return Table(PLAN, plan.rows)


def _judged_facts(judged: Judged) -> dict[str, int]:
    return {name: getattr(judged, name) for name in ("right", "judged", "valid", "invalid", "unsure")}


def _judged_note(run: Run, judged: Judged) -> str:
    return (
        f"{run.name}: {judged.judged:,} of {judged.right:,} correct paths judged: {judged.valid:,} valid, "
        f"{judged.invalid:,} invalid, {judged.unsure:,} unsure"
    )


def cot_table(found: Sequence[CotCurve], plain: Sequence[Curve], corrected: Correction) -> Table:
    """CoT-pass@k of runs beside their pass@k, as it is judged and corrected for a judge's errors, a point a row."""
    beside = {curve.run.key: curve for curve in plain}
    of_judge = {entry.run.key: entry for entry in corrected.runs}

    def point(item: tuple[CotCurve, CotPoint]) -> CorrectedPoint | None:
        entry = of_judge.get(item[0].run.key)
        return None if entry is None else entry.at(item[1].k)

    columns = (
        Column("run", value=lambda item: item[0].run.name),
        Column("k", "whole", value=lambda item: item[1].k),
        Column("pass_at_k", "percent", "pass@k %", lambda item: beside[item[0].run.key].at(item[1].k)),
        Column("cot_low", "percent", "CoT-pass@k % at least", lambda item: item[1].low),
        Column("cot_high", "percent", "at most", lambda item: item[1].high),
        Column("corrected_low", "percent", "corrected % at least", lambda item: (at := point(item)) and at.low),
        Column("corrected_high", "percent", "at most", lambda item: (at := point(item)) and at.high),
        Column("interval_low", "percent", "95 % from", lambda item: (at := point(item)) and at.interval[0]),
        Column("interval_high", "percent", "to", lambda item: (at := point(item)) and at.interval[1]),
    )

    def document(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rest = iter(records)
        return [
            {
                "run": each.run.name,
                **_judged_facts(each.judged),
                "correction": _correction_facts(corrected, of_judge.get(each.run.key)),
                "points": [next(rest) for _ in each.points],
            }
            for each in found
        ]

    notes = [_judged_note(each.run, each.judged) for each in found]
    notes.append("CoT-pass@k at least: correct paths that are not settled count as invalid; at most: as valid.")
    notes += correction_in_words(corrected)
    return Table(columns, [(each, point) for each in found for point in each.points], tuple(notes), document)


def _correction_facts(found: Correction, run: CorrectedRun | None) -> dict[str, Any]:
    """What a run's figures are corrected by: the judge, what it said, and how people found it."""
    read = found.read
    share = None if run is None else run.share
    return {
        "judge": found.judge,
        "unknown_because": found.unknown or None,
        "read_by_both": None if read is None else read.n,
        "recall": None if read is None else read.recall,
        "specificity": None if read is None else read.specificity,
        "judged": None if run is None else run.judged,
        "called_valid": None if run is None else run.called_valid,
        "valid_share": None if share is None else share[0],
        "valid_share_interval": None if share is None else list(share[1:]),
    }


def valid_sets_table(found: ValidSets, corrected: Correction) -> Table:
    sets, words = found.sets, short_names(found.sets.runs)

    def name(entry: tuple[bool, ...]) -> str:
        return PAIR_SETS.get(entry) or "".join("+" if solved else "-" for solved in entry)

    columns = (
        Column("set", value=name, on=DATA),
        Column("set_name", heading="set", value=lambda entry: set_name(entry, words), on=PEOPLE),
        Column("problems", "count", value=lambda entry: sets.counts[entry]),
        Column("if_open_valid", "count", "if unjudged are valid", lambda entry: found.counts_if_open_valid[entry]),
        Column("corrected", "decimal", value=lambda entry: corrected.sets and corrected.sets[entry][0]),
        Column("interval_low", "decimal", "95 % from", lambda entry: corrected.sets and corrected.sets[entry][1]),
        Column("interval_high", "decimal", "to", lambda entry: corrected.sets and corrected.sets[entry][2]),
    )
    open_problems = [problem.label for problem in sets.problems if problem.key in found.open_problems]
    pairs = list(zip(sets.runs, found.judged, strict=True))
    judged = [{"run": run.name, **_judged_facts(one)} for run, one in pairs]
    notes = [_judged_note(run, one) for run, one in pairs]
    notes.append(f"{len(open_problems):,} of {with_noun(len(sets.problems), 'problem')} depend on unjudged paths.")
    notes += correction_in_words(corrected)
    return Table(
        columns,
        tuple(sets.counts),
        tuple(notes),
        lambda records: {"sets": records, "judged": judged, "open_problems": open_problems},
    )


JUDGEMENTS = (
    Column("run", value=lambda entry: entry.run),
    Column("benchmark", value=lambda entry: entry.benchmark),
    Column("problem", value=lambda entry: entry.label),
    Column("index", "whole", value=lambda entry: entry.sample),
    Column("verdict", value=lambda entry: entry.verdict),
    Column("author", value=lambda entry: entry.judgement.author),
    Column("version", value=lambda entry: entry.judgement.version),
    Column("created", value=lambda entry: entry.judgement.created.isoformat()),
    Column("judgement", value=lambda entry: entry.judgement.judgement),
    Column("note", value=lambda entry: entry.judgement.note),
)


def judgements_table(found: Sequence[JudgedPath]) -> Table:
    return Table(JUDGEMENTS, found)


QUEUE = (
    Column("run", value=lambda path: path.run),
    Column("problem", value=lambda path: path.label),
    Column("index", "whole", value=lambda path: path.sample),
    Column("n", "whole", value=lambda path: path.n),
    Column("c", "whole", value=lambda path: path.c),
    Column("settled", value=lambda path: path.settled),
    Column("mine", value=lambda path: path.mine),
)


def queue_table(queue: Sequence[QueuedPath]) -> Table:
    return Table(QUEUE, queue)


HITS = (
    Column("run", value=lambda hit: hit.run),
    Column("benchmark", value=lambda hit: hit.benchmark),
    Column("problem", value=lambda hit: hit.label),
    Column("index", "whole", value=lambda hit: hit.sample),
    Column("verdict", value=lambda hit: hit.verdict),
    Column("found", "whole", value=lambda hit: hit.found),
    Column("length", "whole", value=lambda hit: hit.length),
    Column("excerpt", "prose", value=lambda hit: hit.excerpt),
)


def hits_table(hits: Sequence[Hit]) -> Table:
    return Table(HITS, hits)
