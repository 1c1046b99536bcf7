"""Which samples of a file are there already: in the same file, in another of this import, or in the store.

A sample is its source's own identity (`Block.identities`, an index), else its place in its file. Rows that a resumed
job wrote again, and files that hold the rows of another, bring no sample twice. Whether rows are such can only be seen
of a whole file; so the first copy of a response makes a second reading of the file, and files without one cost nothing.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from backend.errors import InputError
from backend.importers.protocol import Block, Options, without_samples
from backend.records import VERDICTS
from backend.store.identity import run_key, without_surrogates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

KEEP_LAST, ERROR, KEEP_ALL = "keep-last", "error", "keep-all"
ON_DUPLICATE = (KEEP_LAST, ERROR, KEEP_ALL)
"""What --on-duplicate may say; without it equal ones are kept once, and different ones are refused."""

WRITTEN_AGAIN = (
    "rows that the file has twice, texts and all, as a resumed job writes them: one of each kept; "
    "--on-duplicate keep-all takes them as samples of their own"
)
SAME_INDEX = "rows that the file has twice, with one sample index: one of them kept"
SAME_IDENTITY = "samples that come twice by their own id: one of each kept"
REPLACED = "samples of which a later row counts (--on-duplicate keep-last)"
ELSEWHERE = (
    "samples that another file has too, counted once; --on-duplicate keep-all takes them as samples of their own"
)
COPIES = (
    "responses that are exact copies of another to the same problem in the same run (one seed on several workers?); "
    "--drop-copies leaves them out"
)
DROPPED = "exact copies of a response, left out"
VERDICTS_CAME = "samples that were there without a verdict, and got it from a file that came later"

CODES = {verdict: place for place, verdict in enumerate(VERDICTS)}
_MIX = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
RARE = 20
"""A file in which one response of so many is a copy of another says little by sharing some with another file."""
FEW = 4
"""Files whose names differ in numbers alone, as those of seeds, hold the same rows only from so many on."""


def content_key(text: str | None) -> int:
    """64 bits of a text's MD5, as DuckDB's `md5_number_upper` has them; 0 where there is no text."""
    if not text:
        return 0
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = without_surrogates(text).encode()
    return int.from_bytes(md5(data, usedforsecurity=False).digest()[:8], "little") or 1


@dataclass
class FileSamples:
    """The samples of one run in one file (or, of what is stored, in one source), in the order of the file."""

    path: str
    stored: bool = False
    """Whether the store has them from an earlier import."""
    numbered: bool = False
    """Whether the file gives sample indices."""
    identified: bool = False
    """Whether the file gives every sample an identity."""
    ordinals: array[int] = field(default_factory=lambda: array("q"))
    """Place of each sample among all of the file, from 0, in the order of reading."""
    keys: array[int] = field(default_factory=lambda: array("Q"))
    """Problem keys."""
    contents: array[int] = field(default_factory=lambda: array("Q"))
    indices: array[int] = field(default_factory=lambda: array("q"))
    """Sample indices: those that the file gives, or, of samples that have been taken in, those of the run."""
    verdicts: array[int] = field(default_factory=lambda: array("B"))
    """Places in `VERDICTS`."""
    rows: array[int] = field(default_factory=lambda: array("q"))
    identities: array[int] = field(default_factory=lambda: array("Q"))
    """Of what is stored: the `content_key` of the identity that its source gave each sample; 0 where it gave none."""
    wholes: array[int] = field(default_factory=lambda: array("q"))
    """A hash of all that the row says, for rows that are written again."""

    @classmethod
    def begin(cls, path: str, block: Block) -> FileSamples:
        """The samples of a file of which this is the first block; none has been taken in yet."""
        identified = block.identities is not None and None not in block.identities
        return cls(path, numbered=block.indices is not None, identified=identified)

    def add(self, key: int, contents: list[int], block: Block, indices: list[int], first: int, *, whole: bool) -> None:
        """Take in the samples of a block."""
        size = len(block.verdicts)
        self.ordinals.extend(range(first, first + size))
        self.keys.extend([key] * size)
        self.contents.extend(contents)
        self.indices.extend(indices)
        self.verdicts.extend([CODES[verdict] for verdict in block.verdicts])
        self.rows.extend(block.rows)
        if whole:
            self.wholes.extend(_wholes(block, contents))

    def add_stored(self, key: int, sample: int, verdict: str, content: int, row: int, identity: int) -> None:
        """Take in a sample that the store has."""
        self.identified = identity != 0 and (self.identified or not self.keys)
        self.identities.append(identity)
        self.keys.append(key)
        self.contents.append(content)
        self.indices.append(sample)
        self.verdicts.append(CODES[verdict])
        self.rows.append(row)

    def of(self, name: str) -> Numbers:
        """One of the lists as numbers that can be compared at once."""
        values = getattr(self, name)
        found: Numbers = np.frombuffer(values, dtype=f"{'u' if values.typecode in 'QB' else 'i'}{values.itemsize}")
        return found

    @cached_property
    def units(self) -> Numbers:
        """Problem and text of each sample as one number."""
        return self.of("keys") * np.uint64(_MIX) + self.of("contents")

    @cached_property
    def is_varied(self) -> bool:
        """Whether hardly any response is a copy of another within the file."""
        known = self.units[self.of("contents") != 0]
        return len(known) > 0 and (len(known) - len(np.unique(known))) * RARE <= len(known)

    @property
    def unverified(self) -> bool:
        """Whether no sample has a verdict."""
        return bool(np.all(self.of("verdicts") == CODES["unverified"]))


def _wholes(block: Block, contents: list[int]) -> Iterator[int]:
    lists = (block.answers, block.details, block.tokens, block.finish_reasons, block.seeds, block.logprob_sums)
    there = [values for values in lists if values is not None]
    problem = block.problem
    asked = hash((problem.id, problem.reference, problem.level, repr(problem.metadata)))
    for place, content in enumerate(contents):
        yield hash((asked, block.verdicts[place], content, *[values[place] for values in there]))


def _numbered(units: Numbers) -> Numbers:
    """Units made distinct by how many equal ones come before: so that lists can be matched one to one."""
    order = np.argsort(units, kind="stable")
    ordered = units[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(units) else np.array([], dtype=np.int64)
    rank = np.arange(len(units)) - np.repeat(starts, np.diff(np.r_[starts, len(units)]))
    result = np.empty_like(units)
    result[order] = ordered + rank.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    return result


def matched(ours: Numbers, theirs: Numbers) -> tuple[Numbers, Numbers]:
    """Places of equal units in both, each used once."""
    _, mine, other = np.intersect1d(_numbered(ours), _numbered(theirs), return_indices=True)
    return mine, other


# Rows of one file that a resumed job has written again.


def written_again(samples: FileSamples) -> Numbers:
    """Ordinals of samples in rows that stand twice in their file: whole stretches of them, in the same order.

    Copies that stand alone are none: a model may say the same twice. Where any copy of the file stands alone, its
    responses are such that they repeat by themselves, and no row is taken for written again.
    """
    rows, ordinals = samples.of("rows"), samples.of("ordinals")
    order = np.lexsort((ordinals, rows))
    content = np.array([hash(pair) for pair in zip(samples.keys, samples.wholes, strict=True)], dtype=np.int64)[order]
    starts = np.flatnonzero(np.r_[True, rows[order][1:] != rows[order][:-1]])
    # A row is what its samples are, in their order.
    ends = np.r_[starts[1:], len(order)]
    whole = [hash(tuple(content[start:end].tolist())) for start, end in zip(starts, ends, strict=True)]
    first: dict[int, int] = {}
    before = [first.setdefault(value, place) for place, value in enumerate(whole)]
    again = [place for place, at in enumerate(before) if at != place]
    none = np.array([], dtype=np.int64)
    stretches: list[tuple[int, int]] = []
    for place in again:
        if stretches and place == stretches[-1][1] + 1 and before[place] == before[place - 1] + 1:
            stretches[-1] = stretches[-1][0], place
        else:
            stretches.append((place, place))
    if not again or any(start == end and ends[start] - starts[start] == 1 for start, end in stretches):
        return none
    left = np.ones(len(order), dtype=bool)
    for place in again:
        left[starts[place] : ends[place]] = False
    units = samples.units[order][left]
    known = samples.of("contents")[order][left] != 0
    if len(np.unique(units[known])) != int(known.sum()):
        return none
    found: Numbers = ordinals[order][~left]
    return found


# Files that hold the rows of another.


def same_samples(ours: FileSamples, theirs: FileSamples, shared: tuple[Numbers, Numbers]) -> bool:
    """Whether what two files share is the same samples, and not copies.

    Args:
        ours: the file that is being read.
        theirs: one that was read before, or is stored.
        shared: places of equal responses in both.
    """
    both, we, they = len(shared[0]), len(ours.keys), len(theirs.keys)
    if not both:
        return False
    if both == we == they:
        # Of one command, files with the same rows are two sources, unless one lies below the other or brings verdicts.
        return theirs.stored or _is_below(ours.path, theirs.path) or ours.unverified != theirs.unverified
    if theirs.stored and ours.path == theirs.path and both == they:
        return True  # the file has grown
    if both in (we, they):
        larger = ours if we > they else theirs
        if larger.is_varied and (both >= FEW or not _are_siblings(ours.path, theirs.path)):
            return True
    if ours.numbered and theirs.numbered:
        return _agree_by_index(ours, theirs, shared)
    return False


def _agree_by_index(ours: FileSamples, theirs: FileSamples, shared: tuple[Numbers, Numbers]) -> bool:
    """Whether all that both have under one index is equal; theirs may have been shifted when they were taken in."""
    mine, other = shared
    shifts, times = np.unique(theirs.of("indices")[other] - ours.of("indices")[mine], return_counts=True)
    shift = shifts[np.argmax(times)]
    place = ours.of("keys") * np.uint64(_MIX) + (ours.of("indices") + shift).astype(np.uint64)
    their_place = theirs.of("keys") * np.uint64(_MIX) + theirs.of("indices").astype(np.uint64)
    _, first, second = np.intersect1d(place, their_place, return_indices=True)
    contents, their_contents = ours.of("contents")[first], theirs.of("contents")[second]
    known = (contents != 0) & (their_contents != 0)
    return bool(known.any() and np.all(contents[known] == their_contents[known]))


def _is_below(path: str, other: str) -> bool:
    """Whether one file lies in a folder below that of the other."""
    folder, second = Path(path).parent, Path(other).parent
    return folder != second and (second in folder.parents or folder in second.parents)


def _are_siblings(path: str, other: str) -> bool:
    """Whether two files of one folder differ in the numbers of their names alone, as those of several seeds do."""

    def form(name: str) -> str:
        return "".join("0" if letter.isdigit() else letter for letter in name).replace("00", "0")

    return Path(path).parent == Path(other).parent and form(Path(path).name) == form(Path(other).name)


@dataclass
class Decision:
    """What of a file is there already."""

    again: set[int] = field(default_factory=set)
    """Ordinals of samples that the file itself has before."""
    replaced: set[int] = field(default_factory=set)
    """Ordinals of samples in whose place a later row of the file counts."""
    elsewhere: dict[int, tuple[FileSamples, int]] = field(default_factory=dict)
    """Ordinals of samples that another file brought, and the place there."""


@dataclass
class InFile:
    """The file that is being read."""

    path: str
    format: str
    scan: Callable[[], dict[str, FileSamples]]
    """Reads the whole file, and gives its samples by run."""
    samples: dict[str, FileSamples] = field(default_factory=dict)
    """What has been taken in, by run."""
    next_ordinal: int = 0
    decided: Decision | None = None
    by_index: dict[tuple[str, int], dict[int, tuple[int, int]]] = field(default_factory=dict)
    """Row and content of each sample index that the file gave, by run and problem."""
    dropped: int = 0
    judged: int = 0
    """Verdicts that it brought for samples that were there."""
    others: dict[str, int] = field(default_factory=dict)
    """The files that hold samples of this one, and how many of them."""


class _Identified(NamedTuple):
    """A sample that has an identity of its own."""

    path: str
    row: int
    content: int
    key: int
    """Of its problem."""
    theirs: FileSamples | None = None
    """What the store has of its file, where it is stored, with its place there."""
    at: int = -1


class Duplicates:
    """Leaves out of an import's blocks what is there already."""

    def __init__(
        self,
        options: Options,
        stored: Callable[[str], list[FileSamples]] | None,
        note: Callable[[str, int], None],
    ) -> None:
        """`stored` gives what the store has of a run, source by source; None where it has none of it."""
        self._on_duplicate = options.on_duplicate
        self._drop_copies = options.drop_copies
        self._stored = stored
        self._content: Callable[[str | None], int] = content_key if stored is not None else _short_key
        self._note = note
        self._seen: dict[tuple[str, int], set[int]] = {}
        """Responses to a problem, by run and problem."""
        self._seeded: dict[tuple[str, int], set[int]] = {}
        """The same of samples whose seed is known: the response with its seed."""
        self._before: dict[str, list[FileSamples]] = {}
        """By run, the files that have been read, and what is stored."""
        self._identities: dict[str, dict[int, _Identified]] = {}
        """By run and the `content_key` of an identity, the sample that has it."""
        self.file = InFile("", "", dict)
        self.copies: dict[str, int] = {}
        """Exact copies of a response to the same problem, by run."""
        self.judged: Counter[str] = Counter()
        """Verdicts for samples that were there, by run."""
        self._verdicts: list[tuple[Any, ...]] = []
        self._changes: dict[tuple[str, int], list[int]] = {}
        """What they change in n, c and unverified of a run's problem."""

    def begin(self, path: str, form: str, scan: Callable[[], dict[str, FileSamples]]) -> None:
        """Another file comes."""
        self.file = InFile(path, form, scan)

    def end(self) -> None:
        """The file has been read."""
        for run, samples in self.file.samples.items():
            self._before.setdefault(run, []).append(samples)

    def known_of(self, run: str) -> list[FileSamples]:
        """What other files brought to a run, those in the store included."""
        found = self._before.get(run)
        if found is None:
            found = self._before[run] = self._stored(run) if self._stored is not None else []
            known = self._identities.setdefault(run, {})
            for samples in found:
                for key, content in zip(samples.keys, samples.contents, strict=True):
                    if content:
                        self._seen.setdefault((run, key), set()).add(content)
                for at, identity in enumerate(samples.identities):
                    if identity:
                        row, content, key = samples.rows[at], samples.contents[at], samples.keys[at]
                        known[identity] = _Identified(samples.path, row, content, key, samples, at)
        return found

    def contents(self, block: Block) -> list[int]:
        """A number for each text of a block."""
        if block.texts is None:
            return [0] * len(block.verdicts)
        if self._content is _short_key:
            return [(hash(text) & _MASK) or 1 if text else 0 for text in block.texts]
        return [content_key(text) for text in block.texts]

    def sift(self, block: Block, run: str, key: int, *, repeated: bool = False) -> tuple[Block, list[int]]:
        """The block without what is there already, and the numbers of its texts.

        Args:
            repeated: whether the file asks this problem more than once, so that an index does not say which sample.

        Raises:
            InputError: what comes twice differs, or the user wants no duplicates.
        """
        file = self.file
        first = file.next_ordinal
        file.next_ordinal += len(block.verdicts)
        contents = self.contents(block)
        self.known_of(run)
        gone: set[int] = set()
        if self._on_duplicate != KEEP_ALL:
            if self._on_duplicate == KEEP_LAST and file.decided is None:
                file.decided = self._decide()
            if block.indices is not None and not repeated:
                gone |= self._known_by_index(block, run, key, contents, first)
            if file.decided is None and self._has_copy(contents, gone, run, key):
                file.decided = self._decide()
            if file.decided is not None:
                gone |= self._leave_out(block, run, key, first, gone)
            if block.identities is not None:
                gone |= self._known_by_identity(block, run, key, contents, gone)
        if self._drop_copies:
            seen = set(self._drawn(block).get((run, key), ()))
            for place, content in enumerate(_draws(block, contents)):
                if content and place not in gone:
                    if content in seen:
                        self._note(DROPPED, 1)
                        gone.add(place)
                    seen.add(content)
        if not gone:
            return block, contents
        file.dropped += len(gone)
        kept = [content for place, content in enumerate(contents) if place not in gone]
        return without_samples(block, gone), kept

    def _drawn(self, block: Block) -> dict[tuple[str, int], set[int]]:
        return self._seen if block.seeds is None else self._seeded

    def _has_copy(self, contents: list[int], gone: set[int], run: str, key: int) -> bool:
        texts = [content for place, content in enumerate(contents) if content and place not in gone]
        different = set(texts)
        return len(different) < len(texts) or not different.isdisjoint(self._seen.get((run, key), ()))

    def taken(self, block: Block, run: str, key: int, contents: list[int], indices: list[int]) -> None:
        """Note what has been taken in, under these indices of the run."""
        file = self.file
        draws = _draws(block, contents)
        seen = self._drawn(block).setdefault((run, key), set())
        copies = sum(bool(draw) for draw in draws) - len({*draws} - {*seen, 0})
        seen.update(draw for draw in draws if draw)
        if draws is not contents:
            self._seen.setdefault((run, key), set()).update(content for content in contents if content)
        if copies:
            self._note(COPIES, copies)
            self.copies[run] = self.copies.get(run, 0) + copies
        samples = file.samples.get(run)
        if samples is None:
            samples = file.samples[run] = FileSamples.begin(file.path, block)
        samples.add(key, contents, block, indices, len(samples.keys), whole=False)
        if block.identities is not None:
            known = self._identities.setdefault(run, {})
            for identity, row, content in zip(block.identities, block.rows, contents, strict=True):
                if identity is not None:
                    known.setdefault(content_key(identity), _Identified(file.path, row, content, key))

    def _decide(self) -> Decision:
        decision = Decision()
        for run, ours in self.file.scan().items():
            if self._on_duplicate == KEEP_LAST:
                decision.replaced.update(_replaced(ours))
            elif not ours.numbered:
                decision.again.update(written_again(ours).tolist())
            left = ~np.isin(ours.of("ordinals"), list(decision.again | decision.replaced))
            for theirs in self.known_of(run):
                if ours.identified and theirs.identified:
                    continue  # their own ids say it
                rest = np.flatnonzero(left)
                mine, other = matched(ours.units[rest], theirs.units)
                shared = rest[mine], other
                if not same_samples(ours, theirs, shared):
                    if theirs.stored and theirs.path == ours.path:
                        self._refuse_changed(theirs, len(mine))
                    continue
                left[shared[0]] = False
                for place, at in zip(shared[0].tolist(), other.tolist(), strict=True):
                    decision.elsewhere[ours.ordinals[place]] = theirs, at
                self.file.others[theirs.path] = self.file.others.get(theirs.path, 0) + len(mine)
        return decision

    def _refuse_changed(self, theirs: FileSamples, shared: int) -> None:
        raise InputError(
            f"{self.file.path} was imported before, and has changed since",
            f"{shared:,} of the {len(theirs.keys):,} samples that came from it are still there.",
            "Nothing was imported. To replace what came from it, take that import back first (passk imports, "
            "passk undo). To add all that it has now, say --on-duplicate keep-all.",
        )

    def _known_by_index(self, block: Block, run: str, key: int, contents: list[int], first: int) -> set[int]:
        """Samples whose index the file had already: a job that was resumed writes rows twice."""
        seen = self.file.by_index.setdefault((run, key), {})
        replaced = self.file.decided.replaced if self.file.decided is not None else ()
        again = set()
        for place, index in enumerate(block.indices or ()):
            if first + place in replaced:
                continue
            row, content = block.rows[place], hash((block.verdicts[place], contents[place]))
            before = seen.setdefault(index, (row, content))
            if before[0] == row:
                continue
            if before[1] != content:
                raise InputError(
                    f"{self.file.path}, line {row}: sample {index} of problem {block.problem.id} exists already, "
                    f"and differs, in line {before[0]}",
                    next_step="Nothing was imported. Say --on-duplicate keep-last to let the later line count, or name "
                    "the column that tells samples apart with --column index=COLUMN.",
                )
            self._refuse_if_wanted(block, place, f"stands in line {before[0]} too")
            again.add(place)
        if again:
            self._note(SAME_INDEX, len(again))
        return again

    def _leave_out(self, block: Block, run: str, key: int, first: int, known: set[int]) -> set[int]:
        decided = self.file.decided
        assert decided is not None
        gone: set[int] = set()
        for place in range(len(block.verdicts)):
            ordinal = first + place
            if place in known:
                continue
            if ordinal in decided.replaced:
                self._note(REPLACED, 1)
            elif ordinal in decided.again:
                self._refuse_if_wanted(block, place, "stands in the file before")
                self._note(WRITTEN_AGAIN, 1)
            elif ordinal in decided.elsewhere:
                theirs, at = decided.elsewhere[ordinal]
                self._refuse_if_wanted(block, place, f"is in {theirs.path} too")
                self._note(ELSEWHERE, 1)
                self._verdict(block, place, run, key, theirs, at)
            else:
                continue
            gone.add(place)
        return gone

    def _refuse_if_wanted(self, block: Block, place: int, how: str) -> None:
        if self._on_duplicate == ERROR:
            raise InputError(
                f"{self.file.path}, line {block.rows[place]}: this sample of problem {block.problem.id} {how}",
                next_step="Nothing was imported. Without --on-duplicate error it is counted once.",
            )

    def _verdict(self, block: Block, place: int, run: str, key: int, theirs: FileSamples, at: int) -> None:
        """What a sample that is there is said to be now.

        Raises:
            InputError: both have a verdict, and not the same.
        """
        before, now = VERDICTS[theirs.verdicts[at]], block.verdicts[place]
        if now in (before, "unverified"):
            return
        if before != "unverified":
            if self._on_duplicate != KEEP_LAST:
                row = f", line {theirs.rows[at]}" if theirs.rows[at] else ""
                raise InputError(
                    f"{self.file.path}, line {block.rows[place]}: this sample is {now}, but {before} in "
                    f"{theirs.path}{row}",
                    f"It is the same response to problem {block.problem.id}.",
                    "Nothing was imported. --on-duplicate keep-last lets the later verdict count; the earlier one is "
                    "kept beside.",
                )
        else:
            self._note(VERDICTS_CAME, 1)
        self.file.judged += 1
        self.judged[run] += 1
        answer, detail = (None if values is None else values[place] for values in (block.answers, block.details))
        given = run_key(run), key, theirs.indices[at], self.file.format, None, now, detail, answer
        self._verdicts.append(given)
        theirs.verdicts[at] = CODES[now]
        change = self._changes.setdefault((run, key), [0, 0, 0])
        for verdict, sign in ((before, -1), (now, 1)):
            for place_of, counts in enumerate((verdict != "unverified", verdict == "correct", verdict == "unverified")):
                change[place_of] += sign * counts

    def verdict_rows(self, now: datetime) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Rows of `verdicts` for samples that were there, and what they change in the tallies."""
        rows = [(*row, True, now) for row in sorted(self._verdicts, key=lambda row: row[:3])]
        changes = [
            (run_key(run), key, "samples", *change, 0, 0, 0) for (run, key), change in sorted(self._changes.items())
        ]
        return rows, changes

    def _known_by_identity(self, block: Block, run: str, key: int, contents: list[int], gone: set[int]) -> set[int]:
        known = self._identities.setdefault(run, {})
        here: dict[int, int] = {}
        again: set[int] = set()
        for place, identity in enumerate(block.identities or ()):
            if identity is None or place in gone:
                continue
            number = content_key(identity)
            before = known.get(number)
            if before is None and number in here:
                at = here[number]
                before = _Identified(self.file.path, block.rows[at], contents[at], key)
            here.setdefault(number, place)
            if before is None:
                continue
            path, row, content, of, theirs, at = before
            if (content, of) != (contents[place], key) or self._on_duplicate == ERROR:
                raise InputError(
                    f"{self.file.path}, line {block.rows[place]}: the sample {identity} exists already"
                    + (", and differs" if (content, of) != (contents[place], key) else ""),
                    f"It is in {path}, line {row}.",
                    "Nothing was imported. Keep one of the two; or, where the ids do not tell samples apart, say "
                    "--on-duplicate keep-all.",
                )
            self._note(SAME_IDENTITY, 1)
            if theirs is not None:
                self._verdict(block, place, run, key, theirs, at)
            if path != self.file.path or theirs is not None:
                self.file.others[path] = self.file.others.get(path, 0) + 1
            again.add(place)
        return again


def _draws(block: Block, contents: list[int]) -> list[int]:
    """What makes a sample a copy of another: its response, and its seed where that is known.

    Two seeds may well draw the same short response; they are two samples.
    """
    if block.seeds is None:
        return contents
    drawn = zip(contents, block.seeds, strict=True)
    return [content and hash((content, seed)) if seed is not None else content for content, seed in drawn]


def _short_key(text: str | None) -> int:
    """A number for a text, where nothing has to be compared with what is stored."""
    return (hash(text) & _MASK) or 1 if text else 0


def _replaced(samples: FileSamples) -> set[int]:
    """Ordinals of samples after which another of the same problem and index comes; none where there are no indices."""
    last: dict[tuple[int, int], tuple[int, int]] = {}
    replaced: set[int] = set()
    if samples.numbered:
        every = zip(samples.keys, samples.indices, samples.rows, samples.ordinals, strict=True)
        for key, index, row, ordinal in every:
            before = last.get((key, index))
            if before is not None:
                replaced.add(min((row, ordinal), before)[1])
            last[key, index] = max((row, ordinal), before or (row, ordinal))
    return replaced
