"""What a reader of many paths needs: seen ones are remembered, an unseen one is a key away, places are bookmarked."""

from __future__ import annotations

from dataclasses import dataclass
from random import choice
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from backend import NewJudgement, Reader, judgements_of, pattern, token_logprobs, verdicts_of
from backend.errors import PasskError, UsageError
from backend.records import Page, Problem, Response, Run, Sample
from backend.records.reading import PathJudgement
from backend.records.samples import GivenVerdict
from backend.wording import run_label, short_names
from explorer.actions import PATH, bindings
from explorer.location import Location, permalink
from explorer.render.judgements import judgements_line
from explorer.render.path import VIEWS, path_details, path_heading
from explorer.render.summaries import join_lines
from explorer.render.surprise import (
    KEYS,
    SurpriseView,
    next_number,
    other_threshold,
    piece_in_words,
    pieces_cover,
    summary,
)
from explorer.render.text import VisibleText, highlight, literal
from explorer.screens.base import DataScreen
from explorer.screens.problem import MOST_SAMPLES
from explorer.widgets.text_view import TextView

if TYPE_CHECKING:
    from textual.content import Content


# What a reader of many paths needs: seen ones are remembered, an unseen one is a key away, places are bookmarked.


class ReadingScreen(DataScreen):
    """The part of the Path screen that knows what was read; a subclass calls `follow_reading` with every path."""

    read_path: Response | None = None
    read_indices: tuple[int, ...] = ()
    """Samples of the run and problem that may be read."""

    def follow_reading(self, path: Response, indices: tuple[int, ...]) -> None:
        """The screen shows this path: it is seen."""
        self.read_path, self.read_indices = path, indices
        try:
            self.explorer.marks.see(path.run.key, path.problem_key, path.sample.index)
        except PasskError as error:
            self.refuse(error.title, error.next_step)

    def action_random(self) -> None:
        """A path of this run and problem that this user has not read."""
        path = self.read_path
        if path is None:
            return
        seen = self.explorer.marks.seen(path.run.key, path.problem_key)
        unseen = [index for index in self.read_indices if index not in seen]
        if not unseen:
            self.refuse("You have seen every path of this run and problem")
            return
        self.location = self.location.to(sample=choice(unseen))
        self.reload()

    def action_bookmark(self) -> None:
        """Set a bookmark here, or take it away."""
        path = self.read_path
        if path is None:
            return
        name = f"{path.run.benchmark} · {path.problem_label} · {run_label(path.run)} · sample {path.sample.index}"
        try:
            kept = self.explorer.marks.toggle_bookmark(permalink(PATH, self.location), name)
        except PasskError as error:
            self.refuse(error.title, error.next_step)
            return
        self.explorer.say("Bookmarked; B lists the bookmarks." if kept else "The bookmark is taken away.")


# What was searched for, in the text of a path: pointed out, and a way from match to match.


class FindingScreen(DataScreen):
    """The part of the Path screen that knows what was searched for (`Place.find`)."""

    matches: tuple[tuple[int, int], ...] = ()
    """Start and end of every match in the stored text."""

    def with_matches(self, shown: VisibleText, path: Response) -> VisibleText:
        """The text with every match pointed out; called in the gateway's thread."""
        spans = _spans(self.location.find, path.text)
        return highlight(shown, spans) if spans else shown

    def show_match(self, path: Response) -> None:
        """Go to the first match, if there is one."""
        self.matches = tuple(_spans(self.location.find, path.text))
        if self.matches:
            # The text may not have been laid out yet: then there is nothing to scroll.
            self._to(self.matches[0])
            self.call_after_refresh(self._reveal_first)

    def _reveal_first(self) -> None:
        text = self.query_one(TextView)
        if self.matches and text.mark == self.matches[0]:
            text.reveal_mark()

    def action_match(self, by: int) -> None:
        """The next or previous match."""
        if not self.matches:
            words = f"{self.location.find} is not in this text" if self.location.find else "Nothing was searched for"
            self.refuse(words, "/ searches.")
            return
        text = self.query_one(TextView)
        here = text.mark if text.mark in self.matches else None
        at = self.matches.index(here) + by if here is not None else 0
        if not 0 <= at < len(self.matches):
            self.refuse(f"No {'further' if by > 0 else 'earlier'} match in this text")
            return
        self._to(self.matches[at])
        self.explorer.say(f"match {at + 1:,} of {len(self.matches):,}")

    def _to(self, match: tuple[int, int]) -> None:
        text = self.query_one(TextView)
        text.mark = match
        text.reveal_mark()


def _spans(written: str, text: str | None) -> list[tuple[int, int]]:
    if not written or not text:
        return []
    try:
        return pattern(written).spans(text)
    except UsageError:
        # From a place that somebody wrote by hand; the text is there all the same.
        return []


# Judging the reasoning of a path: valid, invalid, unsure, a note; kept in the store with author and time.


class NoteDialog(ModalScreen[str]):
    """One line for a note; enter keeps it, esc leaves without."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS = [Binding("escape", "leave", "Leave")]

    def compose(self) -> ComposeResult:
        """The line."""
        line = Input(placeholder="a note on this path; enter keeps it, esc leaves", id="note")
        line.border_title = "Note"
        yield line

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep it."""
        event.stop()
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Without a note."""
        self.dismiss("")


class JudgingScreen(DataScreen):
    """The part of the Path screen that takes judgements; a subclass calls `follow_judgements` with every path."""

    judged_path: Response | None = None
    said: str | None = None
    """What was said last; None after a note."""

    def follow_judgements(self, path: Response) -> None:
        """The screen shows this path: ask what was said of it."""
        self.judged_path = path

        def read(reader: Reader) -> tuple[PathJudgement, ...]:
            return judgements_of(reader, path.run, path.problem_key, path.sample.index)

        self.ask("judgements", read, self.show_judgements)

    def show_judgements(self, said: tuple[PathJudgement, ...]) -> None:
        """In words, below the heading."""
        self.query_one("#judgements", Static).update(judgements_line(said))

    def say_judgement(self, judgement: str | None, note: str | None = None) -> None:
        """Write it into the store, and show it."""
        path = self.judged_path
        if path is None or path.text is None:
            self.refuse("No text is stored for this sample", "Reasoning is judged by reading it.")
            return
        new = NewJudgement(path.run.key, path.problem_key, path.sample.index, judgement, note)
        book = self.explorer.judgement_book
        self.said = judgement

        def write(reader: Reader) -> None:
            book.say([new])
            reader.database.refresh()

        self.ask("judge", write, lambda _: self.judged(path))

    def judged(self, path: Response) -> None:
        """A judgement has been written."""
        self.explorer.mark_stale()
        if self.judged_path is path:
            self.follow_judgements(path)

    # Keys

    def action_statement(self) -> None:
        """What was asked: one cannot judge an answer without the question."""
        path = self.judged_path
        if path is not None:
            key = path.problem_key
            self.ask("statement", lambda reader: reader.problem(key), self._show_statement)

    def _show_statement(self, problem: Problem) -> None:
        from explorer.screens.dialogs import problem_dialog

        self.app.push_screen(problem_dialog(problem))

    def action_judge(self, judgement: str) -> None:
        """Say valid, invalid or unsure."""
        self.say_judgement(judgement)

    def action_note(self) -> None:
        """Write a note."""

        def written(text: str | None) -> None:
            if text and text.strip():
                self.say_judgement(None, text)

        self.app.push_screen(NoteDialog(), written)


# Token surprise over the text of a path: which tokens a model did not expect, one by one.

USUAL = 20

Views = tuple[dict[str, str], tuple[SurpriseView, ...]]
"""What each model is called, and the views of the path, that of the first compared run's model first."""


class SurpriseScreen(DataScreen):
    """The part of the Path screen that `t` switches on; a subclass calls `follow` with every path that it shows."""

    def reset(self) -> None:
        """Nothing is painted over; called before the first path is shown."""
        self.surprise_on = False
        self.one_in = USUAL
        self.scorer: str | None = None
        self.surprises: tuple[SurpriseView, ...] = ()
        self.model_words: dict[str, str] = {}
        self.piece: int | None = None
        self._path: Response | None = None
        self._shown: VisibleText | None = None

    def follow(self, path: Response, shown: VisibleText) -> None:
        """The screen shows this path, as it is stored where surprise is on."""
        other = self._path is None or (self._path.run.key, self._path.sample) != (path.run.key, path.sample)
        self._path, self._shown = path, shown
        if other:
            self.surprises, self.piece = (), None
        if self.surprise_on:
            self._ask_tokens()

    def _ask_tokens(self) -> None:
        path, location = self._path, self.location
        if path is None:
            return

        def read(reader: Reader) -> Views:
            runs = [reader.run(name) for name in location.runs]
            words = dict(zip((run.model.name for run in runs), short_names(runs), strict=True))
            found = token_logprobs(reader, path.run, path.problem_key, path.sample.index)
            order = {scorer: number for number, scorer in enumerate(words)}
            ranked = sorted(found, key=lambda scores: order.get(scores.scorer, len(order)))
            views = tuple(SurpriseView.of(scores) for scores in ranked)
            return words, tuple(view for view in views if pieces_cover(view.pieces, len(path.text or "")))

        self.ask("tokens", read, self._show_tokens)

    def _show_tokens(self, answer: Views) -> None:
        self.model_words, self.surprises = answer
        if not self.surprises:
            self._refuse_tokens()
            return
        text = self.query_one(TextView)
        if self.piece is None:
            top = self.under.at(text.first_stored)
            surprising = self.under.surprising(self.one_in)
            self.piece = next((number for number in surprising if number >= top), next(iter(surprising), None))
        self._paint()

    def _refuse_tokens(self) -> None:
        path = self._path
        self.hide_surprise()
        if path is not None:
            command = f"passk score --run {path.run.name} --under MODEL --problems id={path.problem_label} --tokens"
            self.refuse("No token scores are stored for this path", f"{command} (or P, then s and ctrl+t)")

    @property
    def under(self) -> SurpriseView:
        """The path under the model looked at."""
        return next((view for view in self.surprises if view.scores.scorer == self.scorer), self.surprises[0])

    def _paint(self) -> None:
        """The text with its surprises, the piece under the cursor pointed out and in words."""
        assert self._path is not None and self._shown is not None
        text, stored = self.query_one(TextView), self._path.text or ""
        text.show(stored, self._marked(), self.under.painted(self._shown, self.one_in), keep=True)
        self._say_piece()

    def _marked(self) -> tuple[int, int] | None:
        if self.piece is None:
            return None
        piece = self.under.pieces[self.piece]
        return piece.start, piece.end

    def _say_piece(self) -> None:
        assert self._path is not None
        scorer = self.under.scores.scorer
        words: Content = join_lines(
            [
                summary(self.under, self.model_words.get(scorer, scorer), self.one_in),
                piece_in_words(self.under, self.piece, self._path.text or ""),
                literal(KEYS, "dim"),
            ]
        )
        told = self.query_one("#surprise", Static)
        told.update(words)
        told.display = True

    def hide_surprise(self) -> None:
        """The text as it was."""
        if not self.surprise_on:
            return
        self.surprise_on = False
        self.query_one("#surprise", Static).display = False
        if self._path is not None and self._shown is not None:
            self.query_one(TextView).show(self._path.text or "", self._path.answer_span, self._shown, keep=True)

    def _move_to(self, number: int | None, what: str) -> None:
        if number is None:
            self.refuse(f"No further {what} in that direction")
            return
        self.piece = number
        text = self.query_one(TextView)
        text.mark = self._marked()
        text.reveal_mark()
        self._say_piece()

    @property
    def _is_ready(self) -> bool:
        if not (self.surprise_on and self.surprises):
            self.refuse("t shows the surprise of tokens first")
        return self.surprise_on and bool(self.surprises)

    # Keys

    def action_surprise(self) -> None:
        """On or off."""
        if self.surprise_on:
            self.hide_surprise()
            return
        if self._path is None or self._path.text is None:
            self.refuse("No text is stored for this sample")
            return
        self.surprise_on = True
        self.show_raw()

    def show_raw(self) -> None:
        """Show the text as it is stored, since tokens are of that, and `follow`."""
        raise NotImplementedError

    def action_surprising(self, by: int) -> None:
        """The next or previous surprising token."""
        if self._is_ready:
            self._move_to(next_number(self.under.surprising(self.one_in), self.piece, by), "surprising token")

    def action_token(self, by: int) -> None:
        """The next or previous token."""
        if self._is_ready:
            self._move_to(next_number(range(len(self.under.pieces)), self.piece, by), "token")

    def action_threshold(self, by: int) -> None:
        """What counts as surprising."""
        if self._is_ready:
            self.one_in = other_threshold(self.one_in, by)
            self._paint()

    def action_scorer(self) -> None:
        """Under the next model."""
        if self._is_ready:
            names = [view.scores.scorer for view in self.surprises]
            if len(names) < 2:
                self.refuse("Scores of these tokens are stored under one model only")
                return
            at = self.under.pieces[self.piece].start if self.piece is not None else 0
            self.scorer = names[(names.index(self.under.scores.scorer) + 1) % len(names)]
            # Another model may have another tokenizer.
            self.piece = self.under.at(at)
            self._paint()


# Path: the exact text of one sample, and the way to the next ones.


@dataclass(frozen=True, slots=True)
class PathRecord:
    """One path and the samples around it."""

    path: Response
    samples: Page[Sample]
    runs: tuple[Run, ...]
    """Every run that has samples of this problem, in the order of the place."""
    view: str
    """One of `VIEWS`."""
    painted: VisibleText
    """The text in that view."""
    verdicts: tuple[GivenVerdict, ...]


class PathScreen(SurpriseScreen, JudgingScreen, FindingScreen, ReadingScreen):
    """What is known of the sample on top, its text below."""

    WHERE = PATH
    BINDINGS = bindings(PATH)

    def __init__(self, location: Location, label: str) -> None:
        super().__init__(location)
        self.problem_label = label
        self.record: PathRecord | None = None
        self.view = "raw"
        self.reset()

    def compose_body(self) -> ComposeResult:
        """Heading, judgements, details (on request), text, the token under the cursor (on request)."""
        yield Static(id="heading")
        yield Static(id="judgements")
        yield Static(id="details")
        yield TextView(id="text")
        yield Static(id="surprise")

    def on_mount(self) -> None:
        """The cursor keys scroll the text."""
        super().on_mount()
        self.query_one(TextView).focus()

    def reload(self) -> None:
        """Ask for the path; a sample of None is the first right one of the run, else its first."""
        location, view = self.location, self.view

        def read(reader: Reader) -> PathRecord:
            key = location.problem or 0
            run = reader.run(location.run or "")
            samples = reader.samples(run.key, key, limit=MOST_SAMPLES)
            index = location.sample
            if index is None:
                index = next((s.index for s in samples.items if s.verdict == "correct"), samples.items[0].index)
            runs = reader.runs_with_texts(key, [reader.run(name).key for name in location.runs])
            path = reader.path(run, key, index)
            shown = self.with_matches(VIEWS[view](path), path)
            return PathRecord(path, samples, runs, view, shown, verdicts_of(reader, run, key, index))

        self.ask("path", read, self.show_path)

    def show_path(self, record: PathRecord) -> None:
        """The text from its beginning; the same path again stays where it is."""
        before = self.record
        self.record = record
        self.location = self.location.to(sample=record.path.sample.index)
        location, path = self.location, record.path
        sample = f"sample {path.sample.index}" + ("" if record.view == "raw" else f", {record.view} view")
        self.crumbs(location.benchmark, f"problem {self.problem_label}", run_label(path.run), sample)
        self.query_one("#heading", Static).update(path_heading(path, record.samples))
        self.query_one("#details", Static).update(path_details(path, record.verdicts))
        same = before is not None and (before.path.run.key, before.path.sample.index) == (
            path.run.key,
            path.sample.index,
        )
        if before is None or not same or before.view != record.view:
            text = self.query_one(TextView)
            text.set_class(path.text is None, "absent")
            text.show(path.text or "", path.answer_span, record.painted, keep=same)
            if not same:
                self.show_match(path)
        self.follow(path, record.painted)
        self.follow_judgements(path)
        self.follow_reading(path, tuple(sample.index for sample in record.samples.items))

    # Keys

    def _go(self, choices: list[int], by: int, what: str) -> None:
        """To the next (by = 1) or previous (by = -1) of these sample indices, in the order of the run."""
        if self.record is None:
            return
        here = self.record.path.sample.index
        ahead = [index for index in choices if (index - here) * by > 0]
        if not ahead:
            self.refuse(f"No {'further' if by > 0 else 'earlier'} {what} in this run")
            return
        self.location = self.location.to(sample=min(ahead) if by > 0 else max(ahead))
        self.reload()

    def _indices(self, *, right: bool | None) -> list[int]:
        items = self.record.samples.items if self.record else ()
        return [s.index for s in items if right is None or (s.verdict == "correct") == right]

    def action_step(self, by: int) -> None:
        """Next or previous sample."""
        self._go(self._indices(right=None), by, "sample")

    def action_step_right(self, by: int) -> None:
        """Next or previous right sample."""
        self._go(self._indices(right=True), by, "right sample")

    def action_step_wrong(self, by: int) -> None:
        """Next or previous sample that is not right."""
        self._go(self._indices(right=False), by, "wrong sample")

    def action_other_run(self) -> None:
        """The same problem in the next run that has paths of it."""
        if self.record is None:
            return
        names = [run.name for run in self.record.runs]
        if len(names) < 2:
            self.refuse("No other run has paths of this problem")
            return
        at = names.index(self.record.path.run.name)
        self.location = self.location.to(run=names[(at + 1) % len(names)], sample=None)
        self.reload()

    def action_to_answer(self) -> None:
        """Scroll to the extracted answer."""
        self.hide_surprise()
        if not self.query_one(TextView).scroll_to_mark():
            self.refuse("The extracted answer is not found in this text")

    def action_reading(self) -> None:
        """The reading view, or the text as it is stored."""
        self.view = "raw" if self.view == "reading" else "reading"
        self.hide_surprise()
        self.reload()

    def show_raw(self) -> None:
        """The text as it is stored."""
        self.view = "raw"
        self.reload()

    def action_compare(self) -> None:
        """Beside another path of this problem."""
        from explorer.screens.compare import CompareScreen

        if self.record is None or self.record.path.text is None:
            self.refuse("No text is stored for this sample")
        else:
            self.app.push_screen(CompareScreen(self.location.to(run=self.record.path.run.name), self.problem_label))

    def action_details(self) -> None:
        """Show or hide all that is known."""
        self.toggle_class("with-details")

    def action_copy(self) -> None:
        """Copy the text exactly as it is stored."""
        text = self.record.path.text if self.record else None
        if text is None:
            self.refuse("No text is stored for this sample")
        else:
            self.copy(text, "the path")
