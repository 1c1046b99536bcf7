"""Parts: immutable folders with a manifest and Parquet files. How one is read; `part_writer` writes them.

A part is visible as soon as its folder stands in `parts/`, and from then on nobody changes it: it is merged into
base.duckdb and unlinked, or superseded by a later part and unlinked.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec

import queries
from backend.errors import StoreError
from backend.records import Model
from backend.store.identity import without_surrogates
from backend.store.layout import StoreLayout
from backend.store.shared_files import read_inside, require_plain_file
from backend.wording import with_noun

SCHEMA_VERSION = len(queries.migrations())
"""Version of the tables in base.duckdb, of manifests and of the columns of parts; newer ones are refused."""

FILES = {**{table: table for table in queries.tables()}, "counts": "statistics"}
"""What a part may bring, each as `<name>.parquet`, and the table that its rows go to: published counts are tallies."""

ON_DISK = ("texts", "token_scores", "prompts", "identities")
"""Tables that are read from the part's Parquet file until they are merged: too large for memory."""

LARGE = 250_000
"""Parts with more outcomes than this are read from their Parquet file and not taken into memory."""


class PartRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one part holds of one run."""

    run: str
    model: str
    role: str | None
    from_model: str | None
    step: int | None
    algorithm: str | None
    benchmark: str
    parameters: Mapping[str, Any]
    samples: int
    """Samples of this run in this part; 0 for published counts."""
    next_sample: int
    """One more than the highest sample index in this part, over all problems."""
    copies: int = 0
    """Responses of this part that are exact copies of another to the same problem in the same run."""

    @classmethod
    def of(
        cls,
        run: str,
        model: Model,
        benchmark: str,
        parameters: Mapping[str, Any],
        samples: int = 0,
        next_sample: int = 0,
    ) -> PartRun:
        """The same of a model as it is everywhere else."""
        known = (model.name, model.role, model.from_model, model.step, model.algorithm)
        return cls(run, *known, benchmark, parameters, samples, next_sample)


class Stretch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of a file a part holds: a file that grows comes in stretches, each a part's."""

    start: int
    """Where it begins, in bytes."""
    end: int
    """Where it ends; the digest of the source is that of the file up to here."""
    key: str
    """Stands for the file's digest in the source keys of its samples, the same in all its stretches."""
    problems: int = 0
    """Problems of the file before `end`."""
    offsets: Mapping[str, int] = {}
    """Of each run, the first sample index that went to this file."""
    by_place: bool = False
    """Whether its problems are called by their place in it: then it is always read from its beginning."""
    file: str = ""
    """Inode, by which a file that was renamed is known again."""


class PartSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that went into a part."""

    path: str
    digest: str
    format: str
    runs: tuple[str, ...]
    options: Mapping[str, str] | None = None
    """How the user said to read it; None where that is not known."""
    stretch: Stretch | None = None
    """Where the file is followed."""


class PartFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Parquet file of a part as it was written: by this one that is cut, or still being copied, is known."""

    rows: int
    bytes: int
    digest: str
    """blake2b of its bytes, 16 of them, in hexadecimal."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """manifest.json of a part."""

    part: str
    kind: str
    """import, benchmark, samples, verdicts, scores, judgements or decisions."""
    created: str
    """UTC, ISO 8601."""
    runs: tuple[PartRun, ...]
    sources: tuple[PartSource, ...] = ()
    outcomes: int = 0
    """Rows of outcomes.parquet."""
    supersedes: tuple[str, ...] = ()
    """Parts whose rows this part holds again, sorted; they count no more."""
    provisional: bool = False
    """A part of a job that is not finished; never merged, since its job will supersede it."""
    job: str = ""
    """Name of the job that drew it."""
    schema: int = SCHEMA_VERSION
    notes: tuple[str, ...] = ()
    verdicts_given: tuple[str, ...] = ()
    """When (UTC, ISO 8601 with microseconds) it gave verdicts to samples of other parts: the rows are known by it."""
    author: str = ""
    """Who wrote it; empty in parts of before this was kept."""
    files: Mapping[str, PartFile] = {}
    """Its Parquet files, by name without ending; empty in parts of before this was kept."""

    def to_json(self) -> str:
        """As it stands in manifest.json and in the ledger."""
        return without_surrogates(json.dumps(msgspec.to_builtins(self), ensure_ascii=False, indent=1))


def as_json(value: Any) -> str:
    """A value as the JSON text that the store keeps; NaN and infinities, which JSON has not, as null."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value


class Stray(StoreError):
    """A folder in `parts/` that does not count, and why; the rest of the store is shown without it."""

    def __init__(self, part: str, title: str, detail: str, next_step: str, manifest: Manifest | None = None) -> None:
        super().__init__(title, detail, next_step)
        self.part = part
        self.manifest = manifest
        """What it says of itself, where that can be read."""


class DamagedPart(Stray):
    """A part that cannot be read, now or later."""

    def __init__(self, part: str, why: str, manifest: Manifest | None = None) -> None:
        advice = "passk doctor --store S checks every part, and with --repair moves it aside; import its sources again."
        super().__init__(part, f"The part {part} is damaged", f"{why}. It is not counted.", advice, manifest)


class ArrivingPart(Stray):
    """A part of which a file is missing or short: somebody is copying it, by rsync, Syncthing or cp."""

    def __init__(self, part: str, lacking: str, manifest: Manifest | None = None) -> None:
        title = f"The part {part} is still arriving: it is not counted yet"
        advice = "It is as soon as it is whole. If nobody is copying it, copy it again."
        super().__init__(part, title, f"{lacking}.", advice, manifest)


class NewerPart(StoreError):
    """Its rows may mean something else to a later passk: nothing is shown without them."""


def manifest_from_json(text: str, where: str) -> Manifest:
    """Read a manifest. Raises StoreError: not a manifest, or (NewerPart) one of a newer schema."""
    try:
        return _manifest(text, where)
    except ValueError as error:
        raise StoreError(
            f"{where} is damaged",
            f"Its manifest cannot be read: {error}",
            "passk doctor --store S says what can still be read.",
        ) from error


def _manifest(text: str, where: str) -> Manifest:
    """The same; raises ValueError where it is no manifest."""
    try:
        # By the standard library, which reads what it has written: NaN among a run's parameters.
        data = json.loads(text)
        schema = data["schema"]
        if isinstance(schema, int) and schema > SCHEMA_VERSION:
            raise NewerPart(
                f"{where} was written by a newer passk",
                f"It has part schema {schema}; this passk reads up to {SCHEMA_VERSION}.",
                "Upgrade passk-explorer to open this store.",
            )
        return msgspec.convert(data, Manifest)
    except KeyError as error:
        raise ValueError(f"it has no {error}") from error
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def new_part_name(kind: str) -> str:
    """A name that sorts by time and is used by nobody else."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    return f"{stamp}-{kind}-{secrets.token_hex(4)}"


def waiting_parts(layout: StoreLayout, known: Iterable[str] = ()) -> list[str]:
    """Names of the parts in `parts/` that are not in `known`, sorted by time."""
    skip = set(known)
    try:
        with os.scandir(layout.parts) as entries:
            # A link is named too, so that it is refused with a word.
            return sorted(entry.name for entry in entries if entry.name not in skip and not _is_file(entry))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(
            f"{layout.parts} cannot be read",
            f"{error.strerror}. What was added since the last merge lies there.",
            "Ask the store's owner for the right to read it.",
        ) from error


def _is_file(entry: os.DirEntry[str]) -> bool:
    return not entry.is_dir(follow_symlinks=False) and not entry.is_symlink()


ARRIVING = 86_400.0
"""Seconds after which nobody is copying a part any more."""


def part_file(layout: StoreLayout, part: str, name: str) -> Path | None:
    """A Parquet file of a part, which DuckDB opens by its path; None where the part has none of that name.

    Raises:
        DamagedPart: it is a link, a FIFO or a device.
    """
    path = layout.parts / part / f"{name}.parquet"
    try:
        return path if require_plain_file(path) else None
    except OSError as error:
        raise DamagedPart(part, f"{path.name}: {error.strerror}") from error


def part_files(layout: StoreLayout, manifest: Manifest) -> dict[str, Path]:
    """The Parquet files of a part by their names: those that its manifest lists; raises as `part_file`."""
    found = {name: part_file(layout, manifest.part, name) for name in manifest.files or FILES if name in FILES}
    return {name: path for name, path in found.items() if path is not None}


def read_manifest(layout: StoreLayout, part: str) -> Manifest | None:
    """The manifest of a waiting part; None when the part has just been unlinked, or the folder is empty.

    Raises:
        Stray: it does not count.
        NewerPart: this passk is too old for it.
    """
    folder = layout.parts / part
    try:
        text = read_inside(layout.root, folder / "manifest.json").decode("utf-8")
        manifest = _manifest(text, f"The part {part}")
    except FileNotFoundError:
        if _age(folder) is None or not any(folder.iterdir()):
            return None
        raise _lacking(folder, "It has no manifest.json") from None
    except (OSError, ValueError) as error:
        why = f"Its manifest cannot be read: {error}"
        # As it is written it ends with a brace at the beginning of a line, and inside it never has one.
        if isinstance(error, OSError | UnicodeDecodeError) or text.endswith("\n}"):
            raise DamagedPart(part, why) from error
        raise _lacking(folder, "manifest.json is cut off") from error
    if manifest.part != part:
        # Syncthing and Dropbox make such copies of what two machines have written; counted, they would double n.
        title = f"The folder parts/{part} is a copy of a part, or was renamed: it does not count"
        advice = f"Remove it; or, where parts/{manifest.part} is missing and was not merged, give it that name back."
        raise Stray(part, title, f"Its manifest is of {manifest.part}.", advice)
    if lacking := _lacking_files(layout, manifest):
        raise _lacking(folder, "; ".join(lacking), manifest)
    return manifest


def _lacking_files(layout: StoreLayout, manifest: Manifest) -> list[str]:
    """The files of a part that are missing or not whole, in words; by sizes alone: it is done at every start."""
    lacking = []
    for name, file in manifest.files.items():
        path = part_file(layout, manifest.part, name)
        size = _size(path)
        if size != file.bytes:
            words = "is missing" if path is None else f"has {size:,} of {file.bytes:,} bytes"
            lacking.append(f"{name}.parquet {words}")
    if manifest.files:
        return lacking
    # One of before sizes were kept: what a part with samples has, and where each file says that it has ended.
    needed = ("outcomes", "statistics") if manifest.outcomes else ()
    found = part_files(layout, manifest)
    lacking = [f"{name}.parquet is missing" for name in needed if name not in found]
    return lacking + [f"{name}.parquet has no end" for name, path in found.items() if not _has_end(path)]


def _size(path: Path | None) -> int:
    try:
        return -1 if path is None else path.stat().st_size
    except FileNotFoundError:
        return -1


def _has_end(path: Path) -> bool:
    with suppress(OSError), open(path, "rb") as file:
        file.seek(-4, os.SEEK_END)
        return file.read(4) == b"PAR1"
    return False


def _age(folder: Path) -> float | None:
    """Seconds since anything of a part last came or changed; None when it is gone."""
    try:
        # Not mtime, which rsync brings along from where the part was written.
        return time.time() - max(entry.lstat().st_ctime for entry in (folder, *folder.iterdir()))
    except OSError:
        return None


def _lacking(folder: Path, lacking: str, manifest: Manifest | None = None) -> Stray:
    """What a part is that is not whole: after a day nobody is copying it any more."""
    age = _age(folder)
    if age is not None and age > ARRIVING:
        return DamagedPart(folder.name, lacking, manifest)
    return ArrivingPart(folder.name, lacking, manifest)


def read_manifests(layout: StoreLayout, parts: Iterable[str]) -> tuple[list[Manifest], list[Stray]]:
    """The manifests of the waiting parts that count; and why others do not: damaged, still arriving, copied, renamed.

    Raises:
        NewerPart: this passk is too old for one of them.
    """
    manifests, strays = [], []
    for part in parts:
        try:
            manifest = read_manifest(layout, part)
        except Stray as stray:
            strays.append(stray)
            continue
        if manifest is not None:
            manifests.append(manifest)
    return manifests, strays


def is_arriving(stray: Stray) -> bool:
    """Whether it is no fault: what is missing may be about to come."""
    return isinstance(stray, ArrivingPart)


def strays_in_words(strays: Sequence[Stray]) -> str:
    """One line about the folders that do not count; empty where there are none."""
    arriving = sum(is_arriving(stray) for stray in strays)
    damaged = sum(isinstance(stray, DamagedPart) for stray in strays)
    counts = {"still arriving": arriving, "damaged": damaged, "copies": len(strays) - arriving - damaged}
    said = ", ".join(f"{number} {words}" for words, number in counts.items() if number)
    if not said:
        return ""
    advice = "; passk doctor --store S says which" if len(strays) > arriving else ""
    return f"{with_noun(len(strays), 'part')} not counted: {said}{advice}"


def waiting_manifests(layout: StoreLayout) -> list[Manifest]:
    """The manifests of the parts in `parts/` that count, sorted by time; raises like `read_manifests`."""
    return read_manifests(layout, waiting_parts(layout))[0]


def discard(folder: Path) -> None:
    """Remove a part's folder, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)


def digest_of(path: Path) -> str:
    """The digest of a file, as a manifest has it. Raises OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def sweep_unfinished(layout: StoreLayout, older_than: float = 86_400.0) -> None:
    """Remove what killed writers left behind, once it is a day old and so surely nobody's any more."""
    limit = time.time() - older_than
    try:
        with os.scandir(layout.unfinished) as entries:
            stale = [entry.path for entry in entries if entry.stat().st_mtime < limit]
    except OSError:
        return
    for path in stale:
        discard(Path(path))
