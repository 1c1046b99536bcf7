"""The dialog for more samples: which runs, how many, with which engine, how, and what that takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from backend import (
    ParameterChanges,
    Reader,
    Resampling,
    ResamplingRequest,
    plan_by_uncertainty,
    plan_resampling,
    read_configuration,
    start_by_uncertainty,
)
from backend.records import Run
from backend.records.comparison import SamplePlan
from backend.wording import short_names
from explorer.gateway import Failed, Loaded
from explorer.render.jobs import planned_in_words, problems_in_words, stored_value_in_words
from explorer.render.text import literal
from explorer.widgets.fields import Choice, Field

if TYPE_CHECKING:
    from explorer.app import Explorer

PARAMETERS: dict[str, type[int] | type[float]] = {"temperature": float, "top_p": float, "max_tokens": int}
"""Sampling parameters that can be changed, and what they are."""

SHARES = ("per problem and run", "in total, where they help most")
"""What the number of samples is: for each problem, or a budget that a plan shares out."""

Planned = tuple[SamplePlan | None, tuple[Resampling, ...]]
"""The plan that shares a budget out, if one does, and what is to be drawn."""


class ResampleDialog(ModalScreen[int]):
    """Enter starts a job for each run; the result is how many."""

    CSS_PATH = "../styles/resample.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(0)", "Close"),
        Binding("enter", "start", "Start"),
        Binding("up", "app.focus_previous", "Previous", priority=True),
        Binding("down", "app.focus_next", "Next", priority=True),
    ]

    def __init__(self, runs: Sequence[Run], problems: Sequence[str]) -> None:
        super().__init__()
        self.runs = tuple(runs)
        self.problems = tuple(problems)
        words = short_names(runs)
        self.choices: list[tuple[tuple[str, ...], str]] = [(tuple(run.name for run in runs), " and ".join(words))]
        if len(words) > 1:
            self.choices += [((run.name,), word) for run, word in zip(runs, words, strict=True)]
        self.configuration = read_configuration()
        self.engines = self.configuration.engine_names
        self.planned: tuple[Resampling, ...] | None = None
        """What the fields come to; None while that is on its way."""
        self.start_soon = False
        """Whether it is to be started when it comes."""
        self.starting = False

    def compose(self) -> ComposeResult:
        """What is asked, and what it takes."""
        with VerticalScroll(can_focus=False) as box:
            box.border_title = "Draw more samples"
            box.border_subtitle = "enter starts  ↑↓ field  ←→ choose  esc closes"
            yield Static(literal(problems_in_words(self.problems)), id="problems")
            with Horizontal():
                yield Static("runs", classes="name")
                yield Choice([words for _, words in self.choices], "runs")
            with Horizontal():
                yield Static("samples to add", classes="name")
                yield Field(str(self.configuration.add), type="integer", id="add", compact=True)
                yield Choice(SHARES if len(self.runs) > 1 else SHARES[:1], "share")
            with Horizontal():
                yield Static("engine", classes="name")
                yield Choice(self.engines, "engine")
            for name, kind in PARAMETERS.items():
                with Horizontal():
                    yield Static(literal(name), classes="name")
                    yield Field(type="integer" if kind is int else "number", id=name, compact=True)
                    yield Static(classes="said", id=f"{name}-said")
            with Horizontal(id="pooling"):
                yield Static("imported run", classes="name")
                yield Choice(("keep apart", "pool: same prompt and parameters"), "pool")
            yield Static(id="takes")

    @property
    def explorer(self) -> Explorer:
        """The app, by its type."""
        return cast("Explorer", self.app)

    def on_mount(self) -> None:
        """Plan at once with the defaults."""
        self.query_one("#pooling").display = False
        self.query_one("#add", Input).focus()
        self.replan()

    def on_unmount(self) -> None:
        """Nobody waits any more."""
        self.explorer.gateway.forget(self)

    def request(self) -> ResamplingRequest | str:
        """What the fields say, or what is wrong with them."""
        names, _ = self.choices[self.query_one("#runs", Choice).chosen]
        changed: dict[str, float] = {}
        for name, kind in PARAMETERS.items():
            if text := self.query_one(f"#{name}", Input).value.strip():
                try:
                    changed[name] = kind(text)
                except ValueError:
                    return f"{name} must be a number, not {text}."
        try:
            add = int(self.query_one("#add", Input).value or 0)
        except ValueError:
            add = 0
        if add < 1:
            return "samples to add must be a whole number of 1 or more."
        return ResamplingRequest(
            compared=tuple(run.name for run in self.runs),
            runs=names,
            problems=self.problems,
            add=add,
            engine=self.engines[self.query_one("#engine", Choice).chosen],
            changes=ParameterChanges(changed),
            pool=self.query_one("#pool", Choice).chosen == 1,
        )

    def replan(self) -> None:
        """Ask what the fields take."""
        self.planned, self.start_soon = None, False
        chosen = [run for run in self.runs if run.name in self.choices[self.query_one("#runs", Choice).chosen][0]]
        for name in PARAMETERS:
            changed = bool(self.query_one(f"#{name}", Input).value)
            said = stored_value_in_words([run.parameters.get(name) for run in chosen], changed=changed)
            self.query_one(f"#{name}-said", Static).update(literal(said))
        request = self.request()
        if isinstance(request, str):
            self.planned = ()
            self.explorer.gateway.cancel(self, "plan")
            self.query_one("#takes", Static).update(literal(request))
            return
        settling = self.query_one("#share", Choice).chosen == 1

        def read(reader: Reader) -> Planned:
            return plan_by_uncertainty(reader, request) if settling else (None, (plan_resampling(reader, request),))

        self.explorer.gateway.ask(self, "plan", read)

    def on_loaded(self, event: Loaded) -> None:
        """The plan has come, or the jobs have been started."""
        event.stop()
        if not self.explorer.gateway.is_current(event.request):
            return
        if event.request.slot == "start":
            self.dismiss(event.record)
            return
        plan, self.planned = event.record
        additions = [addition for planned in self.planned for addition in planned.additions]
        self.query_one("#pooling").display = any(addition.can_pool for addition in additions)
        self.query_one("#takes", Static).update(planned_in_words(plan, self.planned))
        if self.start_soon and not any(planned.refusals for planned in self.planned):
            self.action_start()

    def on_failed(self, event: Failed) -> None:
        """Say so in the dialog."""
        event.stop()
        self.planned, self.starting = (), False
        self.query_one("#takes", Static).update(literal(str(event.error)))

    def on_input_changed(self) -> None:
        """Another number."""
        self.replan()

    def on_choice_changed(self) -> None:
        """Other runs, another engine."""
        if self.is_mounted:
            self.replan()

    def on_input_submitted(self) -> None:
        """Enter in a field."""
        self.action_start()

    def action_start(self) -> None:
        """Start the jobs, once; those of a plan that is on its way when it comes."""
        if self.planned is None:
            self.start_soon = True
            return
        requests = [planned.request for planned in self.planned if planned.samples]
        if not requests:
            self.explorer.say("Nothing can be sampled yet: the dialog says what is missing.")
        elif not self.starting:
            self.starting = True
            self.query_one("#takes", Static).update(Content("Starting …"))
            layout = self.explorer.database.layout
            self.explorer.gateway.ask(self, "start", lambda reader: len(start_by_uncertainty(layout, requests)))
