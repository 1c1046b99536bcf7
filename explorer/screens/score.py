"""The form that starts scoring: which responses under which model, how many, with which engine."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from backend import (
    LogprobRequest,
    Reader,
    TextChoice,
    plan_logprobs,
    prepare_logprobs,
    read_configuration,
    selected_problems,
)
from backend.records.reading import Perplexities, PerplexityGroup
from explorer.location import Location
from explorer.options import ENGINE, SAMPLES, TOKENS, Option
from explorer.render.perplexity import request_in_words, responses_word
from explorer.screens.form import PlanDialog
from explorer.widgets.fields import FormField

RESPONSES = Option("responses", "whose responses are scored")
KEPT = ("the sum over each text", "the log-probability of every token, for t in the reader")


class ScoreDialog(PlanDialog[str]):
    """Enter starts a job; the result is its name."""

    nothing = "Nothing can be scored yet: the dialog says why."

    def __init__(
        self,
        record: Perplexities,
        group: PerplexityGroup,
        location: Location,
        problems: frozenset[int] | None,
        words: str,
    ) -> None:
        """`problems` are the only ones when a problem is looked at; else the location's filter says which."""
        self.record, self.scorer, self.location, self.problems = record, group.scorer, location, problems
        runs = () if group.run is None else (group.run,)
        every = " and ".join(dict.fromkeys(responses_word(each, record) for each in record.groups))
        self.choices = ((runs, group.run is None, responses_word(group, record)), (record.runs, True, every))
        self.configuration = read_configuration()
        self.engines = self.configuration.engine_names
        super().__init__(
            f"Score under {self.scorer}",
            "starts",
            f"problems: {words or 'all'}",
            (
                FormField(RESPONSES, "responses", tuple(whose for _, _, whose in self.choices)),
                FormField(SAMPLES, "first samples"),
                FormField(TOKENS, "kept", KEPT if problems is None else KEPT[::-1]),
                FormField(ENGINE, "engine", self.engines),
            ),
        )

    def plan(self) -> Callable[[Reader], LogprobRequest]:
        form, location, chosen = self.form, self.location, self.problems
        runs, references, _ = self.choices[form.chosen("responses")]
        samples = form.value("samples")
        form.note("samples", "" if form.is_filled("samples") else "all of each problem and run")
        by_token = (form.chosen("tokens") == 1) == (chosen is None)
        engine, configuration, scorer = self.engines[form.chosen("engine")], self.configuration, self.scorer
        # Reference responses alone are scored after the prompt of the runs that are compared.
        asked = {str(run.parameters["template"]) for run in self.record.runs if "template" in run.parameters}
        template = asked.pop() if not runs and len(asked) == 1 else None

        def read(reader: Reader) -> LogprobRequest:
            compared = [reader.run(name, location.benchmark) for name in location.runs]
            problems = selected_problems(reader, compared, location.filter) if chosen is None else chosen
            wanted = TextChoice(tuple(runs), location.benchmark, problems, samples, references, template)
            return plan_logprobs(reader, scorer, wanted, configuration=configuration, engine=engine, by_token=by_token)

        return read

    def words(self, planned: LogprobRequest) -> Content:
        return request_in_words(planned)

    def begin(self, planned: LogprobRequest) -> Callable[[Reader], str] | None:
        def start(reader: Reader) -> str:
            job = prepare_logprobs(reader.database.layout, planned)
            if job is not None:
                job.start()
            return "" if job is None else job.name

        return start if planned.plan.samples else None
