"""The form that lets a language model judge: which model, how it is asked, how many votes, and what that takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from backend import (
    RULES,
    JudgeRequest,
    JudgeWish,
    Reader,
    plan_judging,
    prepare_judging,
    read_configuration,
    read_judge_prompt,
    selected_problems,
)
from backend.records import Run
from backend.wording import short_names
from explorer.location import Location
from explorer.options import (
    CHAT,
    ENGINE,
    JUDGE_TEMPLATE,
    JUDGING_MODEL,
    MAX_TOKENS,
    RETRY,
    RULE,
    TEMPERATURE,
    VOTES,
    Option,
)
from explorer.render.judging import judging_in_words
from explorer.render.text import join_lines, literal
from explorer.screens.form import PlanDialog
from explorer.widgets.fields import FormField

RUNS = Option("runs", "whose correct paths are judged")
USUAL_RULE = RULES.index(str(RULE.default))
BY_RULE = (RULES[USUAL_RULE], *(rule for rule in RULES if rule != RULES[USUAL_RULE]))


class JudgeDialog(PlanDialog[str]):
    """Enter starts a job; the result is its name."""

    nothing = "Nothing can be judged yet: the dialog says why."
    AUTO_FOCUS = "#model"

    def __init__(self, runs: Sequence[Run], location: Location) -> None:
        self.location = location
        words = short_names(runs)
        self.choices: list[tuple[tuple[str, ...], str]] = [(tuple(run.name for run in runs), " and ".join(words))]
        if len(words) > 1:
            self.choices += [((run.name,), word) for run, word in zip(runs, words, strict=True)]
        self.configuration = read_configuration()
        self.engines = self.configuration.engine_names
        super().__init__(
            "Let a language model judge",
            "starts",
            f"correct paths of the problems: {location.filter or 'all'}",
            (
                FormField(RUNS, "runs", tuple(words for _, words in self.choices)),
                FormField(JUDGING_MODEL, "model"),
                FormField(ENGINE, "engine", self.engines),
                FormField(CHAT, "asked as", ("plain text", "a chat message")),
                FormField(JUDGE_TEMPLATE, "template file"),
                FormField(VOTES, "votes"),
                FormField(RULE, "valid by", BY_RULE),
                FormField(RETRY, "unread answer", ("stays unknown", "is asked for once more")),
                FormField(MAX_TOKENS, "max_tokens"),
                FormField(TEMPERATURE, "temperature"),
            ),
        )

    def plan(self) -> Callable[[Reader], JudgeRequest]:
        form, location, configuration = self.form, self.location, self.configuration
        names, _ = self.choices[form.chosen("runs")]
        given = {name: form.value(name) for name in ("votes", "max_tokens", "temperature")}
        for name, usual in (("votes", "3"), ("max_tokens", "2048"), ("temperature", "0.6")):
            form.note(name, "" if form.is_filled(name) else f"default: {usual}")
        file, model = form.value("template"), form.value("model") or ""
        template = None if file is None else read_judge_prompt(file)
        chat, retry = form.chosen("chat") == 1, form.chosen("retry") == 1
        rule, engine = BY_RULE[form.chosen("rule")], self.engines[form.chosen("engine")]

        def read(reader: Reader) -> JudgeRequest:
            runs = tuple(reader.run(name) for name in names)
            compared = [reader.run(name) for name in location.runs]
            wish = JudgeWish(
                runs,
                model,
                problems=selected_problems(reader, compared, location.filter) if location.filter else None,
                template=template,
                chat=chat,
                rule=rule,
                retry=retry,
                **{name: value for name, value in given.items() if value is not None},
            )
            return plan_judging(reader, wish, configuration=configuration, engine=engine)

        return read

    def words(self, planned: JudgeRequest) -> Content:
        return join_lines([literal(line) for line in judging_in_words(planned)])

    def begin(self, planned: JudgeRequest) -> Callable[[Reader], str] | None:
        def start(reader: Reader) -> str:
            job = prepare_judging(reader.database.layout, planned)
            if job is not None:
                job.start()
            return "" if job is None else job.name

        return start if planned.plan.samples else None
