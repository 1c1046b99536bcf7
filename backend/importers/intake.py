"""From result files to one part of a store: all of it or nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backend.errors import InputError
from backend.importers.protocol import Block, Counts, Importer, Notes, Options, ProblemFacts, SourceFile, bad
from backend.importers.registry import importer_for, not_recognised
from backend.importers.report import FileReport, ImportReport, RunReport
from backend.importers.targets import Target, Targets
from backend.store.identity import file_digest, problem_key, run_key, source_key

Progress = Callable[[int, int, int], None]
"""Bytes read, bytes in all, samples so far; called about ten times a second."""


@dataclass
class RunTotals:
    """What has come to one run so far."""

    target: Target
    counts_only: bool = True
    correct: int = 0
    unverified: int = 0
    samples: int = 0
    per_problem: dict[int, int] = field(default_factory=dict)
    """Samples of each problem key, unverified ones included."""
    next_sample: dict[int, int] = field(default_factory=dict)
    taken: dict[int, set[int]] = field(default_factory=dict)
    """Indices that files gave, of each problem."""


@dataclass
class SourceEntry:
    """A file that goes into the part."""

    path: str
    digest: str
    format: str
    runs: list[str] = field(default_factory=list)


@dataclass
class Gathered:
    """All that an import has read: small things here, samples in the part's files."""

    runs: dict[str, RunTotals] = field(default_factory=dict)
    problems: dict[int, tuple[str, ProblemFacts]] = field(default_factory=dict)
    """Benchmark and facts of each problem key."""
    counts: list[tuple[str, int, int, int]] = field(default_factory=list)
    """Run, problem key, n, c of published counts."""
    sources: list[SourceEntry] = field(default_factory=list)


def find_files(paths: Sequence[Path]) -> list[tuple[Path, bool]]:
    """Every file to look at, and whether the user named it (and not only its folder).

    Raises:
        InputError: a path does not exist or cannot be read.
    """
    found: list[tuple[Path, bool]] = []
    for path in paths:
        if path.is_dir():
            inside = [
                entry
                for entry in sorted(path.rglob("*"))
                if entry.is_file() and not any(p.startswith(".") for p in entry.relative_to(path).parts)
            ]
            found.extend((entry, False) for entry in inside)
        elif path.is_file():
            found.append((path, True))
        else:
            raise InputError(f"{path}: no such file or folder", next_step="Nothing was imported.")
    for path, _ in found:
        if not os.access(path, os.R_OK):
            raise InputError(f"{path}: no right to read it", next_step="Nothing was imported.")
    return found


class Intake:
    """One import. `sink` takes the samples; without one nothing is written (--dry-run)."""

    def __init__(
        self,
        targets: Targets,
        options: Options,
        known_sources: dict[str, set[str]],
        sink: Callable[[int, int, list[int], Block, int], None] | None,
        progress: Progress,
    ) -> None:
        self.targets = targets
        self.options = options
        self.known_sources = known_sources
        self.sink = sink
        self.progress = progress
        self.notes = Notes()
        self.gathered = Gathered()
        self.files: list[FileReport] = []
        self._samples = 0
        self._bytes_before = 0
        self._bytes_total = 0
        self._last_progress = 0.0

    def read(self, files: Sequence[tuple[Path, bool]], wanted: str | None) -> None:
        """Read every file.

        Raises:
            PasskError: the first thing that is wrong.
        """
        self._bytes_total = sum(path.stat().st_size for path, _ in files)
        for path, named in files:
            source = SourceFile(path)
            importer = importer_for(source, self.options, wanted)
            if importer is None:
                if named:
                    raise not_recognised(source)
                self.files.append(FileReport(str(path), None, "left"))
            else:
                self._read_file(source, importer)
            self._bytes_before += path.stat().st_size

    def _read_file(self, source: SourceFile, importer: Importer) -> None:
        digest = file_digest(source.path)
        entry = SourceEntry(str(source.path.resolve()), digest, importer.name)
        before = self._samples
        self._named_by: dict[int, ProblemFacts] = {}
        for item in importer.read(source, self.options, self.notes):
            target = self.targets.resolve(item.facts, str(source.path))
            if not entry.runs and target.run in self.known_sources.get(digest, set()):
                self.files.append(FileReport(str(source.path), importer.name, "already imported"))
                return
            if target.run not in entry.runs:
                entry.runs.append(target.run)
            self._take(source, item, target, digest)
        if self._samples == before:
            raise bad(source, None, "holds no samples")
        for run in entry.runs:
            self.known_sources.setdefault(digest, set()).add(run)
        self.gathered.sources.append(entry)
        self.files.append(FileReport(str(source.path), importer.name, "imported", self._samples - before))

    def _take(self, source: SourceFile, item: Block | Counts, target: Target, digest: str) -> None:
        totals = self.gathered.runs.setdefault(target.run, RunTotals(target))
        key = self._problem(item.problem, target.benchmark)
        if isinstance(item, Counts):
            self.gathered.counts.append((target.run, key, item.n, item.c))
            added = item.n
            totals.correct += item.c
        else:
            added = len(item.verdicts)
            totals.counts_only = False
            totals.correct += item.verdicts.count("correct")
            totals.unverified += item.verdicts.count("unverified")
            samples = self._indices(source, item, totals, key)
            if self.sink is not None:
                self.sink(run_key(target.run), key, samples, item, source_key(digest, target.run))
        totals.samples += added
        totals.per_problem[key] = totals.per_problem.get(key, 0) + added
        self._samples += added
        now = time.monotonic()
        if now - self._last_progress > 0.1:
            self._last_progress = now
            self.progress(self._bytes_before + source.bytes_read, self._bytes_total, self._samples)

    def _problem(self, facts: ProblemFacts, benchmark: str) -> int:
        key = problem_key(benchmark, facts.statement, facts.id)
        first = self._named_by.get(key)
        if first is None:
            self._named_by[key] = facts
            known = self.gathered.problems.setdefault(key, (benchmark, facts))[1]
            if known.reference != facts.reference and known.reference is not None and facts.reference is not None:
                self.notes.add("problems with another reference answer in another file")
        elif first is not facts and (first.id, first.position) != (facts.id, facts.position):
            self.notes.add("repeated questions, each taken as one problem with more samples")
        return key

    def _indices(self, source: SourceFile, block: Block, totals: RunTotals, key: int) -> list[int]:
        start = totals.target.next_sample
        if block.indices is None:
            first = totals.next_sample.get(key, start)
            totals.next_sample[key] = first + len(block.verdicts)
            return list(range(first, first + len(block.verdicts)))
        taken = totals.taken.setdefault(key, set())
        for row, index in zip(block.rows, block.indices, strict=True):
            if index in taken:
                raise bad(source, row, f"sample {index} of problem {block.problem.id} is there twice")
            taken.add(index)
        return [start + index for index in block.indices]

    def report(self, *, dry_run: bool, part: str | None) -> ImportReport:
        """What was read."""
        runs = []
        for name, totals in self.gathered.runs.items():
            sizes = totals.per_problem.values()
            runs.append(
                RunReport(
                    run=name,
                    model=totals.target.model.name,
                    role=totals.target.model.role,
                    benchmark=totals.target.benchmark,
                    problems=len(sizes),
                    samples=totals.samples,
                    unverified=totals.unverified,
                    correct=totals.correct,
                    n_min=min(sizes),
                    n_max=max(sizes),
                    added_to_existing=totals.target.exists,
                    counts_only=totals.counts_only,
                )
            )
        notes = {note: times for note, times in self.notes.counts.items() if times}
        return ImportReport(tuple(runs), tuple(self.files), notes, dry_run, part)
