"""Figures of bars, boxes and distributions: accuracy, efficiency, lengths, verdicts, perplexities."""

from __future__ import annotations

from backend.exporters.comparison import run_label
from backend.exporters.figure_curves import sizes, title_of
from backend.exporters.protocol import Job
from backend.metrics.accuracy_bins import BINS
from backend.records import VERDICTS
from backend.records.exports import Box, Figure, Series, Table
from backend.records.scores import QUANTILES, PerplexityGroup
from backend.scoring.reads import perplexities
from backend.statistics.efficiency import efficiency as read_efficiency
from backend.statistics.histogram import accuracy_histograms
from backend.statistics.lengths import response_lengths

LENGTH_BINS = 40
"""Bins of a length distribution at most: what a printed column resolves."""
CHOICES = {None: "all", "right": "right", "not-right": "not right"}
"""The request's verdict -> which samples' perplexities count."""


def histogram(job: Job) -> Figure:
    """Problems by their share correct, with the paper's bins."""
    found = [each for each in accuracy_histograms(job.reader, job.runs, problems=job.problems) if each.problems]
    shares = [tuple(count / each.problems for count in each.counts) for each in found]
    at = tuple(map(float, range(len(BINS))))
    series = [
        Series(run_label(each.run), each.run.model.role, at, share, of=sizes(each.run))
        for each, share in zip(found, shares, strict=True)
    ]
    rows = [
        (each.run.name, name, count, share)
        for each, of_run in zip(found, shares, strict=True)
        for name, count, share in zip(BINS, each.counts, of_run, strict=True)
    ]
    return Figure(
        "histogram", "bin", "share", "Share correct c/n", "Problems (%)", tuple(series), bars=True, x_names=BINS,
        table=Table((("run", "text"), ("bin", "text"), ("problems", "whole"), ("share", "number")), tuple(rows)),
        notes=tuple(f"{run_label(each.run)}: {each.problems:,} problems, {sizes(each.run)}" for each in found),
        title=title_of(job, (each.problems for each in found)),
    )  # fmt: skip


def efficiency(job: Job) -> Figure:
    """pass@1 and pass@k of every run as bars, Delta_SE below them (table 2 and figure 8)."""
    base, *_ = job.runs
    found = read_efficiency(job.reader, base, job.runs, problems=job.problems)
    known = [gap for gap in found.gaps if gap.level.pass_at_1 is not None]
    at = tuple(map(float, range(len(known))))
    series = [Series("pass@1", None, at, tuple(gap.level.pass_at_1 or 0.0 for gap in known))]
    if found.k is not None:
        series.append(Series(f"pass@{found.k}", None, at, tuple(gap.level.pass_at_k or 0.0 for gap in known)))
    columns = (("run", "text"), ("algorithm", "text"), ("problems", "whole"), ("n_min", "whole"), ("n_max", "whole"),
               ("k", "whole"), ("pass_at_1", "number"), ("pass_at_k", "number"), ("delta_se", "number"),
               ("common", "whole"))  # fmt: skip
    rows = [
        (gap.level.run.name, gap.level.run.model.algorithm, gap.level.problems, gap.level.run.n_min,
         gap.level.run.n_max, found.k, gap.level.pass_at_1, gap.level.pass_at_k, gap.delta, gap.common)
        for gap in found.gaps
    ]  # fmt: skip
    return Figure(
        "efficiency", "run", "share", "", "Share of problems (%)", tuple(series) if known else (), bars=True,
        x_names=tuple(run_label(gap.level.run) for gap in known),
        over=tuple("" if gap.delta is None else f"{100 * gap.delta:.1f}" for gap in known),
        over_words="numbers: \u0394SE in points", table=Table(columns, tuple(rows)),
        title=title_of(job, (gap.level.problems for gap in known)),
        notes=(
            f"\u0394SE, the sampling efficiency gap, is pass@{found.k} of {run_label(base)} less pass@1 of the "
            "run, over the problems that both have, in points",
            *(f"{run_label(gap.level.run)}: {sizes(gap.level.run)}" for gap in known),
        ),
    )  # fmt: skip


def lengths(job: Job) -> Figure:
    """How long right and other samples are, as distributions."""
    found = response_lengths(job.reader, job.runs, problems=job.problems, bins=LENGTH_BINS)
    series, rows = [], []
    for look, entry in enumerate(found.runs):
        for kind, summary, style in (("right", entry.right, ""), ("other", entry.other, "dotted")):
            if summary is None:
                continue
            shares = tuple(count / summary.samples for count in summary.bins)
            middles = tuple((place + 0.5) * found.width for place in range(len(shares)))
            of = f"{summary.samples:,} samples"
            name = f"{run_label(entry.run)}, {kind}"
            series.append(Series(name, entry.run.model.role, middles, shares, of=of, look=look, style=style))
            rows += [
                (entry.run.name, kind, place * found.width, (place + 1) * found.width, count, share)
                for place, (count, share) in enumerate(zip(summary.bins, shares, strict=True))
            ]
    columns = (("run", "text"), ("samples_that_are", "text"), ("from_tokens", "whole"), ("below_tokens", "whole"),
               ("samples", "whole"), ("share", "number"))  # fmt: skip
    notes = [f"bins of {found.width:,} tokens; other: every verdict but correct, unverified in neither"]
    for entry in found.runs:
        if entry.right is None and entry.other is None:
            notes.append(f"{entry.run.name}: no token counts are stored")
        elif entry.unknown:
            notes.append(f"{entry.run.name}: {entry.unknown:,} samples without a token count are left out")
    return Figure(
        "lengths", "tokens", "share", "Response length (tokens)", "Samples (%)", tuple(series), bins=True,
        table=Table(columns, tuple(rows)), notes=tuple(notes),
        title=title_of(job, (entry.run.problems for entry in found.runs if entry.right or entry.other)),
    )  # fmt: skip


def verdicts(job: Job) -> Figure:
    """Shares of verdicts."""
    found = response_lengths(job.reader, job.runs, problems=job.problems).runs
    shown = [entry for entry in found if entry.verdicts]
    used = [verdict for verdict in VERDICTS if any(verdict in entry.verdicts for entry in shown)]
    series, rows = [], []
    for entry in shown:
        total = sum(entry.verdicts.values())
        counts = [entry.verdicts.get(verdict, 0) for verdict in used]
        shares = tuple(count / total for count in counts)
        at = tuple(map(float, range(len(used))))
        series.append(Series(run_label(entry.run), entry.run.model.role, at, shares, of=f"{total:,} samples"))
        rows += [(entry.run.name, *each) for each in zip(used, counts, shares, strict=True)]
    columns = (("run", "text"), ("verdict", "text"), ("samples", "whole"), ("share", "number"))
    return Figure(
        "verdicts", "verdict", "share", "Verdict", "Samples (%)", tuple(series), bars=True,
        x_names=tuple(verdict.replace("_", " ") for verdict in used), table=Table(columns, tuple(rows)),
        notes=tuple(f"{e.run.name}: only counts are stored, no verdicts" for e in found if not e.verdicts),
        title=title_of(job, (entry.run.problems for entry in shown)),
    )  # fmt: skip


def perplexity(job: Job) -> Figure:
    """Perplexities of base, RL and reference responses under every model that scored them (figure 6)."""
    choice = CHOICES.get(job.request.verdict, "all")
    benchmark = job.runs[0].benchmark
    found = perplexities(job.reader, benchmark, job.runs, problems=job.problems, choice=choice)
    scored = [group for group in found.groups if group.n or group.unfitting]
    boxes = [
        Box(f"under {group.scorer}", f"{_responses(group)} responses", group.quantiles, f"n = {group.n:,}")
        for group in scored
        if group.quantiles is not None
    ]
    columns = (("responses", "text"), ("under", "text"), ("n", "whole"), ("stored", "whole"), ("problems", "whole"),
               *((name, "number") for name in ("q05", "q25", "median", "q75", "q95", "within_own_q95")),
               ("unfitting", "whole"))  # fmt: skip
    rows = [
        (group.run.name if group.run else "references", group.scorer, group.n, group.responses, group.problems,
         *(group.quantiles or (None,) * len(QUANTILES)), group.within_own, group.unfitting)
        for group in scored
    ]  # fmt: skip
    notes = ["boxes: 25 to 75 %, median; whiskers: 5 to 95 %"]
    notes += [f"{_responses(group)} responses under {group.scorer}: n = {group.n:,}" for group in scored]
    if choice != "all":
        notes.append(f"only samples that are {choice}")
    if not scored:
        notes = [f"nothing of {benchmark} is scored yet: passk score --run R --under MODEL"]
    if any(not group.exact for group in scored):
        notes.append("some were not scored in float32: their perplexities are not exact")
    title = title_of(job, (group.problems for group in scored if group.run))
    return Figure(
        "perplexity", "under", "perplexity", "", "Perplexity", boxes=tuple(boxes), table=Table(columns, tuple(rows)),
        notes=tuple(notes), title=title if choice == "all" else f"{title}, {choice} samples",
    )  # fmt: skip


def _responses(group: PerplexityGroup) -> str:
    return run_label(group.run) if group.run else "reference"
