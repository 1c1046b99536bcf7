"""Curves as a plot and in words, for screens and the command line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import log2
from typing import Literal

from backend import corrected_at_k
from backend.records import Curve
from backend.records.comparison import BandCurve, BandPoint, Crossing, Difference, IntervalKind, Lead
from backend.records.judges import Correction
from backend.wording import (
    UNKNOWN,
    listed,
    nothing_in_common,
    percent,
    points,
    run_label,
    sampled_otherwise,
    short_names,
    span,
    with_noun,
)

# What the curves screen shows.

CurveView = Literal["pass@k", "difference", "cover", "cot", "corrected"]
NAMES: Mapping[CurveView, str] = {
    "pass@k": "pass@k",
    "difference": "difference",
    "cover": "Cover@tau",
    "cot": "CoT-pass@k beside pass@k",
    "corrected": "pass@k, false positives taken off",
}

Values = Mapping[str, BandPoint]
"""By run, the value at the cursor with its interval; what is undefined is left out."""

MOST_BANDS = 2
"""Runs whose intervals are drawn: more of them hide each other."""


@dataclass(frozen=True, slots=True)
class CurveSettings:
    """What the user has chosen to see."""

    benchmark: str
    on: tuple[str, ...]
    """Names of the runs shown, the pair's first."""
    view: CurveView
    kind: IntervalKind | None
    """What the intervals are over."""
    k: int
    tau: Fraction
    false_positives: str | tuple[float, ...] | None = None
    """The rate of false positives that is supposed."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Intervals, difference or Cover@tau: what takes a moment to compute."""

    view: CurveView
    curves: Mapping[str, BandCurve] = field(default_factory=dict)
    """By run: pass@k of those whose band is drawn, or Cover@tau of those shown."""
    difference: Difference | None = None
    """None unless exactly two runs are shown."""
    kind: IntervalKind | None = None
    """What the intervals of the curves are over."""
    corrected: Correction | None = None
    """CoT-pass@k corrected for the errors of a judge, where that is shown."""


def known_values(curves: Sequence[Curve], settings: CurveSettings, bands: Bands) -> Values | None:
    """The values at the cursor as far as curves and bands hold them; None where one must ask.

    A run whose band is still to come has no interval at first; one whose band is of another kind, or of other samples
    than its curve, would have a wrong one.
    """
    if settings.view != "pass@k" or (settings.kind is not None and len(settings.on) > MOST_BANDS):
        return None
    of_runs = bands.curves if settings.kind is not None and bands.view == settings.view else {}
    found = {}
    for curve in curves:
        band = of_runs.get(curve.run.name) if curve.run.name in settings.on else None
        value = curve.at(settings.k)
        if value is None:
            if settings.k <= (curve.run.n_min or 0):
                # Between two points that are drawn.
                return None
        elif band is None:
            found[curve.run.name] = BandPoint(settings.k, value, None, None)
        elif bands.kind == settings.kind and band.run == curve.run and (point := band.at(settings.k)) is not None:
            found[curve.run.name] = point
        else:
            return None
    return found


# Intervals, differences and crossings in words; plain strings, for screens and for the command line.

KIND_WORDS: dict[IntervalKind | None, str] = {
    None: "intervals off (b)",
    "problems": "95 % confidence, over problems",
    "samples": "95 % credible, over samples",
}


def value_headings(settings: CurveSettings, bands: Bands) -> tuple[str, str]:
    """Title of the side panel, and heading of the value column."""
    if settings.view == "cover":
        tau = f"{float(settings.tau):g}"
        return f"Cover@tau at tau = {tau}", f"≥{tau} %"
    found = bands.difference if settings.view == "difference" else None
    return f"{difference_name(found) if found else 'pass@k'} at k = {settings.k:,}", f"@{settings.k} %"


def interval_heading(settings: CurveSettings) -> str | None:
    """Heading of the interval column; None where no intervals are shown."""
    if settings.view in ("cot", "corrected"):
        return "CoT" if settings.view == "cot" else "without false"
    return "95 %" if settings.kind is not None or settings.view == "difference" else None


def what_is_shown(curves: Sequence[Curve], settings: CurveSettings, values: Values, bands: Bands) -> list[str]:
    """The notes under the values: kind of interval, difference, crossing, and n and problems of each run shown."""
    shown = [curve for name in settings.on for curve in curves if curve.run.name == name]
    result = [KIND_WORDS[settings.kind or ("problems" if settings.view == "difference" else None)]]
    if settings.view == "cot":
        result = ["dotted: CoT-pass@k, unjudged paths counted as invalid (lower) or valid (upper)"]
        of_runs = [curve for curve in shown if curve.run.name in bands.curves and bands.view == "cot"]
        if bands.corrected is not None and bands.corrected.judge is not None:
            result += corrected_at_k(bands.corrected, settings.k)
        result += [f"{run_label(curve.run)}: {bands.curves[curve.run.name].method}" for curve in of_runs]
    elif settings.view == "corrected":
        result = [
            f"dotted: {method}" for method in dict.fromkeys(band.method for band in bands.curves.values()) if method
        ]
    elif settings.view == "difference":
        result += difference_in_words(bands.difference, settings.k)
    elif settings.view == "cover":
        result.append("share of problems with c/n ≥ tau")
    elif len(shown) == 2 and shown[1].run.name in shown[0].apart:
        result.append(nothing_in_common(shown[0].run, shown[1].run, shown[0].apart[shown[1].run.name]))
    elif len(shown) == 2:
        first, second = (values.get(curve.run.name) for curve in shown)
        result.append(plain_difference(first, second, settings.k))
    if otherwise := sampled_otherwise([curve.run for curve in shown]):
        result.append(otherwise)
    # What holds for several runs, such as their source, is said once.
    return [*result, *dict.fromkeys(line for curve in shown for line in sizes_in_words(curve))]


def interval(point: BandPoint | None) -> str:
    """The ends of an interval in percent: 93.5–97.6."""
    if point is None or point.low is None:
        return UNKNOWN
    return f"{percent(point.low)}–{percent(point.high)}"


def crossing_in_words(crossing: Crossing, n: int | None, leads: Sequence[Lead] = ()) -> str:
    """Where the curves cross, how sure the first crossing is, and how often they do not."""
    if n == 1:
        return ONLY_ONE
    where = "the curves do not cross" if crossing.k is None else f"the curves cross at k = {crossing.k}"
    if len(leads) > 2:
        where = f"{crossings_in_words(leads)}; the first"
    ends = [str(end) if end is not None else f"beyond {n}" for end in (crossing.low, crossing.high)]
    sure = "" if crossing.low is None else f", 95 % interval {ends[0]} to {ends[1]}"
    return f"{where}{sure}; crosses in {crossing_share(crossing)} % of replicates (k ≤ {n})"


ONLY_ONE = "k = 1 alone is common to both runs: of a crossing nothing can be said"


def crossings_in_words(leads: Sequence[Lead]) -> str:
    """At which k the curves cross."""
    return f"the curves cross at k = {listed([f'{lead.first:,}' for lead in leads[1:]])}"


def leads_in_words(leads: Sequence[Lead], words: Sequence[str]) -> str:
    """Who is ahead where: RL ahead up to k = 3, base 4 to 150, RL from 151 (by 15.0 points at k = 256)."""
    if not leads:
        return "neither is ahead at any k"
    names = dict(zip(("base", "rl"), words, strict=True))
    parts = []
    for place, lead in enumerate(leads):
        where = f"{lead.first:,} to {lead.last:,}"
        if place == 0:
            where = f"up to k = {lead.last:,}"
        elif place == len(leads) - 1:
            where = f"from {lead.first:,}"
        parts.append(f"{names[lead.ahead]} {'ahead ' * (place == 0)}{where}")
    last = leads[-1]
    if len(leads) == 1:
        parts = [f"{names[leads[0].ahead]} ahead at every k from {last.first:,} to {last.last:,}"]
    return f"{', '.join(parts)} (by {points(last.by).lstrip('+')} points at k = {last.last:,})"


def crossing_share(crossing: Crossing) -> str:
    """Per cent of the replicates that cross; 100 and 0 only where all or none do."""
    share = 1 - crossing.share_without
    if 0 < share < 0.0005:
        return "<0.1"
    return ">99.9" if 0.9995 < share < 1 else f"{100 * share:.1f}".removesuffix(".0")


def wins_in_words(found: Difference) -> str:
    """On how many problems each run has the higher c/n."""
    (base, rl), wins = short_names((found.base, found.rl)), found.wins
    return (
        f"c/n higher for {rl} on {with_noun(wins.rl, 'problem')}, for {base} on {wins.base:,}, tied on {wins.ties:,} "
        f"of {found.problems:,}"
    )


def difference_name(found: Difference) -> str:
    """RL − base, or step 800 − step 400."""
    base, rl = short_names((found.base, found.rl))
    return f"{rl} − {base}"


def difference_in_words(found: Difference | None, k: int) -> list[str]:
    """The difference at the cursor, the crossing, who wins."""
    if found is None:
        return ["A difference needs two runs: show exactly two (space)."]
    if found.crossing is None:
        return [nothing_in_common(found.base, found.rl, found.shared_names)]
    at = found.at(k)
    here = f"undefined at k = {k}: the smaller n of the two runs is {found.n}"
    if at is not None:
        here = f"{points(at.value)} points (95 % {points(at.low)} to {points(at.high)})"
    return [here, crossing_in_words(found.crossing, found.n, found.leads), who_leads(found), wins_in_words(found)]


def who_leads(found: Difference) -> str:
    """Who is ahead where, and by how much at n."""
    return leads_in_words(found.leads, short_names((found.base, found.rl)))


def plain_difference(first: BandPoint | None, second: BandPoint | None, k: int) -> str:
    """The difference of two values at the cursor."""
    if first is None or second is None:
        return f"difference undefined at k = {k}"
    return f"difference {points(second.value - first.value)} points"


def sizes_in_words(curve: Curve) -> list[str]:
    """n, problems and samples of a run, why its curve ends, and where it was published."""
    run = curve.run
    sizes = (
        f"n = {span(run.n_min, run.n_max)}, {with_noun(curve.problems, 'problem')}, {with_noun(run.samples, 'sample')}"
    )
    source = [f"published by {run.parameters['source']}"] if "source" in run.parameters else []
    return [f"{run_label(run)}: {sizes}", *curve_end_in_words(curve), *source]


def curve_end_in_words(curve: Curve) -> list[str]:
    """Why a curve ends where it does; empty when there is nothing to say."""
    run = curve.run
    if run.n_min is None:
        why = "no sample has a verdict" if run.problems else "no problem left"
        return [f"{run_label(run)}: pass@k unknown, {why}"]
    result = []
    if curve.problems_below_n_max:
        result.append(
            f"{run_label(run)} ends at k = {run.n_min}: {curve.problems_below_n_max} of {curve.problems} problems have "
            f"fewer than {run.n_max} samples"
        )
    if run.without_verdict:
        result.append(f"{run_label(run)}: {with_noun(run.without_verdict, 'problem')} without a verdict left out")
    return result


# What tells the runs apart, and lines over any axis.

MARKERS = "ox+*#@%&$^vz"
"""One for each run, so that curves differ without colour."""
RICH_COLOURS = (
    "bright_cyan",
    "yellow",
    "bright_green",
    "bright_magenta",
    "bright_red",
    "bright_blue",
    "white",
    "bright_black",
)
"""One for each run as well, in Rich's words."""


@dataclass(frozen=True, slots=True)
class PlottedLine:
    """Points in increasing x."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    style_index: int
    """Index of its marker and colour."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A plot: its lines, and where the x axis has which ticks."""

    lines: tuple[PlottedLine, ...]
    ticks: tuple[float, ...]
    tick_labels: tuple[str, ...]
    x_label: str
    y_label: str


# What a plot of curves shows, from records: pure data, in places of the axis and percent.


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of a band: percent at increasing places."""

    places: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PlottedCurve:
    """One curve: percent at increasing places."""

    places: tuple[float, ...]
    percents: tuple[float, ...]
    style_index: int
    """Index of its marker and colour."""
    marked: tuple[int, ...] = ()
    """Indices of the points that get a marker."""
    band: Edges | None = None
    """Its interval at each place."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis: from 0 to `end`."""

    label: str
    end: float
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole plot."""

    curves: tuple[PlottedCurve, ...]
    axis: Axis
    value: str
    """What the vertical axis shows."""
    cursor: float | None = None
    zero: bool = False
    """Whether a line marks 0."""
    crossing: tuple[float | None, float | None, float | None] | None = None
    """On the line at 0: the crossing, and the ends of its interval."""


def picture(curves: Sequence[Curve], settings: CurveSettings, bands: Bands) -> Picture | None:
    """The plot; None while its data is still being computed."""
    if settings.view in ("pass@k", "cot", "corrected"):
        return pass_at_k_picture(curves, settings.on, bands.curves if bands.view == settings.view else {}, settings.k)
    if bands.view != settings.view:
        return None
    if settings.view == "cover":
        return cover_picture(curves, settings.on, bands.curves, float(settings.tau))
    found = bands.difference
    if found is None:
        return Picture((), k_axis(1), "points", zero=True)
    return difference_picture(found, [curve.run.name for curve in curves].index(found.rl.name), settings.k)


def k_axis(largest: int) -> Axis:
    """K on a log2 scale, with ticks at powers of two."""
    ticks = [power for power in (1 << i for i in range(largest.bit_length())) if power <= largest]
    if len(ticks) > 9:
        ticks = ticks[::2]
    return Axis("k (log2)", max(log2(largest), 1), tuple((log2(tick), str(tick)) for tick in ticks))


TAU_AXIS = Axis("tau", 1.0, tuple((tick / 5, f"{tick / 5:g}") for tick in range(6)))


def pass_at_k_picture(curves: Sequence[Curve], on: Collection[str], bands: Mapping[str, BandCurve], k: int) -> Picture:
    """The curves of the runs shown, some with their bands."""
    drawn = []
    for style_index, curve in enumerate(curves):
        if curve.run.name not in on or not curve.points:
            continue
        ks = [point.k for point in curve.points]
        percents = tuple(100 * point.pass_at_k for point in curve.points)
        band = bands.get(curve.run.name)
        edges = edges_of(band.points, log2) if band is not None else None
        drawn.append(PlottedCurve(tuple(map(log2, ks)), percents, style_index, powers_and_last(ks), edges))
    largest = max((curve.points[-1].k for curve in curves if curve.run.name in on and curve.points), default=1)
    return Picture(tuple(drawn), k_axis(largest), "pass@k %", log2(k))


def powers_and_last(ks: Sequence[float]) -> tuple[int, ...]:
    """Indices of the powers of two, and of the last."""
    return tuple(i for i, k in enumerate(ks) if log2(k).is_integer() or i == len(ks) - 1)


def edges_of(points: Sequence[BandPoint], place: Callable[[float], float]) -> Edges | None:
    """The edges of a band; None where no interval was asked for."""
    known = [(place(p.at), 100 * p.low, 100 * p.high) for p in points if p.low is not None and p.high is not None]
    if not known:
        return None
    places, low, high = zip(*known, strict=True)
    return Edges(places, low, high)


def cover_picture(curves: Sequence[Curve], on: Collection[str], covers: Mapping[str, BandCurve], tau: float) -> Picture:
    """Cover@tau of the runs shown, some with their bands."""
    drawn = []
    for style_index, curve in enumerate(curves):
        cover = covers.get(curve.run.name)
        if curve.run.name not in on or cover is None or not cover.points:
            continue
        places = tuple(point.at for point in cover.points)
        tenths = tuple(i for i, place in enumerate(places) if round(100 * place) % 10 == 0)
        percents = tuple(100 * point.value for point in cover.points)
        drawn.append(PlottedCurve(places, percents, style_index, tenths, edges_of(cover.points, float)))
    return Picture(tuple(drawn), TAU_AXIS, "Cover@tau %", tau)


def difference_picture(found: Difference, style_index: int, k: int) -> Picture:
    """RL − base in points, the line at 0, and where the curves cross."""
    crossing, n = found.crossing, found.n
    if crossing is None or n is None:
        return Picture((), k_axis(1), "points", zero=True)
    ks = [point.at for point in found.points]
    percents = tuple(100 * point.value for point in found.points)
    curve = PlottedCurve(tuple(map(log2, ks)), percents, style_index, powers_and_last(ks), edges_of(found.points, log2))
    at, low, high = (None if place is None else log2(place) for place in (crossing.k, crossing.low, crossing.high))
    return Picture((curve,), k_axis(n), "points", log2(min(k, n)), zero=True, crossing=(at, low, high))
