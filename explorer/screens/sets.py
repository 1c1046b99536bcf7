"""Solve sets: which problems which runs solve, and the problems of one set."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult
from textual.widgets import DataTable

from backend import (
    Reader,
    SetsShown,
    correction,
    evidence_in_words,
    false_positives,
    false_positives_in_words,
    set_evidence,
    set_uncertainty,
    sets_table,
    solve_sets,
    support,
    valid_sets,
)
from backend.records import SetProblem, SolveSets
from backend.records.audit import FalsePositives
from backend.records.comparison import SetEvidence, SetUncertainty
from backend.records.judges import Correction
from backend.records.reading import ValidSets
from backend.records.table import Table
from backend.wording import run_label, set_name, short_names, shown_of
from explorer.actions import SETS, bindings
from explorer.location import ExportContext, Location
from explorer.options import error_rates
from explorer.render.data_table import data_columns, in_order
from explorer.render.judgements import corrected_sets_in_words, valid_sets_in_words
from explorer.render.sets import MARK, first_choice, in_set, list_in_words
from explorer.render.summaries import sets_in_words
from explorer.render.text import Column
from explorer.render.uncertainty import prior_in_words, uncertainty_on_screen
from explorer.screens.base import next_of
from explorer.screens.filtered import FilteredScreen
from explorer.widgets.paged_table import PagedTable, Sort
from explorer.widgets.plain import Plain
from explorer.widgets.strips import Chip, SetStrip

Solved = tuple[bool, ...] | None


POSITION = Sort("position")
"""The order of the benchmark."""


class SetsScreen(FilteredScreen):
    """The sets with their counts on top, the problems of the selected one below."""

    WHERE = SETS
    BINDINGS = bindings(SETS)

    def __init__(self, location: Location) -> None:
        super().__init__(location.to(solved=location.solved or None))
        self.record: SolveSets | None = None
        self.uncertainty: SetUncertainty | None = None
        self.evidence: SetEvidence | None = None
        self.false: FalsePositives | None = None
        self.table = Table(())
        self.problems: dict[str, SetProblem] = {}
        self.columns: list[Column] = []
        self.sort = POSITION
        self.words: tuple[str, ...] = ()
        self.marked: set[int] = set()
        """Keys of the problems marked for resampling."""
        self.by_valid = False
        """Whether only right answers with valid reasoning count."""
        self.chosen = location.solved is not None
        """Whether a set has been selected, by the user or at first sight."""

    def compose_body(self) -> ComposeResult:
        yield SetStrip()
        yield Plain(id="words")
        yield Plain("computing how sure the sets are …", id="uncertainty")
        yield PagedTable(id="problems")
        yield Plain(id="status")

    def reload(self) -> None:
        names, min_correct, by_valid = self.location.runs, self.location.min_correct, self.by_valid

        def read(reader: Reader, problems: frozenset[int] | None) -> SolveSets | ValidSets:
            runs = [reader.run(name) for name in names]
            return (valid_sets if by_valid else solve_sets)(reader, runs, min_correct, problems=problems)

        self.ask_filtered("sets", read, self.show_sets)

    def show_sets(self, found: SolveSets | ValidSets) -> None:
        """Everything anew, the cursor where it was."""
        record = found.sets if isinstance(found, ValidSets) else found
        if self.record is None or self.record.min_correct != record.min_correct or self.by_valid:
            self.uncertainty = self.evidence = None
        self.record, self.false = record, None
        self.words = short_names(record.runs)
        if not self.chosen:
            self.location = self.location.to(solved=first_choice(record))
            self.chosen = True
        chips = [Chip(set_name(solved, self.words), count, solved) for solved, count in record.counts.items()]
        self.query_one(SetStrip).chips = (*chips, Chip("all", len(record.problems), None))
        self.show_words()
        self.show_problems()
        if isinstance(found, ValidSets):
            self.stop("evidence")
            self.stop("uncertainty")
            said = valid_sets_in_words(found, self.words)
            self.tell("uncertainty", said)
            problems = frozenset(problem.key for problem in record.problems)
            self.ask(
                "correction",
                lambda reader: correction(
                    reader, record.runs, lambda n: (), problems=problems, min_correct=record.min_correct
                ),
                lambda corrected: self.show_correction(said, corrected),
            )
        else:
            self.stop("correction")
            self.ask("evidence", lambda reader: set_evidence(reader, record), self.show_evidence)
            self.ask("uncertainty", lambda reader: set_uncertainty(reader, record), self.show_uncertainty)
            if supposed := error_rates(self.location.false_positives):
                self.ask("false", lambda reader: false_positives(reader, record, supposed), self.show_false)

    def show_false(self, found: FalsePositives) -> None:
        """What is spurious under the rate that is supposed."""
        self.false = found
        self.show_words()
        self.show_problems()

    def show_correction(self, said: str, corrected: Correction) -> None:
        """What the valid sets come to once the errors of a judge are taken into account."""
        if self.by_valid and corrected.judge is not None:
            self.tell("uncertainty", "\n".join([said, *corrected_sets_in_words(corrected, self.words)]))

    def show_words(self) -> None:
        """What is compared, and what it is evidence of."""
        if self.record is not None:
            shown = SetsShown(self.record, evidence=self.evidence, false_positives=self.false)
            told = [sets_in_words(self.record), evidence_in_words(shown), *false_positives_in_words(shown)]
            self.tell("words", "\n".join(line for line in told if line))

    def show_evidence(self, evidence: SetEvidence | None) -> None:
        """Which problems differ beyond chance, once it is known."""
        self.evidence = evidence
        self.show_words()
        self.show_problems()

    def show_uncertainty(self, uncertainty: SetUncertainty) -> None:
        self.uncertainty = uncertainty
        strip = self.query_one(SetStrip)
        strip.chips = [
            chip if chip.solved is None else replace(chip, expected=uncertainty.expected[chip.solved])
            for chip in strip.chips
        ]
        kept = support(self.record) if self.record and len(self.record.runs) == 2 else None
        prior = prior_in_words(uncertainty, self.words, self.record.common_n) if self.record else ""
        self.tell("uncertainty", uncertainty_on_screen(uncertainty, kept, prior, short=self.short))
        self.show_problems()

    def show_problems(self) -> None:
        if self.record is None:
            return
        solved = self.location.solved
        self.query_one(SetStrip).selected = solved
        self.crumbs(self.location.benchmark, " vs ".join(run_label(run) for run in self.record.runs), self.set_label())
        inside = in_set(self.record.problems, solved)
        self.table = sets_table(SetsShown(self.record, self.uncertainty, self.evidence, false_positives=self.false))
        columns = self.columns = data_columns(self.table, self.size.width, self._mark)
        if self.sort.key in {column.key for column in columns}:
            shown = in_order(self.table, inside, self.sort.key, reverse=self.sort.descending)
        else:
            self.sort = Sort(POSITION.key, self.sort.descending)
            shown = inside[::-1] if self.sort.descending else inside
        self.problems = {str(problem.key): problem for problem in shown}
        self.query_one(PagedTable).show(columns, self.problems, sort=self.sort)
        by = next((column.heading.removesuffix("%").strip() for column in columns if column.key == self.sort.key), "")
        counted = shown_of(len(shown), len(inside), "problem")
        marked = len(self.marked_here())
        self.tell("status", list_in_words(self.set_label(), counted, by, self.sort.descending, marked))

    def marked_here(self) -> set[int]:
        """Keys of the marked problems that the filter means."""
        return self.marked.intersection(problem.key for problem in self.record.problems) if self.record else set()

    def export_context(self) -> ExportContext:
        here = self.marked_here()
        problems = self.record.problems if self.record else ()
        return ExportContext(
            marked=tuple(problem.label for problem in problems if problem.key in here), judged=self.by_valid
        )

    def set_label(self) -> str:
        return "all" if self.location.solved is None else set_name(self.location.solved, self.words)

    def _mark(self, problem: SetProblem) -> str:
        return f"{MARK if problem.key in self.marked else ' '} "

    def reflow(self) -> None:
        self.show_problems()

    # Keys

    def select(self, solved: Solved) -> None:
        self.location = self.location.to(solved=solved)
        self.show_problems()

    def on_set_strip_picked(self, event: SetStrip.Picked) -> None:
        self.select(event.solved)

    def action_move_set(self, by: int) -> None:
        choices = [chip.solved for chip in self.query_one(SetStrip).chips]
        if choices:
            self.select(next_of(choices, self.location.solved, by))

    def action_sort(self) -> None:
        """By the next column; after the last, in the order of the benchmark again."""
        self._sort_by(next_of([POSITION.key, *(column.key for column in self.columns)], self.sort.key))

    def action_reverse(self) -> None:
        self.sort = self.sort.reversed()
        self.show_problems()

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """A click on a heading sorts by it, a second one turns around."""
        column = str(event.column_key.value)
        if column == self.sort.key:
            self.action_reverse()
        else:
            self._sort_by(column)

    def _sort_by(self, column: str) -> None:
        # Numbers are looked at from the top.
        self.sort = Sort(column, descending=any(shown.right for shown in self.columns if shown.key == column))
        self.show_problems()

    def action_min_correct(self, by: int) -> None:
        wanted = max(self.location.min_correct + by, 1)
        if wanted != self.location.min_correct:
            self.location = self.location.to(min_correct=wanted)
            self.reload()

    def action_valid(self) -> None:
        self.by_valid = not self.by_valid
        self.reload()

    def action_mark(self) -> None:
        """Mark the problem under the cursor for resampling, or unmark it, and go on."""
        table = self.query_one(PagedTable)
        if table.cursor_key is not None:
            self.marked ^= {self.problems[table.cursor_key].key}
            self.show_problems()
            table.action_cursor_down()

    def action_resample(self) -> None:
        if self.record is None:
            return
        marked = self.marked_here()
        chosen = [problem.label for problem in self.record.problems if problem.key in marked]
        chosen = chosen or [problem.label for problem in self.problems.values()]
        if chosen:
            self.explorer.resample(self.record.runs, chosen)

    def action_open(self) -> None:
        """Open the problem, at the samples of a run that solves it."""
        from explorer.screens.problem import ProblemScreen

        key = self.query_one(PagedTable).cursor_key
        if key is None or self.record is None:
            self.refuse("No problem in this set")
            return
        problem = self.problems[key]
        solver = next((i for i, solved in enumerate(problem.solved) if solved), 0)
        location = self.location.to(problem=problem.key, run=self.record.runs[solver].name)
        self.app.push_screen(ProblemScreen(location, problem.label, problem.excerpt))

    def action_copy(self) -> None:
        labels = [problem.label for problem in self.problems.values()]
        if labels:
            self.copy(
                "\n".join(labels), f"the ids of {shown_of(len(labels), len(labels), 'problem')} of {self.set_label()}"
            )
