"""Problem: statement, reference answer, every run's tally, the answers given, and the samples of one run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from textual.app import ComposeResult

from backend import Reader, disputed_samples, problem_uncertainty, sample_perplexities, settled_judgements
from backend.records import Page, Problem, Run, RunTally, Sample
from backend.wording import short_names, with_noun
from explorer.actions import PROBLEM, bindings
from explorer.location import Location
from explorer.render.problem import (
    Beside,
    Scores,
    answer_columns,
    choice_after,
    chosen_samples,
    problem_heading,
    ranked_answers,
    same_answer,
    sample_columns,
    samples_in_words,
    tallies_in_words,
)
from explorer.render.text import Column
from explorer.render.uncertainty import problem_uncertainty_in_words
from explorer.screens.base import DataScreen, next_of
from explorer.widgets.paged_table import PagedTable, Sort
from explorer.widgets.plain import Plain
from explorer.widgets.text_view import TextView

MOST_SAMPLES = 5_000
"""Samples of one run and problem that are listed; the status line says when there are more."""


@dataclass(frozen=True, slots=True)
class ProblemRecord:
    """The problem and the samples of the run looked at."""

    problem: Problem
    run: Run
    samples: Page[Sample]
    beside: Beside
    """Perplexities and judgements of the samples."""


def _read(location: Location, reader: Reader) -> ProblemRecord:
    order = [reader.run(name).key for name in location.runs]
    problem = reader.problem(location.problem or 0, order)
    run = reader.run(location.run or problem.tallies[0].run.name)
    samples = reader.samples(run.key, problem.key, limit=MOST_SAMPLES)
    beside = Beside(
        _scores(reader, location, run, problem.key),
        settled_judgements(reader, run, problem.key),
        disputed_samples(reader, run, problem.key),
    )
    return ProblemRecord(problem, run, samples, beside)


def _scores(reader: Reader, location: Location, run: Run, problem: int) -> Scores:
    """Perplexities under the models of the compared runs, then under the others that scored any of these samples."""
    found = sample_perplexities(reader, run, problem)
    compared = [reader.run(name) for name in location.runs]
    words = dict(zip((run.model.name for run in compared), short_names(compared), strict=True))
    order = dict.fromkeys([*words, *found.scorers])
    return {f"ppl {words.get(scorer, scorer)}": found.of[scorer] for scorer in order if scorer in found.of}


def _uncertainty_in_words(location: Location, short: bool, reader: Reader) -> str:
    """Success rates of the compared runs (or the one looked at), and what fresh ones are expected to say."""
    runs = [reader.run(name) for name in location.runs or (location.run,) if name is not None]
    doubt = problem_uncertainty(reader, runs, location.problem or 0, location.min_correct) if runs else None
    return problem_uncertainty_in_words(doubt, short_names(runs), location.min_correct, short=short) if doubt else ""


class ProblemScreen(DataScreen):
    """Statement on top, tallies below it, then samples or answers."""

    WHERE = PROBLEM
    BINDINGS = bindings(PROBLEM)
    AUTO_FOCUS = "#samples"

    def __init__(self, location: Location, problem_label: str, excerpt: str | None = None) -> None:
        super().__init__(location, problem_label)
        self.excerpt = excerpt
        """The statement's beginning, shown until the whole is there, so that nothing below it moves."""
        self.record: ProblemRecord | None = None
        self.samples: dict[str, Sample] = {}
        self.choice = "all"
        self.showing_answers = False
        self.columns: list[Column] = []
        self.sort = Sort("index")

    def compose_body(self) -> ComposeResult:
        yield Plain(id="heading")
        yield TextView(id="statement")
        yield Plain(id="tallies")
        yield Plain(id="uncertainty")
        yield PagedTable(id="samples")
        yield Plain(id="status")

    def on_mount(self) -> None:
        if self.excerpt is not None:
            self.query_one(TextView).show(self.excerpt)

    def reload(self) -> None:
        location = self.location
        self.crumbs(location.benchmark, f"problem {self.problem_label}")
        self.ask("problem", partial(_read, location), self.show_problem)
        self.ask("uncertainty", partial(_uncertainty_in_words, location, self.short), partial(self.tell, "uncertainty"))

    def on_screen_resume(self) -> None:
        """What was read meanwhile is marked."""
        if not self.showing_answers:
            self.show_samples()

    def show_problem(self, record: ProblemRecord) -> None:
        """Everything anew; cursor and scrolling stay."""
        first = self.record is None
        self.record = record
        problem = record.problem
        self.problem_label = problem.label
        self.crumbs(self.location.benchmark, f"problem {self.problem_label}")
        self.tell("heading", problem_heading(problem))
        statement = self.query_one(TextView)
        text = problem.statement if problem.statement is not None else "No statement is stored for this problem."
        if statement.text != text:
            statement.show(text)
        # One comes to read the path that proves the set: start at the first right one.
        right = next((s for s in record.samples.items if first and s.verdict == "correct"), None)
        self.show_samples(cursor=str(right.index) if right else None)

    @property
    def tally(self) -> RunTally | None:
        if self.record is None:
            return None
        return next((t for t in self.record.problem.tallies if t.run.key == self.record.run.key), None)

    def show_samples(self, cursor: str | None = None) -> None:
        if (record := self.record) is None:
            return
        self.tell("tallies", tallies_in_words(record.problem, record.run.name))
        if self.showing_answers:
            self._show_answers()
            return
        seen = self.explorer.marks.seen(self.tally.run.key, record.problem.key) if self.tally else frozenset[int]()
        beside = replace(record.beside, seen=seen)
        shown = chosen_samples(record.samples, beside, self.choice, self.sort.key, descending=self.sort.descending)
        self.samples = {str(sample.index): sample for sample in shown}
        self.columns = sample_columns(self.size.width, beside)
        self.query_one(PagedTable).show(self.columns, self.samples, sort=self.sort, cursor=cursor)
        if self.tally is not None:
            self.tell("status", samples_in_words(self.tally.run, record.samples, len(shown), self.choice))

    def _show_answers(self) -> None:
        assert self.record is not None
        ranked = ranked_answers(self.record.problem, self.location.runs)
        columns = answer_columns(self.record.problem, self.location.runs, self.size.width)
        self.query_one(PagedTable).show(columns, {str(number): given for number, given in enumerate(ranked)})
        self.tell("status", f"{with_noun(len(ranked), 'distinct answer')} with verdicts; a shows the samples again")

    # Keys

    def action_other_run(self, by: int) -> None:
        if self.record is None or not self.record.problem.tallies:
            return
        names = [tally.run.name for tally in self.record.problem.tallies]
        self.location = self.location.to(run=next_of(names, self.record.run.name, by))
        self.record = None
        self.reload()

    def action_verdicts(self) -> None:
        if self.record is None:
            return
        self.choice = choice_after(self.record.samples, self.record.beside, self.choice)
        self.showing_answers = False
        self.show_samples()

    def action_answers(self) -> None:
        self.showing_answers = not self.showing_answers
        self.show_samples()

    def action_statement(self) -> None:
        whole = not self.has_class("whole-statement")
        self.set_class(whole, "whole-statement")
        (self.query_one(TextView) if whole else self.query_one(PagedTable)).focus()

    def action_sort(self) -> None:
        keys = [column.key for column in self.columns]
        self.sort = Sort(next_of(keys, self.sort.key), self.sort.descending)
        self.show_samples()

    def action_reverse(self) -> None:
        self.sort = self.sort.reversed()
        self.show_samples()

    def action_reference(self) -> None:
        from explorer.screens.decide import ReferenceDialog, open_dialog

        if self.record is not None:
            open_dialog(self.explorer, ReferenceDialog(self.record.problem, self.location.benchmark))

    def action_resample(self) -> None:
        if self.record is not None:
            compared = [tally.run for tally in self.record.problem.tallies if tally.run.name in self.location.runs]
            self.explorer.resample(compared, [self.record.problem.label])

    def _to_answer(self, row: int) -> None:
        """From the answers to the first sample of this run that gave the one under the cursor."""
        assert self.record is not None
        answer, verdict = ranked_answers(self.record.problem, self.location.runs)[row][0]
        given = [s for s in self.record.samples.items if s.verdict == verdict and same_answer(s.answer, answer)]
        if not given:
            self.refuse("This run never gave that answer", "→ goes to the next run.")
            return
        self.showing_answers, self.choice = False, "all"
        self.show_samples(cursor=str(given[0].index))

    def action_tree(self) -> None:
        from explorer.screens.tree import TreeScreen

        if self.record is None or not any(tally.texts for tally in self.record.problem.tallies):
            self.refuse("No paths are stored here", "These are published counts: the source has only n and c.")
        else:
            self.app.push_screen(TreeScreen(self.location, self.problem_label))

    def action_copy(self) -> None:
        statement = self.record.problem.statement if self.record else None
        if statement is None:
            self.refuse("No statement is stored for this problem")
        else:
            self.copy(statement, "the statement")

    def action_open(self) -> None:
        key = self.query_one(PagedTable).cursor_key
        if self.record is None or key is None or not self.record.samples.total:
            self.refuse("No paths are stored here", "These are published counts: the source has only n and c.")
            return
        if self.showing_answers:
            self._to_answer(int(key))
        else:
            self.read_path(self.record.run.name, int(key))
