"""Jobs: what is being drawn, how far it is, what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from backend import Job, Reader, describe, find_job, job_in_confirmation, jobs_of, resampling_outcome
from backend.wording import compact, set_name, short_names
from explorer.actions import JOBS, bindings
from explorer.location import Location
from explorer.render.jobs import (
    STATE_MARKS,
    duration,
    found_in_words,
    job_in_words,
    rate,
    without_benchmark,
)
from explorer.render.names import progress_bar, shorten_middle
from explorer.render.text import Column, room_beside
from explorer.screens.base import DataScreen
from explorer.screens.dialogs import ConfirmDialog, Dialog
from explorer.widgets.paged_table import PagedTable
from explorer.widgets.plain import Plain


class JobsScreen(DataScreen):
    """A row for each job, the newest first; below it the one under the cursor in words."""

    WHERE = JOBS
    BINDINGS = bindings(JOBS)
    ON_CLICK = ""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self.rows: dict[str, dict[str, Any]] = {}
        self.moved: dict[str, list[str]] = {}
        """Problems that changed their set, in words, by job."""

    def compose_body(self) -> ComposeResult:
        yield PagedTable(id="jobs")
        with VerticalScroll(id="job"):
            yield Plain(id="details")

    def on_mount(self) -> None:
        """Workers report every second."""
        self.set_interval(1.0, self.reload)

    def reload(self) -> None:
        self.crumbs("jobs")

        def read(reader: Reader) -> list[dict[str, Any]]:
            return [describe(job, reader.database.decided) for job in jobs_of(reader.database.layout)]

        self.ask("jobs", read, self.show_jobs)

    def show_jobs(self, rows: list[dict[str, Any]]) -> None:
        """Fill the table; the cursor stays on its job."""
        self.rows = {row["job"]: row for row in rows}
        table = self.query_one(PagedTable)
        table.show(self.columns(), self.rows)
        if not rows:
            empty = "No jobs yet. Mark problems in a solve set with space and press r, or use passk sample."
            self.tell("details", empty)

    def columns(self) -> list[Column]:
        narrow, bar = self.narrow, 8 if self.narrow else 20
        fixed = [
            Column("state", "state", 11, value=lambda row: f"{STATE_MARKS.get(row['state'], ' ')} {row['state']}"),
            Column("progress", "progress", bar, value=lambda row: progress_bar(row["samples"], row["wanted"], bar)),
            Column("samples", "samples", 11, True, lambda row: f"{compact(row['samples'])}/{compact(row['wanted'])}"),
            Column("samples_rate", "smp/s", 5, True, lambda row: rate(row["samples_per_second"])),
            Column("tokens_rate", "tok/s", 6, True, lambda row: compact(row["tokens_per_second"])),
            Column("left", "left", 7, True, lambda row: duration(row["seconds_left"])),
        ]
        room = max(room_beside(fixed, self.size.width) - 4, 10)

        def name(row: Mapping[str, Any]) -> str:
            run = row["run"] or row["job"]
            return shorten_middle(without_benchmark(run) if narrow else run, room)

        return [fixed[0], Column("run", "run", room, value=name), *fixed[1:]]

    def on_paged_table_moved(self, event: PagedTable.Moved) -> None:
        self.show_details(event.key, self.moved.get(event.key, []))
        key = event.key
        if self.rows[key]["state"] == "damaged":
            return

        def read(reader: Reader) -> tuple[str, list[str]]:
            found = resampling_outcome(reader, find_job(reader.database.layout, key))
            words = short_names([reader.run(name) for name in found.compared])
            return key, found_in_words(found) + [
                f"changed set: problem {move.problem}: {set_name(move.before, words)} → {set_name(move.after, words)}"
                for move in found.moved
            ]

        self.ask("moves", read, lambda answer: self.show_moves(*answer))

    def show_moves(self, key: str, moved: list[str]) -> None:
        self.moved[key] = moved
        if self.query_one(PagedTable).cursor_key == key:
            self.show_details(key, moved)

    def show_details(self, key: str, moved: list[str]) -> None:
        self.tell("details", job_in_words(self.rows[key], moved))

    def action_log(self) -> None:
        key = self.query_one(PagedTable).cursor_key
        if key is None:
            return

        def read(reader: Reader) -> str:
            return find_job(reader.database.layout, key).log_text(20_000)

        def show(text: str) -> None:
            self.app.push_screen(Dialog(f"Log of {key}", text or "The log is empty."))

        self.ask("log", read, show)

    def action_cancel(self) -> None:
        """Ask the worker to stop."""
        key = self.query_one(PagedTable).cursor_key
        if key is not None and not self._is_too_late(key, ("finished", "cancelled")):
            self._apply(key, Job.cancel, "stopping; the samples drawn so far are kept")

    def action_resume(self) -> None:
        """Start a worker for what is left."""
        key = self.query_one(PagedTable).cursor_key
        if key is None or self._is_too_late(key, ("running", "finished")):
            return

        def look(reader: Reader) -> tuple[str, str, str] | None:
            return job_in_confirmation(find_job(reader.database.layout, key))

        def looked(found: tuple[str, str, str] | None) -> None:
            if found is None:
                self._apply(key, Job.start, "resumed")
                return
            owner, what, confirmed = found

            def start(yes: bool | None) -> None:
                if yes:
                    self._apply(key, lambda job: job.start(confirmed=confirmed), "resumed")

            said = f"Resuming it does this on this machine, in your name:\n\n{what}"
            self.app.push_screen(ConfirmDialog(f"Prepared by {owner}", said), start)

        self.ask("trust", look, looked)

    def _is_too_late(self, key: str, states: tuple[str, ...]) -> bool:
        """Whether there is nothing to do any more; says so."""
        if (state := self.rows[key]["state"]) not in states:
            return False
        self.refuse(f"This job is already {state}")
        return True

    def _apply(self, key: str, change: Callable[[Job], object], said: str) -> None:
        def changed(reader: Reader) -> str:
            change(find_job(reader.database.layout, key))
            return f"{key}: {said}"

        self.ask("change", changed, self.explorer.say)
