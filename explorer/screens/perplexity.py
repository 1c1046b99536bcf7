"""Perplexity: how likely responses of base, RL and reference are to base and to RL model (the paper's Fig. 6)."""

from __future__ import annotations

from textual.app import ComposeResult

from backend import Reader, perplexities
from backend.records.reading import CHOICES, Perplexities, PerplexityGroup
from backend.wording import run_label
from explorer.actions import PERPLEXITY, bindings
from explorer.location import ExportContext, Location
from explorer.render.perplexity import (
    Axis,
    group_in_words,
    heading,
    histogram,
    perplexity_columns,
    score_command,
)
from explorer.render.text import join_lines
from explorer.screens.base import next_of
from explorer.screens.filtered import FilteredScreen
from explorer.widgets.paged_table import PagedTable
from explorer.widgets.plain import Plain

MARGIN = 2
"""Cells left of the histogram."""
TALLEST = 24
"""Lines of the histogram at most."""
ROOM = 11
"""Lines that are not for groups or bars: breadcrumbs, legend, axes, words, filter, keys."""


class PerplexityScreen(FilteredScreen):
    """A row for each group of responses under each model; below it the one under the cursor as a histogram."""

    WHERE = PERPLEXITY
    BINDINGS = bindings(PERPLEXITY)
    ON_CLICK = "score"

    def __init__(self, location: Location, problem_label: str = "") -> None:
        super().__init__(location, problem_label)
        self.record: Perplexities | None = None
        self.groups: dict[str, PerplexityGroup] = {}
        self.choice = "all"

    def compose_body(self) -> ComposeResult:
        yield Plain(id="heading")
        yield PagedTable(id="groups")
        yield Plain(id="words")
        yield Plain(id="histogram")

    def reload(self) -> None:
        location, choice = self.location, self.choice

        def read(reader: Reader, problems: frozenset[int] | None) -> Perplexities:
            runs = [reader.run(name, location.benchmark) for name in location.runs]
            chosen = problems if location.problem is None else frozenset([location.problem])
            return perplexities(reader, location.benchmark, runs, problems=chosen, choice=choice)

        names = " vs ".join(name.removesuffix(f"@{location.benchmark}") for name in location.runs)
        problem = f"problem {self.problem_label}" if location.problem is not None else ""
        self.crumbs(location.benchmark, names, problem, "perplexity")
        self.ask_filtered("perplexities", read, self.show_groups)

    def show_groups(self, record: Perplexities) -> None:
        """Everything anew; the cursor stays."""
        self.record = record
        self.groups = {f"{group.scorer}\t{group.run.name if group.run else ''}": group for group in record.groups}
        self.tell("heading", heading(record))
        self.reflow()

    def reflow(self) -> None:
        if self.record is not None:
            self.query_one(PagedTable).show(perplexity_columns(self.record, self.size.width), self.groups)

    def on_paged_table_moved(self, event: PagedTable.Moved) -> None:
        group, record = self.groups[event.key], self.record
        assert record is not None
        words = group_in_words(group, record)
        if group.n:
            width = max(self.size.width - 2 * MARGIN - 2, 20)
            height = min(max(self.size.height - len(self.groups) - ROOM, 3), TALLEST)
            rows = [*histogram(group, record, width, height), Axis(record.edges, width).ticks()]
            self.tell("histogram", join_lines([" " * MARGIN + row for row in rows]))
        else:
            command = score_command(group.run, group.scorer, record.benchmark, self.selector())
            words = join_lines([words, f"s scores them here, or run: {command}"])
            self.tell("histogram", "")
        self.tell("words", words)

    def selector(self) -> str:
        """The problems looked at, as the command line's --problems."""
        return f"id={self.problem_label}" if self.location.problem is not None else self.location.filter

    def export_context(self) -> ExportContext:
        """The boxes, of the samples that count."""
        return ExportContext(
            figure="perplexity", verdict=None if self.choice == "all" else self.choice.replace(" ", "-")
        )

    # Keys

    def action_verdicts(self) -> None:
        self.choice = next_of(CHOICES, self.choice)
        self.reload()

    def action_score(self) -> None:
        from explorer.screens.score import ScoreDialog

        key = self.query_one(PagedTable).cursor_key
        if self.record is None or key is None:
            return
        group = self.groups[key]

        def started(job: str | None) -> None:
            if job:
                self.explorer.say(f"Job {job} started; J shows it. It continues when you quit.")

        chosen = None if self.location.problem is None else frozenset([self.location.problem])
        words = f"problem {self.problem_label}" if chosen else self.location.filter
        dialog = ScoreDialog(self.record, group, self.location, chosen, words)
        self.app.push_screen(dialog, started)

    def action_open(self) -> None:
        """The paths of this problem are on its own screen."""
        if self.record is not None:
            runs = ", ".join(run_label(run) for run in self.record.runs)
            self.refuse(
                f"These are groups of responses of {runs}", "Esc goes back; single paths are on the problem's screen."
            )
