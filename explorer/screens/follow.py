"""The form for results that are opened by their path: what their files do not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend import MODEL_FROM, Outlook
from backend.errors import PasskError, UsageError
from backend.records import ROLES
from backend.visible_text import visible_line
from explorer.options import BENCHMARK_NAME, FILL, MODEL_NAME, NAMES_FROM, ROLE
from explorer.screens.form import FormDialog
from explorer.widgets.fields import FormField

UNKNOWN_ROLE = "unknown"
MODEL_WHERE = NAMES_FROM[0].but(help="one model for all files, or where in their paths its name stands")


class FollowDialog(FormDialog[list[str]]):
    """Enter opens what was asked for; the result are the words of `passk import` that say the same."""

    def __init__(self, path: Path, outlook: Outlook, why: str = "") -> None:
        """`why` tells what was wrong with the last answers."""
        self.outlook = outlook
        of = "" if outlook.lacking == outlook.files else f" of {outlook.files:,}"
        say = "does not say its" if outlook.lacking == 1 else "do not say their"
        number = f"{outlook.lacking:,}{of} file{'s' * (outlook.files > 1)}"
        about = why or (
            f"{visible_line(str(path))}: {number} ({', '.join(outlook.formats)}) {say} {' and '.join(outlook.needs)}."
        )
        fields: list[FormField] = []
        self.asks_where = "model" in outlook.needs and outlook.lacking > 1
        if "model" in outlook.needs:
            # Of several models the choice comes first: then there is no name to type.
            if self.asks_where:
                order = sorted(MODEL_FROM, key=lambda words: MODEL_FROM[words] != outlook.several)
                fields.append(FormField(MODEL_WHERE, "model is", tuple(order)))
            fields.append(FormField(MODEL_NAME, "model", value=outlook.model))
        if "benchmark" in outlook.needs:
            fields.append(FormField(BENCHMARK_NAME, "benchmark", value=outlook.benchmark))
        first = outlook.role or UNKNOWN_ROLE
        self.roles = (first, *(role for role in (*ROLES, UNKNOWN_ROLE) if role != first))
        if "model" in outlook.needs:
            fields.append(FormField(ROLE, "role", self.roles))
        super().__init__("What are these results of?", "opens", about, fields)

    def on_mount(self) -> None:
        self.changed("")

    def _one_model(self) -> bool:
        if not self.asks_where:
            return True
        field = next(field for field in self.fields if field.option is MODEL_WHERE)
        return not MODEL_FROM[field.choices[self.form.chosen(MODEL_WHERE.name)]]

    def changed(self, name: str) -> None:
        if "model" in self.outlook.needs:
            self.form.show(MODEL_NAME.name, self._one_model())
        try:
            self.words()
        except PasskError as error:
            self.say(str(error))
        else:
            self.say("It holds for what comes later too. E at Home changes a model's role.")

    def words(self) -> list[str]:
        """The answers as options. Raises UsageError: something that must be said is empty."""
        form, words = self.form, []
        if "model" in self.outlook.needs:
            if self._one_model():
                words += ["--model", self._filled(MODEL_NAME.name, "the model")]
            else:
                field = next(field for field in self.fields if field.option is MODEL_WHERE)
                words += ["--model-from", MODEL_FROM[field.choices[form.chosen(MODEL_WHERE.name)]]]
        if "benchmark" in self.outlook.needs:
            words += ["--benchmark", self._filled(BENCHMARK_NAME.name, "the benchmark")]
        if "model" in self.outlook.needs and (role := self.roles[form.chosen(ROLE.name)]) != UNKNOWN_ROLE:
            words += ["--role", role]
        # Files that say theirs keep it.
        return words if self.outlook.lacking == self.outlook.files else [*words, FILL.spelling]

    def _filled(self, name: str, what: str) -> str:
        text = self.form.text(name).strip()
        if not text:
            raise UsageError(f"Type the name of {what}: no file says it.")
        if text.startswith("-"):
            raise UsageError(f"The name of {what} cannot begin with a dash.")
        return text

    def action_start(self) -> None:
        try:
            words = self.words()
        except PasskError as error:
            self.say(str(error))
            return
        self.dismiss(words)

    async def answered(self, slot: str, record: Any) -> None:
        """Nothing is asked of the store."""
