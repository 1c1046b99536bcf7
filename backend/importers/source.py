"""Opening a result file: plain, compressed, in an archive, or Parquet; bombs are refused."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from backend.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from backend.importers.mapping import Select, SelectedRows


# Opening a result file: as it is, or unpacked where it is compressed with gzip or zstd. Bombs are refused.

MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""How compressed files begin."""

ALWAYS_UNPACKED = 256 << 20
"""So much may come out of any compressed file, in bytes ..."""
MOST_RATIO = 200
"""... and beyond that at most so many times what the file holds: text of models shrinks to a tenth."""

LONG_LINE = 32 << 20
"""Bytes of a line, beyond which a file of one line is a document and no jsonl of one row."""
MOST_LINE = 1 << 30
"""Longest line of a file, in bytes."""
MOST_DOCUMENT = 2 << 30
"""Largest file that is one JSON document and so is read whole, in bytes."""


def compression_of(path: Path) -> str | None:
    """`gzip`, `zstd`, or None for anything else, by the first bytes."""
    with open(path, "rb") as file:
        start = file.read(4)
    return next((name for magic, name in MAGIC.items() if start.startswith(magic)), None)


def is_bomb(unpacked: int, packed: int) -> bool:
    """Whether so many bytes out of so many look like a bomb."""
    return unpacked > max(ALWAYS_UNPACKED, MOST_RATIO * packed)


def bomb_error(path: Path, what: str) -> InputError:
    """The error for something that unpacks to too much."""
    return InputError(
        f"{path}: {what} unpacks to more than {MOST_RATIO} times its size",
        f"More than {ALWAYS_UNPACKED >> 20} MiB have come out of it: it looks like a decompression bomb.",
        "Nothing was imported. If it is none, unpack it and import what it holds.",
    )


PIECE = 1 << 14


class Unpacking(io.RawIOBase):
    """The bytes inside a compressed file; errors are sentences."""

    def __init__(self, path: Path, form: str, moved: Callable[[int], None]) -> None:
        """`moved` is told the place in the compressed file."""
        import pyarrow as pa

        self._path, self._form, self._moved = path, form, moved
        self._size = path.stat().st_size
        self._unpacked = 0
        self._raw = open(path, "rb")  # noqa: SIM115 - closed with this
        self._stream = pa.CompressedInputStream(self._raw, form)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Unpack into a buffer.

        Raises:
            InputError: the file is damaged or cut off, or unpacks to too much.
        """
        try:
            # A little at a time: what comes before the damage is still to be had.
            data = self._stream.read(min(len(buffer), PIECE))
        except OSError as error:
            raise InputError(
                f"{self._path}: not readable as {self._form}: {error}", next_step="Nothing was imported."
            ) from error
        self._unpacked += len(data)
        if is_bomb(self._unpacked, self._size):
            raise bomb_error(self._path, f"this {self._form} file")
        buffer[: len(data)] = data
        self._moved(self._raw.tell())
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


def open_plain(path: Path, form: str | None, moved: Callable[[int], None] = lambda place: None) -> BinaryIO:
    """The file's bytes, unpacked."""
    if form is None:
        return open(path, "rb", buffering=1 << 18)
    return io.BufferedReader(Unpacking(path, form, moved), buffer_size=1 << 18)


def read_beginning(file: BinaryIO, size: int) -> bytes:
    """The first bytes; of a damaged compressed file, what comes before the damage."""
    pieces: list[bytes] = []
    left = size
    try:
        while left > 0 and (piece := file.read(min(left, 1 << 14))):
            pieces.append(piece)
            left -= len(piece)
    except InputError:
        pass
    return b"".join(pieces)


def unpacked_copy(path: Path, form: str) -> IO[bytes]:
    """A temporary file with what a compressed file holds, for formats that are read from their end; gone when closed.

    Raises:
        InputError: damaged, or too much.
    """
    import shutil
    from tempfile import NamedTemporaryFile

    copy = NamedTemporaryFile(prefix="passk-unpacked-")  # noqa: SIM115 - the caller keeps it
    with open_plain(path, form) as file:
        shutil.copyfileobj(file, copy, 1 << 20)
    copy.flush()
    return copy


def read_lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends; one longer than `MOST_LINE` comes in pieces, the first of them too long."""
    return iter(lambda: file.readline(MOST_LINE + 1), b"")


# A file to import, as its importer sees it.

HEAD = 1 << 20
"""Bytes of a file that `recognise` may look at."""


@dataclass
class SourceFile:
    """A file to import, with its beginning at hand for recognition. Compressed files are read as what they hold."""

    path: Path
    bytes_read: int = 0
    """How far a reader has come, for the progress bar."""
    row: int | None = None
    """The line that is being read, for errors that do not know it themselves."""
    correct_at: float | None = None
    """From which reward on a sample is correct, where the user said so."""
    bad_rows: dict[int, str] | None = None
    """With --skip-bad-rows, the rows that are passed over, and why; None where a bad row is an error."""
    select: Select | None = None
    """The statement that makes rows of it, where the user gave one."""

    @cached_property
    def selected(self) -> SelectedRows | None:
        """The rows that the statement makes of it; None without one."""
        from backend.importers.mapping import SelectedRows

        return None if self.select is None else SelectedRows(self, self.select)

    @cached_property
    def compression(self) -> str | None:
        """`gzip` or `zstd` where it is compressed."""
        return compression_of(self.path)

    def open(self) -> BinaryIO:
        """Its bytes, unpacked; what is wrong with the compression is raised as InputError while reading."""
        return open_plain(self.path, self.compression, self._moved)

    def passes_over(self, row: int) -> bool:
        """Whether a row is known to be bad and left out."""
        return self.bad_rows is not None and row in self.bad_rows

    def pass_over(self, error: InputError) -> None:
        """Leave out the row of an error, where the user wants that; else raise it."""
        if self.bad_rows is None or error.row is None:
            raise error
        self.bad_rows[error.row] = error.title.partition(f"{error.row}: ")[2] or error.title

    def _moved(self, place: int) -> None:
        self.bytes_read = place

    @cached_property
    def _copy(self) -> Any:
        return None if self.compression is None else unpacked_copy(self.path, self.compression)

    @property
    def local(self) -> Path:
        """A file that can be read from any place: itself, or a temporary unpacked copy that lives as long as this."""
        return self.path if self._copy is None else Path(self._copy.name)

    @cached_property
    def head(self) -> bytes:
        """The first mebibyte, unpacked."""
        with self.open() as file:
            return read_beginning(file, HEAD)

    @cached_property
    def digest(self) -> str:
        """BLAKE2b of its bytes, unpacked, so that a file and its compressed twin are one; 32 hexadecimal digits."""
        digest = blake2b(digest_size=16)
        with self.open() as file:
            while block := file.read(1 << 20):
                digest.update(block)
        self.bytes_read = 0
        return digest.hexdigest()

    @cached_property
    def first_object(self) -> dict[str, Any] | None:
        """The first line as a JSON object, when it is one (jsonl); None otherwise."""
        import orjson

        line = self.head.lstrip(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
        if not line.startswith(b"{"):
            return None
        if len(line) >= HEAD - 3:
            with self.open() as file:
                line = file.readline(LONG_LINE)
                is_long = len(line) == LONG_LINE and not line.endswith(b"\n")
                while is_long and not (piece := file.readline(1 << 20)).endswith(b"\n"):
                    if not piece:
                        return None  # a document, all of it on one line: to read it would take a multiple of it
            if is_long:
                with self.open() as file:
                    line = next(read_lines(file), b"")
        try:
            value = orjson.loads(line)
        except ValueError:
            import json

            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                return None
        return value if isinstance(value, dict) else None

    @cached_property
    def first_in_array(self) -> dict[str, Any] | None:
        """The first entry of a JSON array, when it is an object; None otherwise."""
        import json

        start = self.first_document
        if not start.startswith(b"["):
            return None
        text = start[1:].decode("utf-8", "replace").lstrip()
        try:
            value, _ = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    @cached_property
    def beginning(self) -> Any:
        """The file as one JSON document, as far as its first mebibyte goes; None where it is none, or lines of JSON."""
        start = self.first_document
        if not start.startswith((b"{", b"[")) or (self.first_object is not None and b"\n" in start.strip()):
            return None
        try:
            return begun_json(start.decode("utf-8", "replace"), 0)[0]
        except RecursionError:
            return None

    @cached_property
    def first_document(self) -> bytes:
        """The beginning without what may come before a JSON document: a byte order mark and white space."""
        return self.head.removeprefix(b"\xef\xbb\xbf").lstrip()

    @property
    def delimiter(self) -> str:
        """What stands between the columns of a csv file, by its first line."""
        first = self.head.split(b"\n", 1)[0].decode("utf-8", "replace")
        return next((mark for mark in ",\t;" if mark in first), ",")

    @property
    def is_parquet(self) -> bool:
        """Whether it begins as Parquet files do."""
        return self.head.startswith(b"PAR1")


_SPACE = re.compile(r"[\s,:]*")


def begun_json(text: str, at: int) -> tuple[Any, int]:
    """The JSON value at a place of a text that may be cut off, with all that is whole in it, and where it ends."""
    import json

    decoder = json.JSONDecoder()
    try:
        return decoder.raw_decode(text, at)
    except ValueError:
        pass
    opening, at = text[at : at + 1], at + 1
    value: Any = {} if opening == "{" else []
    while opening in ("{", "["):
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if text[at : at + 1] in ("", "}", "]"):
            break
        try:
            key = None
            if opening == "{":
                key, at = decoder.raw_decode(text, at)
                at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
            whole, end = decoder.raw_decode(text, at)
        except ValueError:
            if text[at : at + 1] not in ("{", "["):
                break
            whole, end = begun_json(text, at)
        at = end
        if isinstance(value, list):
            value.append(whole)
        elif isinstance(key, str):
            value[key] = whole
    return value, len(text)


def input_error(
    source: SourceFile, row: int | None, problem: str, next_step: str = "", *, where: str = "line"
) -> InputError:
    """The error for a bad line: file and line in the title."""
    place = f"{source.path}" + (f", {where} {row}" if row is not None else "")
    error = InputError(f"{place}: {problem}", next_step=next_step or "Nothing was imported.")
    error.row = row
    return error


# Zip archives, read member by member in memory. Nothing is written to disk, and nothing hostile is unpacked.

MOST_MEMBERS = 2_000_000
MOST_MEMBER = 512 << 20
"""Largest member, in bytes when unpacked."""
ZSTD = 93
"""Method of members that newer tools write; Python's zipfile reads it from 3.14 on."""
DAMAGE = (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError)
"""What zipfile raises for a damaged archive."""
_HEADER = 30


class Archive:
    """The members of a zip file by name; of several with one name the last counts."""

    def __init__(self, source: SourceFile) -> None:
        """Look through the directory.

        Raises:
            InputError: damaged, or a member that leads outside, is encrypted, or would unpack to too much.
        """
        self._source = source
        self._file: IO[bytes] = open(source.local, "rb")  # noqa: SIM115 - closed with the archive
        self._size = source.local.stat().st_size
        self._unpacked = 0
        try:
            try:
                self._zip = zipfile.ZipFile(self._file)
                self.members = {info.filename: info for info in self._zip.infolist()}
            except DAMAGE as error:
                raise input_error(source, None, f"not readable as zip: {error}") from error
            self._refuse_hostile()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    def _refuse_hostile(self) -> None:
        if len(self.members) > MOST_MEMBERS:
            raise input_error(self._source, None, f"more than {MOST_MEMBERS:,} members")
        for name, info in self.members.items():
            if leads_outside(name):
                raise self._bad(name, "a member whose name leads outside the archive")
            if info.flag_bits & 1:
                raise self._bad(name, "an encrypted member")
            if info.file_size > MOST_MEMBER:
                raise self._bad(name, f"a member of more than {MOST_MEMBER >> 20} MiB")
        whole = sum(info.file_size for info in self.members.values())
        if is_bomb(whole, self._size):
            raise self._bomb()

    def _bad(self, name: str, problem: str) -> InputError:
        return input_error(self._source, None, f"{problem}: {name}")

    def _bomb(self) -> InputError:
        return input_error(
            self._source,
            None,
            f"it would unpack to more than {MOST_RATIO} times its size and {ALWAYS_UNPACKED >> 20} MiB: a zip bomb?",
        )

    def read(self, name: str) -> bytes:
        """A member's bytes.

        Raises:
            InputError: it is damaged, or larger than its header says.
        """
        info = self.members[name]
        try:
            data = self._zstd(info) if info.compress_type == ZSTD else self._plain(info)
        except (*DAMAGE, EOFError, zlib.error) as error:
            raise self._bad(name, f"not readable as zip: {error}") from error
        self._unpacked += len(data)
        if is_bomb(self._unpacked, self._size):
            raise self._bomb()
        return data

    def _plain(self, info: zipfile.ZipInfo) -> bytes:
        with self._zip.open(info) as member:
            # The size in the header is the archive's word; zipfile stops there by itself.
            return member.read(MOST_MEMBER + 1)

    def _zstd(self, info: zipfile.ZipInfo) -> bytes:
        import pyarrow as pa

        self._file.seek(info.header_offset)
        header = self._file.read(_HEADER)
        if len(header) < _HEADER or header[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile("no member where the directory says")
        name_length, extra_length = struct.unpack("<HH", header[26:30])
        self._file.seek(info.header_offset + _HEADER + name_length + extra_length)
        packed = self._file.read(info.compress_size)
        with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
            data: bytes = stream.read(info.file_size + 1)
        if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
            raise zipfile.BadZipFile("it is not what its checksum says")
        return data


def leads_outside(name: str) -> bool:
    """Whether a member's name is absolute, goes up, or is one of another system's paths."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or name[1:2] == ":"


def is_zip(source: SourceFile) -> bool:
    """Whether it begins as zip files do."""
    return source.head.startswith(b"PK\x03\x04")


def has_member(source: SourceFile, wanted: Iterable[str]) -> bool:
    """Whether one of these members is there, as the directory says."""
    if not is_zip(source):
        return False
    try:
        with zipfile.ZipFile(Path(source.local)) as found:
            return not set(found.NameToInfo).isdisjoint(wanted)
    except (*DAMAGE, InputError):
        return False


# Parquet files with columns of their own: what they hold, and their rows in batches, with errors in sentences.


@contextmanager
def parquet_errors(source: SourceFile) -> Iterator[None]:
    """What pyarrow raises for a damaged file becomes an InputError."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        # MemoryError: a length in a damaged file; ValueError: text that is not UTF-8, dates beyond the calendar.
        said = str(error).strip().splitlines()
        raise input_error(
            source, source.row, f"not readable as Parquet: {said[0] if said else type(error).__name__}"
        ) from error


def parquet_schema(source: SourceFile) -> pa.Schema | None:
    """Names and types of the columns; None when it is no Parquet file, or one that is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not source.is_parquet:
        return None
    try:
        return pq.read_schema(source.local)
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        return None


USUAL_DICTIONARY = 2 << 20
"""Bytes of a column's repeated values; those who write Parquet stop at one or two megabytes."""
LEAST_IN_MEMORY = 8
"""Bytes that a value takes at least, however little of the file it is."""


def refuse_parquet_bomb(source: SourceFile, metadata: pq.FileMetaData, columns: Iterable[str] | None = None) -> None:
    """Raise InputError where a file declares more rows, values or bytes than so small a file has any use for."""
    wanted = None if columns is None else set(columns)
    declared = 0
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(place)
            if wanted is None or chunk.path_in_schema.split(".")[0] in wanted:
                declared += max(chunk.total_uncompressed_size, chunk.num_values * LEAST_IN_MEMORY)
    if is_bomb(declared, source.path.stat().st_size):
        raise bomb_error(source.path, "this Parquet file")


def _repeated(source: SourceFile) -> list[str]:
    """The columns of text whose values are stored once and repeated, to be read as that."""
    import pyarrow.parquet as pq

    found = set()
    metadata = pq.read_metadata(source.local)
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(place)
            if chunk.physical_type != "BYTE_ARRAY" or "." in chunk.path_in_schema or not chunk.has_dictionary_page:
                continue
            stored, packed = chunk.total_uncompressed_size, max(chunk.total_compressed_size, 1)
            start = chunk.dictionary_page_offset or 0
            dictionary = max(chunk.data_page_offset - start, 0) if start else 0
            if stored < 16 * chunk.num_values or stored > 20 * packed or dictionary > USUAL_DICTIONARY:
                found.add(chunk.path_in_schema)
    return sorted(found)


def _bytes_in(column: pa.Array) -> int:
    """Bytes of a column's values, each as often as it is there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary)
    return int(pc.sum(lengths.take(column.indices.drop_null())).as_py() or 0) + int(column.indices.nbytes)


def _values(column: pa.Array) -> list[Any]:
    """The values of a column; what it repeats is one object."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        return list(column.to_pylist())
    known = column.dictionary.to_pylist()
    return [None if index is None else known[index] for index in column.indices.to_pylist()]


def parquet_batches(
    source: SourceFile, columns: Sequence[str], size: int = 1_024
) -> Iterator[tuple[int, list[list[Any]]]]:
    """The number of the first row, from 1, and the values of these columns, batch by batch.

    Raises:
        InputError: the file is damaged.
    """
    import pyarrow.parquet as pq

    whole, unpacked = source.path.stat().st_size, 0
    row = 1
    with parquet_errors(source):
        # What repeats is taken as it is stored, once: a few bytes can stand for a long text in a million rows.
        file = pq.ParquetFile(source.local, read_dictionary=_repeated(source))
        present = file.schema_arrow.names
        if double := next((column for column in columns if present.count(column) > 1), None):
            raise input_error(source, None, f"more than one column {double}")
        total = max(file.metadata.num_rows, 1)
        refuse_parquet_bomb(source, file.metadata, columns)
        iterator = file.iter_batches(batch_size=size, columns=list(columns))
    while True:
        with parquet_errors(source):
            batch = next(iterator, None)
            if batch is None:
                return
            unpacked += sum(_bytes_in(batch.column(column)) for column in columns)
            if is_bomb(unpacked, whole):
                raise bomb_error(source.path, "this Parquet file")
            values = [_values(batch.column(column)) for column in columns]
        yield row, values
        row += batch.num_rows
        source.row = row
        source.bytes_read = whole * (row - 1) // total
