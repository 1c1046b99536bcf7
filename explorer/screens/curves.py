"""Curves: pass@k of the runs of one benchmark, with a cursor at one k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from backend import Reader, curves
from backend.records import Curve
from explorer.actions import CURVES, bindings
from explorer.navigation import Place
from explorer.render.literal import cell, literal
from explorer.render.names import run_label, squeezed
from explorer.render.numbers import percent, span
from explorer.render.summaries import curve_end_in_words
from explorer.screens.filtered import FilteredScreen
from explorer.widgets.curve_plot import MARKERS, RICH_COLOURS, CurvePlot, PlottedCurve
from explorer.widgets.paged_table import Column, PagedTable

DENSE = 64
"""Points of a curve between 1 and n, evenly spaced on the log axis; more cannot be told apart in a terminal."""


def plotted_ks(n: int) -> list[int]:
    """Every small k, powers of two, n, and in between as many as a terminal resolves."""
    spaced = np.unique(np.round(np.geomspace(1, n, DENSE)).astype(int)).tolist()
    return sorted({*spaced, *(1 << i for i in range(n.bit_length()) if 1 << i <= n), n})


@dataclass(frozen=True, slots=True)
class CurvesRecord:
    """Curves of every run of a benchmark, dense for the plot; values at the cursor's k."""

    curves: tuple[Curve, ...]
    at_k: tuple[Curve, ...]


class CurvesScreen(FilteredScreen):
    """The plot on the left, the runs with their values at the cursor on the right."""

    WHERE = CURVES
    BINDINGS = bindings(CURVES)

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.on: set[str] = set(place.runs)
        self.pair = place.runs
        self.record = CurvesRecord((), ())

    def compose_body(self) -> ComposeResult:
        """Plot and values."""
        with Horizontal():
            yield CurvePlot(id="plot")
            with Vertical(id="side"):
                yield Static(id="at")
                yield PagedTable(id="runs")
                yield Static(id="words")

    def reload(self) -> None:
        """Ask for the curves of all runs of the benchmark."""
        self.crumbs(self.place.benchmark, "pass@k")
        benchmark, k = self.place.benchmark, self.place.k

        def read(reader: Reader, problems: frozenset[int] | None) -> CurvesRecord:
            runs = reader.runs(benchmark)
            return CurvesRecord(
                curves(reader, runs, plotted_ks, problems=problems),
                curves(reader, runs, lambda _: [k], problems=problems),
            )

        self.ask_filtered("curves", read, self.show_curves)

    def on_resize(self) -> None:
        """Labels follow the width."""
        super().on_resize()
        if self.record.curves:
            self.call_after_refresh(self.show_values)

    def show_curves(self, record: CurvesRecord) -> None:
        """Draw."""
        self.record = record
        self.show_plot()
        self.show_values()

    def show_plot(self) -> None:
        """The curves that are on, and the cursor."""
        drawn = [
            PlottedCurve(
                tuple(point.k for point in curve.points),
                tuple(100 * point.pass_at_k for point in curve.points),
                look,
            )
            for look, curve in enumerate(self.record.curves)
            if curve.run.name in self.on
        ]
        self.query_one(CurvePlot).draw(drawn, self.place.k)

    def show_values(self) -> None:
        """The table of runs with pass@k at the cursor, and what must be known to read it."""
        k = self.place.k
        self.query_one("#at", Static).update(literal(f"pass@k at k = {k:,}", "bold"))
        table = self.query_one("#runs", PagedTable)
        columns = [Column("run", "run", self.label_width()), Column("value", f"@{k} %", 7, True)]
        names = [curve.run.name for curve in self.record.curves]
        table.show(columns, names, self.row, cursor=None if table.total else (self.pair or (None,))[0])
        self.query_one("#words", Static).update(literal("\n".join(self.words())))

    def label_width(self) -> int:
        """Columns for a run's marker and label."""
        return max(self.query_one("#runs", PagedTable).size.width - 12, 12)

    def row(self, name: str) -> Sequence[Text]:
        """One run: marker, whether it is on, its label and value."""
        look = [curve.run.name for curve in self.record.curves].index(name)
        curve, at_k = self.record.curves[look], self.record.at_k[look]
        on = name in self.on
        marker = cell(f"{MARKERS[look % len(MARKERS)]} " if on else "  ", RICH_COLOURS[look % len(RICH_COLOURS)])
        label = cell(squeezed(run_label(curve.run), self.label_width() - 2), "" if on else "dim")
        return [marker + label, cell(percent(at_k.at(self.place.k)), "" if on else "dim", right=True)]

    def words(self) -> list[str]:
        """Difference, crossing and why curves end, for the runs that are on."""
        shown = [curve for curve in self.record.curves if curve.run.name in self.on]
        result = []
        if len(shown) == 2:
            base, rl = (self.value(curve) for curve in shown)
            result.append(
                f"difference {100 * (rl - base):+.1f} points" if base is not None and rl is not None
                else f"difference undefined at k = {self.place.k}"
            )  # fmt: skip
        for curve in shown:
            run = curve.run
            sizes = f"n = {span(run.n_min, run.n_max)}, {curve.problems:,} problems, {run.samples:,} samples"
            result.append(f"{run_label(run)}: {sizes}")
            result += curve_end_in_words(curve)
            if "source" in run.parameters:
                result.append(f"published by {run.parameters['source']}")
        return result

    def value(self, curve: Curve) -> float | None:
        """pass@k of a run at the cursor."""
        return next((at.at(self.place.k) for at in self.record.at_k if at.run.key == curve.run.key), None)

    # Keys

    def largest_k(self) -> int:
        """The largest k at which some run that is on is defined."""
        return max((c.run.n_min or 1 for c in self.record.curves if c.run.name in self.on), default=1)

    def move_k(self, k: int) -> None:
        """Put the cursor at another k and ask for the values there."""
        k = min(max(k, 1), self.largest_k())
        if k == self.place.k:
            return
        self.place = self.place.to(k=k)
        benchmark = self.place.benchmark
        self.show_plot()
        self.ask_filtered(
            "at_k",
            lambda reader, problems: curves(reader, reader.runs(benchmark), lambda _: [k], problems=problems),
            self.show_at_k,
        )

    def show_at_k(self, at_k: tuple[Curve, ...]) -> None:
        """The values at the cursor have come."""
        self.record = CurvesRecord(self.record.curves, at_k)
        self.show_values()

    def action_k_next(self) -> None:
        """To the next power of two, or to the end."""
        power = 1 << self.place.k.bit_length()
        self.move_k(power)

    def action_k_previous(self) -> None:
        """To the power of two before."""
        self.move_k(1 << max((self.place.k - 1).bit_length() - 1, 0))

    def action_k_step(self, by: int) -> None:
        """To the k beside."""
        self.move_k(self.place.k + by)

    def action_k_first(self) -> None:
        """To k = 1."""
        self.move_k(1)

    def action_k_last(self) -> None:
        """To the largest k."""
        self.move_k(self.largest_k())

    def action_toggle_run(self) -> None:
        """Switch the run under the cursor."""
        name = self.query_one("#runs", PagedTable).cursor_key
        if name is not None:
            self.on ^= {name}
            self.show_plot()
            self.show_values()

    def action_all_runs(self) -> None:
        """All runs, or the pair again."""
        every = {curve.run.name for curve in self.record.curves}
        self.on = set(self.pair) if self.on == every else every
        self.show_plot()
        self.show_values()

    def names_on(self) -> list[str]:
        """The runs that are on, the pair first and in its order."""
        on = [curve.run.name for curve in self.record.curves if curve.run.name in self.on]
        return sorted(on, key=lambda name: self.pair.index(name) if name in self.pair else len(self.pair))

    def export_place(self) -> Place:
        """Of the runs that are on."""
        return self.place.to(runs=tuple(self.names_on()))

    def action_statistics(self) -> None:
        """The paper's other views of the runs that are on."""
        from explorer.screens.statistics import StatisticsScreen

        self.app.push_screen(StatisticsScreen(self.place, self.names_on()))

    def on_data_table_row_selected(self) -> None:
        """Enter in the table of runs."""
        self.action_open()

    def action_open(self) -> None:
        """Solve sets of the runs that are on; the pair keeps its order."""
        from explorer.screens.sets import SetsScreen

        chosen = self.names_on()
        if len(chosen) < 2:
            self.refuse("Solve sets compare two or more runs", "Switch on another run: cursor on it, then space.")
        elif len(chosen) > 5:
            self.refuse(f"{len(chosen)} runs have {2 ** len(chosen)} solve sets", "Switch off all but five runs.")
        else:
            self.app.push_screen(SetsScreen(self.place.to(runs=tuple(chosen))))
