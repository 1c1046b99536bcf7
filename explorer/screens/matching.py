"""Which problems of two runs are one, by what, what the others look like; and making them one."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.content import Content

from backend import Reader, match, matches_table, matching_of, plan_match, undo
from backend.errors import UsageError
from backend.records.decisions import DecisionMade, TakenBack
from backend.records.matching import Matching, MatchPlan, MatchRow
from backend.wording import run_label
from explorer.actions import MATCHING, bindings
from explorer.location import Location
from explorer.options import Option
from explorer.render.data_table import data_columns
from explorer.render.matching import match_plan_in_words, matched_in_words
from explorer.render.text import join_lines
from explorer.screens.base import DataScreen
from explorer.screens.dialogs import ConfirmDialog
from explorer.screens.form import PlanDialog
from explorer.widgets.fields import FormField
from explorer.widgets.paged_table import PagedTable
from explorer.widgets.plain import Plain


class MatchingScreen(DataScreen):
    """What is not matched stands first; b matches by something, U takes a match back."""

    WHERE = MATCHING
    BINDINGS = bindings(MATCHING)

    def __init__(self, location: Location) -> None:
        super().__init__(location.to(problem=None, run=None, sample=None))
        self.record: Matching | None = None
        self.rows: dict[str, MatchRow] = {}

    def compose_body(self) -> ComposeResult:
        yield Plain(id="words")
        yield PagedTable(id="rows")

    def reload(self) -> None:
        runs = self.location.runs
        self.crumbs(
            self.location.benchmark,
            " vs ".join(name.removesuffix(f"@{self.location.benchmark}") for name in runs),
            "matching",
        )
        self.ask(
            "matching", lambda reader: matching_of(reader, *(reader.run(name) for name in runs)), self.show_matching
        )

    def show_matching(self, found: Matching) -> None:
        self.record = found
        self.rows = {str(row.key): row for row in found.rows}
        self.tell("words", "\n".join(matched_in_words(found)))
        self.reflow()

    def reflow(self) -> None:
        if self.record is not None:
            self.query_one(PagedTable).show(data_columns(matches_table(self.record), self.size.width), self.rows)

    # Keys

    def _row(self) -> MatchRow | None:
        key = self.query_one(PagedTable).cursor_key
        return None if key is None else self.rows.get(key)

    def action_open(self) -> None:
        from explorer.screens.problem import ProblemScreen

        row = self._row()
        if row is None or self.record is None:
            self.refuse("These runs have no problem")
            return
        run = self.record.first if row.first is not None else self.record.second
        self.app.push_screen(
            ProblemScreen(self.location.to(problem=row.key, run=run.name), row.first or row.second or "")
        )

    def action_by(self) -> None:
        """Ask by what, show what that would write, and write it."""
        if self.record is None:
            return

        def done(decision: DecisionMade | None) -> None:
            if decision is not None:
                self.explorer.say(f"{decision.words}. To take it back: U, or passk undo {decision.id}")
                self.explorer.mark_stale()
                self.reload()

        self.app.push_screen(MatchDialog(self.record), done)

    def action_undo(self) -> None:
        row = self._row()
        if row is None or row.decision is None:
            self.refuse("This row was matched by no decision", "Move the cursor to one that has a decision.")
            return
        decision = row.decision
        count = sum(other.decision == decision for other in self.rows.values())

        def answered(yes: bool | None) -> None:
            if yes:
                self.ask("undo", lambda reader: undo(reader, decision), self.taken_back)

        self.app.push_screen(
            ConfirmDialog(
                f"Take match {decision} back?",
                f"{count:,} problems of these runs are two again. passk redo {decision} brings it back.",
            ),
            answered,
        )

    def taken_back(self, done: TakenBack) -> None:
        self.explorer.say(f"Taken back: {done.words}")
        self.explorer.mark_stale()
        self.reload()


WAY = Option("way", "what two problems have in common that are one")
TEXT = Option("text", "its first group is what two have in common; or FILE.csv, a pair a row")
WAYS = ("id", "reference", "statement", "a pattern, or a csv file of pairs")


class MatchDialog(PlanDialog[DecisionMade]):
    """Enter writes what the fields come to; the result is the decision."""

    nothing = "Nothing is matched by that: the dialog says why."

    def __init__(self, record: Matching) -> None:
        self.record = record
        # What fits most stands first.
        self.ways = WAYS if record.ids >= record.references else ("reference", "id", *WAYS[2:])
        super().__init__(
            "Match problems",
            "writes it",
            f"{run_label(record.first)} and {run_label(record.second)}",
            (FormField(WAY, "by", self.ways), FormField(TEXT, "pattern or file")),
        )

    def plan(self) -> Callable[[Reader], MatchPlan]:
        form, record = self.form, self.record
        chosen = form.chosen("way")
        is_text = chosen == len(WAYS) - 1
        form.show("text", is_text)
        by = form.text("text").strip() if is_text else self.ways[chosen]
        if not by:
            raise UsageError("Which pattern, or which file?", next_step="For example Question: (.*) or pairs.csv")
        return lambda reader: plan_match(reader, reader.run(record.first.name), reader.run(record.second.name), by)

    def words(self, planned: MatchPlan) -> Content:
        return join_lines(match_plan_in_words(planned))

    def begin(self, planned: MatchPlan) -> Callable[[Reader], DecisionMade] | None:
        if not planned.pairs:
            return None
        return lambda reader: match(
            reader, reader.run(planned.first.name), reader.run(planned.second.name), planned.said
        )
