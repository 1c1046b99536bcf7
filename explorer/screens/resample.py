"""The dialog for more samples: which runs, how many, with which engine, and what that takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from backend import Reader, Resampling, plan_resampling, read_configuration, start_resampling
from backend.records import Run
from explorer.gateway import Failed, Loaded
from explorer.render.job_words import estimate_in_words
from explorer.render.literal import literal
from explorer.render.names import contrast

if TYPE_CHECKING:
    from explorer.app import Explorer

ENGINES = ("transformers", "vllm", "server")


class ResampleDialog(ModalScreen[int]):
    """Enter starts a job for each run; the result is how many."""

    CSS_PATH = "../styles/resample.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(0)", "Close"),
        Binding("enter", "start", "Start", priority=True),
        Binding("up,shift+tab", "runs(-1)", "Runs", priority=True),
        Binding("down,tab", "runs(1)", "Runs", priority=True),
        Binding("ctrl+e", "engine", "Engine", priority=True),
    ]

    def __init__(self, runs: Sequence[Run], problems: Sequence[str]) -> None:
        super().__init__()
        self.runs = tuple(runs)
        self.problems = tuple(problems)
        words = contrast(runs)
        single = [((run.name,), word) for run, word in zip(runs, words, strict=True)]
        self.choices: list[tuple[tuple[str, ...], str]] = [(tuple(run.name for run in runs), " and ".join(words))]
        if len(single) > 1:
            self.choices += single
        self.choice = 0
        self.configuration = read_configuration()
        self.engines = tuple(dict.fromkeys((self.configuration.engine, *self.configuration.engines, *ENGINES)))
        self.engine = 0
        self.planned: Resampling | None = None

    def compose(self) -> ComposeResult:
        """What is asked, and what it takes."""
        with Vertical() as box:
            box.border_title = "Draw more samples"
            box.border_subtitle = "enter starts  ↑↓ runs  ctrl+e engine  esc closes"
            yield Static(id="what")
            yield Input(str(self.configuration.add), type="integer", id="add", compact=True)
            yield Static(id="takes")

    @property
    def explorer(self) -> Explorer:
        """The app, by its type."""
        return cast("Explorer", self.app)

    def on_mount(self) -> None:
        """Plan at once with the defaults."""
        self.query_one(Input).focus()
        self.replan()

    def on_unmount(self) -> None:
        """Nobody waits any more."""
        self.explorer.gateway.forget(self)

    def replan(self) -> None:
        """Ask what the present choice takes."""
        names, words = self.choices[self.choice]
        some = ", ".join(self.problems[:6]) + (" …" if len(self.problems) > 6 else "")
        self.query_one("#what", Static).update(
            Content("\n").join(
                [
                    literal(f"{len(self.problems)} problems: {some}"),
                    Content("runs: ").append(literal(words, "bold")),
                    Content("engine: ").append(literal(self.engines[self.engine], "bold")),
                    Content("samples to add for each problem and run:"),
                ]
            )
        )
        self.planned = None
        add = int(self.query_one(Input).value or 0)
        if add < 1:
            self.query_one("#takes", Static).update("How many? A whole number of 1 or more.")
            return
        compared, problems, engine = tuple(run.name for run in self.runs), self.problems, self.engines[self.engine]

        def read(reader: Reader) -> Resampling:
            return plan_resampling(reader, compared, names, problems, add, engine)

        self.explorer.gateway.ask(self, "plan", read)

    def on_loaded(self, event: Loaded) -> None:
        """The plan has come, or the jobs have been started."""
        event.stop()
        if not self.explorer.gateway.is_current(event.request):
            return
        if event.request.slot == "start":
            self.dismiss(event.record)
            return
        planned: Resampling = event.record
        self.planned = planned
        parts: list[Content] = []
        if planned.samples:
            words = estimate_in_words(planned.samples, planned.tokens, planned.tokens_per_second)
            parts.append(literal(words, "bold"))
        for addition in planned.additions:
            kept = {k: v for k, v in addition.plan.target.parameters.items() if k != "template" and len(str(v)) < 40}
            parts.append(literal(f"{addition.plan.target.run}: {', '.join(f'{k} {v}' for k, v in kept.items())}"))
            if addition.own_run:
                parts.append(literal("  a run of its own: the imported run's prompt or parameters are not known"))
        parts += [literal(refusal) for refusal in planned.refusals]
        self.query_one("#takes", Static).update(Content("\n").join(parts))

    def on_failed(self, event: Failed) -> None:
        """Say so in the dialog."""
        event.stop()
        self.query_one("#takes", Static).update(literal(str(event.error)))

    def on_input_changed(self) -> None:
        """Another number."""
        self.replan()

    def action_runs(self, by: int) -> None:
        """The next choice of runs."""
        self.choice = (self.choice + by) % len(self.choices)
        self.replan()

    def action_engine(self) -> None:
        """The next engine."""
        self.engine = (self.engine + 1) % len(self.engines)
        self.replan()

    def action_start(self) -> None:
        """Start the jobs."""
        planned = self.planned
        if planned is None or not planned.samples:
            self.explorer.say("Nothing can be drawn yet: the dialog says what is missing.")
            return
        self.explorer.gateway.ask(self, "start", lambda reader: len(start_resampling(reader.database.layout, planned)))
