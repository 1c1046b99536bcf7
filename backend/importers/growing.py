"""A file that grows while it is imported, in stretches: what the store has of it, and the part of it that is new.

A file that is still small is read whole each time, and the new part replaces the one before: so whatever an importer
finds out from all rows of a file (which columns are constant, what all prompts begin with) comes out as if the file had
been imported at once. What is larger is read from where it was left; the importer still sees the file's first lines,
whose samples are passed over here.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

from backend.errors import InputError
from backend.importers.protocol import Block, Counts, ProblemFacts, without_samples
from backend.importers.source import SourceFile
from backend.store.identity import run_key, source_key

CONTEXT = 1 << 20
"""So many bytes from the beginning of a file an importer sees again with each later stretch."""
PIECE = 1 << 20
ENDING = 1 << 14


@dataclass
class StretchSource(SourceFile):
    """A file up to `end`, whatever is written behind it meanwhile; without what lies between `context` and `start`."""

    start: int = 0
    end: int = 0
    context: int = 0
    """Bytes from the beginning that are read although they lie before `start`."""
    blank: int = 0
    """Ends of lines between `context` and `start`: they are there, so that lines keep their numbers."""

    def open(self) -> BinaryIO:
        """The bytes that are to be read, as one file."""
        if self.compression is not None:
            return super().open()
        return io.BufferedReader(_Stretches(self), buffer_size=1 << 18)


class _Stretches(io.RawIOBase):
    """Context, blank lines, and the stretch."""

    def __init__(self, source: StretchSource) -> None:
        self._file = open(source.path, "rb")  # noqa: SIM115 - closed with this
        self._blank = source.blank
        self._left = [(0, source.context), None, (source.start, source.end)]
        if source.context >= source.start:
            self._left, self._blank = [(0, source.end)], 0
        self._place = self._left[0][0] if self._left[0] else 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """The next bytes."""
        while self._left:
            now = self._left[0]
            if now is None:
                if self._blank:
                    size = min(self._blank, len(buffer))
                    buffer[:size] = b"\n" * size
                    self._blank -= size
                    return size
            elif self._place < now[1]:
                self._file.seek(self._place)
                data = self._file.read(min(len(buffer), now[1] - self._place))
                if data:
                    buffer[: len(data)] = data
                    self._place += len(data)
                    return len(data)
            self._left.pop(0)
            if self._left and (following := self._left[0]) is not None:
                self._place = following[0]
        return 0

    def close(self) -> None:
        """Close the file too."""
        if not self.closed:
            self._file.close()
        super().close()


@dataclass(frozen=True)
class Prefix:
    """The beginning of a file: how long it is, how many lines end in it, and the hash of its bytes, to go on from."""

    end: int = 0
    lines: int = 0
    ending: bytes = b""
    """Its last bytes, to see that it is still the same file."""
    hashed: Any = field(default_factory=lambda: blake2b(digest_size=16))

    @property
    def digest(self) -> str:
        """As `SourceFile.digest` has it of a whole file."""
        return str(self.hashed.hexdigest())

    @property
    def rows(self) -> int:
        """Lines that have begun in it."""
        return self.lines + (not self.ending.endswith(b"\n") if self.end else 0)

    def up_to(self, file: BinaryIO, end: int) -> Prefix | None:
        """The prefix that ends there; None where the file is shorter, or no longer has this one's last bytes."""
        file.seek(self.end - len(self.ending))
        if file.read(len(self.ending)) != self.ending:
            return None
        hashed, lines, place, ending = self.hashed.copy(), self.lines, self.end, self.ending
        while place < end:
            data = file.read(min(PIECE, end - place))
            if not data:
                return None
            hashed.update(data)
            lines += data.count(b"\n")
            place += len(data)
            ending = (ending + data)[-ENDING:]
        return Prefix(place, lines, ending, hashed)


Rows = Callable[..., list[tuple[Any, ...]]]
"""Asks the store: name of a query, and its parameters."""


@dataclass
class GrowingFile:
    """One file that is followed, as an import sees it."""

    source: SourceFile
    key: str
    """In place of the file's digest in source keys."""
    lines: int = 0
    """Rows up to this line are in the store already, and stay as they are."""
    problems: int = 0
    """Problems among them."""
    offsets: dict[str, int] = field(default_factory=dict)
    """Of each run, the first index that went to this file."""
    replaced: str = ""
    """Key of the part that this import replaces: a row of it keeps its sample index."""
    rows: Rows | None = None
    """Asks the store, where it has samples of other files or of earlier stretches."""
    taken: dict[str, dict[int, set[int]]] = field(default_factory=dict)
    """The indices of each run and problem that somebody has; one for all files of an import."""
    had: int = 0
    """Samples of the part that this import replaces, so far as their runs have been met."""
    by_place: bool = False
    """Whether problems are called by their place alone: then the file is always read whole."""
    _new: dict[int, ProblemFacts] = field(default_factory=dict)
    _known: dict[str, set[int]] = field(default_factory=dict)
    _before: dict[str, dict[tuple[int, int], list[int]]] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.source.path

    @property
    def is_continued(self) -> bool:
        """Whether the store has the beginning of it for good."""
        return self.lines > 0

    def new_rows(self, item: Block | Counts) -> Block | Counts | None:
        """The item without the rows that the store has; None where nothing is left of it."""
        rows = item.rows if isinstance(item, Block) else [item.row]
        old = {place for place, row in enumerate(rows) if row <= self.lines}
        if item.problem.statement is None and item.problem.id == str(item.problem.position):
            self.by_place = True
        if len(old) == len(rows):
            return None
        return without_samples(item, old) if isinstance(item, Block) and old else item

    # Problems: those that come later in a file are numbered among those that the importer sees, which are not all.

    def named(self, run: str, key: int, facts: ProblemFacts) -> ProblemFacts:
        """The problem with its place in the whole file; what the store knows already keeps its own."""
        if key in self._problems_of(run) or key in self._new:
            return self._new.get(key, facts)
        if self.lines and not self.by_place:
            position = self.problems + len(self._new)
            name = str(position) if facts.id == str(facts.position) else facts.id
            facts = replace(facts, id=name, position=max(position, facts.position))
        self._new[key] = facts
        return facts

    def _problems_of(self, run: str) -> set[int]:
        found = self._known.get(run)
        if found is None:
            known: list[tuple[Any, ...]] = []
            if self.lines and self.rows is not None:
                keys = {"run_key": run_key(run), "source_key": source_key(self.key, run)}
                known = self.rows("follow/problems_of_file", lines=self.lines, **keys)
            found = self._known[run] = {key for (key,) in known}
        return found

    @property
    def all_problems(self) -> int:
        """Problems of the file, with those of this stretch."""
        return self.problems + len(self._new)

    # Sample indices: a row keeps the one that it has, and none is given twice.

    def offset(self, run: str, end: int) -> int:
        """What is added to the file's own indices in this run."""
        return self.offsets.setdefault(run, end)

    def indices(self, run: str, key: int, rows: Sequence[int], wanted: Sequence[int] | None, first: int) -> list[int]:
        """An index for each row: the one that it has, else the one wanted, else the next.

        Args:
            wanted: what the file says; None where it says nothing.
            first: of a problem without samples.
        """
        taken = self._taken_of(run).setdefault(key, set())
        before = self._before_of(run)
        following = max(taken, default=self.offset(run, first) - 1) + 1
        result = []
        for place, row in enumerate(rows):
            if had := before.get((key, row)):
                result.append(had.pop(0))
                continue
            index = following if wanted is None or wanted[place] in taken else wanted[place]
            taken.add(index)
            following = max(following, index + 1)
            result.append(index)
        return result

    def _taken_of(self, run: str) -> dict[int, set[int]]:
        found = self.taken.get(run)
        if found is None:
            known = [] if self.rows is None else self.rows("follow/samples_of_run", run_key=run_key(run))
            found = self.taken[run] = {key: set(samples) for key, samples in known}
        return found

    def _before_of(self, run: str) -> Mapping[tuple[int, int], list[int]]:
        found = self._before.get(run)
        if found is None:
            known: list[tuple[Any, ...]] = []
            if self.replaced and self.rows is not None:
                keys = {"run_key": run_key(run), "source_key": source_key(self.replaced, run)}
                known = self.rows("follow/samples_of_file", **keys)
            found = self._before[run] = {(key, row): list(samples) for key, row, samples in known}
            self.had += sum(map(len, found.values()))
        return found

    def without_written_again(self, block: Block, run: str, key: int) -> Block:
        """The block without samples whose index an earlier stretch gave to the same; a resumed job writes rows twice.

        Raises:
            InputError: they differ.
        """
        if not self.lines or block.indices is None:
            return block
        again = set()
        for place, index in enumerate(block.indices):
            before = self._stored(run, key, index)
            if before is None or before[0] > self.lines:
                # Those of the part that this one replaces are no earlier ones.
                continue
            if before[1:] != (block.verdicts[place], block.texts[place] if block.texts else None):
                raise InputError(
                    f"{self.source.path}, line {block.rows[place]}: sample {index} of problem {block.problem.id} is "
                    f"there already, otherwise, in line {before[0]}"
                )
            again.add(place)
        return without_samples(block, again) if again else block

    def _stored(self, run: str, key: int, index: int) -> tuple[int, str, str | None] | None:
        """Row, verdict and text of the sample to which an earlier stretch of this file gave that index."""
        if not self.lines or self.rows is None or run not in self.offsets:
            return None
        sample = self.offsets[run] + index
        if sample not in self._taken_of(run).get(key, ()):
            return None
        keys = {"run_key": run_key(run), "source_key": source_key(self.key, run)}
        found = self.rows("follow/stored_sample", problem_key=key, sample=sample, **keys)
        return (found[0][0], found[0][1], found[0][2]) if found else None
