"""Opening a result file: as it is, or unpacked where it is compressed with gzip or zstd. Bombs are refused."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

from backend.errors import InputError

MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""How compressed files begin."""

ALWAYS_UNPACKED = 256 << 20
"""So much may come out of any compressed file, in bytes ..."""
MOST_RATIO = 200
"""... and beyond that at most so many times what the file holds: text of models shrinks to a tenth."""

MOST_LINE = 1 << 30
"""Longest line of a file, in bytes."""
MOST_DOCUMENT = 2 << 30
"""Largest file that is one JSON document and so is read whole, in bytes."""


def compression(path: Path) -> str | None:
    """`gzip`, `zstd`, or None for anything else, by the first bytes."""
    with open(path, "rb") as file:
        start = file.read(4)
    return next((name for magic, name in MAGIC.items() if start.startswith(magic)), None)


def too_much(unpacked: int, packed: int) -> bool:
    """Whether so many bytes out of so many look like a bomb."""
    return unpacked > max(ALWAYS_UNPACKED, MOST_RATIO * packed)


def bomb(path: Path, what: str) -> InputError:
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
        """It is."""
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
        if too_much(self._unpacked, self._size):
            raise bomb(self._path, f"this {self._form} file")
        buffer[: len(data)] = data
        self._moved(self._raw.tell())
        return len(data)

    def close(self) -> None:
        """Close the file too."""
        if not self.closed:
            self._raw.close()
        super().close()


def open_plain(path: Path, form: str | None, moved: Callable[[int], None] = lambda place: None) -> BinaryIO:
    """The file's bytes, unpacked."""
    if form is None:
        return open(path, "rb", buffering=1 << 18)
    return io.BufferedReader(Unpacking(path, form, moved), buffer_size=1 << 18)


def beginning(file: BinaryIO, size: int) -> bytes:
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


def lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends; one longer than `MOST_LINE` comes in pieces, the first of them too long."""
    return iter(lambda: file.readline(MOST_LINE + 1), b"")
