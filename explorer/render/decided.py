"""What is asked before something is decided, and what is said after it: one sentence for dialogs and commands."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from backend import run_in_words
from backend.records import Response, Run
from backend.records.decisions import DecisionMade, Forgettable, TakenBack
from backend.records.reading import JUDGEMENTS, WITHDRAWN, JudgementMade
from backend.wording import with_noun


def rename_question(run: Run, name: str) -> str:
    return f"Call {run.name} {name}?"


def remove_question(run: Run) -> str:
    return f"Leave out {run_in_words(run)}?"


def undo_question(words: str, *, again: bool) -> str:
    """Args: words: the import or decision that is meant."""
    return f"{'Bring back' if again else 'Take back'} {words}?"


def made_in_words(done: DecisionMade) -> list[str]:
    """What was decided, what followed from it, and how it is taken back."""
    return [done.words, *(f"  {note}" for note in done.notes), _taken_back_by(done.id)]


def taken_back_in_words(done: TakenBack) -> list[str]:
    """The same of something that was taken back, or brought back."""
    first = f"{'Brought back' if done.counts_again else 'Taken back'}: {done.words}"
    return [first, *(f"  {note}" for note in done.notes), _taken_back_by(done.id)]


def _taken_back_by(decision: str) -> str:
    return f"Decision {decision}; to take it back: passk undo {decision}"


def forgettable_in_words(lost: Forgettable) -> list[str]:
    """What would be dropped for good, a line each."""
    lines = [*lost.imports, *lost.runs, *lost.decisions]
    if lost.samples:
        lines.append(f"with all that: {with_noun(lost.samples, 'sample')}, {with_noun(lost.texts, 'text')}")
    if lost.replaced:
        lines.append(f"{with_noun(lost.replaced, 'decision')} that others replaced, or that were withdrawn")
    if lost.judgements:
        lines.append(f"{with_noun(lost.judgements, 'judgement')} withdrawn, or said otherwise since by the same author")
    return lines


def path_in_words(path: Response, *, blind: bool = False) -> str:
    """Which sample it is; `blind`, nothing that tells its run."""
    if blind:
        return f"this path of problem {path.problem_label}"
    return f"sample {path.sample.index} of problem {path.problem_label} in {path.run.name}"


def judgement_in_words(made: JudgementMade, path: Response, *, blind: bool = False) -> list[str]:
    """What was said of the reasoning of a path, and how it is taken back."""
    place = path_in_words(path, blind=blind)
    if not made.written:
        return [f"{made.author} said {made.what} of {place} already: nothing was written"]
    if made.judgement == WITHDRAWN:
        return [f"{made.author} withdrew {made.before} on {place}; it stays in the history"]
    lines = [f"{made.author}: {made.what} on {place}{f' instead of {made.before}' if made.before else ''}"]
    if blind:
        return [*lines, "To take it back: go back to it (←) and press U"]
    if made.judgement in JUDGEMENTS:
        options = {"--run": path.run.name, "--problem": path.problem_label, "--sample": path.sample.index}
        lines.append(f"To take it back: {command_line('judge --withdraw', (), options, None)} (U on the path)")
    return lines


def command_line(command: str, values: Sequence[str], options: Mapping[str, Any], store: str | None) -> str:
    """The command that does what a dialog does.

    Args:
        values: what is no option.
        options: `--role` -> its value; those of None are left out, one of True is a flag.
        store: its folder, where it is not the one that is opened without a name.
    """
    said = []
    for name, value in {**options, "--store": store}.items():
        if value is True:
            said.append(name)
        elif value is not None:
            # In one word where it would be taken for an option.
            said += [f"{name}={value}"] if str(value).startswith("-") else [name, str(value)]
    if any(value.startswith("-") for value in values):
        return shlex.join(["passk", *command.split(), *said, "--", *values])
    return shlex.join(["passk", *command.split(), *values, *said])
