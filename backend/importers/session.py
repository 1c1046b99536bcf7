"""One reading of result files: samples, problems and prompts, each for its run, and what is to be said of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Any

from backend.errors import InputError, PasskError, UsageError
from backend.importers.discovery import recognise_all
from backend.importers.duplicates import KEEP_ALL, Duplicates, FileSamples
from backend.importers.file_names import telling_words
from backend.importers.growing import GrowingFile
from backend.importers.known_problems import KnownProblems, Named, shared_name
from backend.importers.protocol import (
    Block,
    Counts,
    Importer,
    MayBeSeveral,
    Notes,
    NotSaid,
    Options,
    ProblemFacts,
    RunFacts,
    Unusable,
    can_be_said,
    unexpected,
)
from backend.importers.run_prompts import RunPrompts
from backend.importers.run_spec import RunResolver, RunSpec
from backend.importers.source import SourceFile, input_error
from backend.importers.values import ANOTHER_SCALE, NotAVerdict
from backend.records import NOT_JUDGED
from backend.records.imports import FileReport, ImportReport, RunReport
from backend.store.identity import problem_key, run_key, source_key, without_surrogates
from backend.store.parts import as_json

if TYPE_CHECKING:
    pass

# From result files to one part of a store: all of it or nothing.

SURROGATES = "strings with lone surrogates, kept as U+FFFD"
REPEATED = (
    "repeated questions, each taken as one problem with more samples; tools that count every row have other means: "
    "--repeats separate makes a problem of each row"
)
SEPARATE = "repeated questions, each a problem of its own"

ALIKE = (
    "problems of {} have the {} of a problem of {} that asks something else, and are not compared with it. If they are "
    "the same: {}"
)
NAME_THE_QUESTION = "name the column of the bare question with --column statement=COLUMN"
SEVERAL = "statements that come with several reference answers, such as problem {}: {}"

TWIN = "-"
"""Between the digest of a file and its number among files of one import with the same bytes."""

MOST_BAD_ROWS = 1_000
"""So many rows of wrong values in one file are passed over with --skip-bad-rows."""
MOST_INDEX = 2**31 - 2
"""Largest sample index that the store holds."""

Progress = Callable[[int, int, int], None]
"""Bytes read, bytes in all, samples so far; called about ten times a second."""


@dataclass
class RunTotals:
    target: RunSpec
    counts_only: bool = True
    correct: int = 0
    unverified: int = 0
    samples: int = 0
    per_problem: dict[int, int] = field(default_factory=dict)
    """Samples of each problem key, unverified ones included."""
    next_sample: dict[int, int] = field(default_factory=dict)
    """Next free index of each problem, for files that give none."""
    end: int = 0
    """One more than the highest index so far, over all problems."""


@dataclass
class SourceEntry:
    """A file that goes into the part."""

    path: str
    digest: str
    format: str
    runs: list[str] = field(default_factory=list)


@dataclass
class ImportTotals:
    """All that an import has read: small things here, samples in the part's files."""

    runs: dict[str, RunTotals] = field(default_factory=dict)
    problems: dict[int, tuple[str, ProblemFacts, str | None]] = field(default_factory=dict)
    """Benchmark, facts and metadata as JSON of each problem key."""
    counts: list[tuple[str, int, int, int]] = field(default_factory=list)
    """Run, problem key, n, c of published counts."""
    sources: list[SourceEntry] = field(default_factory=list)


def problem_row(key: int, benchmark: str, facts: ProblemFacts, metadata: str | None) -> tuple[Any, ...]:
    """A problem as a part holds it; `metadata` is that of the facts as JSON."""
    said = (facts.id, facts.position, facts.asked, facts.reference, facts.level)
    return key, benchmark, *said, metadata


SEPARATELY = "separate"
"""What --repeats may say."""


@dataclass
class _Asked:
    """The problems of a file."""

    first: dict[int, ProblemFacts] = field(default_factory=dict)
    """How each was first called."""
    again: dict[int, list[ProblemFacts]] = field(default_factory=dict)
    """With --repeats separate, the other rows that ask it."""


def _is_same_row(first: ProblemFacts, facts: ProblemFacts) -> bool:
    return (first.id, first.position) == (facts.id, facts.position)


@dataclass
class _InFile:
    """What has been seen in the file that is being read."""

    of_run: Callable[[RunFacts], RunFacts] = lambda facts: facts
    """What the file's name adds to what it says of its run."""
    runs: dict[RunFacts, RunFacts] = field(default_factory=dict)
    """The same of all facts so far."""

    growing: GrowingFile | None = None
    asked: _Asked = field(default_factory=_Asked)
    came: dict[str, RunFacts] = field(default_factory=dict)
    """The runs that samples of it have come to, as the file describes them."""
    repeated: set[int] = field(default_factory=set)
    """Problems that the file asks more than once."""
    offsets: dict[str, int] = field(default_factory=dict)
    """What is added to the file's own indices, for each run: seeds come as files that all count from 0."""
    taken: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    """Indices that the file gave, for each run and problem."""
    counted: dict[tuple[str, int], int] = field(default_factory=dict)
    """Row of the published counts of each run and problem."""


def _is_same_file(path: Path, other: Path) -> bool:
    """Whether two names are one file, or a file and its compressed twin beside it."""
    if path.resolve() == other.resolve():
        return True
    plain = [one.with_suffix("") if one.suffix in COMPRESSED else one for one in (path.absolute(), other.absolute())]
    return plain[0] == plain[1]


def _size(path: Path) -> int:
    """Bytes of a file; none where it cannot be seen."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


COMPRESSED = (".gz", ".zst")


class ImportSession:
    """One import. `sink` takes the samples; without one nothing is written (--dry-run)."""

    def __init__(
        self,
        targets: RunResolver,
        options: Options,
        known_sources: dict[str, set[str]],
        sink: Callable[[int, int, list[int], Block, int], None] | None,
        progress: Progress,
        problems: KnownProblems | None = None,
        stored: Callable[[str], list[FileSamples]] | None = None,
        unusable: Mapping[Path, str] | None = None,
    ) -> None:
        """`stored` gives what the store has of a run already; None where it has no run.

        `unusable` are files that were found to be of no use, and why.
        """
        self.unusable = unusable or {}
        self.targets = targets
        self.options = options
        self.known_sources = known_sources
        self.said: Mapping[str, str] = {}
        """How the user says to read the files."""
        self.known_options: Mapping[tuple[str, str], tuple[str, Mapping[str, str] | None]] = {}
        """By digest of a file and run: the part that brought it, and how the user said to read it."""
        self.taken_back: Mapping[str, int] = {}
        """How many sources with these bytes, by their digest, came with imports that were taken back: they may come
        again, and then they are other sources."""
        self.sink = sink
        self.progress = progress
        self.problems = problems or KnownProblems()
        self.notes = Notes()
        self.duplicates = Duplicates(options, stored, self.notes.add)
        self.growing: dict[Path, GrowingFile] = {}
        """Files that are followed, with what the store has of them."""
        self.one_by_one = False
        """Whether files of one training come in several imports: each step is a model of its own from the first on."""
        self.gathered = ImportTotals()
        self.matches: Mapping[int, int] = {}
        """Under which key each matched problem of the store is read: their samples are numbered together."""
        self.runs_having: Callable[[Iterable[int]], list[str]] = lambda keys: []
        """See `known_problems.runs_having`."""
        self.store: tuple[str, ...] = ()
        """The option that names the store, for commands that the report advises."""
        self.files: list[FileReport] = []
        self.prompts = RunPrompts(self.notes.add)
        self._samples = 0
        self._bad_rows: list[str] = []
        self._brought: dict[str, list[Path]] = {}
        """Files that brought samples to a run in this import."""
        self._read: dict[str, list[Path]] = {}
        """Files that this import has read, by their digest."""
        self._bytes_before = 0
        self._bytes_total = 0
        self._last_progress = 0.0

    def read(self, files: Sequence[tuple[Path, bool]], wanted: str | None) -> None:
        """Read every file.

        Raises:
            PasskError: the first thing that is wrong.
        """
        self._bytes_total = sum(_size(path) for path, _ in files)
        by_name = {path for path, is_named in files if is_named}
        found = recognise_all(files, self.options, wanted)
        names = self.targets.options.names
        self.said = self.options.said | ({"--format": wanted} if wanted is not None else {})
        readable = [entry for entry in found if entry.importer is not None and not entry.reason]
        steps = {step for entry in readable for step in entry.training_steps}
        if self.targets.options.step is None:
            named = (names.step_of(entry.path) for entry in readable if not entry.training_steps)
            steps |= {step for step in named if step is not None}
        self.targets.several_checkpoints = len(steps) > 1 or self.one_by_one
        usable = sum(entry.importer is not None and entry.path not in self.unusable for entry in found)
        for entry in found:
            reason = self.unusable.get(entry.path, entry.reason)
            if entry.importer is None or reason:
                form = None if entry.importer is None else entry.importer.name
                self.files.append(FileReport(str(entry.path), form, "left", reason=reason))
            else:
                try:
                    bad_rows = self._find_bad_rows(entry.path, entry.importer)
                    self._read_file(self._source(entry.path, bad_rows), entry.importer)
                except InputError as error:
                    if entry.path in by_name or usable == 1 or can_be_said(error):
                        raise
                    raise Unusable(entry.path, error) from error
            self._bytes_before += _size(entry.path)
        if self.problems.several:
            name, references = next(iter(self.problems.several.values()))
            self.notes.add(SEVERAL.format(name, " and ".join(references)), len(self.problems.several))
        self._say_what_seems_the_same()

    def _say_what_seems_the_same(self) -> None:
        """Of each run with few problems that others of its benchmark have: whether ids or references say otherwise."""
        came: dict[str, dict[str, dict[int, Named]]] = {}
        said: dict[str, set[int]] = {}
        for run, totals in self.gathered.runs.items():
            benchmark = totals.target.benchmark
            mine = {}
            for key in totals.per_problem:
                facts = self.gathered.problems[key][1]
                mine[self.matches.get(key, key)] = facts.id, facts.reference
            stored = {self.matches.get(key, key): name for key, name in self.problems.named.get(benchmark, {}).items()}
            before = came.setdefault(benchmark, {})
            known = said.setdefault(benchmark, set())
            for other, theirs in (("", stored), *before.items()):
                by, times = shared_name(mine, theirs)
                if times and not mine.keys() <= known:
                    self._say_alike(run, other, theirs.keys() - mine.keys(), by, times)
                    known.update(mine)
                    break
            before[run] = mine

    def _say_alike(self, run: str, other: str, keys: Collection[int], by: str, times: int) -> None:
        if not other:
            back: dict[int, list[int]] = {}
            for key, to_key in self.matches.items():
                back.setdefault(to_key, []).append(key)
            having = self.runs_having({own for key in keys for own in (key, *back.get(key, ()))})
            other = next((name for name in having if name != self.targets.name_of(run)), "")
        name = self.targets.name_of(run)
        benchmark = self.gathered.runs[run].target.benchmark
        way = join(["passk", "match", other, name, "--by", by, *self.store]) if other else NAME_THE_QUESTION
        self.notes.add(ALIKE.format(name, by, other or benchmark, way), times)

    def _read_file(self, source: SourceFile, importer: Importer) -> None:
        growing = self.growing.get(source.path)
        digest = growing.key if growing is not None else source.digest
        twins = self._read.setdefault(digest, [])
        if any(_is_same_file(source.path, twin) for twin in twins):
            self.files.append(FileReport(str(source.path), importer.name, "already imported"))
            return
        # Two files are two sources even if their bytes are equal: several seeds may say the same.
        before_this = digest
        if number := len(twins) + self.taken_back.get(digest, 0):
            digest = f"{digest}{TWIN}{number}"
        twins.append(source.path)
        entry = SourceEntry(without_surrogates(str(source.path.resolve())), digest, importer.name)
        before = self._samples
        known, first = getattr(importer, "columns", None), source.first_object
        if known:
            # Of lines every field of the first is said, of a document (names with a dot) those that are read.
            self.notes.columns |= (
                {name: known.get(name, "") for name in first}
                if first is not None and not known.keys().isdisjoint(first)
                else {name: taken_for for name, taken_for in known.items() if "." in name}
            )
        self._file = _InFile(of_run=self.targets.options.names.facts_of(source.path), growing=growing)
        self.duplicates.begin(entry.path, importer.name, lambda: self._scan(source, importer))
        try:
            for item in self._items(source, importer, self.notes):
                target = self._target(item.facts, source.path)
                if not entry.runs and target.run in self.known_sources.get(before_this, set()):
                    more = target.run not in self.gathered.runs and self.targets.tells_more(target.run)
                    if more:
                        # The samples are there; what the user now says of their model is new.
                        self.gathered.runs.setdefault(target.run, RunTotals(target))
                    status = "model described" if more else "already imported"
                    reason = self._read_otherwise(before_this, target.run)
                    self.files.append(FileReport(str(source.path), importer.name, status, reason=reason))
                    return
                if target.run not in entry.runs:
                    entry.runs.append(target.run)
                self._take(source, item, target, digest)
        except NotSaid as error:
            if self.sink is not None or self._samples != before:
                raise
            # Without writing every file is looked at, so that all that is to be said can be said at once.
            self.files.append(FileReport(str(source.path), importer.name, "unclear", reason=error.next_step))
            return
        except RecursionError:
            raise input_error(source, source.row, "JSON nested too deeply to read") from None
        except NotAVerdict as error:
            raise input_error(source, source.row, str(error), ANOTHER_SCALE) from None
        except (PasskError, OSError):
            raise  # an OSError is of the store: a full disk
        except Exception as error:
            raise unexpected(source, importer.name, error) from error
        self.duplicates.end()
        for run, facts in self._file.came.items():
            self._refuse_if_several(source.path, facts, run)
        self._report_file(source, entry, self._samples - before)

    def _report_file(self, source: SourceFile, entry: SourceEntry, samples: int) -> None:
        seen, growing = self.duplicates.file, self._file.growing
        if not samples and not seen.dropped and (growing is None or not growing.is_continued):
            raise input_error(source, None, "holds no samples")
        others = " and ".join(f"{count:,} of them in {path}" for path, count in sorted(seen.others.items()))
        if samples or seen.judged:
            self.gathered.sources.append(entry)
            left = f"{seen.dropped:,} more are there already" if seen.dropped and samples else ""
            reason = "; ".join(
                filter(None, (left or (f"{seen.judged:,} verdicts for them" if seen.judged else ""), others))
            )
            status = "imported"
        else:
            reason, status = f"its samples are there already: {others}" if others else "its samples are there", "left"
        self.files.append(FileReport(str(source.path), entry.format, status, samples, reason))

    def _read_otherwise(self, digest: str, run: str) -> str:
        """What the user says otherwise of a file than when it was imported; empty where nothing is."""
        part, before = self.known_options.get((digest, run), ("", None))
        if before is None or before == self.said:
            return ""

        def shown(options: Mapping[str, str]) -> str:
            return (
                " ".join(f"{name} {value}".strip() for name, value in sorted(options.items()))
                or "none of these options"
            )

        return (
            f"it was read with {shown(before)}, and you say {shown(self.said)}. To replace it, take that import "
            f"back first: passk undo {part}"
        )

    def _target(self, facts: RunFacts, path: Path) -> RunSpec:
        """The run of these facts, with what the file's name says."""
        whole = self._file.runs.get(facts)
        if whole is None:
            whole = self._file.runs[facts] = self._file.of_run(facts)
        return self.targets.resolve(whole, str(path))

    def _refuse_if_several(self, path: Path, facts: RunFacts, run: str) -> None:
        """Refuse to pool files that may be of several models.

        Raises:
            MayBeSeveral: their names differ in more than numbers, and they do not say their model themselves.
        """
        said = self.targets.options
        before = self._brought.setdefault(run, [])
        told = self._file.runs[facts].model is not None or said.run or said.pooled
        for other in () if told else before:
            words = telling_words(path, other)
            if words and without_surrogates(str(other.resolve())) not in self.duplicates.file.others:
                raise MayBeSeveral(
                    f"{other} and {path} would form one run, {run}",
                    f"Their names differ in {', '.join(words)}. Samples of two models in one run could not be told "
                    "apart.",
                    "Nothing was imported. Say where model, step or benchmark stand in the paths: --model-from, "
                    "--step-from, --benchmark-from (folder, or a pattern with a group); or import them one by one; or, "
                    f"if they are one run, say --run {run}.",
                )
        before.append(path)

    def _source(self, path: Path, bad_rows: dict[int, str] | None) -> SourceFile:
        growing = self.growing.get(path)
        source = SourceFile(path) if growing is None else growing.source
        return replace(source, correct_at=self.options.correct_at, select=self.options.select, bad_rows=bad_rows)

    def _items(self, source: SourceFile, importer: Importer, notes: Notes) -> Iterator[Block | Counts]:
        """What the importer reads, without what the store has of a file that grows."""
        growing = self.growing.get(source.path)
        for item in importer.read(source, self.options, notes):
            new = item if growing is None else growing.new_rows(item)
            if new is not None:
                yield new

    def _find_bad_rows(self, path: Path, importer: Importer) -> dict[int, str] | None:
        """With --skip-bad-rows, the rows of a file that cannot be read, found by reading it as often as it takes."""
        if not self.options.skip_bad_rows:
            return None
        bad: dict[int, str] = {}
        for _ in range(MOST_BAD_ROWS):
            source = self._source(path, bad)
            try:
                for _item in importer.read(source, self.options, Notes()):
                    pass
                break
            except InputError as error:
                if error.row is None or error.row in bad or error.next_step == ANOTHER_SCALE:
                    raise
                source.pass_over(error)
            except Exception:
                break  # it comes again, and is told, when the file is read
        else:
            raise UsageError(
                f"{path}: more than {MOST_BAD_ROWS:,} rows cannot be read",
                next_step="Is it of this format? Nothing was imported.",
            )
        self._bad_rows += [f"{path}, row {row}: {why}" for row, why in sorted(bad.items())]
        return bad

    def _scan(self, read: SourceFile, importer: Importer) -> dict[str, FileSamples]:
        """The samples of a file by run, read once more from its beginning; nothing of it is taken in."""
        found: dict[str, FileSamples] = {}
        asked = _Asked()
        ordinal = 0
        path = read.path
        for item in self._items(self._source(path, read.bad_rows), importer, Notes()):
            if not isinstance(item, Block) or not item.verdicts:
                continue
            target = self._target(item.facts, path)
            samples = found.get(target.run)
            if samples is None:
                where = without_surrogates(str(path.resolve()))
                samples = found[target.run] = FileSamples.begin(where, item)
            key = self._key(item.problem, target.benchmark, asked)
            size = len(item.verdicts)
            contents, indices = self.duplicates.contents(item), item.indices or [-1] * size
            samples.add(key, contents, item, indices, ordinal, whole=True)
            ordinal += size
        return found

    def _take(self, source: SourceFile, item: Block | Counts, target: RunSpec, digest: str) -> None:
        if isinstance(item, Block) and not item.verdicts:
            self.notes.add("problems without a sample, left out")
            return
        key = self._problem(item.problem, target.benchmark, target.run)
        contents: list[int] = []
        if isinstance(item, Block):
            repeated = key in self._file.repeated
            if self._file.growing is not None and not repeated:
                item = self._file.growing.without_written_again(item, target.run, key)
            item, contents = self.duplicates.sift(item, target.run, key, repeated=repeated)
            if not item.verdicts:
                return
        self._file.came.setdefault(target.run, item.facts)
        said = self.targets.options
        self.prompts.take(
            target.run,
            key,
            item.problem,
            source.path,
            is_known=target.exists,
            is_said=said.pooled or said.run is not None,
        )
        totals = self.gathered.runs.get(target.run)
        if totals is None:
            totals = self.gathered.runs[target.run] = RunTotals(target, end=target.next_sample)
        if isinstance(item, Counts):
            self._once(source, item, target.run, key)
            self.gathered.counts.append((target.run, key, item.n, item.c))
            added = item.n
            totals.correct += item.c
        else:
            added = len(item.verdicts)
            totals.counts_only = False
            totals.correct += item.verdicts.count("correct")
            totals.unverified += sum(verdict in NOT_JUDGED for verdict in item.verdicts)
            samples = self._indices(source, item, totals, self.matches.get(key, key))
            totals.end = max(totals.end, max(samples) + 1)
            self.duplicates.taken(item, target.run, key, contents, samples)
            if self.sink is not None:
                self.sink(run_key(target.run), key, samples, item, source_key(digest, target.run))
        totals.samples += added
        totals.per_problem[key] = totals.per_problem.get(key, 0) + added
        self._samples += added
        now = time.monotonic()
        if now - self._last_progress > 0.1:
            self._last_progress = now
            self.progress(self._bytes_before + source.bytes_read, self._bytes_total, self._samples)

    def _key(self, facts: ProblemFacts, benchmark: str, seen: _Asked) -> int:
        """The key of a problem, `seen` being what the file asked before."""
        key = self.problems.key(benchmark, facts, seen.first)
        first = seen.first.setdefault(key, facts)
        if self.options.repeats != SEPARATELY or first is facts or _is_same_row(first, facts):
            return key
        rows = seen.again.setdefault(key, [])
        place = next((place for place, other in enumerate(rows) if _is_same_row(other, facts)), len(rows))
        if place == len(rows):
            rows.append(facts)
            self.notes.add(SEPARATE, int(seen is self._file.asked))
        return problem_key(benchmark, facts.asked, facts.id, "asked again", str(place + 1))

    def _problem(self, facts: ProblemFacts, benchmark: str, run: str) -> int:
        asked = self._file.asked
        key = self._key(facts, benchmark, asked)
        first = asked.first.setdefault(key, facts)
        is_same = first is facts or _is_same_row(first, facts)
        if self._file.growing is not None:
            facts = self._file.growing.named(run, key, facts)
        if is_same:
            known = self.gathered.problems.get(key)
            if known is None:
                metadata = facts.stored_metadata()
                self.gathered.problems[key] = benchmark, facts, as_json(metadata) if metadata else None
                said = [value for value in (facts.statement, facts.reference) if value is not None]
                self.notes.add(SURROGATES, sum(value != without_surrogates(value) for value in said))
        else:
            self._file.repeated.add(key)
            self.notes.add(REPEATED)
        return key

    def _once(self, source: SourceFile, counts: Counts, run: str, key: int) -> None:
        """Report counts of a problem that come twice; refuse two columns that would add up in one run."""
        before = self._file.counted.get((run, key))
        if before == counts.row:
            raise UsageError(
                f"{source.path}, line {counts.row}: more than one column goes to the run {run}",
                "Every column of c is of a model of its own.",
                "Leave out --run and --model, and name the columns: --column MODEL=COLUMN.",
            )
        if before is not None:
            self.notes.add(REPEATED)
        self._file.counted[run, key] = counts.row

    def _indices(self, source: SourceFile, block: Block, totals: RunTotals, key: int) -> list[int]:
        run = totals.target.run
        growing = self._file.growing
        if growing is not None and block.indices is None:
            return growing.indices(run, key, block.rows, None, totals.target.next_sample)
        if block.indices is None:
            first = totals.next_sample.get(key, totals.target.next_sample)
            totals.next_sample[key] = first + len(block.verdicts)
            return list(range(first, first + len(block.verdicts)))
        offset = self._file.offsets.setdefault(run, totals.end if growing is None else growing.offset(run, totals.end))
        taken = self._file.taken.setdefault((run, key), set())
        result = []
        for row, given in zip(block.rows, block.indices, strict=True):
            if offset + given > MOST_INDEX:
                raise input_error(source, row, f"sample {given} is more than a run can number")
            index = given
            if index in taken:
                if key not in self._file.repeated and self.options.on_duplicate != KEEP_ALL:
                    raise input_error(source, row, f"sample {index} of problem {block.problem.id} is there twice")
                index = next(free for free in count(len(taken)) if free not in taken)
            taken.add(index)
            result.append(offset + index)
        if growing is not None:
            result = growing.indices(run, key, block.rows, result, offset)
        totals.next_sample[key] = max(totals.next_sample.get(key, 0), max(result) + 1)
        return result

    def report(self, *, dry_run: bool, part: str | None) -> ImportReport:
        runs = []
        for name, totals in self.gathered.runs.items():
            target = self.targets.resolved(name)
            sizes = totals.per_problem.values()
            runs.append(
                RunReport(
                    run=self.targets.name_of(name),
                    model=target.model.name,
                    role=target.model.role,
                    benchmark=target.benchmark,
                    problems=len(sizes),
                    samples=totals.samples,
                    unverified=totals.unverified,
                    correct=totals.correct,
                    n_min=min(sizes, default=0),
                    n_max=max(sizes, default=0),
                    added_to_existing=target.exists,
                    counts_only=totals.counts_only,
                    files=len(self._brought.get(name, ())),
                    judged=self.duplicates.judged[name],
                )
            )
        notes = {note: times for note, times in self.notes.counts.items() if times}
        columns, bad = self.notes.columns, tuple(self._bad_rows)
        return ImportReport(tuple(runs), tuple(self.files), notes, dry_run, part, columns, bad)
