"""What an import did, or with --dry-run would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RunReport:
    run: str
    model: str
    role: str | None
    benchmark: str
    problems: int
    samples: int
    """Samples imported; for published counts, the samples they count."""
    unverified: int
    correct: int
    n_min: int
    """Fewest samples of a problem in this import, unverified ones included."""
    n_max: int
    added_to_existing: bool
    counts_only: bool
    files: int = 1
    """Files that its samples came from."""
    judged: int = 0
    """Verdicts that came for samples that were there."""


@dataclass(frozen=True, slots=True)
class FileReport:
    path: str
    format: str | None
    """Importer that read it; None when none recognised it."""
    status: str
    """imported, already imported, model described (already imported, but its role or origin is new), left, or, where
    nothing is written, unclear: something of it must be said first."""
    samples: int = 0
    reason: str = ""
    """Why it was left, where that can be seen; what must be said, where it is unclear."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    runs: tuple[RunReport, ...]
    files: tuple[FileReport, ...]
    notes: Mapping[str, int]
    """What was odd, with how often."""
    dry_run: bool
    part: str | None
    """The part that was written; None when nothing was."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """What each column of tables was taken for; empty for one that was not read."""
    bad_rows: tuple[str, ...] = ()
    """Rows that were left out because they could not be read: file, row and why."""
