"""Path: the exact text of one sample, and the way to the next ones."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.widgets import Static

from backend import Reader, verdicts_of
from backend.records import Page, Path, Run, Sample
from backend.records.verification import GivenVerdict
from explorer.actions import PATH, bindings
from explorer.navigation import Place
from explorer.render.names import run_label
from explorer.render.path_views import VIEWS
from explorer.render.path_words import path_details, path_heading
from explorer.render.shown import Shown
from explorer.screens.finding import FindingScreen
from explorer.screens.judging import JudgingScreen
from explorer.screens.problem import MOST_SAMPLES
from explorer.screens.reading import ReadingScreen
from explorer.screens.surprise import SurpriseScreen
from explorer.widgets.text_view import TextView


@dataclass(frozen=True, slots=True)
class PathRecord:
    """One path and the samples around it."""

    path: Path
    samples: Page[Sample]
    runs: tuple[Run, ...]
    """Every run that has samples of this problem, in the order of the place."""
    view: str
    """One of `VIEWS`."""
    shown: Shown
    """The text in that view."""
    verdicts: tuple[GivenVerdict, ...]


class PathScreen(SurpriseScreen, JudgingScreen, FindingScreen, ReadingScreen):
    """What is known of the sample on top, its text below."""

    WHERE = PATH
    BINDINGS = bindings(PATH)

    def __init__(self, place: Place, label: str) -> None:
        super().__init__(place)
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
        place, view = self.place, self.view

        def read(reader: Reader) -> PathRecord:
            key = place.problem or 0
            run = reader.run(place.run or "")
            samples = reader.samples(run.key, key, limit=MOST_SAMPLES)
            index = place.sample
            if index is None:
                index = next((s.index for s in samples.items if s.verdict == "correct"), samples.items[0].index)
            runs = reader.runs_with_texts(key, [reader.run(name).key for name in place.runs])
            path = reader.path(run, key, index)
            shown = self.with_matches(VIEWS[view](path), path)
            return PathRecord(path, samples, runs, view, shown, verdicts_of(reader, run, key, index))

        self.ask("path", read, self.show_path)

    def show_path(self, record: PathRecord) -> None:
        """The text from its beginning; the same path again stays where it is."""
        before = self.record
        self.record = record
        self.place = self.place.to(sample=record.path.sample.index)
        place, path = self.place, record.path
        sample = f"sample {path.sample.index}" + ("" if record.view == "raw" else f", {record.view} view")
        self.crumbs(place.benchmark, f"problem {self.problem_label}", run_label(path.run), sample)
        self.query_one("#heading", Static).update(path_heading(path, record.samples))
        self.query_one("#details", Static).update(path_details(path, record.verdicts))
        same = before is not None and (before.path.run.key, before.path.sample.index) == (
            path.run.key,
            path.sample.index,
        )
        if before is None or not same or before.view != record.view:
            text = self.query_one(TextView)
            text.set_class(path.text is None, "absent")
            text.show(path.text or "", path.answer_span, record.shown, keep=same)
            if not same:
                self.show_match(path)
        self.follow(path, record.shown)
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
        self.place = self.place.to(sample=min(ahead) if by > 0 else max(ahead))
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
        self.place = self.place.to(run=names[(at + 1) % len(names)], sample=None)
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
            self.app.push_screen(CompareScreen(self.place.to(run=self.record.path.run.name), self.problem_label))

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
