"""Zip archives, read member by member in memory. Nothing is written to disk, and nothing hostile is unpacked."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO

from backend.errors import InputError
from backend.importers.opening import ALWAYS_UNPACKED, MOST_RATIO, too_much
from backend.importers.protocol import SourceFile, bad

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
                raise bad(source, None, f"not readable as zip: {error}") from error
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
            raise bad(self._source, None, f"more than {MOST_MEMBERS:,} members")
        for name, info in self.members.items():
            if leads_outside(name):
                raise self._bad(name, "a member whose name leads outside the archive")
            if info.flag_bits & 1:
                raise self._bad(name, "an encrypted member")
            if info.file_size > MOST_MEMBER:
                raise self._bad(name, f"a member of more than {MOST_MEMBER >> 20} MiB")
        whole = sum(info.file_size for info in self.members.values())
        if too_much(whole, self._size):
            raise self._bomb()

    def _bad(self, name: str, problem: str) -> InputError:
        return bad(self._source, None, f"{problem}: {name}")

    def _bomb(self) -> InputError:
        return bad(
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
        if too_much(self._unpacked, self._size):
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


def names(source: SourceFile, wanted: Iterable[str]) -> bool:
    """Whether one of these members is there, as the directory says."""
    if not is_zip(source):
        return False
    try:
        with zipfile.ZipFile(Path(source.local)) as found:
            return not set(found.NameToInfo).isdisjoint(wanted)
    except (*DAMAGE, InputError):
        return False
