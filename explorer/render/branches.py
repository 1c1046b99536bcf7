"""A branch of the search tree in a few words and signs, for the screen and the command line."""

from __future__ import annotations

from backend.records.reading import Branch
from backend.wording import count

ONLY_FIRST, ONLY_SECOND = "−", "+"
"""Signs of branches that only the first or only the second of two runs takes, as in a diff from base to RL."""

_KIND_WORDS = {"end": "(ends here)", "no_text": "(no text stored)"}


def only_run(branch: Branch) -> int | None:
    """Place of the run that alone takes a branch; None where several do, or where there is only one run."""
    takers = [place for place, tally in enumerate(branch.tallies) if tally.taken]
    return takers[0] if len(takers) == 1 < len(branch.tallies) else None


def sign_of(branch: Branch) -> str:
    """The sign of a one-sided branch: for two runs − or +, for more the number of the run; else empty."""
    only = only_run(branch)
    if only is None:
        return ""
    return (ONLY_FIRST, ONLY_SECOND)[only] if len(branch.tallies) == 2 else str(only + 1)


def branch_words(branch: Branch) -> str:
    """What stands for a branch on its line."""
    if branch.kind == "more":
        return f"{count(branch.ways)} rarer branches"
    return _KIND_WORDS.get(branch.kind) or branch.text.strip()
