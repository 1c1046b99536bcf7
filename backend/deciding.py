"""How a decision is written: as one part, which everybody sees whole, and which only a later decision takes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import astuple, replace

from backend.errors import UsageError
from backend.store.database import Database
from backend.store.decisions import KIND, Decided, Decision, moment_after
from backend.store.identity import author_name
from backend.store.locks import exclusive_lock
from backend.store.parts import Manifest

LONGEST_REASON = 10_000
"""Characters of a reason."""


def id_of(part: str) -> str:
    """What people call a part: the random end of its name."""
    end = part.rsplit("-", 1)[-1]
    return end if len(end) == 8 and part.count("-") > 1 else part


def write_decisions(
    database: Database,
    rows: Callable[[Decided], Iterable[Decision]],
    reason: str | None = None,
    matches: Callable[[], Iterable[tuple[int, int]]] = tuple,
) -> Manifest:
    """Publish decisions as one part, which counts from then on; the database sees it afterwards.

    Args:
        rows: makes them of what was decided before; called when nobody else can decide anything meanwhile.
        reason: why, kept with each.
        matches: called after `rows`; the problems that these decisions match, each with the one that was there first.

    Raises:
        UsageError: by `rows`, or a reason that is too long.
        StoreError: the store cannot be written.
    """
    from backend.store.part_writer import PartWriter

    reason = (reason or "").strip() or None
    if reason is not None and len(reason) > LONGEST_REASON:
        raise UsageError(f"A reason of {len(reason):,} characters is too long", f"At most {LONGEST_REASON:,} are kept.")
    with PartWriter(database.layout, KIND) as part, exclusive_lock(database.layout.publish_lock):
        database.refresh()
        author, created = author_name(), moment_after(database.decided.every)
        made = [
            replace(row, author=author, created=created, reason=reason if row.reason is None else row.reason)
            for row in rows(database.decided)
        ]
        # The last column, `part`, is the writer's.
        part.write(KIND, [astuple(row)[:-1] for row in made])
        if matched := list(matches()):
            part.write("matches", matched)
        manifest = part.publish()
    database.refresh()
    return manifest
