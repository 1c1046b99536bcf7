"""An import or a decision in words, below the list."""

from __future__ import annotations

from textual.content import Content

from backend import brought_in_words
from backend.records.decisions import DecisionEntry, ImportEntry
from explorer.render.text import join_lines, literal


def change_details(entry: ImportEntry | DecisionEntry) -> Content:
    """An import or a decision with everything that the table has no room for."""
    who = f"by {entry.author or 'unknown'}, {entry.created[:16].replace('T', ' ')} UTC"
    if isinstance(entry, DecisionEntry):
        reason = [literal(f"reason: {entry.reason}")] if entry.reason else []
        state = "taken back: U brings it back" if entry.taken_back else "counts: U takes it back"
        return join_lines([literal(entry.words, "bold"), f"{entry.kind} {entry.id} {who}; {state}", *reason])
    what = brought_in_words(entry)
    more = f" and {len(entry.files) - 3:,} more" if len(entry.files) > 3 else ""
    state = "counts: U takes it back"
    if entry.taken_back:
        at = (entry.taken_back_at or "")[:16].replace("T", " ")
        state = f"taken back by {entry.taken_back_by or 'unknown'}, {at} UTC: U brings it back"
    return join_lines(
        [
            literal(f"import {entry.id}: {what} of {', '.join(entry.runs) or 'no run'}", "bold"),
            f"{who}; {state}",
            f"from {', '.join(entry.files[:3])}{more}",
        ]
    )
