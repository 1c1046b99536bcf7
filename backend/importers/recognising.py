"""Which files there are, which importer reads each of them, and which of them are left."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backend.errors import InputError, UsageError
from backend.importers.diagnosis import not_recognised, nothing_to_import, why_left
from backend.importers.protocol import Importer, Options, SourceFile
from backend.importers.registry import importer_for
from backend.importers.twins import said_better


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file, and what becomes of it."""

    path: Path
    importer: Importer | None
    """None: nobody reads it, and it is left."""
    training_steps: frozenset[int] = frozenset()
    """Of a training dump, the steps whose samples it holds."""
    reason: str = ""
    """Why it is left, where that can be said."""


def recognise_all(files: Sequence[tuple[Path, bool]], options: Options, wanted: str | None) -> list[Recognised]:
    """What becomes of every file.

    Args:
        files: paths, and whether the user named each (and not only its folder).
        wanted: the format that the user named for all of them.

    Raises:
        PasskError: a file that the user named is not recognised, or none of a folder is.
    """
    found = [_recognise(path, named, options, wanted) for path, named in files]
    known = [entry.path for entry in found if entry.importer is not None]
    if not known:
        raise nothing_to_import(len(found))
    result = []
    for entry in found:
        better = said_better(entry.path, known) if entry.importer is not None else None
        if better is not None:
            entry = replace(entry, reason=f"its samples are in {better.name}, with more known about them")
        result.append(entry)
    return result


def _recognise(path: Path, named: bool, options: Options, wanted: str | None) -> Recognised:
    # Made anew when the file is read: the beginnings of thousands of files need not stay in memory.
    source = SourceFile(path)
    try:
        importer = importer_for(source, options, wanted)
    except UsageError:
        # A column that the user named and that this file lacks.
        if named or wanted is not None:
            raise
        importer = None
    if importer is None:
        if named:
            raise not_recognised(source)
        return Recognised(path, None, reason=why_left(source))
    steps = getattr(importer, "training_steps", None)
    return Recognised(path, importer, frozenset(steps(source)) if steps is not None else frozenset())


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
                if entry.is_file() and not any(map(_passed_over, entry.relative_to(path).parts))
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


def _passed_over(name: str) -> bool:
    """Whether a file or folder inside a named folder is not looked at: hidden, or a store."""
    return name.startswith(".") or name.endswith(".passk")
