"""Parts: immutable folders with a manifest and Parquet files. How one is read; `part_writer` writes them.

A part is visible as soon as its folder stands in `parts/`, and from then on nobody changes it: it is merged into
base.duckdb and unlinked, or superseded by a later part and unlinked.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping
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

SCHEMA_VERSION = len(queries.migrations())
"""Version of the tables in base.duckdb, of manifests and of the columns of parts; newer ones are refused."""

FILES = {**{table: table for table in queries.tables()}, "counts": "statistics"}
"""What a part may bring, each as `<name>.parquet`, and the table that its rows go to: published counts are tallies."""

ON_DISK = ("texts", "token_scores", "prompts")
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
    author: str = ""
    """Who wrote it; empty in parts of before this was kept."""

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


def manifest_from_json(text: str, where: str) -> Manifest:
    """Read a manifest. Raises StoreError: not a manifest, or one of a newer schema."""
    try:
        # By the standard library, which reads what it has written: NaN among a run's parameters.
        data = json.loads(text)
        if data["schema"] > SCHEMA_VERSION:
            raise StoreError(
                f"{where} was written by a newer passk",
                f"It has part schema {data['schema']}; this passk reads up to {SCHEMA_VERSION}.",
                "Upgrade passk-explorer to open this store.",
            )
        return msgspec.convert(data, Manifest)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(
            f"{where} is damaged",
            f"Its manifest cannot be read: {error}",
            "Move that folder out of the store and import its sources again.",
        ) from error


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


def _is_file(entry: os.DirEntry[str]) -> bool:
    return not entry.is_dir(follow_symlinks=False) and not entry.is_symlink()


def damaged_part(part: str, why: str) -> StoreError:
    """The sentence about a part that cannot be read."""
    return StoreError(
        f"The part {part} is damaged", why, "Move that folder out of the store and import its sources again."
    )


def part_file(layout: StoreLayout, part: str, name: str) -> Path | None:
    """A Parquet file of a part, which DuckDB opens by its path; None where the part has none of that name.

    Raises:
        StoreError: it is a link, a FIFO or a device.
    """
    path = layout.parts / part / f"{name}.parquet"
    try:
        return path if require_plain_file(path) else None
    except OSError as error:
        raise damaged_part(part, f"{path.name}: {error.strerror}") from error


def read_manifest(layout: StoreLayout, part: str) -> Manifest | None:
    """The manifest of a waiting part; None when the part has just been unlinked.

    Raises:
        StoreError: damaged or too new.
    """
    try:
        text = read_inside(layout.root, layout.parts / part / "manifest.json").decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise damaged_part(part, f"Its manifest cannot be read: {error}") from error
    return manifest_from_json(text, f"The part {part}")


def read_manifests(layout: StoreLayout, parts: Iterable[str]) -> tuple[list[Manifest], list[StoreError]]:
    """The manifests of waiting parts; and why folders that are copies of a part, or were renamed, do not count.

    Raises:
        StoreError: as `read_manifest`.
    """
    manifests, strays = [], []
    for part in parts:
        manifest = read_manifest(layout, part)
        if manifest is None:
            continue
        if manifest.part == part:
            manifests.append(manifest)
            continue
        # Syncthing and Dropbox make such copies of what two machines have written; counted, they would double n.
        title = f"The folder parts/{part} is a copy of a part, or was renamed: it does not count"
        advice = f"Remove it; or, where parts/{manifest.part} is missing and was not merged, give it that name back."
        strays.append(StoreError(title, f"Its manifest is of {manifest.part}.", advice))
    return manifests, strays


def waiting_manifests(layout: StoreLayout) -> list[Manifest]:
    """The manifests of the parts in `parts/`, sorted by time; raises like `read_manifest`."""
    return read_manifests(layout, waiting_parts(layout))[0]


def discard(folder: Path) -> None:
    """Remove a part's folder, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)


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
