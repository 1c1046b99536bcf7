"""Imports and decisions: what came into the store, what was decided since, and taking it back."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult

from backend import Reader, change_in_words, decisions, decisions_table, find_change, imports, imports_table
from backend.records.decisions import DecisionEntry, ImportEntry
from backend.records.table import Table
from backend.wording import with_noun
from explorer.actions import IMPORTS, bindings
from explorer.location import Location
from explorer.render.data_table import data_columns
from explorer.render.imports import change_details
from explorer.screens.base import DataScreen, next_of
from explorer.widgets.paged_table import PagedTable
from explorer.widgets.plain import Plain

LISTS = ("imports", "decisions")


@dataclass(frozen=True, slots=True)
class ImportsRecord:
    imports: tuple[ImportEntry, ...]
    decisions: tuple[DecisionEntry, ...]


def _read(reader: Reader) -> ImportsRecord:
    return ImportsRecord(imports(reader)[::-1], decisions(reader)[::-1])


class ImportsScreen(DataScreen):
    """The newest first; below it the one under the cursor in words."""

    WHERE = IMPORTS
    BINDINGS = bindings(IMPORTS)
    ON_CLICK = ""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self.record = ImportsRecord((), ())
        self.shown = LISTS[0]

    def compose_body(self) -> ComposeResult:
        yield Plain(id="heading")
        yield PagedTable(id="changes")
        yield Plain(id="details")

    def reload(self) -> None:
        self.ask("imports", _read, self.show_imports)

    def show_imports(self, record: ImportsRecord) -> None:
        self.record = record
        self.show_table()

    @property
    def entries(self) -> dict[str, ImportEntry | DecisionEntry]:
        found = self.record.imports if self.shown == "imports" else self.record.decisions
        return {entry.part: entry for entry in found}

    def table(self) -> Table:
        record = self.record
        return imports_table(record.imports) if self.shown == "imports" else decisions_table(record.decisions)

    def show_table(self) -> None:
        self.crumbs(self.shown)
        record, entries = self.record, self.entries
        other = len(record.decisions) if self.shown == "imports" else len(record.imports)
        here = with_noun(len(entries), self.shown.removesuffix("s"))
        there = with_noun(other, "decision" if self.shown == "imports" else "import")
        self.tell("heading", f"{here}, the newest first; → {there}")
        self.query_one(PagedTable).show(data_columns(self.table(), self.size.width), entries)
        if not entries:
            empty = "Nothing was imported into this store." if self.shown == "imports" else "Nothing was decided yet."
            self.tell("details", empty)

    def reflow(self) -> None:
        if self.idle:
            self.show_table()

    def on_paged_table_moved(self, event: PagedTable.Moved) -> None:
        self.tell("details", change_details(self.entries[event.key]))

    # Keys

    def action_move_list(self, by: int) -> None:
        self.shown = next_of(LISTS, self.shown, by)
        self.show_table()

    def action_take_back(self) -> None:
        """Ask whether it is meant, with what it is about."""
        from explorer.screens.decide import UndoDialog, open_dialog

        key = self.query_one(PagedTable).cursor_key
        if key is None:
            return
        entry = self.entries[key]

        def read(reader: Reader) -> str:
            return change_in_words(reader.database, find_change(reader, entry.part))

        def show(words: str) -> None:
            open_dialog(self.explorer, UndoDialog(entry.id, words, again=entry.taken_back))

        self.ask("change", read, show)
