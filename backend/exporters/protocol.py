"""What an exporter gets and gives."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from backend.exporters.provenance import Provenance
from backend.records import Run
from backend.records.exports import ExportRequest
from backend.store.reads import Reader

Tell = Callable[[int, int], None]
"""Rows written and rows in all, a few times a second. It may raise Cancelled: then nothing is left of the file."""


@dataclass(slots=True)
class Job:
    """One export that is being made."""

    reader: Reader
    request: ExportRequest
    runs: tuple[Run, ...]
    problems: frozenset[int] | None
    """Keys of the problems that the selector means; None for all."""
    provenance: Provenance
    path: Path
    """Where to write: a temporary name. For the form `folder` a folder, which is there and empty."""
    tell: Tell
    notes: list[str] = field(default_factory=list)
    """What was left out, for the report."""

    @property
    def problem_keys(self) -> Collection[int] | None:
        """The selected problems, as functions that count take them."""
        return self.problems


Exporter = Callable[[Job], int]
"""Writes the file and returns how many rows it has."""
