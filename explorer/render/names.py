"""Marks of verdicts, names that fit, and how far something is."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

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
_PART = re.compile(r"(?:\d+(?:\.\d+)+|[^-_/@.:\s])+[-_/@.:\s]*|[-_/@.:\s]+")
"""A part with the separators behind it; 2.5 is one part."""
MOST_PARTS = 24
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
    different = list(dict.fromkeys(names))
    if all(cell_len(name) <= width for name in different):
        return list(names)
    parts = {name: _PART.findall(name) for name in different}
    lists = list(parts.values())
    before, after = _shared(lists), _shared([each[::-1] for each in lists])
    taken = set(different)
    short: dict[str, str] = {}
    for name in different:
        if cell_len(name) > width:
            found = next((cut for cut in _cuts(parts[name], width, before, after) if cut not in taken), None)
            short[name] = found if found is not None else _one_of(name, width, taken)
            taken.add(short[name])
    return [short.get(name, name) for name in names]


def _shared(lists: Sequence[Sequence[str]]) -> int:
    """How many parts all of several names begin with, never all of one."""
    if len(lists) < 2:
        return 0
    same = next((place for place, found in enumerate(zip(*lists, strict=False)) if len(set(found)) > 1), None)
    return min(min(map(len, lists)) - 1 if same is None else same, *(len(each) - 1 for each in lists))


def _cuts(parts: Sequence[str], width: int, before: int, after: int) -> list[str]:
    """Ways to write a name within the width, the best first: what tells it apart stays, then as much as finds room.

    Args:
        before: parts at the beginning that other names have too.
        after: the same at the end.
    """
    size = len(parts)
    if size > MOST_PARTS:
        return []
    first, end = before, max(size - after, before + 1)
    own = "".join(parts[first:end])
    ways = [
        (0, head, tail, "".join(parts[:head]) + CUT * (head < first) + own + CUT * (end < tail) + "".join(parts[tail:]))
        for head in range(first + 1)
        for tail in range(end, size + 1)
        if before or after
    ]
    ways += [
        (1 + (not head or tail == size), head, tail, "".join(parts[:head]) + CUT + "".join(parts[tail:]))
        for head in range(size)
        for tail in range(head + 1, size + 1)
        if head or tail < size
    ]
    fitting = [
        (rank, -cells, abs(head - (size - tail)), -head, text)
        for rank, head, tail, text in ways
        if (cells := cell_len(text)) <= width
    ]
    return [text for *_, text in sorted(fitting)]


def _begun(name: str, width: int) -> str:
    """As much of the beginning as fits before a cut; a number is left out rather than cut."""
    kept = set_cell_size(name, max(width - 1, 0)).rstrip()
    if (rest := name[len(kept) :]) and rest[0].isdigit():
        kept = re.sub(r"\d[\d.]*\Z", "", kept) or kept
    return kept + CUT


def _one_of(name: str, width: int, taken: Set[str]) -> str:
    """A name that cannot be cut between its parts: its beginning, and a number where others begin so too."""
    begun = _begun(name, width)
    number = 1
    while begun in taken:
        number += 1
        begun = _begun(name, width - len(f"#{number}")) + f"#{number}"
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
