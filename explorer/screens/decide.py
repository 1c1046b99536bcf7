"""Forms that decide something about what is there, as commands do: each says what will happen and how it is undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.content import Content

from backend import (
    Reader,
    override,
    redo,
    remove_run,
    rename_run,
    set_references,
    set_run,
    undo,
    withdraw_judgement,
)
from backend.errors import PasskError, UsageError
from backend.records import ROLES, Problem, Response, Run
from backend.wording import UNKNOWN
from explorer.options import (
    ABOUT_MODEL,
    MODEL_PATH,
    NEW_NAME,
    NEW_VERDICT,
    REASON,
    REFERENCE,
    ROLE,
    Option,
)
from explorer.render.decided import (
    command_line,
    judgement_in_words,
    made_in_words,
    path_in_words,
    remove_question,
    rename_question,
    taken_back_in_words,
    undo_question,
)
from explorer.render.text import join_lines, literal
from explorer.screens.form import FormDialog
from explorer.widgets.fields import FormField

if TYPE_CHECKING:
    from explorer.app import Explorer

BACK = "To take it back: U in the list of imports and decisions (I), or passk undo."
"""How every decision is taken back."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a dialog has written, in words, and the runs that are there no more."""

    lines: list[str]
    gone: frozenset[str]
    """Of the names that screens show."""


class DecisionDialog(FormDialog[Written]):
    """Enter writes what the fields come to, and the result is what was written; esc leaves all as it is."""

    writing = False

    def __init__(self, heading: str, verb: str, about: str = "", fields: Sequence[FormField] = ()) -> None:
        super().__init__(heading, verb, about, fields)

    def effect(self) -> tuple[str, list[str]]:
        """What enter will do, and the commands that do the same. Raises UsageError: nothing, or a field is wrong."""
        raise NotImplementedError

    def write(self) -> Callable[[Reader], list[str]]:
        """Does it, and says what was done in the words of the command."""
        raise NotImplementedError

    def how_back(self) -> str:
        return BACK

    @property
    def reason(self) -> str | None:
        return self.form.text(REASON.name).strip() or None

    @property
    def store(self) -> str | None:
        """As commands must name it; None where they find it by themselves."""
        return None if self.explorer.is_sample else self.explorer.store_path

    def on_mount(self) -> None:
        self.changed("")

    def changed(self, name: str) -> None:
        if self.writing:
            return
        try:
            words, commands = self.effect()
        except PasskError as error:
            self.say(str(error))
            return
        parts: list[str | Content] = [words, self.how_back(), *(literal(line, "dim") for line in commands)]
        self.say(join_lines(parts))

    def action_start(self) -> None:
        if self.writing:
            return
        try:
            self.effect()
            write = self.write()
        except PasskError as error:
            self.say(str(error))
            return
        self.writing = True
        self.say("writing …")
        names = self.explorer.run_names()

        def write_and_look(reader: Reader) -> Written:
            return Written(write(reader), frozenset(name for name in names if not reader.has_run(name)))

        self.ask("write", write_and_look)

    def action_close(self) -> None:
        # What is being written is written whole: to leave now would only hide what came of it.
        if not self.writing:
            self.dismiss()

    async def answered(self, slot: str, record: Any) -> None:
        self.dismiss(record)

    def failed(self, error: PasskError) -> None:
        self.writing = False
        self.say(str(error))


def open_dialog(explorer: Explorer, dialog: DecisionDialog) -> None:
    """Show the dialog; what it has written is said, and every screen follows."""

    def written(what: Written | None) -> None:
        if what is not None:
            explorer.decided(what.lines, what.gone)

    # What was said before would lie over it.
    explorer.clear_notifications()
    explorer.push_screen(dialog, written)


# Runs

OF_RUN = Option("of", "the run")
WHAT = Option("what", "change what is said of it, or leave it out everywhere")
CHANGE, REMOVE = "change what is said of it", "leave it out everywhere"


class RunDialog(DecisionDialog):
    """A run is called otherwise, its model is described, or it is left out: passk run rename, set and remove."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = tuple(runs)
        run = self.runs[0]
        known = known_of(run)
        super().__init__(
            "Run",
            "writes it",
            fields=(
                FormField(OF_RUN, "run", tuple(each.name for each in self.runs)),
                FormField(WHAT, "what", (CHANGE, REMOVE)),
                FormField(NEW_NAME, "name", value=run.name),
                *(
                    FormField(option, option.name.replace("_", " "), _roles(run) if option is ROLE else (),
                              known[option.name])
                    for option in ABOUT_MODEL
                ),
                FormField(REASON, "reason"),
            ),
        )  # fmt: skip

    @property
    def run(self) -> Run:
        return self.runs[self.form.chosen(OF_RUN.name)]

    def changed(self, name: str) -> None:
        if name == OF_RUN.name:
            run = self.run
            self.form.type(NEW_NAME.name, run.name)
            self.form.choose(ROLE.name, 0, _roles(run))
            for field, value in known_of(run).items():
                if field != ROLE.name:
                    self.form.type(field, value)
        removing = self.removing
        for option in (NEW_NAME, *ABOUT_MODEL):
            self.form.show(option.name, not removing)
        super().changed(name)

    @property
    def removing(self) -> bool:
        return self.form.chosen(WHAT.name) == 1

    @property
    def new_name(self) -> str | None:
        name = self.form.text(NEW_NAME.name).strip()
        return name if name != self.run.name else None

    def said(self) -> dict[str, Any]:
        """What is said of the model that was not known so. Raises UsageError: a field is wrong."""
        known, found = known_of(self.run), {}
        for option in ABOUT_MODEL:
            if option is ROLE:
                chosen = _roles(self.run)[self.form.chosen(ROLE.name)]
                value, text = chosen, chosen if self.form.chosen(ROLE.name) else known[ROLE.name]
            else:
                text = self.form.text(option.name).strip()
                value = self.form.value(option.name)
            if text == known[option.name]:
                continue
            if not text:
                raise UsageError(
                    f"{option.name.replace('_', ' ')} cannot be made unknown",
                    f"It is {known[option.name]}.",
                    "Say another, or take back what was said: I, then U.",
                )
            found[option.name] = value
        return found

    def effect(self) -> tuple[str, list[str]]:
        run, reason, yes = self.run, self.reason, {"--yes": True}
        if self.removing:
            words = (
                f"{remove_question(run)} It is left out on every screen, in commands and in exports; what is stored "
                "stays until passk compact --forget."
            )
            return words, [command_line("run remove", [run.name], {**yes, "--reason": reason}, self.store)]
        name, said = self.new_name, self.said()
        lines, commands = [], []
        if name is not None:
            if not name:
                raise UsageError("A run needs a name", next_step="Type one, or esc to leave it as it is.")
            lines.append(f"{rename_question(run, name)} {run.stored_name or run.name} still means it.")
            commands.append(command_line("run rename", [run.name, name], {**yes, "--reason": reason}, self.store))
        if said:
            about = ", ".join(f"{field.replace('_', ' ')} {value}" for field, value in said.items())
            model = "" if set(said) == {MODEL_PATH.name} else f", of every run of the model {run.model.name}"
            lines.append(f"Say of {name or run.name}: {about}{model}?")
            options = {option.spelling: said.get(option.name) for option in ABOUT_MODEL}
            options["--reason"] = reason
            commands.append(command_line("run set", [name or run.name], options, self.store))
        if not lines:
            raise UsageError(
                "Nothing is changed yet", next_step="Type another name, role, step …; esc leaves all as it is."
            )
        return "\n".join(lines), commands

    def write(self) -> Callable[[Reader], list[str]]:
        run, reason = self.run, self.reason
        if self.removing:
            return lambda reader: made_in_words(remove_run(reader, reader.run(run.name), reason))
        name, said = self.new_name, self.said()

        def write(reader: Reader) -> list[str]:
            lines: list[str] = []
            if name:
                lines += made_in_words(rename_run(reader, reader.run(run.name), name, reason))
            if said:
                lines += made_in_words(set_run(reader, reader.run(name or run.name), **said, reason=reason))
            return lines

        return write


def _roles(run: Run) -> tuple[str, ...]:
    """What it has first, then what it may have."""
    role = run.model.role
    return (role or "unknown", *(each for each in ROLES if each != role))


def known_of(run: Run) -> dict[str, str]:
    """What is known of a run, by the names of the options that say it; empty where nothing is."""
    model = run.model
    values = {
        "role": model.role,
        "from_model": model.from_model,
        "step": model.step,
        "algorithm": model.algorithm,
        "model_path": run.parameters.get("model_path"),
    }
    return {name: "" if value is None else str(value) for name, value in values.items()}


# Imports and decisions


class UndoDialog(DecisionDialog):
    """An import or a decision is taken back, or brought back: passk undo and redo."""

    def __init__(self, change: str, words: str, *, again: bool) -> None:
        self.change, self.words, self.again = change, words, again
        verb = "brings it back" if again else "takes it back"
        super().__init__("Bring back" if again else "Take back", verb, fields=(FormField(REASON, "reason"),))

    def how_back(self) -> str:
        opposite = "undo" if self.again else "redo"
        return f"The opposite: U once more, or passk {opposite} {self.change}."

    def effect(self) -> tuple[str, list[str]]:
        command = "redo" if self.again else "undo"
        line = command_line(command, [self.change], {"--yes": True, "--reason": self.reason}, self.store)
        return undo_question(self.words, again=self.again), [line]

    def write(self) -> Callable[[Reader], list[str]]:
        change, reason, act = self.change, self.reason, redo if self.again else undo
        return lambda reader: taken_back_in_words(act(reader, change, reason))


# Verdicts and references


class OverrideDialog(DecisionDialog):
    """A person's verdict counts instead of the verifier's: passk override."""

    def __init__(self, path: Response) -> None:
        self.path = path
        sample = path.sample
        others = tuple(word for word in NEW_VERDICT.choices if word not in (sample.verdict, "withdraw"))
        # Of an overridden verdict most often the end is wanted; withdrawing comes first then.
        self.verdicts = ("withdraw", *others) if sample.overridden else others
        super().__init__(
            "Override the verdict",
            "writes it",
            fields=(
                FormField(NEW_VERDICT, "verdict", tuple(word.replace("_", " ") for word in self.verdicts)),
                FormField(REASON, "reason"),
            ),
        )

    @property
    def verdict(self) -> str:
        return self.verdicts[self.form.chosen(NEW_VERDICT.name)]

    def effect(self) -> tuple[str, list[str]]:
        path, verdict = self.path, self.verdict
        if verdict != "withdraw" and self.reason is None:
            raise UsageError("Why? A verdict is overridden with a reason, which is kept with author and time.")
        place = path_in_words(path)
        words = (
            f"Withdraw the override of {place}? The verdict of before counts again."
            if verdict == "withdraw"
            else f"Override the verdict of {place}: {path.sample.verdict} → {verdict}? Counts, sets and curves "
            "follow at once; the verdict of before stays beside."
        )
        options = {"--run": path.run.name, "--problem": path.problem_label, "--reason": self.reason}
        return words, [command_line("override", [str(path.sample.index), verdict], options, self.store)]

    def write(self) -> Callable[[Reader], list[str]]:
        path, verdict, reason = self.path, self.verdict, self.reason

        def write(reader: Reader) -> list[str]:
            now = reader.path(reader.run(path.run.name), path.problem_key, path.sample.index)
            return made_in_words(override(reader, now, None if verdict == "withdraw" else verdict, reason))

        return write


class ReferenceDialog(DecisionDialog):
    """Another reference answer counts for a problem, whose samples are verified anew: passk reference set."""

    def __init__(self, problem: Problem, benchmark: str) -> None:
        self.problem, self.benchmark = problem, benchmark
        super().__init__(
            f"Reference answer of {problem.label}",
            "writes it",
            f"It is {UNKNOWN if problem.reference is None else problem.reference}.",
            (FormField(REFERENCE, "reference", value=problem.reference or ""), FormField(REASON, "reason")),
        )

    @property
    def reference(self) -> str:
        return self.form.text(REFERENCE.name).strip()

    def effect(self) -> tuple[str, list[str]]:
        label, reference = self.problem.label, self.reference
        if reference == (self.problem.reference or ""):
            raise UsageError("Nothing is changed yet", next_step="Type the right answer; esc leaves all as it is.")
        if not reference:
            raise UsageError("A reference without a character", next_step="Say what the right answer is.")
        samples = sum(tally.texts for tally in self.problem.tallies)
        words = (
            f"Let {reference} count for problem {label} of {self.benchmark}? Its {samples:,} stored samples are "
            "verified anew, in every run; the verdicts of before stay beside."
        )
        options = {"--reason": self.reason}
        return words, [command_line("reference set", [self.benchmark, label, reference], options, self.store)]

    def write(self) -> Callable[[Reader], list[str]]:
        benchmark, label, reference, reason = self.benchmark, self.problem.label, self.reference, self.reason

        def write(reader: Reader) -> list[str]:
            return made_in_words(set_references(reader, benchmark, {label: reference}, reason=reason))

        return write


# Judgements


class WithdrawDialog(DecisionDialog):
    """What this person judged of a path is taken back: passk judge --withdraw."""

    def __init__(self, path: Response, judgement: str, *, blind: bool = False) -> None:
        """`blind`: nothing is said that tells which run it is."""
        self.path, self.judgement, self.blind = path, judgement, blind
        super().__init__("Withdraw your judgement", "withdraws it")

    def how_back(self) -> str:
        return "It stays in the history; to judge again: v, x or u."

    def effect(self) -> tuple[str, list[str]]:
        path = self.path
        place = path_in_words(path, blind=self.blind)
        if self.blind:
            return f"Withdraw {self.judgement} on {place}?", []
        options = {"--run": path.run.name, "--problem": path.problem_label, "--sample": path.sample.index}
        return f"Withdraw {self.judgement} on {place}?", [command_line("judge --withdraw", [], options, self.store)]

    def write(self) -> Callable[[Reader], list[str]]:
        path, book, blind = self.path, self.explorer.judgement_book, self.blind

        def write(reader: Reader) -> list[str]:
            return judgement_in_words(withdraw_judgement(reader, book, path), path, blind=blind)

        return write
