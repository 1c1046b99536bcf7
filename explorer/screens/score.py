"""The dialog that starts scoring: which responses under which model, how many, with which engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from backend import (
    Reader,
    ScoringRequest,
    TextChoice,
    plan_scoring,
    prepare_scoring,
    read_configuration,
    selected_problems,
)
from backend.records.reading import Perplexities, PerplexityGroup
from explorer.gateway import Failed, Loaded
from explorer.location import Location
from explorer.render.perplexity import request_in_words, responses_word
from explorer.render.text import literal

if TYPE_CHECKING:
    from explorer.app import Explorer


class ScoreDialog(ModalScreen[str]):
    """Enter starts a job; the result is its name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "Close"),
        Binding("enter", "start", "Start", priority=True),
        Binding("up,down,tab,shift+tab", "responses", "Responses", priority=True),
        Binding("ctrl+t", "tokens", "Tokens", priority=True),
        Binding("ctrl+e", "engine", "Engine", priority=True),
    ]

    def __init__(
        self,
        record: Perplexities,
        group: PerplexityGroup,
        place: Location,
        problems: frozenset[int] | None,
        words: str,
    ) -> None:
        """`problems` are the only ones when a problem is looked at; else the place's filter says which."""
        super().__init__()
        self.record, self.scorer, self.place = record, group.scorer, place
        self.problems, self.words = problems, words
        runs = () if group.run is None else (group.run,)
        whose = responses_word(group, record)
        every = " and ".join(dict.fromkeys(responses_word(each, record) for each in record.groups))
        self.choices = ((runs, group.run is None, whose), (record.runs, True, every))
        self.choice = 0
        self.by_token = problems is not None
        self.configuration = read_configuration()
        self.engines = self.configuration.engine_names
        self.engine = 0
        self.planned: ScoringRequest | None = None
        self.eager = False
        """Enter came before the plan."""

    def compose(self) -> ComposeResult:
        """What is asked, and what it takes."""
        with Vertical() as box:
            box.border_title = literal(f"Score under {self.scorer}")
            box.border_subtitle = "enter starts  ↑↓ responses  ctrl+t tokens  ctrl+e engine  esc closes"
            yield Static(id="what")
            yield Input(placeholder="all", type="integer", id="samples", compact=True)
            yield Static(id="takes")

    @property
    def explorer(self) -> Explorer:
        """The app, by its type."""
        return cast("Explorer", self.app)

    def on_mount(self) -> None:
        """Plan at once."""
        self.query_one(Input).focus()
        self.replan()

    def on_unmount(self) -> None:
        """Nobody waits any more."""
        self.explorer.gateway.forget(self)

    def replan(self) -> None:
        """Ask what the present choice takes."""
        runs, references, whose = self.choices[self.choice]
        engine, by_token = self.engines[self.engine], self.by_token
        kept = (
            "log-probability of every token (t on a path shows them)"
            if by_token
            else "total log-probability of each text"
        )
        self.query_one("#what", Static).update(
            Content("\n").join(
                [
                    Content("responses: ").append(literal(whose, "bold")),
                    Content("problems: ").append(literal(self.words or "all", "bold")),
                    Content("engine: ").append(literal(engine, "bold")),
                    Content("stored: ").append(literal(kept, "bold")),
                    Content("first N samples per problem and run:"),
                ]
            )
        )
        self.planned, self.eager = None, False
        given = self.query_one(Input).value
        samples = int(given) if given.lstrip("-").isdigit() else None
        if samples is not None and samples < 1:
            self.query_one("#takes", Static).update("N must be a whole number of 1 or more; leave it empty for all.")
            return
        place, chosen, scorer = self.place, self.problems, self.scorer
        configuration = self.configuration
        # Reference responses alone are scored after the prompt of the runs that are compared.
        asked = {str(run.parameters["template"]) for run in self.record.runs if "template" in run.parameters}
        template = asked.pop() if not runs and len(asked) == 1 else None

        def read(reader: Reader) -> ScoringRequest:
            compared = [reader.run(name, place.benchmark) for name in place.runs]
            problems = selected_problems(reader, compared, place.filter) if chosen is None else chosen
            wanted = TextChoice(tuple(runs), place.benchmark, problems, samples, references, template)
            return plan_scoring(reader, scorer, wanted, configuration=configuration, engine=engine, by_token=by_token)

        self.query_one("#takes", Static).update("…")
        self.explorer.gateway.ask(self, "plan", read)

    def on_loaded(self, event: Loaded) -> None:
        """The plan has come, or the job has been started."""
        event.stop()
        if not self.explorer.gateway.is_current(event.request):
            return
        if event.request.slot == "start":
            self.dismiss(event.record)
            return
        request: ScoringRequest = event.record
        self.planned = request
        self.query_one("#takes", Static).update(request_in_words(request))
        if self.eager:
            self.action_start()

    def on_failed(self, event: Failed) -> None:
        """Say so in the dialog."""
        event.stop()
        self.query_one("#takes", Static).update(literal(str(event.error)))

    def on_input_changed(self) -> None:
        """Another number."""
        self.replan()

    def action_responses(self) -> None:
        """The group alone, or all responses."""
        self.choice = 1 - self.choice
        self.replan()

    def action_tokens(self) -> None:
        """With or without the scores of the tokens."""
        self.by_token = not self.by_token
        self.replan()

    def action_engine(self) -> None:
        """The next engine."""
        self.engine = (self.engine + 1) % len(self.engines)
        self.replan()

    def action_start(self) -> None:
        """Start the job."""
        request = self.planned
        self.eager = request is None
        if request is None:
            return
        if not request.plan.samples:
            self.explorer.say("Nothing can be scored yet: the dialog says why.")
            return

        def start(reader: Reader) -> str:
            job = prepare_scoring(reader.database.layout, request)
            if job is not None:
                job.start()
            return "" if job is None else job.name

        self.explorer.gateway.ask(self, "start", start)
