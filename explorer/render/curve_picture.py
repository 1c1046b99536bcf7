"""What a plot of curves shows, from records: pure data, in places of the axis and percent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from backend.records import Curve
from backend.records.bands import BandCurve, BandPoint, Difference
from explorer.render.curve_look import Bands, Look


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
    look: int
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


def picture(curves: Sequence[Curve], look: Look, bands: Bands) -> Picture | None:
    """What the plot is to show; None as long as what is looked at has not come."""
    if look.view in ("pass@k", "cot"):
        return pass_at_k_picture(curves, look.on, bands.curves if bands.view == look.view else {}, look.k)
    if bands.view != look.view:
        return None
    if look.view == "cover":
        return cover_picture(curves, look.on, bands.curves, float(look.tau))
    found = bands.difference
    if found is None:
        return Picture((), k_axis(1), "points", zero=True)
    return difference_picture(found, [curve.run.name for curve in curves].index(found.rl.name), look.k)


def k_axis(largest: int) -> Axis:
    """K on a log2 scale, with ticks at powers of two."""
    ticks = [power for power in (1 << i for i in range(largest.bit_length())) if power <= largest]
    if len(ticks) > 9:
        ticks = ticks[::2]
    return Axis("k (log2)", max(log2(largest), 1), tuple((log2(tick), str(tick)) for tick in ticks))


TAU_AXIS = Axis("tau", 1.0, tuple((tick / 5, f"{tick / 5:g}") for tick in range(6)))


def pass_at_k_picture(curves: Sequence[Curve], on: Collection[str], bands: Mapping[str, BandCurve], k: int) -> Picture:
    """The curves of the runs that are on, some with their bands."""
    drawn = []
    for look, curve in enumerate(curves):
        if curve.run.name not in on or not curve.points:
            continue
        ks = [point.k for point in curve.points]
        percents = tuple(100 * point.pass_at_k for point in curve.points)
        band = bands.get(curve.run.name)
        edges = edges_of(band.points, log2) if band is not None else None
        drawn.append(PlottedCurve(tuple(map(log2, ks)), percents, look, powers_and_last(ks), edges))
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
    """Cover@tau of the runs that are on, some with their bands."""
    drawn = []
    for look, curve in enumerate(curves):
        cover = covers.get(curve.run.name)
        if curve.run.name not in on or cover is None or not cover.points:
            continue
        places = tuple(point.at for point in cover.points)
        tenths = tuple(i for i, place in enumerate(places) if round(100 * place) % 10 == 0)
        percents = tuple(100 * point.value for point in cover.points)
        drawn.append(PlottedCurve(places, percents, look, tenths, edges_of(cover.points, float)))
    return Picture(tuple(drawn), TAU_AXIS, "Cover@tau %", tau)


def difference_picture(found: Difference, look: int, k: int) -> Picture:
    """RL - base in points, the line at 0, and where the curves cross."""
    crossing, n = found.crossing, found.n
    if crossing is None or n is None:
        return Picture((), k_axis(1), "points", zero=True)
    ks = [point.at for point in found.points]
    percents = tuple(100 * point.value for point in found.points)
    curve = PlottedCurve(tuple(map(log2, ks)), percents, look, powers_and_last(ks), edges_of(found.points, log2))
    at, low, high = (None if place is None else log2(place) for place in (crossing.k, crossing.low, crossing.high))
    return Picture((curve,), k_axis(n), "points", log2(min(k, n)), zero=True, crossing=(at, low, high))
