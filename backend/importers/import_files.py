"""`passk import`: result files become one part of a store, which appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import queries
from backend.importers.intake import Gathered, Intake, Progress, find_files
from backend.importers.protocol import Options
from backend.importers.report import ImportReport
from backend.importers.targets import RunOptions, Targets
from backend.store.connection import open_database
from backend.store.database import Database
from backend.store.identity import run_key, source_key
from backend.store.layout import StoreLayout, publishing
from backend.store.merge import merge
from backend.store.parts import (
    Manifest,
    PartRun,
    PartSource,
    discard,
    new_part_name,
    publish,
    write_workspace,
)


class _Overtaken(Exception):
    """Another import added to one of our runs while we were reading."""


def import_files(
    layout: StoreLayout,
    paths: Sequence[Path],
    *,
    run_options: RunOptions = RunOptions(),
    options: Options = Options(),
    wanted_format: str | None = None,
    dry_run: bool = False,
    progress: Progress = lambda done, total, samples: None,
) -> ImportReport:
    """Read result files and publish what they hold as one part.

    Args:
        layout: the store; made if it does not exist (not with dry_run).
        wanted_format: importer to use for every file; recognised from content when omitted.
        progress: told about ten times a second how far it is.

    Returns:
        What was imported. Files that the store has already are left out and said so.

    Raises:
        PasskError: something is wrong; the store is as it was.
    """
    files = find_files(paths)
    while True:
        try:
            return _attempt(layout, files, run_options, options, wanted_format, dry_run, progress)
        except _Overtaken:
            continue


def _visible(layout: StoreLayout) -> dict[str, Manifest]:
    if not layout.exists():
        return {}
    database = Database(layout)
    try:
        return database.manifests
    finally:
        database.close()


def _attempt(
    layout: StoreLayout,
    files: Sequence[tuple[Path, bool]],
    run_options: RunOptions,
    options: Options,
    wanted_format: str | None,
    dry_run: bool,
    progress: Progress,
) -> ImportReport:
    before = _visible(layout)
    targets = Targets(run_options, before.values())
    known: dict[str, set[str]] = {}
    for manifest in before.values():
        for source in manifest.sources:
            known.setdefault(source.digest, set()).update(source.runs)
    if dry_run:
        intake = Intake(targets, options, known, None, progress)
        intake.read(files, wanted_format)
        return intake.report(dry_run=True, part=None)

    from backend.importers.part_files import PartFiles

    part = new_part_name("import")
    folder = write_workspace(layout, part)
    part_files: PartFiles | None = None
    try:
        intake = Intake(targets, options, known, None, progress)
        part_files = PartFiles(
            folder, lambda times: intake.notes.add("strings with lone surrogates, kept as U+FFFD", times)
        )
        intake.sink = part_files.add
        intake.read(files, wanted_format)
        part_files.finish()
        if not intake.gathered.runs:
            discard(folder)
            return intake.report(dry_run=False, part=None)
        _write_tables(folder, part, intake.gathered, part_files.rows)
        manifest = _manifest(part, intake.gathered, part_files.rows, intake.notes.counts)
        with publishing(layout):
            _refuse_if_overtaken(before, _visible(layout), manifest)
            publish(layout, folder, manifest)
    except BaseException:
        if part_files is not None:
            with suppress(Exception):  # what is thrown away need not be whole
                part_files.close()
        discard(folder)
        raise
    merge(layout)
    return intake.report(dry_run=False, part=part)


def _refuse_if_overtaken(before: Iterable[str], now: dict[str, Manifest], ours: Manifest) -> None:
    mine = {run.run for run in ours.runs}
    models = {run.model for run in ours.runs}
    for part, manifest in now.items():
        if part not in before and any(run.run in mine or run.model in models for run in manifest.runs):
            raise _Overtaken


def _manifest(part: str, gathered: Gathered, outcomes: int, notes: dict[str, int]) -> Manifest:
    runs = []
    for name, totals in gathered.runs.items():
        model = totals.target.model
        highest = [
            *totals.next_sample.values(),
            *(totals.target.next_sample + max(taken) + 1 for taken in totals.taken.values() if taken),
        ]
        runs.append(
            PartRun(
                run=name,
                model=model.name,
                role=model.role,
                from_model=model.from_model,
                step=model.step,
                algorithm=model.algorithm,
                benchmark=totals.target.benchmark,
                parameters=totals.target.parameters,
                samples=0 if totals.counts_only else totals.samples,
                next_sample=max(highest, default=totals.target.next_sample),
            )
        )
    return Manifest(
        part=part,
        kind="import",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        runs=tuple(runs),
        sources=tuple(
            PartSource(entry.path, entry.digest, entry.format, tuple(entry.runs)) for entry in gathered.sources
        ),
        outcomes=outcomes,
        notes=tuple(f"{times} {note}" for note, times in notes.items() if times),
    )


def _write_tables(folder: Path, part: str, gathered: Gathered, outcomes: int) -> None:
    """Everything of the part but samples and texts."""
    from backend.store.part_tables import write_rows

    models = {totals.target.model.name: totals.target.model for totals in gathered.runs.values()}
    write_rows(
        folder,
        "models",
        [(m.name, m.role, m.from_model, m.step, m.algorithm, part) for m in models.values()],
    )
    write_rows(
        folder,
        "runs",
        [
            (
                run_key(name),
                name,
                totals.target.model.name,
                totals.target.benchmark,
                _json(totals.target.parameters),
                part,
            )
            for name, totals in gathered.runs.items()
        ],
    )
    write_rows(
        folder,
        "problems",
        [
            (
                key,
                benchmark,
                facts.id,
                facts.position,
                facts.statement,
                facts.reference,
                facts.level,
                _json(facts.metadata) if facts.metadata else None,
                part,
            )
            for key, (benchmark, facts) in gathered.problems.items()
        ],
    )
    write_rows(
        folder,
        "sources",
        [
            (source_key(entry.digest, run), entry.path, entry.digest, entry.format, run_key(run), part)
            for entry in gathered.sources
            for run in entry.runs
        ],
    )
    if gathered.counts:
        counted = [(run_key(run), key, "counts", n, c, 0, 0, 0, 0) for run, key, n, c in gathered.counts]
        write_rows(folder, "counts", counted)
    if outcomes:
        _derive_statistics(folder)


def _derive_statistics(folder: Path) -> None:
    connection = open_database()
    try:
        sql = queries.render("parts/derive_statistics", outcomes=[str(folder / "outcomes.parquet")])
        connection.execute(sql, {"target": str(folder / "statistics.parquet")})
    finally:
        connection.close()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
