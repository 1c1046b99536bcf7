"""Home: the benchmarks of the store with their runs and pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content

from backend import Reader, default_pairs, followed_in, pair_summaries, strays_in_words
from backend.records import PairSummary, Run
from backend.wording import UNKNOWN, compact, percent, run_label, span
from explorer.actions import HOME, bindings
from explorer.location import Location
from explorer.render.names import pair_label
from explorer.render.summaries import empty_store, nothing_yet, pair_in_words, run_in_words
from explorer.render.text import Column, room_beside
from explorer.screens.base import DataScreen
from explorer.screens.dialogs import Dialog
from explorer.widgets.paged_table import PagedTable
from explorer.widgets.plain import Plain


@dataclass(frozen=True, slots=True)
class HomeRecord:
    runs: tuple[Run, ...]
    pairs: tuple[PairSummary, ...]
    followed: tuple[int, int] = (0, 0)
    """Files of the path that is followed, and samples that came with them."""


def read_home(reader: Reader, path: Path | None = None) -> HomeRecord:
    """`path` is the one that is followed."""
    runs = reader.runs()
    followed = (0, 0) if path is None else followed_in(reader.database, path)
    return HomeRecord(runs, pair_summaries(reader, default_pairs(runs)), followed)


class HomeScreen(DataScreen):
    """A row for each pair, and for each run that is in no pair; below it the row under the cursor in words."""

    WHERE = HOME
    BINDINGS = bindings(HOME)

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self.entries: dict[str, PairSummary | Run] = {}
        self.followed = (0, 0)

    def compose_body(self) -> ComposeResult:
        yield PagedTable(id="pairs")
        yield Plain(id="details")
        yield Plain(id="strays")
        if self.explorer.following is not None:
            yield Plain(id="note")
        elif self.explorer.is_sample:
            yield Plain("This is the sample store. For your own results: passk FILE_OR_FOLDER", id="note")

    def reload(self) -> None:
        self.crumbs("benchmarks")
        following = self.explorer.following
        self.ask("home", partial(read_home, path=None if following is None else following.path), self.show_home)

    def show_strays(self) -> None:
        # The first look-out may be answered before the screen is composed.
        for line in self.query("#strays").results(Plain):
            said = strays_in_words(self.explorer.strays)
            line.update(said)
            line.display = bool(said)

    def show_home(self, record: HomeRecord) -> None:
        self.show_strays()
        paired = {run.key for pair in record.pairs for run in (pair.base, pair.rl)}
        entries: list[tuple[str, str, PairSummary | Run]] = [
            (pair.benchmark, f"{pair.base.name}\t{pair.rl.name}", pair) for pair in record.pairs
        ]
        entries += [(run.benchmark, run.name, run) for run in record.runs if run.key not in paired]
        self.entries = {key: entry for _, key, entry in sorted(entries, key=lambda item: item[0].lower())}
        self.show_table()
        self.call_after_refresh(self.explorer.load_screens)
        self.followed = record.followed
        if self.explorer.following is not None:
            self.show_following()
        elif not self.entries:
            self.tell("details", empty_store(self.explorer.store_path))

    def show_following(self) -> None:
        """The line about the path that is followed."""
        following = self.explorer.following
        if following is None or not self.query("#note"):
            return
        self.tell("note", following.line(*self.followed))
        if not self.entries:
            self.tell("details", nothing_yet(str(following.path), self.explorer.store_path))

    def action_followed(self) -> None:
        following = self.explorer.following
        if following is None:
            self.refuse("Nothing is followed here", "passk FILE_OR_FOLDER opens results and follows them.")
        else:
            self.app.push_screen(Dialog("Followed", following.details(*self.followed)))

    def reflow(self) -> None:
        if self.entries:
            self.show_table()

    def show_table(self) -> None:
        self.query_one(PagedTable).show(self.columns(), self.entries)

    def columns(self) -> list[Column]:
        """Columns for this width; what a narrow table leaves out stands in the details."""
        width = self.size.width
        benchmark = min(max([9, *(len(entry.benchmark) for entry in self.entries.values())]), 14)
        fixed = [Column("at1", "@1 %", 11, True), Column("atn", "@n %", 11, True)]
        sets = [Column("sets", "both·base·RL·none", 17, True)]
        if not self.narrow:
            fixed = [Column("n", "n", 5, True), *fixed, Column("cross", "cross k", 7, True)]
            sets = [
                Column("both", "both", 5, True),
                Column("first", "base", 5, True),
                Column("second", "RL", 5, True),
                Column("neither", "none", 5, True),
                Column("samples", "samples", 7, True),
            ]
        room = max(room_beside([*fixed, *sets], width) - benchmark - 4, 12)
        columns = [Column("benchmark", "benchmark", benchmark), Column("runs", "base → RL", room), *fixed, *sets]
        return [replace(column, value=partial(_value, column.key, room)) for column in columns]

    def on_paged_table_moved(self, event: PagedTable.Moved) -> None:
        entry = self.entries[event.key]
        self.tell("details", self.pair_details(entry) if isinstance(entry, PairSummary) else run_in_words(entry))

    def pair_details(self, pair: PairSummary) -> Content:
        """A pair in words, and how many comparisons there are beside it."""
        beside = (entry for entry in self.entries.values() if isinstance(entry, PairSummary))
        return pair_in_words(pair, sum(entry.benchmark == pair.benchmark for entry in beside))

    def export_location(self) -> Location:
        """The pair or run under the cursor."""
        key = self.query_one(PagedTable).cursor_key
        if key is None:
            return self.location
        entry = self.entries[key]
        runs = (entry.base.name, entry.rl.name) if isinstance(entry, PairSummary) else (entry.name,)
        return Location(benchmark=entry.benchmark, runs=runs)

    def _open(self, screen: Callable[[Location], DataScreen]) -> None:
        location = self.export_location()
        if location.benchmark:
            self.app.push_screen(screen(location))
        elif self.idle:
            self.refuse("The store is empty", "Import results: passk import FILE --store STORE")

    def action_open(self) -> None:
        from explorer.screens.curves import CurvesScreen

        self._open(CurvesScreen)

    def action_edit_run(self) -> None:
        """Of a pair, both runs can be chosen in the dialog."""
        from explorer.screens.decide import RunDialog, open_dialog

        key = self.query_one(PagedTable).cursor_key
        if key is None:
            return
        entry = self.entries[key]
        open_dialog(self.explorer, RunDialog((entry.base, entry.rl) if isinstance(entry, PairSummary) else (entry,)))

    def action_perplexity(self) -> None:
        from explorer.screens.perplexity import PerplexityScreen

        self._open(PerplexityScreen)


def _value(key: str, room: int, entry: PairSummary | Run) -> str:
    return (_pair_cells(entry, room) if isinstance(entry, PairSummary) else _run_cells(entry))[key]


def _pair_cells(pair: PairSummary, room: int) -> dict[str, str]:
    base, rl = pair.base, pair.rl
    sizes = [n for run in (base, rl) for n in (run.n_min, run.n_max) if n is not None]
    # Sets at different n are no comparison: at the smallest n there is, so many are expected.
    counts = {name: str(count) for name, count in pair.counts.items()}
    together = "·".join(counts[name] for name in ("both", "base_only", "rl_only", "neither"))
    if pair.at_common_n is not None:
        counts = {name: f"{count:.1f}" if count < 1_000 else f"{count:.0f}" for name, count in pair.at_common_n.items()}
        together = "≈" + "·".join(f"{count:.0f}" for count in pair.at_common_n.values())
    return {
        "benchmark": pair.benchmark,
        "runs": pair_label(base, rl, room),
        "n": span(min(sizes), max(sizes)) if sizes else UNKNOWN,
        "at1": f"{percent(pair.base_pass_at_1)} → {percent(pair.rl_pass_at_1)}",
        "atn": f"{percent(pair.base_pass_at_n)} → {percent(pair.rl_pass_at_n)}",
        "cross": UNKNOWN if pair.common_n is None else _crossings(pair),
        "sets": together,
        "both": counts["both"],
        "first": counts["base_only"],
        "second": counts["rl_only"],
        "neither": counts["neither"],
        "samples": compact(base.samples + rl.samples),
    }


def _crossings(pair: PairSummary) -> str:
    """Every k at which the curves cross; more than two are counted. At k = 1 alone, nothing can be said."""
    if pair.common_n == 1:
        return UNKNOWN
    found = [str(lead.first) for lead in pair.leads[1:]]
    return ("; ".join(found) if len(found) < 3 else f"{len(found)} times") or "no"


def _run_cells(run: Run) -> dict[str, str]:
    share = f"{run.correct / (run.samples - run.unverified):.1%}" if run.samples > run.unverified else UNKNOWN
    values = dict.fromkeys(("atn", "cross", "sets", "both", "first", "second", "neither"), UNKNOWN)
    return values | {
        "benchmark": run.benchmark,
        "runs": run_label(run),
        "n": span(run.n_min, run.n_max),
        "at1": share.removesuffix("%"),
        "samples": compact(run.samples),
    }
