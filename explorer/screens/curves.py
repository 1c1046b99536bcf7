"""Curves: pass@k of the runs of one benchmark with intervals, their difference, Cover@tau; a cursor at one k or tau."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from backend import Reader, corrected_curves, correction, cot_curves, cover_bands, curves, difference, pass_at_k_bands
from backend.records import Curve, Run
from backend.records.comparison import BandCurve, BandPoint, IntervalKind
from backend.wording import count
from explorer.actions import CURVES, bindings
from explorer.location import ExportContext, Location
from explorer.options import error_rates
from explorer.render.curve_table import run_columns
from explorer.render.curves import (
    MOST_BANDS,
    NAMES,
    Bands,
    CurveSettings,
    CurveView,
    Values,
    known_values,
    picture,
    value_headings,
    what_is_shown,
)
from explorer.render.text import literal
from explorer.screens.filtered import FilteredScreen
from explorer.widgets.paged_table import PagedTable
from explorer.widgets.plain import Plain
from explorer.widgets.plots import CurvePlot

KINDS: tuple[IntervalKind | None, ...] = (None, "problems", "samples")
BEYOND = 1 << 60
"""Beyond every k."""


class CurvesScreen(FilteredScreen):
    """The plot on the left, the runs with their values at the cursor on the right."""

    WHERE = CURVES
    BINDINGS = bindings(CURVES)

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self.pair = location.runs
        self.on: set[str] = set(location.runs)
        self.view: CurveView = "pass@k"
        self.kind: IntervalKind | None = "problems"
        self.tau = Fraction(1, 2)
        """Where the cursor stands in Cover@tau; elsewhere it stands at the location's k."""
        self.curves: tuple[Curve, ...] = ()
        self.values: Values = {}
        self.bands = Bands("pass@k")

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            yield CurvePlot(id="plot")
            with Vertical(id="side"):
                yield Plain(id="at")
                yield PagedTable(id="runs")
                yield Plain(id="words")

    @property
    def settings(self) -> CurveSettings:
        others = [curve.run.name for curve in self.curves if curve.run.name not in self.pair]
        on = tuple(name for name in (*self.pair, *others) if name in self.on)
        return CurveSettings(
            self.location.benchmark,
            on,
            self.view,
            self.kind,
            self.location.k,
            self.tau,
            error_rates(self.location.false_positives),
        )

    # Asking

    def reload(self) -> None:
        supposed = bool(self.location.false_positives)
        if supposed != (self.view == "corrected"):
            self.view = "corrected" if supposed else "pass@k" if self.view == "corrected" else self.view
        self.crumbs(self.location.benchmark, NAMES[self.view])
        settings = self.settings
        self.ask_filtered("curves", lambda reader, problems: read_curves(reader, settings, problems), self.show_curves)

    def show_curves(self, curves: tuple[Curve, ...]) -> None:
        """The curves have come; then ask for what takes a moment."""
        self.curves = curves
        self.show_settings()

    def show_settings(self) -> None:
        """Show what is there of what is looked at now, and ask for the rest."""
        self.ask_bands()
        self.find_values()
        self.show()

    def find_values(self) -> None:
        """The values at the cursor: from what is there, else ask."""
        settings = self.settings
        known = known_values(self.curves, settings, self.bands)
        if known is None:
            self.ask_filtered(
                "values", lambda reader, problems: read_values(reader, settings, problems), self.show_values
            )
        else:
            self.stop("values")
            self.values = known

    def ask_bands(self) -> None:
        """Ask for the bands, the difference or Cover@tau."""
        settings = self.settings
        self.ask_filtered("bands", lambda reader, problems: read_bands(reader, settings, problems), self.show_bands)

    def show_values(self, values: Values) -> None:
        self.values = values
        self.show_side()

    def show_bands(self, bands: Bands) -> None:
        self.bands = bands
        self.find_values()
        self.show()

    def reflow(self) -> None:
        if self.curves:
            self.call_after_refresh(self.show)

    # Showing

    def show(self) -> None:
        self.show_plot()
        self.show_side()

    def show_plot(self) -> None:
        drawn = picture(self.curves, self.settings, self.bands)
        if drawn is not None:
            self.query_one(CurvePlot).draw(drawn)

    def show_side(self) -> None:
        """The table of runs with the value at the cursor, and what must be known to read it."""
        settings = self.settings
        at, over = value_headings(settings, self.bands)
        self.tell("at", literal(at, "bold"))
        table = self.query_one("#runs", PagedTable)
        runs = [curve.run for curve in self.curves]
        columns = run_columns(runs, settings, self.values, over, table.size.width)
        cursor = None if table.total else (self.pair or (None,))[0]
        table.show(columns, {run.name: run for run in runs}, cursor=cursor)
        self.tell("words", "\n".join(what_is_shown(self.curves, settings, self.values, self.bands)))

    # The cursor: at a k, or in Cover@tau at a tau

    def move(self, k: int, tau: Fraction) -> None:
        """Put the cursor at another k, or where it stands at a tau, at another tau."""
        largest = max((curve.run.n_min or 1 for curve in self.curves if curve.run.name in self.on), default=1)
        k, tau = min(max(k, 1), largest), min(max(tau, Fraction(1, 100)), Fraction(1))
        if self.view == "cover":
            moved, self.tau = tau != self.tau, tau
        else:
            moved, self.location = k != self.location.k, self.location.to(k=k)
        if not moved:
            return
        self.find_values()
        self.show()
        found = self.bands.difference
        if self.view == "difference" and found is not None and found.at(self.location.k) is None:
            self.ask_bands()

    def action_k_next(self) -> None:
        self.move(1 << self.location.k.bit_length(), Fraction(self.tau * 20 // 1 + 1, 20))

    def action_k_previous(self) -> None:
        self.move(1 << max((self.location.k - 1).bit_length() - 1, 0), Fraction(-(self.tau * -20 // 1) - 1, 20))

    def action_k_step(self, by: int) -> None:
        self.move(self.location.k + by, self.tau + Fraction(by, 100))

    def action_k_first(self) -> None:
        self.move(1, Fraction(0))

    def action_k_last(self) -> None:
        self.move(BEYOND, Fraction(1))

    # Keys

    def action_bands(self) -> None:
        """Intervals over problems, over samples, none; a difference is never without."""
        kinds = KINDS[1:] if self.view == "difference" else KINDS
        self.kind = kinds[(kinds.index(self.kind) + 1) % len(kinds)] if self.kind in kinds else "samples"
        self.show_settings()

    def action_difference(self) -> None:
        if self.view != "difference" and len(self.on) != 2:
            self.refuse(
                f"A difference needs two runs, and {len(self.on)} {'is' if len(self.on) == 1 else 'are'} shown",
                "Space shows or hides a run.",
            )
            return
        self.change_view("difference")

    def action_cover(self) -> None:
        self.change_view("cover")

    def action_valid(self) -> None:
        self.change_view("cot")

    def change_view(self, view: CurveView) -> None:
        """To a view, or from it back to pass@k."""
        self.view = "pass@k" if self.view == view else view
        self.location = self.location.to(false_positives="")
        self.reload()

    def action_toggle_run(self) -> None:
        name = self.query_one("#runs", PagedTable).cursor_key
        if name is not None:
            self.on ^= {name}
            self.show_settings()

    def action_all_runs(self) -> None:
        every = {curve.run.name for curve in self.curves}
        self.on = set(self.pair) if self.on == every else every
        self.show_settings()

    def export_location(self) -> Location:
        return self.location.to(runs=self.settings.on)

    def export_context(self) -> ExportContext:
        return ExportContext(
            figure="curves" if self.view in ("pass@k", "corrected") else self.view, bands=self.kind or "off"
        )

    def action_statistics(self) -> None:
        from explorer.screens.statistics import StatisticsScreen

        self.app.push_screen(StatisticsScreen(self.location, list(self.settings.on)))

    def action_open(self) -> None:
        from explorer.screens.sets import SetsScreen

        chosen = self.settings.on
        if len(chosen) < 2:
            self.refuse(
                "Solve sets compare two or more runs", "Show another run: move the cursor to it and press space."
            )
        elif len(chosen) > 5:
            self.refuse(f"{len(chosen)} runs have {2 ** len(chosen)} solve sets", "Hide all but five runs (space).")
        else:
            self.app.push_screen(SetsScreen(self.location.to(runs=chosen)))


# What is asked of the store

DENSE = 64
"""Points of a curve between 1 and n, evenly spaced on the log axis; more cannot be told apart in a terminal."""
FIFTIETHS = tuple(Fraction(i, 50) for i in range(1, 51))
"""The thresholds at which Cover@tau is drawn."""
Problems = Collection[int] | None
"""Keys of the only problems that count."""


def plotted_ks(n: int) -> list[int]:
    """Every small k, powers of two, n, and in between as many as a terminal resolves."""
    spaced = np.unique(np.round(np.geomspace(1, n, DENSE)).astype(int)).tolist()
    return sorted({*spaced, *(1 << i for i in range(n.bit_length()) if 1 << i <= n), n})


def read_curves(reader: Reader, settings: CurveSettings, problems: Problems) -> tuple[Curve, ...]:
    return curves(reader, reader.runs(settings.benchmark), plotted_ks, problems=problems)


def read_values(reader: Reader, settings: CurveSettings, problems: Problems) -> Values:
    """The values at the cursor, of the runs that are on with their intervals."""
    found: dict[str, BandPoint] = {}
    runs = reader.runs(settings.benchmark)
    if settings.view in ("cot", "corrected"):
        return _values_beside(reader, runs, settings, problems)
    for kind, chosen in (
        (settings.kind, [run for run in runs if run.name in settings.on]),
        (None, [run for run in runs if run.name not in settings.on]),
    ):
        if settings.view == "cover":
            at_cursor = cover_bands(reader, chosen, kind, [settings.tau], problems=problems)
        else:
            at_cursor = pass_at_k_bands(reader, chosen, kind, lambda _: [settings.k], problems=problems)
        found |= {curve.run.name: curve.points[0] for curve in at_cursor if curve.points}
    return found


def _values_beside(reader: Reader, runs: Sequence[Run], settings: CurveSettings, problems: Problems) -> Values:
    """pass@k at the cursor, with what is drawn dotted as its interval for the runs that are on."""
    found = {}
    read = _cot if settings.view == "cot" else _corrected
    valid = {curve.run.name: curve for curve in read(reader, runs, settings, lambda _: [settings.k], problems)}
    for curve in pass_at_k_bands(reader, runs, None, lambda _: [settings.k], problems=problems):
        of_valid = valid.get(curve.run.name)
        for point in curve.points:
            ends = of_valid.points[0] if of_valid is not None and of_valid.points else point
            found[curve.run.name] = replace(point, low=ends.low, high=ends.high)
    return found


def _cot(
    reader: Reader, runs: Sequence[Run], settings: CurveSettings, ks: Callable[[int], Sequence[int]], problems: Problems
) -> list[BandCurve]:
    """CoT-pass@k of the runs that are on: low with open paths as invalid, high with them as valid."""
    on = [run for run in runs if run.name in settings.on]
    return [
        BandCurve(
            curve.run,
            f"{count(curve.judged.judged)} of {count(curve.judged.right)} correct paths judged, "
            f"{count(curve.judged.valid)} valid",
            curve.problems,
            tuple(BandPoint(point.k, point.low, point.low, point.high) for point in curve.points),
        )
        for curve in cot_curves(reader, on, ks, problems=problems)
    ]


def _corrected(
    reader: Reader, runs: Sequence[Run], settings: CurveSettings, ks: Callable[[int], Sequence[int]], problems: Problems
) -> Sequence[BandCurve]:
    """pass@k of the runs that are on, false positives taken off."""
    of_name = {run.name: run for run in runs}
    on = [of_name[name] for name in settings.on if name in of_name]
    return corrected_curves(reader, on, settings.false_positives or (0.0,), ks, problems=problems)


def read_bands(reader: Reader, settings: CurveSettings, problems: Problems) -> Bands:
    of_name = {run.name: run for run in reader.runs(settings.benchmark)}
    on = [of_name[name] for name in settings.on if name in of_name]
    banded, others = on[:MOST_BANDS], on[MOST_BANDS:]
    if settings.view == "difference":
        if len(on) != 2:
            return Bands(settings.view)

        def ks(n: int) -> list[int]:
            return sorted({*plotted_ks(n), settings.k})

        kind = settings.kind or "problems"
        return Bands(settings.view, difference=difference(reader, on[0], on[1], kind, ks, problems=problems))
    if settings.view == "cot":

        def every_shown_k(n: int) -> list[int]:
            return sorted({*plotted_ks(n), settings.k})

        return Bands(
            settings.view,
            {curve.run.name: curve for curve in _cot(reader, on, settings, plotted_ks, problems)},
            corrected=correction(reader, on, every_shown_k, problems=problems) if on else None,
        )
    if settings.view == "corrected":
        found = tuple(_corrected(reader, on, settings, plotted_ks, problems))
    elif settings.view == "cover":
        found = cover_bands(reader, banded, settings.kind, FIFTIETHS, problems=problems)
        found += cover_bands(reader, others, None, FIFTIETHS, problems=problems)
    else:
        found = pass_at_k_bands(reader, banded, settings.kind, plotted_ks, problems=problems) if settings.kind else ()
    return Bands(settings.view, {curve.run.name: curve for curve in found}, kind=settings.kind)
