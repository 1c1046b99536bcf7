"""Imports and decisions as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from backend.records.decisions import DecisionEntry, ImportEntry, ReferenceVersion
from backend.records.matching import Matching, MatchRow
from backend.records.table import DATA, JSON, PRINT, SCREEN, Column, Table
from backend.wording import short_names

PEOPLE_HERE = PRINT | SCREEN


def _when(created: str) -> str:
    return created[:16].replace("T", " ")


def _files(files: Sequence[str]) -> str:
    """The first file by its name, and how many others."""
    if not files:
        return ""
    more = f" +{len(files) - 1}" if len(files) > 1 else ""
    return f"{PurePath(files[0]).name}{more}"


IMPORTS = (
    Column("import", value=lambda entry: entry.id),
    Column("created", value=lambda entry: entry.created, on=DATA),
    Column("when", heading="when (UTC)", value=lambda entry: _when(entry.created), on=PEOPLE_HERE),
    Column("author", value=lambda entry: entry.author, gives_way=1),
    Column("files", "json", value=lambda entry: list(entry.files), on=DATA),
    Column("from", value=lambda entry: _files(entry.files), on=PEOPLE_HERE, gives_way=2),
    Column("runs", "json", value=lambda entry: list(entry.runs), on=DATA),
    Column("run_names", "prose", heading="runs", value=lambda entry: ", ".join(entry.runs), on=PEOPLE_HERE),
    Column("samples", "count", value=lambda entry: None if entry.counts_only else entry.samples),
    Column("counts_only", value=lambda entry: entry.counts_only, on=JSON),
    Column("verdicts", value=lambda entry: entry.verdicts, on=JSON),
    Column("taken_back", value=lambda entry: entry.taken_back, on=DATA),
    Column("taken_back_by", value=lambda entry: entry.taken_back_by, on=JSON),
    Column("taken_back_at", value=lambda entry: entry.taken_back_at, on=JSON),
    Column(
        "state",
        value=lambda entry: f"taken back by {entry.taken_back_by}" if entry.taken_back else "counts",
        on=PEOPLE_HERE,
    ),
    Column("part", value=lambda entry: entry.part, on=JSON),
)

DECISIONS = (
    Column("decision", value=lambda entry: entry.id),
    Column("created", value=lambda entry: entry.created, on=DATA),
    Column("when", heading="when (UTC)", value=lambda entry: _when(entry.created), on=PEOPLE_HERE),
    Column("author", value=lambda entry: entry.author, gives_way=1),
    Column("kind", value=lambda entry: entry.kind),
    Column("what", "prose", value=lambda entry: entry.words),
    Column("reason", value=lambda entry: entry.reason, on=DATA | PRINT),
    Column("taken_back", value=lambda entry: entry.taken_back, on=DATA),
    Column("state", value=lambda entry: "taken back" if entry.taken_back else "counts", on=PEOPLE_HERE),
    Column("part", value=lambda entry: entry.part, on=JSON),
)


REFERENCES = (
    Column("problem", value=lambda version: version.problem),
    Column("reference", value=lambda version: version.reference),
    Column("counts", value=lambda version: version.counts, on=DATA),
    Column("state", value=lambda version: "counts" if version.counts else "does not count", on=PEOPLE_HERE),
    Column("from", value=lambda version: version.origin),
    Column("author", value=lambda version: version.author),
    Column("created", value=lambda version: version.created, on=DATA),
    Column("benchmark", value=lambda version: version.benchmark, on=DATA),
)


def _matched(row: MatchRow) -> str:
    if row.by is not None:
        return f"by {row.by}"
    return f"no: {row.why}" if row.why else "no"


def _like(row: MatchRow) -> str | None:
    return None if row.like is None or row.similarity is None else f"{row.like} ({row.similarity:.0%})"


MATCHES = (
    Column("first", value=lambda row: row.first),
    Column("second", value=lambda row: row.second),
    Column("matched", value=lambda row: row.by is not None, on=DATA),
    Column("by", value=lambda row: row.by, on=DATA),
    Column("state", heading="matched", value=_matched, on=PEOPLE_HERE),
    Column("decision", value=lambda row: row.decision),
    Column("why", value=lambda row: row.why or None, on=DATA),
    Column("like", value=lambda row: row.like, on=DATA),
    Column("similarity", "number", value=lambda row: row.similarity, on=DATA),
    Column("looks_like", heading="looks like", value=_like, on=PEOPLE_HERE),
)


def matches_table(found: Matching) -> Table:
    """The problems of two runs; over the first columns stand the runs."""
    first, second = short_names((found.first, found.second))
    titles = {"first": first, "second": second}
    columns = tuple(
        replace(column, heading=titles[column.key]) if column.key in titles else column for column in MATCHES
    )
    return Table(columns, found.rows)


def references_table(versions: Sequence[ReferenceVersion]) -> Table:
    return Table(REFERENCES, versions)


def imports_table(entries: Sequence[ImportEntry]) -> Table:
    return Table(IMPORTS, entries)


def decisions_table(entries: Sequence[DecisionEntry]) -> Table:
    return Table(DECISIONS, entries)
