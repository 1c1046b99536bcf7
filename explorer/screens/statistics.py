"""Statistics: the paper's other views of the runs of one benchmark, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from textual.app import ComposeResult

from backend import (
    Reader,
    accuracy_histograms,
    agreement,
    efficiency,
    response_lengths,
    step_series,
    temperature_sweep,
)
from backend.records import Run
from explorer.actions import STATISTICS, bindings
from explorer.location import ExportContext, Location
from explorer.render.statistics import (
    Frame,
    StatisticsPage,
    agreement_view,
    efficiency_view,
    histogram_view,
    lengths_view,
    steps_view,
    temperature_view,
    verdicts_view,
)
from explorer.screens.filtered import FilteredScreen
from explorer.widgets.plots import LinePlot
from explorer.widgets.strips import ViewStrip
from explorer.widgets.text_view import TextView


class Looked(NamedTuple):
    """What is looked at: the runs that are on, the first of the pair, and every run of the benchmark."""

    runs: Sequence[Run]
    base: Run
    every: Sequence[Run]
    problems: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class _View:
    """One view: how it is read, and how its record is shown in so many columns."""

    name: str
    read: Callable[[Reader, Looked], Any]
    show: Callable[[Any, Frame], StatisticsPage]


VIEWS = (
    _View("accuracy", lambda r, at: accuracy_histograms(r, at.runs, problems=at.problems), histogram_view),
    _View("efficiency", lambda r, at: efficiency(r, at.base, at.runs, problems=at.problems), efficiency_view),
    _View("steps", lambda r, at: step_series(r, at.every, problems=at.problems), steps_view),
    _View("temperature", lambda r, at: temperature_sweep(r, at.base, at.every, problems=at.problems), temperature_view),
    _View("lengths", lambda r, at: response_lengths(r, at.runs, problems=at.problems), lengths_view),
    _View("agreement", lambda r, at: agreement(r, at.runs, problems=at.problems), agreement_view),
    _View("verdicts", lambda r, at: response_lengths(r, at.runs, problems=at.problems), verdicts_view),
)


class StatisticsScreen(FilteredScreen):
    """The names of the views on top, below them a plot where there is one, and text that one can scroll."""

    WHERE = STATISTICS
    BINDINGS = bindings(STATISTICS)

    def __init__(self, location: Location, shown: Sequence[str] = ()) -> None:
        """A screen of the runs `shown`, or else of the location's."""
        super().__init__(location)
        self.on = tuple(shown) or location.runs
        self.few = self.on
        self.choice = 0
        """Index of the view."""
        self.answer: tuple[Mapping[int, int], Any] | None = None
        """The looks of the runs, and the record of the view."""
        self.answered = False
        """Whether the text that stands there is of this view."""

    def compose_body(self) -> ComposeResult:
        yield ViewStrip(tuple(view.name for view in VIEWS))
        yield LinePlot(id="plot")
        yield TextView(id="view")

    @property
    def view(self) -> _View:
        return VIEWS[self.choice]

    def reload(self) -> None:
        self.crumbs(self.location.benchmark, "statistics", self.view.name)
        self.query_one(ViewStrip).chosen = self.choice
        view, location, names = self.view, self.location, self.on

        def read(reader: Reader, problems: frozenset[int] | None) -> tuple[Mapping[int, int], Any]:
            every = reader.runs(location.benchmark)
            runs = [reader.run(name, location.benchmark) for name in names]
            base = reader.run(location.runs[0], location.benchmark)
            style_indices = {run.key: style_index for style_index, run in enumerate(every)}
            return style_indices, view.read(reader, Looked(runs, base, every, problems))

        self.ask_filtered("view", read, self.show_view)

    def show_view(self, answer: tuple[Mapping[int, int], Any]) -> None:
        self.answer = answer
        style_indices, record = answer
        shown = self.view.show(record, Frame(self.size.width - 4, style_indices))
        plot = self.query_one(LinePlot)
        plot.display = shown.plot is not None
        if shown.plot is not None:
            plot.draw(shown.plot)
        # What is looked at stays in sight when the store grows.
        self.query_one(TextView).show("\n".join(shown.text), keep=self.answered)
        self.answered = True

    def reflow(self) -> None:
        if self.answer is not None:
            self.call_after_refresh(self.show_view, self.answer)

    # Keys

    def action_view(self, number: int) -> None:
        if number - 1 == self.choice:
            return
        self.choice = number - 1
        # What stood there is of another view: nothing is better while this one is read.
        self.answer, self.answered = None, False
        self.query_one(LinePlot).display = False
        self.query_one(TextView).show("")
        self.reload()

    def action_move_view(self, by: int) -> None:
        self.action_view((self.choice + by) % len(VIEWS) + 1)

    def on_view_strip_picked(self, event: ViewStrip.Picked) -> None:
        self.action_view(event.index + 1)

    def export_location(self) -> Location:
        return self.location.to(runs=self.on)

    def export_context(self) -> ExportContext:
        name = self.view.name
        return ExportContext(figure="histogram" if name == "accuracy" else name, base=self.location.runs[0])

    def action_all_runs(self) -> None:
        benchmark = self.location.benchmark

        def show(runs: tuple[Run, ...]) -> None:
            every = tuple(run.name for run in runs)
            self.on = self.few if self.on == every else every
            self.reload()

        self.ask("runs", lambda reader: reader.runs(benchmark), show)
