"""Plots: curves with bands, a marker for each run and a cursor; and lines over any axis."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import ceil, floor

from textual.app import RenderResult
from textual_plotext import PlotextPlot

from explorer.render.curves import MARKERS, Edges, Lines, Picture

# Curves with their bands, a marker for each run, and a cursor.

COLOURS = ("cyan+", "orange+", "green+", "magenta+", "red+", "blue+", "white", "gray+")
"""plotext's names of `RICH_COLOURS`."""
DOTS = (3, 5)
"""Every how many dots of a row a band's edge has one: different, so that two bands differ without colour."""


class CurvePlot(PlotextPlot):
    """The plot; it draws what `draw` was last given."""

    drawn = False

    def render(self) -> RenderResult:
        """The plot; nothing before there is something to draw, for an empty plot takes 50 ms too."""
        return super().render() if self.drawn else ""

    def draw(self, picture: Picture) -> None:
        """Draw the curves with their bands, and the cursor."""
        self.drawn = True
        plt = self.plt
        plt.clear_data()
        plt.clear_figure()
        # What is drawn later lies above: first the bands, last the markers.
        if picture.zero:
            plt.hline(0, color="gray+")
        banded = [(curve.style_index, curve.band) for curve in picture.curves if curve.band is not None]
        for (style_index, band), step in zip(banded, DOTS, strict=False):
            plt.scatter(*self.dots(band, picture.axis.end, step), marker="braille", color=colour(style_index))
        for curve in picture.curves:
            plt.plot(list(curve.places), list(curve.percents), marker="braille", color=colour(curve.style_index))
            plt.scatter(
                [curve.places[i] for i in curve.marked],
                [curve.percents[i] for i in curve.marked],
                marker=MARKERS[curve.style_index % len(MARKERS)],
                color=colour(curve.style_index),
            )
        if picture.crossing is not None:
            self.draw_crossing(picture.crossing, picture.axis.end)
        self.draw_axes(picture)
        self.refresh()

    def dots(self, band: Edges, end: float, step: int) -> tuple[list[float], list[float]]:
        """The dots of a band's two edges."""
        # Two dots a cell; the axis and its numbers take some cells.
        room = 2 * max(self.size.width - 8, 10)
        places = [end * dot / room for dot in range(0, room + 1, step)]
        within = [place for place in places if band.places[0] <= place <= band.places[-1]]
        return within * 2, [between(band.places, edge, place) for edge in (band.low, band.high) for place in within]

    def draw_crossing(self, crossing: tuple[float | None, float | None, float | None], end: float) -> None:
        """On the line at 0: = from end to end of the interval, X where the curves cross."""
        at, low, high = crossing
        if low is not None:
            high = end if high is None else high
            cells = max(int((high - low) / end * self.size.width), 1)
            places = [low + (high - low) * cell / cells for cell in range(cells + 1)]
            self.plt.scatter(places, [0.0] * len(places), marker="=", color="white")
        if at is not None:
            self.plt.scatter([at], [0.0], marker="X", color="white")

    def draw_axes(self, picture: Picture) -> None:
        """Ticks, limits, the cursor."""
        plt = self.plt
        plt.xticks([place for place, _ in picture.axis.ticks], [name for _, name in picture.axis.ticks])
        values = [value for curve in picture.curves for value in curve.percents] + [0.0] * picture.zero
        values += [value for curve in picture.curves if curve.band for value in (*curve.band.low, *curve.band.high)]
        steps = round_steps(min(values, default=0.0), max(values, default=100.0))
        plt.ylim(steps[0], steps[-1])
        plt.yticks(steps, [f"{step:g}".replace("-", "−") for step in steps])
        plt.xlim(0, picture.axis.end)
        if picture.cursor is not None:
            plt.vline(picture.cursor, color="gray+")
        plt.xlabel(picture.axis.label)
        plt.ylabel(picture.value)


def colour(style_index: int) -> str:
    return COLOURS[style_index % len(COLOURS)]


def between(places: Sequence[float], values: Sequence[float], place: float) -> float:
    """The value at a place between points, on a straight line; at an end, that end's."""
    right = bisect_left(places, place)
    if right == 0 or right == len(places):
        return values[min(right, len(places) - 1)]
    share = (place - places[right - 1]) / (places[right] - places[right - 1])
    return values[right - 1] + share * (values[right] - values[right - 1])


def round_steps(low: float, high: float, most: int = 7) -> list[float]:
    """Round numbers from at most `low` to at least `high`, at most `most` + 1 of them: where an axis has its ticks."""
    span = max(high - low, 1e-9)
    size = next(
        size
        for power in range(-3, 4)
        for size in (10.0**power, 2 * 10.0**power, 5 * 10.0**power)
        if span / size <= most - 1
    )
    first, last = floor(low / size), ceil(high / size)
    return [round(index * size, 6) for index in range(first, max(last, first + 1) + 1)]


# Lines over any axis: training steps, or k on a log2 axis. Each has a marker, so that they differ without colour.


class LinePlot(PlotextPlot):
    """The plot; it draws what `draw` was last given."""

    drawn = False

    def render(self) -> RenderResult:
        """The plot; nothing before there is something to draw."""
        return super().render() if self.drawn else ""

    def draw(self, shown: Lines) -> None:
        self.drawn = True
        plt = self.plt
        plt.clear_data()
        plt.clear_figure()
        for line in shown.lines:
            colour = COLOURS[line.style_index % len(COLOURS)]
            plt.plot(list(line.xs), list(line.ys), marker="braille", color=colour)
            plt.scatter(list(line.xs), list(line.ys), marker=MARKERS[line.style_index % len(MARKERS)], color=colour)
        values = [y for line in shown.lines for y in line.ys]
        steps = round_steps(min(values, default=0.0), max(values, default=100.0), most=5)
        plt.ylim(steps[0], steps[-1])
        plt.yticks(steps, [f"{step:g}".replace("-", "−") for step in steps])
        low, high = min(shown.ticks, default=0.0), max(shown.ticks, default=1.0)
        plt.xlim(low, high if high > low else low + 1)
        plt.xticks(list(shown.ticks), list(shown.tick_labels))
        plt.xlabel(shown.x_label)
        plt.ylabel(shown.y_label)
        self.refresh()
