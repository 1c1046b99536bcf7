"""Lines over any axis: training steps, or k on a log2 axis. Each has a marker, so that they differ without colour."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import RenderResult
from textual_plotext import PlotextPlot

from explorer.widgets.curve_plot import COLOURS, MARKERS, round_steps


@dataclass(frozen=True, slots=True)
class Line:
    """Points in increasing x."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    look: int
    """Index of its marker and colour."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A plot: its lines, and where the x axis has which ticks."""

    lines: tuple[Line, ...]
    ticks: tuple[float, ...]
    tick_labels: tuple[str, ...]
    x_label: str
    y_label: str


class LinePlot(PlotextPlot):
    """The plot; it draws what `draw` was last given."""

    drawn = False

    def render(self) -> RenderResult:
        """The plot; nothing before there is something to draw."""
        return super().render() if self.drawn else ""

    def draw(self, shown: Lines) -> None:
        """Draw these lines instead of the last ones."""
        self.drawn = True
        plt = self.plt
        plt.clear_data()
        plt.clear_figure()
        for line in shown.lines:
            colour = COLOURS[line.look % len(COLOURS)]
            plt.plot(list(line.xs), list(line.ys), marker="braille", color=colour)
            plt.scatter(list(line.xs), list(line.ys), marker=MARKERS[line.look % len(MARKERS)], color=colour)
        values = [y for line in shown.lines for y in line.ys]
        steps = round_steps(min(values, default=0.0), max(values, default=100.0), most=5)
        plt.ylim(steps[0], steps[-1])
        plt.yticks(steps, [f"{step:g}" for step in steps])
        low, high = min(shown.ticks, default=0.0), max(shown.ticks, default=1.0)
        plt.xlim(low, high if high > low else low + 1)
        plt.xticks(list(shown.ticks), list(shown.tick_labels))
        plt.xlabel(shown.x_label)
        plt.ylabel(shown.y_label)
        self.refresh()
