"""Which of several rewards of a training dump is about right answers, and so gives the verdict."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backend.importers.gathering import chosen
from backend.importers.protocol import Notes, Options, SourceFile

ABOUT_ANSWERS = re.compile(r"accura|correct|solve|verif|answer|exact|pass", re.IGNORECASE)
ABOUT_FORM = re.compile(r"format|length|len_|tag|language|repetition|cosine|xml|think", re.IGNORECASE)


def about_answers(source: SourceFile, rewards: Sequence[str], options: Options, notes: Notes) -> str | None:
    """The reward whose word counts: the one that the user names, else the one whose name says so, or the only one.

    Returns:
        None where nothing tells which is about right answers.

    Raises:
        UsageError: there is no reward of the name that the user gave.
    """
    if options.filter is not None:
        return chosen(source, rewards, options, notes, "rewards")
    about = [name for name in rewards if ABOUT_ANSWERS.search(name)]
    if len(about) == 1:
        used: str | None = about[0]
    elif len(rewards) == 1 and not ABOUT_FORM.search(rewards[0]):
        used = rewards[0]
    else:
        used = None
    if used is None:
        notes.add(
            f"files with rewards ({', '.join(rewards) or 'none'}) of which none is surely about right answers: "
            "unverified; --filter NAME chooses one"
        )
    elif len(rewards) > 1:
        notes.add(f"files with several rewards: {used} gives the verdict, the others are kept as details")
    return used
