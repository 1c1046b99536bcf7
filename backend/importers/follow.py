"""Follows files and folders: what is there is imported, and then what comes, each row exactly once.

What has been taken is asked of the store and of nobody else: every part says of each of its files from which byte to
which it holds it, and the digest of the file up to there. So a follower that was killed goes on where its last part
ended, and two on one folder, which take turns by the store's lock, never take the same.

A file that is growing is in a part that nobody merges and that the next one supersedes, as long as it is small; when it
is large it is left as it is, and what comes is read from there (see `growing`). Small files that come together are one
part, and are read again together when one of them grows. Parts of files that grow no more are made into larger ones,
which are merged like any others.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import duckdb

from backend.errors import InputError, PasskError, StoreError, UsageError
from backend.importers.discovery import fuller_file, is_passed_over, recognise_all, why_skipped
from backend.importers.duplicates import FileSamples
from backend.importers.growing import CONTEXT, GrowingFile, Prefix, StretchSource
from backend.importers.importing import Overtaken, fill_part, refuse_if_overtaken, samples_of_run
from backend.importers.known_problems import KnownProblems, problems_of, runs_having
from backend.importers.protocol import Options
from backend.importers.run_spec import RunOptions, RunResolver
from backend.importers.session import TWIN, ImportSession
from backend.importers.source import SourceFile, compression_of
from backend.importers.values import decode
from backend.store.cursor import StoreCursor
from backend.store.database import Database, open_store
from backend.store.layout import StoreLayout
from backend.store.locks import exclusive_lock
from backend.store.merge import merge
from backend.store.part_writer import PartWriter, supersede
from backend.store.parts import Manifest, PartSource, Stretch, waiting_parts

KIND = "import"
JOB = "follow"
"""Stands as the job of the parts of followers."""

FREEZE = 8 << 20
"""A file is read whole, and its part replaced, until it has so many bytes."""
QUIET = 1.0
"""A file that is one document is taken when it has not changed for so long, in seconds."""
SETTLED = 30.0
"""A file that has not changed for so long is taken to be finished."""
MANY = 16
"""So many parts of finished files become one."""
LARGE_PART = 50_000
"""Samples of a part that is large enough to stay as it is."""
AT_ONCE = 200
"""So many finished files become one part."""
TOGETHER, TOGETHER_SIZE = 64, 1 << 20
"""So many files that may grow become one part, as long as they have no more bytes: all are read again for one."""
FASTEST, SLOWEST = 0.5, 5.0
"""Seconds between two looks: a look at many files takes longer, and must not cost more than a fiftieth of the time."""
TABLES = (".csv", ".tsv")
UNRECOGNISED = "not recognised as a result file"
REWRITTEN = "What was imported stays as it is. To replace it, take that import back and import the file again."
COMING = (".tmp", ".temp", ".part", ".partial", ".incomplete", ".lock", ".swp", "~")
"""How files are called that will be renamed when they are whole."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What has been taken of one file."""

    path: str
    format: str
    samples: int
    """That are new."""
    runs: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """A file that is not taken, and why; or something else that went wrong."""

    path: str
    reason: str
    next_step: str = ""


Report = Callable[[Taken | Passed], None]


@dataclass
class _File:
    """A file as it was seen last."""

    path: Path
    named: bool
    signature: tuple[int, int, int]
    """Size, time of change, inode."""
    changed: float
    """When it last changed, by the monotonic clock."""
    pending: bool = True
    """Whether it must be looked into."""
    said: str = ""
    """Why it was passed over, which is said once."""
    prefix: Prefix | None = None
    """What has been hashed of it, to go on from; of the file of this inode."""
    by_lines: bool = False
    """Whether it is JSON lines: then its beginning may be taken before its end is there."""
    failing: float = 0.0
    """Since when it cannot be used."""


@dataclass
class _Plan:
    """What is to be read of a file."""

    file: _File
    growing: GrowingFile
    digest: str
    """Of the file up to where it is read."""
    start: int
    end: int
    replaced: Manifest | None = None
    is_news: bool = True
    """False where it is read again only because its part is replaced."""


class _NotTogether(Exception):
    """Files that are in one part with others cannot be read again with them."""


class Follower:
    """Follows paths into a store. `poll` looks once; `run` goes on until it is told to stop; `close` tidies up."""

    def __init__(
        self,
        layout: StoreLayout,
        paths: Sequence[Path],
        *,
        run_options: RunOptions | None = None,
        options: Options | None = None,
        wanted_format: str | None = None,
        report: Report = lambda event: None,
        freeze: int = FREEZE,
    ) -> None:
        """Look at nothing yet.

        Args:
            freeze: see `FREEZE`.

        Raises:
            InputError: a path does not exist.
        """
        for path in paths:
            if not path.exists():
                raise InputError(f"{path}: no such file or folder", next_step="Nothing was imported.")
        self.layout = layout
        self.paths = [Path(os.path.abspath(path)) for path in paths]
        self._run_options = run_options or RunOptions()
        self._options = options or Options()
        self._format = wanted_format
        self._report = report
        self._freeze = freeze
        self._files: dict[str, _File] = {}
        self._looked_cost = 0.0
        self._has_begun = False
        self._last_failure = ""
        self._last_tidied = time.monotonic()
        self.samples = 0
        """Taken by this follower."""

    # Looking

    def run(self, stop: threading.Event) -> None:
        """Look again and again, until `stop` is set; then tidy up."""
        try:
            while not stop.is_set():
                self.poll()
                if not stop.wait(self.pause):
                    continue
        finally:
            self.close()

    @property
    def pause(self) -> float:
        """Seconds until the next look."""
        return min(max(FASTEST, 60 * self._looked_cost), SLOWEST)

    @property
    def seen(self) -> int:
        """Files that are there."""
        return len(self._files)

    def poll(self) -> bool:
        """Look once, and take what has come; whether anything was.

        Raises:
            UsageError: an option cannot be right, or must be said.
        """
        started = time.thread_time()
        self._look()
        self._looked_cost = time.thread_time() - started
        now = time.monotonic()
        ready = [file for file in self._files.values() if file.pending and self._is_ready(file, now)]
        taken = False
        try:
            taken = self._take_all(ready) if ready else False
            if taken or now - self._last_tidied > SETTLED:
                self._tidy()
            self._last_failure, self._has_begun = "", True
        except (StoreError, OSError, duckdb.Error) as error:
            # A full disk or a lock: what was not taken is still there, and is tried again.
            if str(error) != self._last_failure:
                self._last_failure = str(error)
                title, step = (error.title, error.next_step) if isinstance(error, PasskError) else (str(error), "")
                self._report(Passed(str(self.layout.root), title, step))
        return taken

    def _look(self) -> None:
        now, wall = time.monotonic(), time.time()
        there = set()
        for path, named, found in self._walk():
            there.add(path)
            signature = (found.st_size, found.st_mtime_ns, found.st_ino)
            known = self._files.get(path)
            if known is None:
                age = max(wall - found.st_mtime, 0.0)
                self._files[path] = _File(Path(path), named, signature, now - age)
            elif known.signature != signature:
                if known.signature[2] != signature[2]:
                    known.prefix = None
                known.signature, known.changed, known.pending = signature, now, True
        for path in self._files.keys() - there:
            del self._files[path]

    def _walk(self) -> Iterator[tuple[str, bool, os.stat_result]]:
        for path in self.paths:
            with suppress(OSError):
                found = os.stat(path)
                if stat.S_ISDIR(found.st_mode):
                    yield from self._inside(str(path))
                else:
                    yield str(path), True, found

    def _inside(self, folder: str) -> Iterator[tuple[str, bool, os.stat_result]]:
        try:
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            return
        for entry in inside:
            if is_passed_over(entry.name) or entry.name.endswith(COMING):
                continue
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    if Path(entry.path) != self.layout.root:
                        yield from self._inside(entry.path)
                    continue
                found = entry.stat()
                if stat.S_ISREG(found.st_mode) and found.st_size:
                    yield entry.path, False, found

    def _is_ready(self, file: _File, now: float) -> bool:
        if now - file.changed >= QUIET:
            return True
        if not file.by_lines:
            file.by_lines = _is_by_lines(file.path)
        return file.by_lines

    # Taking

    def _take_all(self, ready: list[_File]) -> bool:
        self.layout.create()
        with exclusive_lock(self.layout.follow_lock):
            taken = False
            for files in self._together(ready):
                taken |= self._take_or_halve(files)
            return taken

    def _together(self, ready: list[_File]) -> Iterator[list[_File]]:
        """Which files become one part: a part costs more than a small file, and the whole of it is replaced."""
        now = time.monotonic()
        finished: list[_File] = []
        small: list[_File] = []
        size = 0
        for file in ready:
            if file.said:
                # It cannot be used; should it be now, it needs nobody beside it.
                yield [file]
            elif now - file.changed > SETTLED or self._is_document(file):
                finished.append(file)
            else:
                if len(small) == TOGETHER or (small and size + file.signature[0] > TOGETHER_SIZE):
                    yield small
                    small, size = [], 0
                small.append(file)
                size += file.signature[0]
        if small:
            yield small
        for first in range(0, len(finished), AT_ONCE):
            yield finished[first : first + AT_ONCE]

    def _is_document(self, file: _File) -> bool:
        """Whether it is taken when it is whole, and never grows; sets whether it is JSON lines."""
        packed = compression_of(file.path) is not None
        file.by_lines = not packed and self._options.select is None and _is_by_lines(file.path)
        return packed or not (file.by_lines or file.path.suffix.lower() in TABLES)

    def _take_or_halve(self, files: list[_File], *, alone: bool = False) -> bool:
        """Take files as one part; where one of them cannot be used, the others without it.

        Args:
            alone: take nothing again that is in one part with them.
        """
        try:
            return self._take(files, alone=alone)
        except StoreError:
            raise
        except _NotTogether:
            return self._take_or_halve(files, alone=True)
        except PasskError as error:
            if isinstance(error, UsageError) and not self._has_begun:
                # What must be said, or cannot be right, is best said at once.
                raise
            failure = error
        if len(files) == 1:
            self._pass_over(files[0], failure)
            return False
        half = len(files) // 2
        first = self._take_or_halve(files[:half], alone=True)
        return self._take_or_halve(files[half:], alone=True) or first

    def _pass_over(self, file: _File, error: PasskError) -> None:
        """Say once why a file is left; one that has just changed may not be whole yet."""
        now = time.monotonic()
        file.failing = file.failing or now
        if now - max(file.changed, 0) < 2 * QUIET and now - file.failing < 2 * QUIET:
            file.pending = True
            return
        file.pending = False
        reason = error.title.removeprefix(f"{file.path}: ")
        next_step = error.next_step.removeprefix("Nothing was imported.").strip()
        if file.said == reason:
            return
        file.said = reason
        if file.named or not reason.endswith(UNRECOGNISED):
            reason = f"{reason}. {error.detail}".rstrip(". ")
            self._report(Passed(str(file.path), reason, next_step))
        else:
            # Folders hold much else; whoever wonders about a file can name it.
            with suppress(OSError):
                reason = why_skipped(SourceFile(file.path)) or reason
            self._report(Passed(str(file.path), reason))

    def _take(self, files: list[_File], *, alone: bool) -> bool:
        while True:
            database = open_store(self.layout, matching=False)
            try:
                return self._attempt(database, files, alone=alone)
            except Overtaken:
                continue
            finally:
                database.close()

    def _attempt(self, database: Database, files: list[_File], *, alone: bool) -> bool:
        visible = database.manifests
        known = _Known(visible, database.counted_manifests)
        beside = [] if alone else self._in_one_part_with(files, known)
        try:
            return self._take_planned(database, visible, known, [*files, *beside])
        except PasskError as error:
            if beside and not isinstance(error, StoreError):
                # Nobody can say here whether it is one of these files that cannot be used.
                raise _NotTogether from error
            raise

    def _in_one_part_with(self, files: list[_File], known: _Known) -> list[_File]:
        """The files that must be read again with these: their part is replaced whole or not at all."""
        paths = {str(file.path.resolve()) for file in files}
        beside = {path for one in paths for path in known.replaced_with(one)} - paths
        if not beside:
            return []
        return [file for file in self._files.values() if str(file.path.resolve()) in beside]

    def _take_planned(
        self, database: Database, visible: dict[str, Manifest], known: _Known, files: list[_File]
    ) -> bool:
        with StoreCursor(database) as cursor:
            plans = self._plans(files, known, cursor)
            if not plans:
                return False
            gone = {plan.replaced.part for plan in plans if plan.replaced is not None}
            before = {part: manifest for part, manifest in visible.items() if part not in gone}
            # Once it has begun files are told apart by what they say alone: names were asked about at the beginning.
            said = replace(self._run_options, pooled=self._run_options.pooled or self._has_begun)
            targets = RunResolver(said, before.values(), database.decided)
            taken: dict[str, dict[int, set[int]]] = {}
            problems = KnownProblems(partial(problems_of, cursor))
            own = {str(plan.file.path.resolve()) for plan in plans}
            there = {run.run for manifest in before.values() for run in manifest.runs}

            def stored(run: str) -> list[FileSamples]:
                # What it has of the same files is told by their lines.
                found = samples_of_run(cursor, run) if run in there else []
                return [samples for samples in found if samples.path not in own]

            session = ImportSession(
                targets, self._options, {}, None, lambda *_: None, problems, stored if there else None
            )
            for plan in plans:
                plan.growing.taken = taken
                session.growing[plan.file.path] = plan.growing
            # Files of one training come one after the other: their steps are always told apart.
            session.one_by_one = True
            session.runs_having, session.store = runs_having(self.layout), ("--store", str(self.layout.root))
            with PartWriter(self.layout, KIND) as part:
                runs = fill_part(part, session, [(plan.file.path, True) for plan in plans], self._format)
                sources = self._sources(session, plans)
                if runs:
                    notes = [f"{times} {note}" for note, times in session.notes.counts.items() if times]
                    with exclusive_lock(self.layout.publish_lock):
                        database.refresh()
                        refuse_if_overtaken(visible, database.manifests, runs)
                        self._refuse_if_merged(database, gone)
                        part.publish(
                            runs=runs,
                            sources=sources,
                            supersedes=sorted(gone),
                            provisional=self._is_provisional(plans),
                            job=JOB,
                            notes=notes,
                        )
        self._say(session, plans)
        return bool(runs)

    def _is_provisional(self, plans: list[_Plan]) -> bool:
        """Whether the part may be replaced by a later one: of files that are small and may grow."""
        return (
            sum(plan.end - plan.start for plan in plans) < self._freeze
            and any(time.monotonic() - plan.file.changed <= SETTLED for plan in plans)
            and (len(plans) == 1 or all(_may_grow(plan.file) for plan in plans))
        )

    @staticmethod
    def _refuse_if_merged(database: Database, gone: set[str]) -> None:
        if not gone <= database.manifests.keys():
            raise Overtaken

    def _sources(self, session: ImportSession, plans: list[_Plan]) -> list[PartSource]:
        by_key = {plan.growing.key: plan for plan in plans}
        sources = []
        for entry in session.gathered.sources:
            plan = by_key[entry.digest]
            growing = plan.growing
            stretch = Stretch(
                start=plan.start,
                end=plan.end,
                key=growing.key,
                problems=growing.all_problems,
                by_place=growing.by_place,
                offsets={run: growing.offsets.get(run, 0) for run in {*growing.offsets, *entry.runs}},
                file=_inode(plan.file),
            )
            sources.append(PartSource(entry.path, plan.digest, entry.format, tuple(entry.runs), session.said, stretch))
        return sources

    def _say(self, session: ImportSession, plans: list[_Plan]) -> None:
        by_path = {str(plan.file.path): plan for plan in plans}
        runs = {entry.digest: tuple(entry.runs) for entry in session.gathered.sources}
        notes = tuple(f"{times:,} {note}" for note, times in sorted(session.notes.counts.items()) if times)
        for report in session.files:
            plan = by_path[report.path]
            plan.file.failing = 0.0
            if report.status == "imported":
                plan.file.said = ""
                new = report.samples - plan.growing.had
                self.samples += new
                if new:
                    key = plan.growing.key
                    self._report(Taken(report.path, report.format or "", new, runs.get(key, ()), notes))
            elif report.reason and plan.file.said != report.reason:
                plan.file.said = report.reason
                self._report(Passed(report.path, report.reason))

    # What is to be read of a file

    def _plans(self, files: list[_File], known: _Known, cursor: StoreCursor) -> list[_Plan]:
        """What is to be read of the files, those that are read again among them."""
        may_replace = known.replaceable({str(file.path.resolve()) for file in files})
        while True:
            plans: list[_Plan] = []
            for file in files:
                try:
                    plan = self._plan(file, known, cursor, may_replace)
                except InputError as error:
                    self._pass_over(file, error)
                except OSError as error:
                    self._pass_over(file, InputError(f"{file.path}: {error.strerror}"))
                else:
                    if plan is not None:
                        plans.append(plan)
            planned: dict[str, list[_Plan]] = {}
            for plan in plans:
                if plan.replaced is not None:
                    planned.setdefault(plan.replaced.part, []).append(plan)
            # A part of which one file can no longer be read as it was stays; what comes is read behind it.
            broken = {part for part, those in planned.items() if len(those) < len(known.manifest(part).sources)}
            if not broken:
                news = {part for part, those in planned.items() if any(plan.is_news for plan in those)}
                return [plan for plan in plans if plan.replaced is None or plan.replaced.part in news]
            may_replace -= broken

    def _plan(self, file: _File, known: _Known, cursor: StoreCursor, may_replace: Collection[str]) -> _Plan | None:
        """What is to be read of it; None where there is nothing new, or nothing that can be used.

        Args:
            may_replace: parts that may be replaced, if all of their files are read again.
        """
        recognise_all([(file.path, True)], self._options, self._format)
        fuller = fuller_file(file.path, [other.path for other in self._files.values() if not other.said])
        if fuller is not None:
            raise InputError(f"{file.path}: its samples are in {fuller.name}, with more known about them")
        packed = compression_of(file.path) is not None
        is_document = self._is_document(file)
        with open(file.path, "rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            waits = not is_document and (file.by_lines or time.monotonic() - file.changed < SETTLED)
            end = _whole_lines(opened, size) if waits else size
            file.pending = not file.by_lines and end < size
            had = known.stretches(str(file.path.resolve())) or known.renamed(file, opened)
            if not had:
                return self._new(file, known, cursor, opened, end)
            last = had[-1]
            replaced = last.manifest if last.manifest.part in may_replace else None
            base = last.stretch.start if replaced is not None else last.stretch.end
            if file.prefix is None or file.prefix.end > base:
                file.prefix = Prefix()
            before = file.prefix.up_to(opened, base)
            so_far = None if before is None else before.up_to(opened, last.stretch.end)
            digest = "" if so_far is None else so_far.digest
            if packed:
                digest = StretchSource(file.path).digest
            if before is None or so_far is None or digest != last.source.digest:
                file.prefix = None
                raise InputError(f"{file.path}: it was rewritten since it was imported", next_step=REWRITTEN)
            file.prefix = before
            is_news = end > last.stretch.end
            if packed or not (is_news or (replaced is not None and len(replaced.sources) > 1)):
                return None
            if is_document:
                raise InputError(f"{file.path}: it has changed since it was imported", next_step=REWRITTEN)
            now = so_far.up_to(opened, end)
            if now is None:
                return None
            said = self._options.drop_copies or self._options.repeats != "together" or last.stretch.by_place
            apart = file.by_lines and not said
            shown = _context(opened, base) if apart else None
            shown = shown or before
            problems = 0 if not base else had[-2].stretch.problems if replaced is not None else last.stretch.problems
            growing = GrowingFile(
                StretchSource(file.path, start=base, end=end, context=shown.end, blank=before.lines - shown.lines),
                last.stretch.key,
                lines=before.rows,
                problems=problems,
                offsets=dict(last.stretch.offsets),
                replaced=last.stretch.key if replaced is not None else "",
                by_place=not apart,
                rows=cursor.rows,
            )
            return _Plan(file, growing, now.digest, base, end, replaced, is_news)

    def _new(self, file: _File, known: _Known, cursor: StoreCursor, opened: BinaryIO, end: int) -> _Plan | None:
        source = StretchSource(file.path, end=end)
        whole = Prefix().up_to(opened, end)
        if not end or whole is None:
            return None
        digest = whole.digest if source.compression is None else source.digest
        if known.has_elsewhere(file.path, digest):
            return None
        return _Plan(file, GrowingFile(source, known.new_key(digest), rows=cursor.rows), digest, 0, end)

    # Small parts become large ones

    def _tidy(self, *, finished: bool = False) -> None:
        """Make one part of those of finished files; and of small ones that wait because an explorer is open."""
        if not self.layout.exists():
            return
        self._last_tidied = time.monotonic()
        with exclusive_lock(self.layout.follow_lock):
            if len(waiting_parts(self.layout)) >= (1 if finished else MANY):
                database = open_store(self.layout)
                try:
                    self._settle(database, finished=finished)
                finally:
                    database.close()
        merge(self.layout)

    def _settle(self, database: Database, *, finished: bool) -> None:
        # The open database keeps merges out: what is superseded here cannot get into base.duckdb meanwhile.
        # What was taken back stays apart: as a part of another name it would count again.
        counted = database.counted_manifests
        ours = [
            manifest
            for manifest in database.waiting
            if (manifest.kind, manifest.job) == (KIND, JOB) and manifest.part in counted
        ]
        done = [manifest for manifest in ours if manifest.provisional and (finished or self._is_finished(manifest))]
        small = [manifest for manifest in ours if not manifest.provisional and manifest.outcomes < LARGE_PART]
        if len(done) >= (1 if finished else MANY) or len(done) + len(small) >= 2 * MANY:
            supersede(self.layout, KIND, sorted([*done, *small], key=lambda manifest: manifest.part), job=JOB)

    def _is_finished(self, manifest: Manifest) -> bool:
        now = time.monotonic()
        files = {str(file.path.resolve()): file for file in self._files.values() if now - file.changed < SETTLED}
        return not any(source.path in files for source in manifest.sources)

    def close(self) -> None:
        """Make one part of what was taken, and merge it if nobody else has the store open."""
        with suppress(StoreError, OSError, duckdb.Error):
            self._tidy(finished=True)


@dataclass(frozen=True)
class _Had:
    """A stretch of a file that the store has, and the part that it is in."""

    manifest: Manifest
    source: PartSource
    stretch: Stretch


class _Known:
    """What the store has of files."""

    def __init__(self, manifests: dict[str, Manifest], counted: Collection[str]) -> None:
        self._manifests = manifests
        self._counted = counted
        self._stretches: dict[str, list[_Had]] = {}
        """Of each file, by its key, in their order."""
        self._by_digest: dict[str, list[str]] = {}
        self._keys: set[str] = set()
        self._files: dict[str, str] = {}
        """The key of each path."""
        for manifest in manifests.values():
            for source in manifest.sources:
                self._by_digest.setdefault(source.digest.partition(TWIN)[0], []).append(source.path)
                self._keys.add(source.digest)
                if source.stretch is not None:
                    self._keys.add(source.stretch.key)
                    had = _Had(manifest, source, source.stretch)
                    self._stretches.setdefault(source.stretch.key, []).append(had)
        for key, stretches in self._stretches.items():
            stretches.sort(key=lambda had: had.stretch.end)
            self._files[stretches[-1].source.path] = key

    def stretches(self, path: str) -> list[_Had]:
        """Those of a file, in their order."""
        return self._stretches.get(self._files.get(path, ""), [])

    def renamed(self, file: _File, opened: BinaryIO) -> list[_Had]:
        """Those of the same file under the name that it had before."""
        for path, key in self._files.items():
            last = self._stretches[key][-1]
            if last.stretch.file == _inode(file) and not os.path.exists(path):
                prefix = Prefix().up_to(opened, last.stretch.end)
                if prefix is not None and prefix.digest == last.source.digest:
                    return self._stretches[key]
        return []

    def manifest(self, part: str) -> Manifest:
        """A visible part."""
        return self._manifests[part]

    def replaced_with(self, path: str) -> tuple[str, ...]:
        """The files of the part that is replaced when this one grows; none where it stays."""
        had = self.stretches(path)
        part = had[-1].manifest if had else None
        return tuple(source.path for source in part.sources) if part is not None and self._may_go(part) else ()

    def replaceable(self, paths: Collection[str]) -> set[str]:
        """The parts that hold nothing but these files, and that nobody merges."""
        parts = {had[-1].manifest.part: had[-1].manifest for had in map(self.stretches, paths) if had}
        return {
            name
            for name, part in parts.items()
            if self._may_go(part) and all(self._is_last_of(part, source, paths) for source in part.sources)
        }

    def _is_last_of(self, part: Manifest, source: PartSource, paths: Collection[str]) -> bool:
        """Whether a file of a part is among these, and nothing of it came later."""
        had = self.stretches(source.path)
        return source.path in paths and bool(had) and had[-1].manifest is part

    def _may_go(self, part: Manifest) -> bool:
        # One that was taken back stays as it is: its rows must not come again.
        return part.provisional and part.part in self._counted

    def has_elsewhere(self, path: Path, digest: str) -> bool:
        """Whether these bytes were imported from this path, from its compressed twin, or from a file that is gone."""
        return any(
            other == str(path.resolve()) or not os.path.exists(other) or _packed_name(other) == _packed_name(str(path))
            for other in self._by_digest.get(digest, ())
        )

    def new_key(self, digest: str) -> str:
        """In place of the digest in source keys: of several files with the same bytes, each has its own."""
        key, number = digest, 0
        while key in self._keys:
            number += 1
            key = f"{digest}{TWIN}{number}"
        self._keys.add(key)
        return key


def _packed_name(path: str) -> str:
    return path.removesuffix(".gz").removesuffix(".zst")


def _may_grow(file: _File) -> bool:
    return file.by_lines or file.path.suffix.lower() in TABLES


def _inode(file: _File) -> str:
    return str(file.signature[2])


def _is_by_lines(path: Path) -> bool:
    """Whether it begins with a JSON object on a line of its own, or with the beginning of one."""
    try:
        with open(path, "rb") as file:
            start = file.read(1 << 16).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return False
    line, newline, _ = start.partition(b"\n")
    if not line.startswith(b"{"):
        return False
    return not newline or _is_object(line)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(decode(StretchSource(Path()), line, None), dict)
    except PasskError:
        return False


def _whole_lines(file: BinaryIO, size: int) -> int:
    """Where the last whole line ends. A last line without its end is whole if it is a JSON object."""
    end = size
    tail = b""
    while end > 0:
        start = max(end - (1 << 16), 0)
        file.seek(start)
        tail = file.read(end - start) + tail
        place = tail.rfind(b"\n")
        if place >= 0 or start == 0:
            rest = tail[place + 1 :]
            return size if rest.strip() and _is_object(rest) else size - len(rest)
        end = start
    return 0


def _context(file: BinaryIO, end: int) -> Prefix | None:
    """The first lines of a file, which an importer sees again; None where they are all that is before `end`."""
    if end <= CONTEXT:
        return None
    file.seek(0)
    head = file.read(CONTEXT)
    place = head.rfind(b"\n")
    if place < 0:
        return None
    return Prefix(place + 1, head.count(b"\n", 0, place + 1), head[place : place + 1])
