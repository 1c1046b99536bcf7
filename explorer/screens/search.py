"""Search: a text or a regular expression in the paths of this location; hits as they are found."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from textual.app import ComposeResult
from textual.widgets import Input

from backend import (
    PAIR_SETS,
    Pattern,
    Reader,
    contains_word,
    pattern,
    pattern_in_progress,
    search,
    selected_problems,
    solve_sets,
)
from backend.errors import UsageError
from backend.records import Run
from backend.records.samples import Findings, Hit
from backend.wording import count
from explorer.actions import SEARCH, bindings
from explorer.location import ExportContext, Location
from explorer.render.search import HINT, findings_in_words, hit_columns, scope_line, scopes_of
from explorer.screens.base import DataScreen
from explorer.widgets.fields import Field
from explorer.widgets.paged_table import PagedTable
from explorer.widgets.plain import Plain

MOST_HITS = 2_000
"""Hits that are listed; all are counted."""


class SearchScreen(DataScreen):
    """The line one types in, what was found in every run and set, and the paths found."""

    WHERE = SEARCH
    BINDINGS = bindings(SEARCH)

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self.scopes = scopes_of(location)
        self.chosen = 0 if location.problem is not None else max(len(self.scopes) - 2, 0)
        self.searched = ""
        """The pattern whose findings are shown."""
        self.hits: dict[str, Hit] = {}
        self.findings: Findings | None = None
        self.sets: dict[int, str] = {}

    def compose_body(self) -> ComposeResult:
        yield Field(value=self.location.find, placeholder=HINT, id="pattern", compact=True)
        yield Plain(id="scope")
        yield Plain(id="found")
        yield PagedTable(id="hits")
        yield Plain(id="status")

    def reload(self) -> None:
        """Search what came along. A store that grows starts no search again: hits would jump while one reads them."""
        self.crumbs(self.location.benchmark, "search")
        self._show_scope()
        if self.location.find and not self.searched:
            self.start(self.location.find)

    # Searching

    def start(self, written: str) -> None:
        """Search in the chosen scope; an earlier search is given up."""
        try:
            wanted = pattern(written)
        except UsageError as error:
            self._explain(str(error).replace("\n", "  "))
            return
        self.searched, self.hits, self.findings, self.sets = written, {}, None, {}
        self._explain("")
        location = self.scopes[self.chosen].location
        self.ask_stream("hits", lambda reader: _search(reader, location, wanted), self.show_findings)
        if len(location.runs) == 2 and location.sample is None:
            self.ask("sets", lambda reader: _sets(reader, location.runs), self.show_sets)

    def show_findings(self, findings: Findings) -> None:
        self.findings = findings
        first = len(self.hits)
        self.hits.update({str(first + i): hit for i, hit in enumerate(findings.hits)})
        if findings.hits or findings.finished:
            self._show_hits()
        self._show_counts()

    def show_sets(self, sets: dict[int, str]) -> None:
        self.sets = sets
        self._show_counts()

    def _show_scope(self) -> None:
        self.tell("scope", scope_line(self.scopes, self.chosen))

    def _show_hits(self) -> None:
        self.query_one(PagedTable).show(hit_columns(self.size.width, narrow=self.narrow), self.hits)

    def _show_counts(self) -> None:
        if self.findings is None:
            return
        words = findings_in_words(self.findings, self.sets, self.location.benchmark, 3 if self.short else 6)
        self.tell("found", words)
        total = sum(run.samples for run in self.findings.runs)
        listed = f"the first {count(len(self.hits))} of {count(total)}" if total > len(self.hits) else count(total)
        state = f"{self.findings.seconds:.1f} s" if self.findings.finished else "searching …  esc stops"
        self.tell("status", f"{listed} paths, in store order; {state}")

    def _explain(self, words: str) -> None:
        self.set_class(bool(words), "wrong")
        self.tell("found", words)

    # Keys

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say while one types what is wrong with the pattern."""
        event.stop()
        said = pattern_in_progress(event.value)
        if said:
            self._explain(said)
        elif self.has_class("wrong"):
            self._explain("")
            self._show_counts()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.start(event.value)
        if not self.has_class("wrong"):
            self.query_one(PagedTable).focus()

    def reflow(self) -> None:
        if self.findings is not None:
            self._show_hits()
            self._show_counts()

    def action_scope(self) -> None:
        self.chosen = (self.chosen + 1) % len(self.scopes)
        self._show_scope()
        if self.searched:
            self.start(self.searched)

    def action_pattern(self) -> None:
        self.query_one(Input).focus()

    def go_back(self) -> bool:
        """Esc stops a search that is running; True when there was one."""
        if (self.findings is not None and self.findings.finished) or not self.searched or self.idle:
            return False
        self.stop("hits")
        if self.findings is not None:
            self._show_counts()
        self.tell("status", "stopped; press enter in the search field to search again")
        return True

    def action_keep(self) -> None:
        from explorer.screens.filtered import FilteredScreen

        screens = [screen for screen in self.app.screen_stack if isinstance(screen, FilteredScreen)]
        if not self.searched or not screens:
            self.refuse("Nothing to filter here", "Open the search from a benchmark's screen, such as Curves.")
            return
        front = screens[-1]
        while self.app.screen is not front:
            self.app.pop_screen()
        front.set_filter(f"{front.location.filter} {contains_word(self.searched)}".strip())

    def export_location(self) -> Location:
        return self.scopes[self.chosen].location

    def export_context(self) -> ExportContext:
        return ExportContext(find=self.searched)

    def action_open(self) -> None:
        from explorer.screens.path import PathScreen

        key = self.query_one(PagedTable).cursor_key
        if key is None:
            self.refuse("No path found")
            return
        hit = self.hits[key]
        runs = self.location.runs if hit.run in self.location.runs else (hit.run,)
        location = self.location.to(
            benchmark=hit.benchmark,
            runs=runs,
            run=hit.run,
            problem=hit.problem_key,
            sample=hit.sample,
            find=self.searched,
        )
        self.app.push_screen(PathScreen(location, hit.label))


def _search(reader: Reader, location: Location, wanted: Pattern) -> Generator[Findings, None, None]:
    runs: Sequence[Run] = [reader.run(name, location.benchmark) for name in location.runs]
    runs = runs or [run for run in reader.runs(location.benchmark or None) if run.texts]
    problems = selected_problems(reader, runs, location.filter) if location.filter else None
    return search(
        reader, runs, wanted, problem=location.problem, sample=location.sample, problems=problems, most=MOST_HITS
    )


def _sets(reader: Reader, names: Sequence[str]) -> dict[int, str]:
    found = solve_sets(reader, [reader.run(name) for name in names])
    return {problem.key: PAIR_SETS[problem.solved] for problem in found.problems}
