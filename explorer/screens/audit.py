"""The verdict audit: where two verifiers disagree on a pair, what that does, and the paths to read."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from time import monotonic

from textual.app import ComposeResult

from backend import VERIFIERS, Reader, audit, audit_sides, disputed_paths, override, selected_problems, verify_beside
from backend.errors import UsageError
from backend.records.audit import Audit, AuditProblem, DisputedPath
from backend.records.decisions import DecisionMade
from backend.records.reading import PathJudgement
from backend.wording import short_names
from explorer.actions import AUDIT, DISPUTED, bindings
from explorer.gateway import Failed
from explorer.location import ExportContext, Location
from explorer.options import AUDIT_FIRST, AUDIT_SECOND
from explorer.render.audit import VIEWS, audit_in_words, audit_lines, dispute_in_words
from explorer.render.data_table import data_columns
from explorer.render.names import progress_bar
from explorer.render.text import join_lines, literal
from explorer.screens.base import next_of
from explorer.screens.dialogs import NoteDialog
from explorer.screens.filtered import FilteredScreen
from explorer.screens.form import FormDialog
from explorer.screens.path import PathRecord, PathScreen
from explorer.widgets.fields import FormField
from explorer.widgets.paged_table import PagedTable
from explorer.widgets.plain import Plain
from explorer.widgets.plots import LinePlot
from explorer.widgets.strips import ViewStrip

Sides = tuple[str, str]
NAMES = tuple(VIEWS)


class AuditScreen(FilteredScreen):
    """What matters most in a sentence, then the tables: problems, runs, sets, curves."""

    WHERE = AUDIT
    BINDINGS = bindings(AUDIT)

    def __init__(self, location: Location) -> None:
        super().__init__(location.to(problem=None, run=None, sample=None))
        self.sides: tuple[str | None, str | None] = (None, None)
        self.view = NAMES[0]
        self.record: Audit | None = None
        self.paths: tuple[DisputedPath, ...] = ()
        self.rows: dict[str, object] = {}
        self.verifying = False

    def compose_body(self) -> ComposeResult:
        yield ViewStrip(NAMES)
        yield Plain(id="heading")
        yield Plain(id="words")
        yield LinePlot(id="plot")
        yield PagedTable(id="rows")

    def reload(self) -> None:
        """Compare anew; while a verifier is at work, that comes at its end."""
        names = " vs ".join(name.removesuffix(f"@{self.location.benchmark}") for name in self.location.runs)
        self.crumbs(self.location.benchmark, names, "audit", " against ".join(filter(None, self.sides)))
        self.query_one(ViewStrip).chosen = NAMES.index(self.view)
        if self.verifying:
            return
        location, (first, second) = self.location, self.sides

        def read(
            reader: Reader, problems: frozenset[int] | None
        ) -> tuple[Audit, tuple[DisputedPath, ...]] | UsageError:
            base, rl = (reader.run(name) for name in location.runs)
            try:
                done = audit(reader, base, rl, first, second, min_correct=location.min_correct, problems=problems)
            except UsageError as error:
                return error
            return done, disputed_paths(reader, done)

        self.ask_filtered("audit", read, self.show_audit)

    def show_audit(self, found: tuple[Audit, tuple[DisputedPath, ...]] | UsageError) -> None:
        """Everything anew; where nothing can be compared, why, and what to do."""
        if isinstance(found, UsageError):
            self.record, self.paths = None, ()
            self.tell("heading", found.title)
            self.tell("words", "\n".join(filter(None, [found.detail, "o chooses verdicts, or lets a verifier judge."])))
            self.query_one(PagedTable).show([], {})
            return
        self.record, self.paths = found
        self.sides = self.record.first, self.record.second
        names = " vs ".join(name.removesuffix(f"@{self.location.benchmark}") for name in self.location.runs)
        self.crumbs(self.location.benchmark, names, "audit", " against ".join(self.sides))
        self.show_view()

    def show_view(self) -> None:
        if self.record is None:
            return
        first, rest = audit_in_words(self.record, self.view)
        self.tell("heading", first)
        self.tell("words", "\n".join(rest))
        plot = self.query_one(LinePlot)
        plot.display = self.view == "curves"
        if plot.display:
            plot.draw(audit_lines(self.record))
        table = VIEWS[self.view](self.record)
        self.rows = {_key(item, place): item for place, item in enumerate(table.items)}
        self.query_one(PagedTable).show(data_columns(table, self.size.width), self.rows)

    def reflow(self) -> None:
        self.show_view()

    def export_context(self) -> ExportContext:
        return ExportContext(sides=(self.record.first, self.record.second) if self.record else None)

    # Keys

    def action_move_view(self, by: int) -> None:
        self.view = next_of(NAMES, self.view, by)
        self.query_one(ViewStrip).chosen = NAMES.index(self.view)
        self.show_view()

    def on_view_strip_picked(self, event: ViewStrip.Picked) -> None:
        self.action_move_view(event.index - NAMES.index(self.view))

    def action_open(self) -> None:
        """The disputed paths, from those of the problem under the cursor on."""
        item = self.rows.get(self.query_one(PagedTable).cursor_key or "")
        here = [
            place
            for place, path in enumerate(self.paths)
            if not isinstance(item, AuditProblem) or path.problem_key == item.key
        ]
        if here:
            self._read(here[0])
        else:
            self.refuse("Nothing is disputed here")

    def action_next(self) -> None:
        unread = [place for place, path in enumerate(self.paths) if path.said is None]
        if unread:
            self._read(unread[0])
        else:
            self.refuse("Every disputed path has been read" if self.paths else "Nothing is disputed")

    def _read(self, place: int) -> None:
        assert self.record is not None
        words = short_names([of.run for of in self.record.runs])
        self.app.push_screen(
            DisputedPathScreen(self.location, self.paths, place, (self.record.first, self.record.second), words)
        )

    def action_sides(self) -> None:
        names = self.location.runs

        def show(sides: list[str]) -> None:
            self.app.push_screen(SidesDialog(sides, self.sides), self.choose)

        self.ask("sides", lambda reader: audit_sides(reader, [reader.run(name) for name in names]), show)

    def choose(self, chosen: tuple[str, str, bool] | None) -> None:
        """Compare these two; a verifier that has not judged yet does that first."""
        if chosen is None:
            return
        first, second, judge = chosen
        self.sides = first, second
        if judge:
            self.verify(second)
        else:
            self.reload()

    def verify(self, verifier: str) -> None:
        names, filter_ = self.location.runs, self.location.filter

        def work(reader: Reader) -> Generator[tuple[str, int, int], None, None]:
            runs = [reader.run(name) for name in names]
            problems = selected_problems(reader, runs, filter_) if filter_ else None
            said = 0.0
            for run in runs:
                for done, total in verify_beside(reader, run, verifier, problems=problems):
                    reader.go_on()
                    if done == total or monotonic() - said > 0.2:
                        said = monotonic()
                        yield run.name, done, total
            yield "", 0, 0

        self.verifying = True
        self.ask_stream("verify", work, self.show_progress)

    def show_progress(self, progress: tuple[str, int, int]) -> None:
        run, done, total = progress
        if not run:
            self.verifying = False
            self.reload()
        elif total:
            self.tell("heading", f"{self.sides[1]} judges {run}: {progress_bar(done, total)} {done:,} of {total:,}")
            self.tell(
                "words", "x stops it, and so does leaving; what it has judged is kept, and the next time it goes on."
            )

    def action_cancel(self) -> None:
        if not self.verifying:
            self.refuse("No verifier is at work here")
            return
        self.stop("verify")
        self.verifying = False
        self.reload()

    def on_failed(self, event: Failed) -> None:
        """The base shows the error; what was compared before stays."""
        self.verifying = False


def _key(item: object, place: int) -> str:
    return str(item.key) if isinstance(item, AuditProblem) else str(place)


class SidesDialog(FormDialog[tuple[str, str, bool]]):
    """Whose verdicts are compared; a verifier that has not judged all of both runs does it when it is chosen."""

    def __init__(self, sides: list[str], now: tuple[str | None, str | None]) -> None:
        self.standing = tuple(sides)
        judges = [name for name in VERIFIERS.names() if name not in sides]
        self.choices = (*self.standing, *judges)
        self.now = now
        super().__init__(
            "Whose verdicts are compared",
            "compares",
            fields=(
                FormField(AUDIT_FIRST, "first", self.standing),
                FormField(AUDIT_SECOND, "second", self.choices),
            ),
        )

    def on_mount(self) -> None:
        first, second = self.now
        self.form.choose("first", self.standing.index(first) if first in self.standing else 0)
        usual = next((name for name in self.choices[3:]), self.choices[1])
        self.form.choose("second", self.choices.index(second if second in self.choices else usual))
        self.changed("")

    @property
    def chosen(self) -> tuple[str, str, bool]:
        first = self.standing[self.form.chosen("first")]
        second = self.choices[self.form.chosen("second")]
        return first, second, second in VERIFIERS

    def changed(self, name: str) -> None:
        first, second, judge = self.chosen
        if first == second:
            self.say(f"{first} is compared with itself: choose another.")
        elif judge:
            self.say(
                f"The verifier {second} judges what it has not judged. Its verdicts stand beside and count nothing."
            )
        else:
            self.say(f"{first} against {second}: both stand beside already.")

    def action_start(self) -> None:
        if self.chosen[0] != self.chosen[1]:
            self.dismiss(self.chosen)


class DisputedPathScreen(PathScreen, inherit_bindings=False):
    """One disputed path after the other: what both say on top, and keys to say what the answer is."""

    WHERE = DISPUTED
    BINDINGS = bindings(DISPUTED)

    def __init__(
        self, location: Location, paths: tuple[DisputedPath, ...], place: int, sides: Sides, words: tuple[str, ...]
    ) -> None:
        self.paths, self.place, self.sides, self.words = list(paths), place, sides, words
        path = paths[place]
        super().__init__(location.to(run=path.run, problem=path.problem_key, sample=path.sample), path.label)

    def show_path(self, record: PathRecord) -> None:
        super().show_path(record)
        path = self.paths[self.place]
        read = sum(each.said is not None for each in self.paths)
        words = dispute_in_words(path, self.sides, self.words, read, len(self.paths))
        heading = self.query_one("#heading", Plain).content
        self.tell("heading", join_lines([str(heading), literal(words, "bold")]))

    def show_judgements(self, said: tuple[PathJudgement, ...]) -> None:
        """Nothing: here the answer is looked at, not the reasoning."""

    def action_next(self) -> None:
        self._go_to(self.place + 1)

    def action_previous(self) -> None:
        self._go_to(self.place - 1)

    def _go_to(self, place: int) -> None:
        if not 0 <= place < len(self.paths):
            self.refuse("No further disputed path" if place > 0 else "No earlier disputed path")
            return
        self.place = place
        path = self.paths[place]
        self.problem_label = path.label
        self.location = self.location.to(run=path.run, problem=path.problem_key, sample=path.sample)
        self.hide_surprise()
        self.reload()

    def action_say(self, verdict: str) -> None:
        """Ask for a reason, and let that verdict count; the old one stays beside."""
        if self.record is None:
            return
        path, place = self.record.path, self.place

        def write(reason: str | None) -> None:
            if reason and reason.strip():
                self.ask("say", lambda reader: override(reader, path, verdict, reason), lambda made: told(made))

        def told(made: DecisionMade) -> None:
            self.explorer.mark_stale()
            self.explorer.say(f"{made.words} passk undo {made.id} takes it back.")
            self.paths[place] = replace(self.paths[place], said=verdict)
            if self.place == place and place + 1 < len(self.paths):
                self.action_next()
            else:
                self.reload()

        self.app.push_screen(NoteDialog(f"why the answer is {verdict}, which then counts"), write)
