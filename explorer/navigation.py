"""Where one is: a frozen place that every screen is made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """A spot in the store. Each screen uses what it needs and passes the rest on; the screen stack is the way back."""

    benchmark: str = ""
    runs: tuple[str, ...] = ()
    """Names of the runs compared; for a pair, base first."""
    k: int = 1
    """Where the cursor stands on the curves."""
    min_correct: int = 1
    solved: tuple[bool, ...] | None = None
    """The solve set looked at: which of the runs solve its problems; None for all problems."""
    problem: int | None = None
    """Key of a problem."""
    run: str | None = None
    """Run whose samples are looked at."""
    sample: int | None = None
    filter: str = ""
    """Selector of the only problems that are looked at; empty for all."""
    find: str = ""
    """What was searched for, as it was typed; the reader points it out."""

    def to(self, **changes: Any) -> Place:
        """This place with some changes."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a screen shows of its place: what its export begins with."""

    figure: str = ""
    """The figure that is looked at, as exports call it."""
    base: str = ""
    """The run that others are seen against, where it may not be among the runs shown."""
    bands: str = "problems"
    """What the intervals are over; `off` where none are shown."""
    marked: tuple[str, ...] = ()
    """Labels of the marked problems."""
    find: str = ""
    """What was searched for."""
    verdict: str | None = None
