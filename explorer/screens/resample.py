"""The form for more samples: of which runs, how many, with which engine, how, and what that takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

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
from backend.errors import UsageError
from backend.records import Run
from backend.records.comparison import SamplePlan
from backend.wording import short_names
from explorer.options import ADD, ENGINE, POOL, SAMPLING_PARAMETERS, Option
from explorer.render.jobs import planned_in_words, problems_in_words, stored_value_in_words
from explorer.screens.form import PlanDialog
from explorer.widgets.fields import Form, FormField

RUNS = Option("runs", "the runs that get them")
SHARE = Option("share", "for each problem and run, or a budget for the problems whose solve set it may change")
SHARES = ("per problem and run", "in total, where they help most")
"""What the number of samples is: for each problem, or a budget that a plan shares out."""

Planned = tuple[SamplePlan | None, tuple[Resampling, ...]]
"""The plan that shares a budget out, if one does, and what is to be drawn."""


class ResampleDialog(PlanDialog[int]):
    """Enter starts a job for each run; the result is how many."""

    nothing = "Nothing can be drawn yet: the dialog says what is missing."
    AUTO_FOCUS = "#add"

    def __init__(self, runs: Sequence[Run], problems: Sequence[str]) -> None:
        self.runs = tuple(runs)
        self.problems = tuple(problems)
        words = short_names(runs)
        self.choices: list[tuple[tuple[str, ...], str]] = [(tuple(run.name for run in runs), " and ".join(words))]
        if len(words) > 1:
            self.choices += [((run.name,), word) for run, word in zip(runs, words, strict=True)]
        configuration = read_configuration()
        self.engines = configuration.engine_names
        super().__init__(
            "Draw more samples",
            "starts",
            problems_in_words(self.problems),
            (
                FormField(RUNS, "runs", tuple(words for _, words in self.choices)),
                FormField(ADD, "samples to add", value=str(configuration.add)),
                FormField(SHARE, "", SHARES if len(self.runs) > 1 else SHARES[:1]),
                FormField(ENGINE, "engine", self.engines),
                *(FormField(option, option.name) for option in SAMPLING_PARAMETERS),
                FormField(POOL, "imported run", ("kept apart", "pooled: prompt and parameters are the same")),
            ),
        )

    def on_mount(self) -> None:
        """Whether samples can be pooled is known with the first plan."""
        self.form.show("pool", False)
        super().on_mount()

    def plan(self) -> Callable[[Reader], Planned]:
        form = self.form
        names, _ = self.choices[form.chosen("runs")]
        self._show_kept(form, names)
        given = {option.name: form.value(option.name) for option in SAMPLING_PARAMETERS}
        add = form.value("add")
        if add is None:
            raise UsageError("How many samples? A whole number of 1 or more.")
        request = ResamplingRequest(
            compared=tuple(run.name for run in self.runs),
            runs=names,
            problems=self.problems,
            add=add,
            engine=self.engines[form.chosen("engine")],
            changes=ParameterChanges({name: value for name, value in given.items() if value is not None}),
            pool=form.chosen("pool") == 1,
        )
        if form.chosen("share") == 1:
            return lambda reader: plan_by_uncertainty(reader, request)
        return lambda reader: (None, (plan_resampling(reader, request),))

    def _show_kept(self, form: Form, names: Sequence[str]) -> None:
        """What the runs have of each parameter, beside the line that changes it."""
        for option in SAMPLING_PARAMETERS:
            stored = [run.parameters.get(option.name) for run in self.runs if run.name in names]
            form.note(option.name, stored_value_in_words(stored, changed=form.is_filled(option.name)))

    def words(self, planned: Planned) -> Content:
        """What it takes and, where a run was imported, whether its samples can be pooled."""
        plan, resamplings = planned
        self.form.show("pool", any(extension.can_pool for each in resamplings for extension in each.additions))
        return planned_in_words(plan, resamplings)

    def begin(self, planned: Planned) -> Callable[[Reader], int] | None:
        """Start a job for each run that can be sampled."""
        _, resamplings = planned
        requests = [each.request for each in resamplings if each.samples]
        layout = self.explorer.database.layout
        return (lambda reader: len(start_by_uncertainty(layout, requests))) if requests else None

    def is_complete(self, planned: Planned) -> bool:
        return not any(each.refusals for each in planned[1])
