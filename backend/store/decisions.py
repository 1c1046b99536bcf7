"""What was decided about rows that are there, and what that comes to: parts taken back, runs renamed or removed.

A decision is a row that a part of kind `decisions` brings; nothing that it is about is rewritten. Of several about one
thing the last counts. Taking a decision back is a decision too, so that undoing an undo works.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from backend.store.identity import run_key
from backend.store.parts import Manifest

KIND = "decisions"
"""Kind of the parts."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of `decisions`; its columns are explained in `queries/schema/0006_decisions.sql`."""

    kind: str
    target: str | None = None
    run_key: int | None = None
    problem_key: int | None = None
    sample: int | None = None
    field: str | None = None
    value: str | None = None
    reason: str | None = None
    author: str = ""
    created: datetime | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What all decisions of a store come to."""

    every: tuple[Decision, ...] = ()
    """In the order in which they were made, those taken back among them."""
    taken_back: frozenset[str] = frozenset()
    """Parts that do not count: imports, and decisions."""
    counting: tuple[Decision, ...] = ()
    """The decisions that count."""
    removed: Mapping[int, Decision] = field(default_factory=dict)
    """The last removal of each removed run, by its key."""
    names: Mapping[int, str] = field(default_factory=dict)
    """What renamed runs are called now, by their keys."""
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What was said of a model after it came: field -> value, by its name."""

    @property
    def overrides(self) -> bool:
        """Whether any verdict was ever overridden."""
        return any(row.kind == "override" for row in self.counting)

    @property
    def hides(self) -> bool:
        """Whether any row is left out."""
        return bool(self.taken_back or self.removed)

    def name_of(self, stored_name: str) -> str:
        """What the run is called now that came with that name."""
        return self.names.get(run_key(stored_name), stored_name)

    def counted(self, manifests: Mapping[str, Manifest]) -> dict[str, Manifest]:
        """The manifests of what counts: without parts that are taken back, and without runs that were removed later."""
        found = {}
        for part, manifest in manifests.items():
            if part in self.taken_back:
                continue
            gone = {
                run.run
                for run in manifest.runs
                if (removal := self.removed.get(run_key(run.run))) is not None and part < removal.part
            }
            if gone:
                sources = [
                    msgspec.structs.replace(source, runs=tuple(run for run in source.runs if run not in gone))
                    for source in manifest.sources
                ]
                runs = tuple(run for run in manifest.runs if run.run not in gone)
                manifest = msgspec.structs.replace(manifest, runs=runs, sources=tuple(sources))
            found[part] = manifest
        return found


NOTHING_DECIDED = Decided()


def decide(rows: Iterable[Decision]) -> Decided:
    """What decisions come to.

    Args:
        rows: every decision, in the order in which they were made.
    """
    every = tuple(rows)
    # What is taken back is never a decision of this kind: that one's own target is brought back instead.
    said = {row.target: row.value for row in every if row.kind == "undo" and row.target}
    taken_back = frozenset(target for target, value in said.items() if value == "undo")
    counting = tuple(row for row in every if row.part not in taken_back)
    models: dict[str, dict[str, str]] = {}
    for row in counting:
        if row.kind == "model" and row.target and row.field and row.value is not None:
            models.setdefault(row.target, {})[row.field] = row.value
    return Decided(
        every=every,
        taken_back=taken_back,
        counting=counting,
        removed={row.run_key: row for row in counting if row.kind == "remove" and row.run_key is not None},
        names={
            row.run_key: row.value
            for row in counting
            if row.kind == "run" and row.field == "name" and row.run_key is not None and row.value
        },
        models=models,
    )


def moment_after(decisions: Sequence[Decision]) -> datetime:
    """Now (UTC), but later than every decision: another machine's clock may be ahead, and the last word counts."""
    now = datetime.now(UTC).replace(tzinfo=None)
    last = max((row.created for row in decisions if row.created is not None), default=now)
    return max(now, last + timedelta(microseconds=1))
