"""Path: the exact text of one sample, its verdict and judgements, the surprise of its tokens, the way to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import choice

from textual.app import ComposeResult

from backend import NewJudgement, Reader, Spans, judge, judgements_of, pattern, token_logprobs, verdicts_of
from backend.errors import PasskError, UsageError
from backend.records import Page, Problem, Response, Run, Sample
from backend.records.reading import WITHDRAWN, JudgementMade, PathJudgement, TokenLogprobs
from backend.records.samples import GivenVerdict
from backend.wording import run_label, short_names
from explorer.actions import PATH, bindings
from explorer.location import Location, permalink
from explorer.render.decided import judgement_in_words
from explorer.render.judgements import judgements_line
from explorer.render.names import is_correct
from explorer.render.path import VIEWS, path_details, path_heading
from explorer.render.surprise import Surprise
from explorer.render.text import VisibleText, highlight
from explorer.screens.base import DECIDED, DataScreen, next_of
from explorer.screens.dialogs import NoteDialog, problem_dialog
from explorer.screens.problem import MOST_SAMPLES
from explorer.widgets.plain import Plain
from explorer.widgets.text_view import TextView


@dataclass(frozen=True, slots=True)
class PathRecord:
    """One path and the samples around it."""

    path: Response
    samples: Page[Sample]
    runs: tuple[Run, ...]
    """Every run that has samples of this problem, in the order of the location."""
    view: str
    """One of `VIEWS`."""
    painted: VisibleText
    """The text in that view, with what was searched for pointed out."""
    found: Spans
    """Where in the stored text is what was searched for."""
    verdicts: tuple[GivenVerdict, ...]

    @property
    def matches(self) -> Sequence[tuple[int, int]]:
        return self.found.places

    @property
    def key(self) -> tuple[int, int, int]:
        """Run, problem and index of the sample."""
        return self.path.run.key, self.path.problem_key, self.path.sample.index


def _read(reader: Reader, location: Location, view: str) -> PathRecord:
    """A sample of None is the first correct one of the run, else its first."""
    key = location.problem or 0
    run = reader.run(location.run or "")
    samples = reader.samples(run.key, key, limit=MOST_SAMPLES)
    index = location.sample
    if index is None:
        index = next((s.index for s in samples.items if s.verdict == "correct"), samples.items[0].index)
    runs = reader.runs_with_texts(key, [reader.run(name).key for name in location.runs])
    path = reader.path(run, key, index)
    found = _matches(location.find, path.text)
    painted = highlight(VIEWS[view](path), found.places)
    return PathRecord(path, samples, runs, view, painted, found, verdicts_of(reader, run, key, index))


def _matches(written: str, text: str | None) -> Spans:
    try:
        return pattern(written).spans(text) if written and text else Spans()
    except UsageError:
        # From a permalink that somebody wrote by hand; the text is there all the same.
        return Spans()


class PathScreen(DataScreen):
    """What is known of the sample on top, its text below."""

    WHERE = PATH
    BINDINGS = bindings(PATH)
    blind = False
    """Whether nothing may be said that tells which model wrote the path."""
    said_for = DECIDED
    """Seconds for which the corner says what was written."""

    def __init__(self, location: Location, problem_label: str) -> None:
        super().__init__(location, problem_label)
        self.record: PathRecord | None = None
        self.view = "raw"
        self.surprise = Surprise()
        self.said: tuple[PathJudgement, ...] = ()
        """Everything that was said of its reasoning."""

    def compose_body(self) -> ComposeResult:
        yield Plain(id="heading")
        yield Plain(id="judgements")
        yield Plain(id="details")
        yield TextView(id="text")
        yield Plain(id="surprise")

    @property
    def text(self) -> TextView:
        return self.query_one(TextView)

    @property
    def stored_text(self) -> str | None:
        """What is stored of the path that is shown; where nothing is, that is said."""
        text = self.record.path.text if self.record else None
        if text is None:
            self.refuse("No text is stored for this sample")
        return text

    def reload(self) -> None:
        location, view = self.location, self.view
        self.ask("path", lambda reader: _read(reader, location, view), self.show_path)

    def show_path(self, record: PathRecord) -> None:
        """The text from its beginning, or at its first match; the same path again stays where it is."""
        before, self.record = self.record, record
        path = record.path
        self.location = self.location.to(sample=path.sample.index)
        sample = f"sample {path.sample.index}" + ("" if record.view == "raw" else f", {record.view} view")
        self.crumbs(self.location.benchmark, f"problem {self.problem_label}", run_label(path.run), sample)
        self.tell("heading", path_heading(path, record.samples, record.verdicts))
        self.tell("details", path_details(path, record.verdicts))
        same = before is not None and before.key == record.key
        if before is None or not same or before.view != record.view:
            self.text.set_class(path.text is None, "absent")
            self.text.show(path.text or "", path.answer_span, record.painted, keep=same)
        if not same:
            self.surprise.forget()
            if record.matches:
                self.text.point_at(record.matches[0])
                # The text may not have been laid out yet: then there was nothing to scroll.
                self.call_after_refresh(self._reveal_first_match)
        if self.surprise.on:
            self.ask_tokens(path)
        self.ask_judgements(path)
        try:
            self.explorer.marks.see(*record.key)
        except PasskError as error:
            self.refuse(error.title, error.next_step)

    # To other paths

    def go_to_sample(self, index: int | None, run: str | None = None) -> None:
        """To another path of this problem."""
        self.location = self.location.to(sample=index, run=run or self.location.run)
        self.reload()

    def _step(self, by: int, what: str, *, correct: bool | None = None) -> None:
        """To the next (by = 1) or previous (by = -1) sample, correct or incorrect, in the order of the run."""
        if self.record is None:
            return
        here = self.record.path.sample.index
        wanted = [s for s in self.record.samples.items if correct is None or is_correct(s.verdict) is correct]
        ahead = [sample.index for sample in wanted if (sample.index - here) * by > 0]
        if ahead:
            self.go_to_sample(min(ahead) if by > 0 else max(ahead))
        else:
            self.refuse(f"No {'further' if by > 0 else 'earlier'} {what} in this run")

    def action_step(self, by: int) -> None:
        self._step(by, "sample")

    def action_step_right(self, by: int) -> None:
        self._step(by, "correct sample", correct=True)

    def action_step_wrong(self, by: int) -> None:
        self._step(by, "incorrect sample", correct=False)

    def action_random(self) -> None:
        if self.record is None:
            return
        run, problem, _ = self.record.key
        seen = self.explorer.marks.seen(run, problem)
        unseen = [sample.index for sample in self.record.samples.items if sample.index not in seen]
        if unseen:
            self.go_to_sample(choice(unseen))
        else:
            self.refuse("You have read every path of this run and problem")

    def action_other_run(self) -> None:
        if self.record is None:
            return
        names = [run.name for run in self.record.runs]
        if len(names) < 2:
            self.refuse("No other run has paths of this problem")
        else:
            self.go_to_sample(None, next_of(names, self.record.path.run.name))

    def action_compare(self) -> None:
        from explorer.screens.compare import CompareScreen

        if self.stored_text is not None:
            self.app.push_screen(CompareScreen(self.location, self.problem_label))

    # In the text

    def action_reading(self) -> None:
        self.view = next_of(tuple(VIEWS), self.view)
        self.hide_surprise()
        self.reload()

    def action_to_answer(self) -> None:
        self.hide_surprise()
        if not self.text.scroll_to_mark():
            self.refuse("The extracted answer does not occur in this text")

    def action_match(self, by: int) -> None:
        matches = self.record.matches if self.record else ()
        if not matches:
            find = self.location.find
            self.refuse(f"{find} is not in this text" if find else "No search yet", "/ searches.")
            return
        at = matches.index(self.text.mark) + by if self.text.mark in matches else 0
        if not 0 <= at < len(matches):
            self.refuse(f"No {'further' if by > 0 else 'earlier'} match in this text")
            return
        self.text.point_at(matches[at])
        cut_off = (
            "" if self.record is None or self.record.found.whole else " (the first; it was not looked for further)"
        )
        self.explorer.say(f"match {at + 1:,} of {len(matches):,}{cut_off}")

    def _reveal_first_match(self) -> None:
        if self.record and self.record.matches and self.text.mark == self.record.matches[0]:
            self.text.reveal_mark()

    def action_details(self) -> None:
        self.toggle_class("with-details")

    def action_copy(self) -> None:
        if (text := self.stored_text) is not None:
            self.copy(text, "the path")

    def action_bookmark(self) -> None:
        if self.record is None:
            return
        path = self.record.path
        name = f"{path.run.benchmark} · {path.problem_label} · {run_label(path.run)} · sample {path.sample.index}"
        try:
            kept = self.explorer.marks.toggle_bookmark(permalink(PATH, self.location), name)
        except PasskError as error:
            self.refuse(error.title, error.next_step)
            return
        self.explorer.say("Bookmarked; B lists the bookmarks." if kept else "Bookmark removed.")

    # Judging the reasoning

    def ask_judgements(self, path: Response) -> None:
        def read(reader: Reader) -> tuple[PathJudgement, ...]:
            return judgements_of(reader, path.run, path.problem_key, path.sample.index)

        self.ask("judgements", read, self.show_judgements)

    def show_judgements(self, said: tuple[PathJudgement, ...]) -> None:
        self.said = said
        self.tell("judgements", judgements_line(said))

    def action_statement(self) -> None:
        if self.record is not None:
            _, problem, _ = self.record.key

            def show(problem: Problem) -> None:
                self.app.push_screen(problem_dialog(problem))

            self.ask("statement", lambda reader: reader.problem(problem), show)

    def action_judge(self, judgement: str) -> None:
        self.write_judgement(judgement)

    def action_note(self) -> None:
        def written(text: str | None) -> None:
            if text and text.strip():
                self.write_judgement(None, text)

        self.app.push_screen(NoteDialog(), written)

    def write_judgement(self, judgement: str | None, note: str | None = None) -> None:
        """Write it into the store, with author and time."""
        path = self.record.path if self.record else None
        if path is None or path.text is None:
            self.refuse("No text is stored for this sample", "Reasoning is judged by reading it.")
            return
        new = NewJudgement(path.run.key, path.problem_key, path.sample.index, judgement, note)
        book = self.explorer.judgement_book

        self.ask("judge", lambda reader: judge(reader, book, new), lambda made: self.judged(path, made))

    def judged(self, path: Response, made: JudgementMade) -> None:
        """A judgement, or a note, has been written."""
        self.explorer.mark_stale()
        self.explorer.say("\n".join(judgement_in_words(made, path, blind=self.blind)), self.said_for)
        if self.record is not None and self.record.path is path:
            self.ask_judgements(path)

    # Taking back, and another verdict

    @property
    def my_judgement(self) -> PathJudgement | None:
        """What this person judged last; None where that is nothing, or was withdrawn."""
        mine = [entry for entry in self.said if entry.author == self.explorer.judgement_book.author and entry.judgement]
        return mine[-1] if mine and mine[-1].judgement != WITHDRAWN else None

    def action_override(self) -> None:
        from explorer.screens.decide import OverrideDialog, open_dialog

        if self.record is not None:
            open_dialog(self.explorer, OverrideDialog(self.record.path))

    def action_take_back(self) -> None:
        """What was said last of this sample: one's own judgement, or the verdict that counts instead."""
        if self.record is None:
            return
        mine = self.my_judgement
        overridden = next((given for given in self.record.verdicts if given.by_person and given.used), None)
        if overridden is not None and (mine is None or (overridden.created or mine.created) > mine.created):
            self.action_override()
        elif mine is not None:
            self.withdraw(mine)
        else:
            self.refuse("You have judged nothing here, and no verdict is overridden", "I lists what else was decided.")

    def withdraw(self, mine: PathJudgement) -> None:
        from explorer.screens.decide import WithdrawDialog, open_dialog

        if self.record is not None:
            open_dialog(self.explorer, WithdrawDialog(self.record.path, mine.judgement or "", blind=self.blind))

    # Tokens that a model did not expect

    def action_surprise(self) -> None:
        """On or off. Tokens are of the text as it is stored."""
        if self.surprise.on:
            self.hide_surprise()
        elif self.stored_text is not None:
            self.surprise.on = True
            self.view = "raw"
            self.reload()

    def ask_tokens(self, path: Response) -> None:
        names = self.location.runs

        def read(reader: Reader) -> tuple[dict[str, str], tuple[TokenLogprobs, ...]]:
            runs = [reader.run(name) for name in names]
            words = dict(zip((run.model.name for run in runs), short_names(runs), strict=True))
            return words, token_logprobs(reader, path.run, path.problem_key, path.sample.index)

        def show(answer: tuple[dict[str, str], tuple[TokenLogprobs, ...]]) -> None:
            self.surprise.take(*answer, size=len(path.text or ""), top=self.text.first_stored)
            if self.surprise.views:
                self._paint_surprise()
                return
            self.hide_surprise()
            command = f"passk score --run {path.run.name} --under MODEL --problems id={path.problem_label} --tokens"
            self.refuse("No token log-probabilities are stored for this path", f"{command} (or P, then s and ctrl+t)")

        self.ask("tokens", read, show)

    def _paint_surprise(self) -> None:
        assert self.record is not None
        stored, surprise = self.record.path.text or "", self.surprise
        self.text.show(stored, surprise.stretch, surprise.view.painted(self.record.painted, surprise.one_in), keep=True)
        self._tell_surprise()

    def _tell_surprise(self) -> None:
        assert self.record is not None
        self.tell("surprise", self.surprise.in_words(self.record.path.text or ""))
        self.query_one("#surprise").display = True

    def hide_surprise(self) -> None:
        if self.surprise.on and self.record is not None:
            self.surprise.on = False
            self.query_one("#surprise").display = False
            path = self.record.path
            self.text.show(path.text or "", path.answer_span, self.record.painted, keep=True)

    def _surprise_is_shown(self) -> bool:
        shown = self.surprise.on and bool(self.surprise.views)
        if not shown:
            self.refuse("Press t first to show token surprise")
        return shown

    def _go_to_token(self, found: bool, what: str) -> None:
        if not found:
            self.refuse(f"No further {what} in this direction")
        elif (stretch := self.surprise.stretch) is not None:
            self.text.point_at(stretch)
            self._tell_surprise()

    def action_surprising(self, by: int) -> None:
        if self._surprise_is_shown():
            self._go_to_token(self.surprise.to_surprising(by), "surprising token")

    def action_token(self, by: int) -> None:
        if self._surprise_is_shown():
            self._go_to_token(self.surprise.to_token(by), "token")

    def action_threshold(self, by: int) -> None:
        if self._surprise_is_shown():
            self.surprise.change_threshold(by)
            self._paint_surprise()

    def action_scorer(self) -> None:
        if not self._surprise_is_shown():
            return
        if len(self.surprise.views) < 2:
            self.refuse("These tokens were scored under one model only")
        else:
            self.surprise.to_next_model()
            self._paint_surprise()
