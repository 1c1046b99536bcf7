"""`passk import`: result files become one part of a store, which appears whole or not at all."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from backend.errors import StoreError
from backend.importers.intake import SURROGATES, Gathered, Intake, Progress, as_json
from backend.importers.protocol import Options
from backend.importers.recognising import find_files
from backend.importers.report import ImportReport
from backend.importers.targets import RunOptions, Target, Targets
from backend.store.database import open_store
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


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for cycles: importers make none, and what they gather lives until the end anyway.

    It takes a fifth of the time of an import with many problems.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class _Overtaken(Exception):
    """Another import added to one of our runs while we were reading."""


def import_files(
    layout: StoreLayout,
    paths: Sequence[Path],
    *,
    run_options: RunOptions | None = None,
    options: Options | None = None,
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
            with _uncollected():
                return _attempt(
                    layout,
                    files,
                    run_options or RunOptions(),
                    options or Options(),
                    wanted_format,
                    dry_run,
                    progress,
                )
        except _Overtaken:
            continue
        except (OSError, duckdb.Error) as error:
            # A full disk, most likely; pyarrow's errors of that kind are OSErrors too.
            raise StoreError(
                f"Importing into {layout.root} failed",
                str(error).strip(),
                "Nothing was imported. Is there room on the disk?",
            ) from error


def _visible(layout: StoreLayout, *, merging: bool = False) -> dict[str, Manifest]:
    """Every part of the store; `merging` makes or migrates its base first, if need be."""
    if not layout.exists():
        return {}
    database = open_store(layout, merging=merging)
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
    before = _visible(layout, merging=not dry_run)
    targets = Targets(run_options, before.values())
    known: dict[str, set[str]] = {}
    for manifest in before.values():
        for source in manifest.sources:
            known.setdefault(source.digest, set()).update(source.runs)
    if dry_run:
        intake = Intake(targets, options, known, None, progress)
        intake.read(files, wanted_format)
        return intake.report(dry_run=True, part=None)

    part = new_part_name("import")
    is_new = not layout.exists()
    folder = write_workspace(layout, part)
    try:
        intake = Intake(targets, options, known, None, progress)
        filled = fill_part(folder, part, intake, files, wanted_format)
        if filled is None:
            discard(folder)
            return intake.report(dry_run=False, part=None)
        with publishing(layout):
            _refuse_if_overtaken(before, _visible(layout), filled)
            publish(layout, folder, filled)
    except BaseException:
        discard(folder)
        if is_new:
            layout.remove_if_empty()
        raise
    merge(layout)
    return intake.report(dry_run=False, part=part)


def fill_part(
    folder: Path, part: str, intake: Intake, files: Sequence[tuple[Path, bool]], wanted_format: str | None = None
) -> Manifest | None:
    """Read files and write all tables of a part into a folder; None when there is nothing new in them.

    Raises:
        PasskError: something is wrong; the folder holds rubbish.
    """
    from backend.importers.part_files import PartFiles

    part_files = PartFiles(folder, lambda times: intake.notes.add(SURROGATES, times))
    try:
        intake.sink = part_files.add
        intake.read(files, wanted_format)
        part_files.finish()
    except BaseException:
        with suppress(Exception):  # what is thrown away need not be whole
            part_files.close()
        raise
    gathered = intake.gathered
    if not gathered.runs:
        return None
    resolved = {run: intake.targets.resolved(run) for run in gathered.runs}
    _write_tables(folder, part, gathered, resolved, part_files.rows)
    return _manifest(part, gathered, resolved, part_files.rows, intake.notes.counts)


def _refuse_if_overtaken(before: Iterable[str], now: dict[str, Manifest], ours: Manifest) -> None:
    mine = {run.run for run in ours.runs}
    models = {run.model for run in ours.runs}
    for part, manifest in now.items():
        if part not in before and any(run.run in mine or run.model in models for run in manifest.runs):
            raise _Overtaken


def _manifest(
    part: str,
    gathered: Gathered,
    resolved: dict[str, Target],
    outcomes: int,
    notes: dict[str, int],
) -> Manifest:
    runs = []
    for name, totals in gathered.runs.items():
        target = resolved[name]
        model = target.model
        runs.append(
            PartRun(
                run=name,
                model=model.name,
                role=model.role,
                from_model=model.from_model,
                step=model.step,
                algorithm=model.algorithm,
                benchmark=target.benchmark,
                parameters=target.parameters,
                samples=0 if totals.counts_only else totals.samples,
                next_sample=totals.end,
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


def _write_tables(folder: Path, part: str, gathered: Gathered, resolved: dict[str, Target], outcomes: int) -> None:
    """Everything of the part but samples and texts."""
    from backend.store.part_tables import derive_statistics, write_rows

    models = {target.model.name: target.model for target in resolved.values()}
    write_rows(
        folder,
        "models",
        [(m.name, m.role, m.from_model, m.step, m.algorithm, part) for m in models.values()],
    )
    write_rows(
        folder,
        "runs",
        [
            (run_key(name), name, target.model.name, target.benchmark, as_json(target.parameters), part)
            for name, target in resolved.items()
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
                metadata,
                part,
            )
            for key, (benchmark, facts, metadata) in gathered.problems.items()
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
        derive_statistics(folder)
