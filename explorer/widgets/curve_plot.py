"""pass@k curves on a log2 axis, with a marker for each run and a cursor at one k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log2

from textual.app import RenderResult
from textual_plotext import PlotextPlot

MARKERS = "ox+*#@%&"
"""One for each run, so that curves differ without colour."""
COLOURS = ("cyan+", "orange+", "green+", "magenta+", "red+", "blue+", "white", "gray+")
"""plotext's names of the colours."""
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
"""The same colours in Rich's words."""


@dataclass(frozen=True, slots=True)
class PlottedCurve:
    """One curve: pass@k in percent at increasing k."""

    ks: tuple[int, ...]
    percents: tuple[float, ...]
    look: int
    """Index of its marker and colour."""


class CurvePlot(PlotextPlot):
    """The plot; it draws what `draw` was last given."""

    drawn = False

    def render(self) -> RenderResult:
        """The plot; nothing before there is something to draw, for an empty plot takes 50 ms too."""
        return super().render() if self.drawn else ""

    def draw(self, curves: Sequence[PlottedCurve], k: int) -> None:
        """Draw the curves and the cursor."""
        self.drawn = True
        plt = self.plt
        plt.clear_data()
        plt.clear_figure()
        largest = max((curve.ks[-1] for curve in curves if curve.ks), default=1)
        for curve in curves:
            if not curve.ks:
                continue
            colour = COLOURS[curve.look % len(COLOURS)]
            xs = [log2(value) for value in curve.ks]
            plt.plot(xs, list(curve.percents), marker="braille", color=colour)
            at = [i for i, value in enumerate(curve.ks) if value & (value - 1) == 0 or i == len(curve.ks) - 1]
            plt.scatter(
                [xs[i] for i in at],
                [curve.percents[i] for i in at],
                marker=MARKERS[curve.look % len(MARKERS)],
                color=colour,
            )
        ticks = [value for value in (1 << i for i in range(largest.bit_length())) if value <= largest]
        if len(ticks) > 9:
            ticks = ticks[::2]
        plt.xticks([log2(value) for value in ticks], [str(value) for value in ticks])
        values = [value for curve in curves for value in curve.percents]
        low, high = (min(values), max(values)) if values else (0.0, 100.0)
        steps = round_steps(low, high)
        plt.ylim(steps[0], steps[-1])
        plt.yticks(steps, [f"{step:g}" for step in steps])
        plt.xlim(0, max(log2(largest), 1))
        plt.vline(log2(k), color="gray+")
        plt.xlabel("k (log2)")
        plt.ylabel("pass@k %")
        self.refresh()


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
