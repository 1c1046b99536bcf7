"""A consistent copy of a store while others write it: into a folder, or into an archive for somebody else.

Readers' rules are enough for that: the lock that keeps merges out is held, so that base.duckdb does not change, and
parts never do. A part that is superseded and unlinked meanwhile is in the part that superseded it. Jobs are not copied:
their plans are their author's, who alone is trusted with them; what they have drawn so far is.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Protocol

import duckdb
import msgspec

import queries
from backend.errors import StoreError, UsageError
from backend.store.connection import as_passk_error, open_database, retry_while_locked, run_script
from backend.store.layout import StoreLayout
from backend.store.locks import BaseLock
from backend.store.parts import FILES, Manifest, Stray, manifest_from_json, read_manifests, waiting_parts
from backend.store.shared_files import open_inside, share

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.zst")
OTHER_ARCHIVES = (".zip", ".7z", ".rar", ".bz2", ".xz", ".gz", ".zst")

Report = Callable[[int, int], None]
"""Is told how many bytes of how many are copied."""


@dataclass(frozen=True, slots=True)
class StoreCopy:
    """What has been copied."""

    path: Path
    bytes: int
    parts: int
    """Parts beside base.duckdb."""
    strays: tuple[Stray, ...]
    """Parts that do not count, and were left out."""
    unpacks_to: str | None
    """Of an archive: the folder in it."""


class _Target(Protocol):
    """Where the files of a copy go, by their names in the store."""

    def add(self, name: str, file: IO[bytes]) -> None: ...


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, name: str, file: IO[bytes]) -> None:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
        share(path, self._root)


class _Archive:
    def __init__(self, archive: tarfile.TarFile, root: str) -> None:
        self._archive, self._root = archive, root
        for folder in ("", "/parts", "/jobs", "/unfinished"):
            entry = tarfile.TarInfo(f"{root}{folder}")
            entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, int(time.time())
            archive.addfile(entry)

    def add(self, name: str, file: IO[bytes]) -> None:
        # Nothing of who and where: it goes to somebody else.
        entry = tarfile.TarInfo(f"{self._root}/{name}")
        entry.size = file.seek(0, os.SEEK_END)
        entry.mode, entry.mtime = 0o644, int(time.time())
        file.seek(0)
        self._archive.addfile(entry, file)


def copy_store(layout: StoreLayout, to: Path, report: Report = lambda *_: None) -> StoreCopy:
    """Copy a store; `to` is a folder that does not exist yet, or an archive by its ending (`ARCHIVES`).

    Nothing stands under that name before all of it is there, and nothing is left where it fails.

    Raises:
        UsageError: something of that name exists, or it lies in the store.
        StoreError: the store cannot be read, or its base changes meanwhile.
        OSError: no room, no right.
    """
    to = Path(os.path.abspath(to))
    if os.path.lexists(to):
        raise UsageError(f"{to} already exists", "A copy never goes into a store or over a file.", "Name another one.")
    if layout.root == to or layout.root in to.parents:
        raise UsageError(f"{to} lies in the store itself", next_step="Name a folder or an archive beside it.")
    is_archive = to.name.endswith(ARCHIVES)
    if not is_archive and to.name.endswith(OTHER_ARCHIVES):
        raise UsageError(f"{to.name}: no such kind of copy", next_step=f"A folder, or {', '.join(ARCHIVES)}.")
    building = to.with_name(f".{to.name}.{secrets.token_hex(4)}.copying")
    try:
        if is_archive:
            with _archive(building, to.name) as archive:
                found = _copy(layout, _Archive(archive, layout.root.name), report)
        else:
            building.mkdir()
            StoreLayout(building).create()
            found = _copy(layout, _Folder(building), report)
        os.rename(building, to)
    finally:
        with suppress(FileNotFoundError, NotADirectoryError):
            shutil.rmtree(building) if building.is_dir() else building.unlink()
    size, parts, strays = found
    return StoreCopy(to, size, parts, tuple(strays), layout.root.name if is_archive else None)


@contextmanager
def _archive(path: Path, name: str) -> Iterator[tarfile.TarFile]:
    with ExitStack() as stack:
        if name.endswith(".zst"):
            import pyarrow as pa

            file: Any = stack.enter_context(pa.CompressedOutputStream(str(path), "zstd"))
            yield stack.enter_context(tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT))
        elif name.endswith((".gz", ".tgz")):
            yield stack.enter_context(tarfile.open(path, "w:gz", compresslevel=1, format=tarfile.PAX_FORMAT))
        else:
            yield stack.enter_context(tarfile.open(path, "w", format=tarfile.PAX_FORMAT))


def _copy(layout: StoreLayout, target: _Target, report: Report) -> tuple[int, int, list[Stray]]:
    """Returns the bytes and parts that were copied, and the parts that were not."""
    done, total, lock = 0, _size(layout), None
    merged: dict[str, Manifest] = {}

    def add(name: str, file: IO[bytes]) -> None:
        nonlocal done
        target.add(name, file)
        done += file.tell()
        report(done, max(total, done))

    try:
        if layout.base.exists():
            lock = BaseLock(layout.base)
            lock.share()
            merged = _ledger(layout)
            before = _state(layout.base)
            log = layout.base.with_name(f"{layout.base.name}.wal")
            for path in (layout.base, log):
                with suppress(FileNotFoundError), open(open_inside(layout.root, path, os.O_RDONLY), "rb") as file:
                    add(path.name, file)
            # Where a file system has no locks, a merge may have come.
            if _state(layout.base) != before:
                raise StoreError(
                    f"{layout.base} changed while it was copied",
                    "Somebody merged it, and this file system has no locks that say so.",
                    "Nothing is left of the copy: make it again.",
                )
        copied, strays = _copy_parts(layout, merged, add)
    finally:
        if lock is not None:
            lock.release()
    return done, copied, strays


def _size(layout: StoreLayout) -> int:
    found = 0
    for path in (layout.base, *layout.parts.glob("*/*")):
        with suppress(OSError):
            found += path.lstat().st_size
    return found


def _state(path: Path) -> tuple[int, int, int]:
    found = os.stat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns


def _ledger(layout: StoreLayout) -> dict[str, Manifest]:
    try:
        with closing(open_database()) as connection:
            retry_while_locked(lambda: run_script(connection, "overlay/attach", base=[str(layout.base)]))
            rows = connection.execute(queries.load("overlay/ledger")).fetchall()
    except duckdb.Error as error:
        raise as_passk_error(error, f"Copying {layout.root}") from error
    return {part: manifest_from_json(text, f"The ledger's {part}") for part, text in rows}


def _copy_parts(
    layout: StoreLayout, merged: dict[str, Manifest], add: Callable[[str, IO[bytes]], None]
) -> tuple[int, list[Stray]]:
    """Copy the parts that count; returns how many, and the others."""
    copied: dict[str, Manifest] = {}
    while True:
        waiting, strays = read_manifests(layout, waiting_parts(layout, known={*merged, *copied}))
        known = (*merged.values(), *copied.values(), *waiting)
        superseded = {part for manifest in known for part in manifest.supersedes}
        vanished = False
        for manifest in waiting:
            if manifest.part not in superseded:
                if _copy_part(layout, manifest, add):
                    copied[manifest.part] = manifest
                else:
                    vanished = True
        if not vanished:
            return len(copied), [stray for stray in strays if stray.part not in superseded]


def _copy_part(layout: StoreLayout, manifest: Manifest, add: Callable[[str, IO[bytes]], None]) -> bool:
    """Whether it is still there: all of it is opened before anything is copied."""
    folder = layout.parts / manifest.part
    with ExitStack() as stack:
        try:
            names = [entry.name for entry in folder.iterdir() if entry.stem in (manifest.files or FILES)]
            files = [
                (name, stack.enter_context(open(open_inside(layout.root, folder / name, os.O_RDONLY), "rb")))
                for name in names
                if name.endswith(".parquet")
            ]
        except FileNotFoundError:
            return False
        # No job will supersede it in the copy: it is merged there as it is.
        said = msgspec.structs.replace(manifest, provisional=False)
        for name, file in files:
            add(f"parts/{manifest.part}/{name}", file)
        text = said.to_json().encode("utf-8", "surrogatepass")
        add(f"parts/{manifest.part}/manifest.json", BytesIO(text))
    return True
