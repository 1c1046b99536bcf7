"""Result files become one part of a store, which appears whole or not at all: `passk import`."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import msgspec

from backend.errors import StoreError
from backend.importers.discovery import IMPORTERS, find_files
from backend.importers.duplicates import FileSamples
from backend.importers.known_problems import KnownProblems, runs_having, stored_problems
from backend.importers.protocol import Options, Unusable
from backend.importers.run_prompts import stored_prompts
from backend.importers.run_spec import RunOptions, RunResolver, RunSpec
from backend.importers.session import SURROGATES, TWIN, ImportSession, Progress, RunTotals, problem_row
from backend.records.imports import ImportReport
from backend.store.cursor import StoreCursor
from backend.store.database import open_store
from backend.store.decisions import Decided
from backend.store.identity import run_key, source_key
from backend.store.layout import StoreLayout
from backend.store.locks import exclusive_lock
from backend.store.merge import merge
from backend.store.parts import Manifest, PartRun, PartSource

if TYPE_CHECKING:
    from backend.store.part_writer import PartWriter


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


def leave_out_pandas() -> None:
    """Keep pyarrow from loading pandas, which takes 0.3 s, to see that no value is one of its.

    It looks once, in Python at its first array and in C++ at the first value. For processes that import files and do
    nothing else; not where an importer of another package may work with pandas.
    """
    import pyarrow as pa

    if "pandas" in sys.modules or IMPORTERS.others:
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]
    try:
        for _ in range(2):
            with suppress(ImportError, AttributeError):
                pa.array([""])
    finally:
        del sys.modules["pandas"]


class Overtaken(Exception):
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
    unusable: dict[Path, str] = {}
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
                    unusable,
                )
        except Overtaken:
            continue
        except Unusable as error:
            unusable[error.path] = error.reason
        except (OSError, duckdb.Error) as error:
            # A full disk, most likely; pyarrow's errors of that kind are OSErrors too.
            raise StoreError(
                f"Importing into {layout.root} failed",
                str(error).strip(),
                "Nothing was imported. Is there room on the disk?",
            ) from error


def _visible(layout: StoreLayout, *, merging: bool = False) -> tuple[dict[str, Manifest], Decided, Mapping[int, int]]:
    """Every part of the store, what was decided, and the matched problems.

    `merging` makes or migrates its base first, if need be.
    """
    if not layout.exists():
        return {}, Decided(), {}
    database = open_store(layout, merging=merging)
    try:
        return database.known_manifests, database.decided, database.matches()
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
    unusable: Mapping[Path, str],
) -> ImportReport:
    before, decided, matches = _visible(layout, merging=not dry_run)
    targets = RunResolver(run_options, before.values(), decided)
    known: dict[str, set[str]] = {}
    counted = decided.counted(before)
    there = {run.run for manifest in counted.values() for run in manifest.runs}

    def stored(run: str) -> list[FileSamples]:
        return stored_samples(layout, run) if run in there else []

    how: dict[tuple[str, str], tuple[str, Mapping[str, str] | None]] = {}
    for manifest in counted.values():
        for source in manifest.sources:
            digest = source.digest.partition(TWIN)[0]
            how.update({(digest, run): (manifest.part, source.options) for run in source.runs})
            known.setdefault(source.digest.partition(TWIN)[0], set()).update(source.runs)
    problems = KnownProblems(stored_problems(layout)) if before else KnownProblems()
    gone = Counter(
        source.digest.partition(TWIN)[0]
        for part, manifest in before.items()
        for source, still in zip(
            manifest.sources, counted[part].sources if part in counted else repeat(None), strict=False
        )
        if still is None or still.runs != source.runs
    )
    session = ImportSession(targets, options, known, None, progress, problems, stored if there else None, unusable)
    session.known_options, session.taken_back = how, gone
    session.prompts.stored = stored_prompts(layout)
    session.matches, session.runs_having = matches, runs_having(layout)
    session.store = ("--store", str(layout.root))
    if dry_run:
        session.read(files, wanted_format)
        return session.report(dry_run=True, part=None)

    from backend.store.part_writer import PartWriter

    with PartWriter(layout, "import") as part:
        runs = fill_part(part, session, files, wanted_format)
        if not runs:
            return session.report(dry_run=False, part=None)
        gathered = session.gathered
        said = session.said
        sources = [PartSource(each.path, each.digest, each.format, tuple(each.runs), said) for each in gathered.sources]
        notes = [f"{times} {note}" for note, times in session.notes.counts.items() if times]
        with exclusive_lock(layout.publish_lock):
            refuse_if_overtaken(before, _visible(layout)[0], runs)
            part.publish(runs=runs, sources=sources, notes=notes)
        report = session.report(dry_run=False, part=part.part)
    # All that was known of the file, which the merge has no use for.
    del session, gathered, runs, sources, problems, targets, before, counted, known, how
    release_memory()
    merge(layout)
    return report


def release_memory() -> None:
    """Give what is free back to the system: Arrow and malloc keep it, and a merge takes as much again."""
    import ctypes

    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # another libc than glibc
        ctypes.CDLL(None).malloc_trim(0)


def stored_samples(layout: StoreLayout, run: str) -> list[FileSamples]:
    """What a store has of a run, source by source."""
    with closing(open_store(layout, merging=False, matching=False)) as database, StoreCursor(database) as cursor:
        return samples_of_run(cursor, run)


def samples_of_run(asked: StoreCursor, run: str) -> list[FileSamples]:
    """What an open store has of a run, source by source."""
    found: dict[str, FileSamples] = {}
    with asked.stream("imports/stored_samples", 50_000, 50_000, run_key=run_key(run)) as batches:
        for rows in batches:
            for key, sample, verdict, content, row, path, identity in rows:
                samples = found.get(path)
                if samples is None:
                    samples = found[path] = FileSamples(path or "this store", stored=True, numbered=True)
                samples.add_stored(key, sample, verdict, content, row or 0, identity or 0)
    return list(found.values())


@dataclass
class _Prompts:
    """Prompts on their way into a part, some at a time."""

    part: PartWriter
    rows: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, run: int, problem: int, prompt: str) -> None:
        self.rows.append((run, problem, prompt))
        if len(self.rows) >= PROMPTS:
            self.write()

    def write(self) -> None:
        if self.rows:
            self.part.write("prompts", self.rows)
            self.rows = []


PROMPTS = 1_024
"""Prompts that are written at a time."""


def fill_part(
    part: PartWriter, session: ImportSession, files: Sequence[tuple[Path, bool]], wanted_format: str | None = None
) -> list[PartRun]:
    """Read files and write what they hold into a part; returns its runs, none where there is nothing new in them.

    Raises:
        PasskError: something is wrong; the part holds rubbish.
    """
    from backend.importers.part_files import SampleFiles

    samples, prompts = SampleFiles(part), _Prompts(part)
    try:
        session.sink, session.prompts.write = samples.add, prompts.add
        session.read(files, wanted_format)
        samples.finish()
        prompts.write()
    except BaseException:
        with suppress(Exception):  # what is thrown away need not be whole
            samples.close()
        raise
    session.notes.add(SURROGATES, part.repaired)
    gathered = session.gathered
    for run in session.duplicates.judged:
        gathered.runs.setdefault(run, RunTotals(session.targets.resolved(run)))
    if not gathered.runs:
        return []
    part.write("problems", [problem_row(key, *known) for key, known in gathered.problems.items()])
    part.write(
        "sources",
        [
            (source_key(entry.digest, run), entry.path, entry.digest, entry.format, run_key(run))
            for entry in gathered.sources
            for run in entry.runs
        ],
    )
    if gathered.counts:
        part.write("counts", [(run_key(run), key, "counts", n, c, 0, 0, 0, 0) for run, key, n, c in gathered.counts])
    if samples.rows:
        # Here and not when it is published: nobody else can publish meanwhile.
        part.derive_tallies()
    now = datetime.now(UTC).replace(tzinfo=None)
    rows, changes = session.duplicates.verdict_rows(now)
    if rows:
        part.verdicts_given.append(now.isoformat(timespec="microseconds"))
        part.write("verdicts", rows)
        part.write("counts", changes)
    copies = session.duplicates.copies
    return [
        msgspec.structs.replace(
            _part_run(replace(spec, model=session.targets.said_of(spec.model)), totals), copies=copies.get(run, 0)
        )
        for run, totals in gathered.runs.items()
        for spec in (session.targets.resolved(run),)
    ]


def refuse_if_overtaken(before: Iterable[str], now: dict[str, Manifest], ours: Sequence[PartRun]) -> None:
    """Raise Overtaken where a part has come that has to do with one of our runs or models."""
    mine = {run.run for run in ours}
    models = {run.model for run in ours}
    for part, manifest in now.items():
        if part not in before and any(run.run in mine or run.model in models for run in manifest.runs):
            raise Overtaken


def _part_run(target: RunSpec, totals: RunTotals) -> PartRun:
    samples = 0 if totals.counts_only else totals.samples
    return PartRun.of(target.run, target.model, target.benchmark, target.parameters, samples, totals.end)
