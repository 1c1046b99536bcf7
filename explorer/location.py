"""Where one is in the explorer: a frozen location that every screen is made from, and the permalink that reopens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from backend.errors import UsageError, suggestion

if TYPE_CHECKING:
    from backend import Reader


@dataclass(frozen=True, slots=True)
class Location:
    """A spot in the store. Each screen uses what it needs and passes the rest on; the screen stack is the way back."""

    benchmark: str = ""
    runs: tuple[str, ...] = ()
    """Names of the runs compared; for a pair, base first."""
    k: int = 1
    """Where the cursor stands on the curves."""
    min_correct: int = 1
    solved: tuple[bool, ...] | None = None
    """The solve set looked at: which of the runs solve its problems; None for all problems, or before one is chosen."""
    problem: int | None = None
    """Key of a problem."""
    run: str | None = None
    """Run whose samples are looked at."""
    sample: int | None = None
    false_positives: str = ""
    """Rate of false positives that is supposed, as `--false-positives` takes it; empty for none."""
    filter: str = ""
    """Selector of the only problems that are looked at; empty for all."""
    find: str = ""
    """What was searched for, as it was typed; the reader points it out."""

    def to(self, **changes: Any) -> Location:
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class ExportContext:
    """What a screen shows of its location: what its export begins with."""

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
    judged: bool = False
    """Whether the judged view is looked at: sets by valid paths."""
    sides: tuple[str, str] | None = None
    """Whose verdicts an audit compares."""


# The permalink: `@path,benchmark=...,problem=...,sample=3`, which opens a location on another copy of the store.

SCREENS = ("home", "curves", "sets", "problem", "path")
"""The screens on the way down, each of which a line can open."""

ALL = "all"
"""In place of a solve set: all problems were looked at, which is a choice too. It is read as ()."""

_WRITE: dict[str, Callable[[Any], str]] = {
    "benchmark": quote,
    "runs": lambda runs: "+".join(quote(run, safe="") for run in runs),
    "k": str,
    "min_correct": str,
    "solved": lambda solved: "".join("01"[entry] for entry in solved) or ALL,
    "problem": lambda key: f"{key:016x}",
    "run": lambda run: quote(run, safe=""),
    "sample": str,
    "false_positives": lambda text: quote(text, safe=""),
    "filter": lambda text: quote(text, safe=""),
    "find": lambda text: quote(text, safe=""),
}
"""Field of a location -> how its value is written: in characters that no shell treats specially."""

_READ: dict[str, Callable[[str], Any]] = {
    "benchmark": unquote,
    "runs": lambda text: tuple(unquote(run) for run in text.split("+")),
    "k": int,
    "min_correct": int,
    "solved": lambda text: () if text == ALL else tuple({"0": False, "1": True}[letter] for letter in text),
    "problem": lambda text: int(text, 16),
    "run": unquote,
    "sample": int,
    "false_positives": unquote,
    "filter": unquote,
    "find": unquote,
}


def permalink(screen: str, location: Location) -> str:
    """The permalink of a location; a screen beside the way down is written as the nearest one on it."""
    if screen not in SCREENS:
        deepest = [
            ("path", location.sample),
            ("problem", location.problem),
            ("sets", location.solved),
            ("curves", location.runs),
        ]
        screen = next((name for name, value in deepest if value not in (None, ())), "home")
    empty = Location()
    fields = [
        f"{name}={write(value)}"
        for name, write in _WRITE.items()
        if (value := getattr(location, name)) != getattr(empty, name)
    ]
    everything = [f"solved={ALL}"] if screen == "sets" and location.solved is None else []
    return ",".join([f"@{screen}", *fields, *everything])


@dataclass(frozen=True, slots=True)
class ResolvedPermalink:
    """A location that exists in a store, and the screen that shows it."""

    screen: str
    location: Location
    label: str
    """Of the location's problem; empty where it has none."""


def resolve_permalink(reader: Reader, line: str) -> ResolvedPermalink:
    """Where a permalink leads in this store.

    Raises:
        UsageError: not a permalink, or one that this store does not have.
    """
    screen, location = parse_permalink(line)
    if screen != "home":
        reader.benchmark(location.benchmark or None)
        known = {run.name for run in reader.runs(location.benchmark)}
        missing = [run for run in (*location.runs, *((location.run,) if location.run else ())) if run not in known]
        if missing:
            raise UsageError(
                f"This store has no run {missing[0]}",
                next_step=suggestion(missing[0], sorted(known), "run"),
            )
        if location.solved and len(location.solved) != len(location.runs):
            raise UsageError(f"{line} is a solve set of {len(location.solved)} runs, and names {len(location.runs)}")
    label = ""
    if screen in ("problem", "path"):
        found = reader.labels(location.benchmark).get(-1 if location.problem is None else location.problem)
        if found is None:
            raise UsageError(f"This store has no such problem of {location.benchmark}", f"The place is {line}.")
        label = found
    if screen == "path" and location.sample is not None:
        reader.path(reader.run(location.run or ""), location.problem or 0, location.sample)
    return ResolvedPermalink(screen, location, label)


def parse_permalink(line: str) -> tuple[str, Location]:
    """The screen and the location of a permalink. Raises UsageError: not a permalink; says which field is wrong."""
    screen, *fields = line.removeprefix("@").strip().split(",")
    if screen not in SCREENS:
        raise UsageError(f"@{screen} is no place", next_step=f"A place begins with one of @{', @'.join(SCREENS)}.")
    values: dict[str, Any] = {}
    for field in fields:
        name, _, text = field.partition("=")
        try:
            values[name] = _READ[name](text)
        except (KeyError, ValueError):
            raise UsageError(
                f"{field} in {line} is not part of a place",
                next_step=f"Copy the line again (Y in the explorer). Fields: {', '.join(_READ)}.",
            ) from None
    return screen, Location(**values)
