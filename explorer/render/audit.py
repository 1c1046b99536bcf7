"""An audit on the screen: its sentences, its tables, and both curves by both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backend import (
    audit_curves_table,
    audit_notes,
    audit_runs_table,
    audit_sets_table,
    audit_table,
    differences_in_words,
    powers_and_end,
)
from backend.records.audit import Audit, DisputedPath
from backend.records.table import Table
from backend.wording import set_name, short_names, with_noun
from explorer.render.curves import MARKERS, Lines, PlottedLine

VIEWS: Mapping[str, Callable[[Audit], Table]] = {
    "problems": audit_table,
    "runs": audit_runs_table,
    "sets": audit_sets_table,
    "curves": audit_curves_table,
}
"""What the rows are -> the table of it."""


def audit_in_words(done: Audit, view: str) -> tuple[str, list[str]]:
    """What is said first, and what else belongs to a view."""
    first, *rest = audit_notes(done)
    differences = differences_in_words(done)
    sets, curves, *read = rest[len(differences) :]
    return first, {
        "problems": [*differences, sets],
        "runs": [*differences, *read],
        "sets": [sets],
        "curves": [curves, legend(done)],
    }[view]


def legend(done: Audit) -> str:
    words = short_names([of.run for of in done.runs])
    names = [f"{word}: {view.side}" for view in done.views for word in words]
    return "  ".join(f"{MARKERS[place]} {name}" for place, name in enumerate(names))


def audit_lines(done: Audit) -> Lines:
    """Base and RL by either side over log2 k."""
    from math import log2

    ks = powers_and_end(len(done.views[0].curves[0]))
    xs = tuple(log2(k) for k in ks)
    lines = [
        PlottedLine(xs, tuple(100 * curve[k - 1].pass_at_k for k in ks), 2 * place + run)
        for place, view in enumerate(done.views)
        for run, curve in enumerate(view.curves)
    ]
    return Lines(tuple(lines), xs, tuple(map(str, ks)), "k", "pass@k %")


def dispute_in_words(path: DisputedPath, sides: tuple[str, str], words: tuple[str, ...], read: int, total: int) -> str:
    """What both sides say of a path, and how far one has come."""
    said = f", read: {path.said}" if path.said else ""
    verdicts = f"{sides[0]}: {path.first}, {sides[1]}: {path.second}{said}"
    return f"{verdicts}  {set_name(path.set, words)}  {read:,} of {with_noun(total, 'disputed path')} read"
