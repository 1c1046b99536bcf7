"""Marks of verdicts, names that fit, and how far something is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import lru_cache
from itertools import accumulate, combinations_with_replacement

from rich.cells import cell_len, set_cell_size

from backend.records import NOT_JUDGED, Run, Sample
from backend.wording import run_label

VERDICT_MARKS = {
    "correct": "✓",
    "wrong": "✗",
    "no_answer": "∅",
    "truncated": "…",
    "timeout": "⧖",
    "error": "!",
    "unverified": "?",
}
VERDICT_STYLES = {"correct": "bold green", "wrong": "red", "unverified": "dim"}


OVERRIDDEN = "†"
"""Stands at a verdict that a person has given instead of the verifier's."""


def marked_verdict(verdict: str, *, overridden: bool = False) -> str:
    return f"{VERDICT_MARKS[verdict]}{OVERRIDDEN if overridden else ' '}{verdict.replace('_', ' ')}"


def sample_verdict(sample: Sample) -> str:
    return marked_verdict(sample.verdict, overridden=sample.overridden)


def is_correct(verdict: str) -> bool | None:
    """None for a sample that was not judged, which is neither correct nor incorrect."""
    return None if verdict in NOT_JUDGED else verdict == "correct"


def progress_bar(done: float | None, total: float | None, width: int = 30) -> str:
    """A bar of that many cells."""
    filled = round(width * min((done or 0) / total, 1)) if total else 0
    return "█" * filled + "░" * (width - filled)


# Names that do not fit. What is cut away is whole parts between separators, so that no number is ever half of another
# (step-1300 never reads …300, Qwen2.5-72B never 2B), and of several names never what tells them apart.

CUT = "…"
SEPARATORS = "-_/@.: "
_PART = re.compile(r"(?:\d+(?:\.\d+)+|[^-_/@.:\s])+[-_/@.:\s]*|[-_/@.:\s]+")
"""A part with the separators behind it; 2.5 is one part."""
MOST_PARTS = 12
"""A text of more parts is no name: it keeps its beginning."""


def shorten_middle(name: str, width: int) -> str:
    """A long name keeps its beginning and its end, where versions and steps stand; `width` is in cells."""
    return fitting_names([name], width)[0]


def fitting_names(names: Sequence[str], width: int) -> list[str]:
    """Names of at most so many cells; different ones stay different, if there are a few cells for that.

    Args:
        names: any; the same name comes out the same.
        width: cells for each.
    """
    if all(cell_len(name) <= width for name in names):
        return list(names)
    short = _fitting(tuple(dict.fromkeys(names)), width)
    return [short[name] for name in names]


@lru_cache(maxsize=64)
def _fitting(names: tuple[str, ...], width: int) -> Mapping[str, str]:
    parts = {name: _PART.findall(name) for name in names}
    times = Counter(part.strip(SEPARATORS) for each in parts.values() for part in set(each))
    taken = set(names)
    short = {name: name for name in names}
    for name in names:
        if cell_len(name) > width:
            found = next((cut for cut in _cuts(parts[name], width, times) if cut not in taken), None)
            short[name] = found if found is not None else _one_of(name, width, taken)
            taken.add(short[name])
    return short


def _cuts(parts: Sequence[str], width: int, times: Mapping[str, int]) -> list[str]:
    """Ways to write a name within the width, the best first: a beginning, a middle or an end of it, or two of them.

    Those parts stay that few of the names have, then the two ends, then as much as finds room.

    Args:
        times: how many names have each part.
    """
    size = len(parts)
    if not 1 < size <= MOST_PARTS:
        return []
    cells = [0, *accumulate(map(cell_len, parts))]
    worth = [0.0, *accumulate(1 / times.get(part.strip(SEPARATORS), 1) for part in parts)]
    ways = []
    for first, end, again, last in combinations_with_replacement(range(size + 1), 4):
        # What is kept is parts[first:end] and parts[again:last]; all but the last comparison leave one way to say it.
        kept = cells[end] - cells[first] + cells[last] - cells[again]
        if first == end or (again == last) != (again == size) or (end == again < size) or (first, end) == (0, size):
            continue
        gaps = (first > 0) + (again < size and end < again) + (max(end, last if again < size else 0) < size)
        if kept + gaps <= width:
            both_ends = first == 0 and again < size == last
            value = worth[end] - worth[first] + worth[last] - worth[again]
            ways.append((-round(value, 6), not both_ends, -kept, first, end, again, last))
    return ["".join(_written(parts, *way[3:])) for way in sorted(ways)]


def _written(parts: Sequence[str], first: int, end: int, again: int, last: int) -> Iterator[str]:
    yield CUT * (first > 0)
    yield from parts[first:end]
    yield CUT * (end < again)
    yield from parts[again:last]
    yield CUT * (again < last < len(parts))


def shorten_end(name: str, width: int) -> str:
    """As much of the beginning as fits before a cut; a number is left out rather than cut."""
    if cell_len(name) <= width:
        return name
    kept = set_cell_size(name, max(width - 1, 0)).rstrip()
    if (rest := name[len(kept) :]) and rest[0].isdigit():
        kept = re.sub(r"\d[\d.]*\Z", "", kept) or kept
    return kept + CUT


def _one_of(name: str, width: int, taken: Set[str]) -> str:
    """A name that cannot be cut between its parts: its beginning, and a number where others begin so too."""
    begun = shorten_end(name, width)
    number = 1
    while begun in taken:
        number += 1
        begun = shorten_end(name, width - len(f"#{number}")) + f"#{number}"
    return begun


def pair_label(base: Run, rl: Run, width: int) -> str:
    """Two runs with an arrow between them, each in half the room or in what the other leaves."""
    names = [run_label(base), run_label(rl)]
    room = max(width - len(ARROW), 2)
    first, second = fitting_names(names, room // 2)
    for _ in range(2):
        # What one does not need the other has.
        first = fitting_names(names, max(room - cell_len(second), room // 2))[0]
        second = fitting_names(names, max(room - cell_len(first), room // 2))[1]
    return f"{first}{ARROW}{second}"


ARROW = " → "
