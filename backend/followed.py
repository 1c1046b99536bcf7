"""Results that are opened by their path: where their store lies, what was said of them, and the process that follows.

`passk PATH` has no store of its own unless one is named: it lies in the user's cache, under a key of the path, so that
opening the path again goes on where it was. What the user said of the files (model, benchmark, ...) is kept there
too, and never in a store that others may write.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from threading import Thread
from typing import Any

from backend.errors import StoreError
from backend.store.database import Database
from backend.store.layout import StoreLayout
from backend.store.shared_files import is_mine

Told = Callable[[dict[str, Any]], None]

ENDING = 3.0
"""Seconds that the follower has to put in order what it took, when the explorer ends."""


def cache_folder() -> Path:
    """Where stores of paths lie: the user's cache, which nobody else reads.

    Raises:
        StoreError: it cannot be made, or somebody else can write it.
    """
    from platformdirs import user_cache_path

    folder = user_cache_path("passk", appauthor=False) / "followed"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not is_mine(os.stat(folder)):
            raise StoreError(
                f"{folder} can be written by others",
                next_step="Set XDG_CACHE_HOME to a folder of your own, or --store.",
            )
        folder.chmod(0o700)
    except OSError as error:
        raise StoreError(
            f"The cache folder {folder} cannot be made",
            f"{error.strerror}: {error.filename}",
            "Set XDG_CACHE_HOME to a folder that you can write to, or say where the store shall lie: --store S.passk",
        ) from error
    return folder


@dataclass(frozen=True)
class FollowedPath:
    """A file or folder of results, and the store that it is followed into."""

    path: Path
    layout: StoreLayout
    folder: Path
    """In the cache: holds what was said, and the store if none was named."""

    @classmethod
    def of(cls, path: Path, store: str | None = None) -> FollowedPath:
        """The store of a path; nothing is made yet.

        Args:
            store: the store that the user named; in the cache when omitted.

        Raises:
            StoreError: see `cache_folder`.
        """
        where = path.resolve()
        named = None if store is None else Path(store).expanduser().resolve()
        key = blake2b(f"{where}\0{named or ''}".encode(errors="surrogateescape"), digest_size=8).hexdigest()
        folder = cache_folder() / key
        name = "".join(letter if letter.isprintable() else "_" for letter in where.name) or "results"
        return cls(where, StoreLayout(named or folder / f"{name[:100]}.passk"), folder)

    @property
    def _said(self) -> Path:
        return self.folder / "said.json"

    def said(self) -> list[str] | None:
        """The options that the user gave when it was opened before; None where it was not, or nothing is known."""
        with suppress(OSError, ValueError):
            found = json.loads(self._said.read_text(encoding="utf-8"))
            words = found.get("options") if isinstance(found, dict) else None
            if isinstance(words, list) and all(isinstance(word, str) for word in words):
                return words
        return None

    def keep(self, words: Sequence[str]) -> None:
        """Keep what was said for the next time. Raises OSError: the cache cannot be written."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._said.with_suffix(".new")
        new.write_text(json.dumps({"path": str(self.path), "options": list(words)}), encoding="utf-8")
        os.replace(new, self._said)

    def forget(self) -> None:
        """What was said was of no use."""
        self._said.unlink(missing_ok=True)

    def make_store(self) -> bool:
        """Make the store if there is none; whether it was made. Raises StoreError: it cannot be."""
        if self.layout.exists():
            return False
        if self.layout.root.is_relative_to(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.layout.create()
        return True

    def leave(self) -> None:
        """Take back what `make_store` made, if nothing came into it."""
        self.layout.remove_if_empty()
        if not self.layout.exists() and self.said() is None:
            with suppress(OSError):
                self.folder.rmdir()

    # The process that follows

    def start(self, words: Sequence[str], told: Told) -> FollowerProcess:
        """Start to follow; `told` gets, in a thread, each event that `passk watch --print json` prints.

        The last is {"event": "ended", "status": ..., "said": what it wrote on stderr}.
        """
        return FollowerProcess(
            subprocess.Popen(
                # -P: a folder that has a package called explorer, or a json.py, is not where ours comes from.
                [
                    *(sys.executable, "-P", "-m", "explorer.commands.main", "watch", str(self.path)),
                    *("--store", str(self.layout.root), "--until", str(os.getpid()), "--print", "json", *words),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                # What it reads is read beside the screen, which must not wait.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            ),
            told,
        )


class FollowerProcess:
    """A follower that runs beside the explorer and ends with it."""

    def __init__(self, process: subprocess.Popen[bytes], told: Told) -> None:
        self._process = process
        self._told = told
        self._errors: list[bytes] = []
        self._stopped = False
        listening = Thread(target=self._listen_to_errors, name="follower-errors", daemon=True)
        listening.start()
        self._threads = (listening, Thread(target=self._listen, name="follower", daemon=True))
        self._threads[1].start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict) and not self._stopped:
                    self._told(event)
        status = self._process.wait()
        self._threads[0].join()
        if not self._stopped:
            said = b"".join(self._errors).decode(errors="replace").strip()
            self._told({"event": "ended", "status": status, "said": said})

    def _listen_to_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._errors = [*self._errors[-40:], line]

    def stop(self) -> None:
        """End it: what it is taking comes into the store first."""
        self._stopped = True
        self._process.terminate()
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            # It goes on alone for the moment that it takes; --until ends it.
            return


def followed_in(database: Database, path: Path) -> tuple[int, int]:
    """How many files at or below a path the store holds rows of, and how many samples came with them."""
    files: set[str] = set()
    samples = 0
    root = str(path)
    below = root.rstrip(os.sep) + os.sep
    for manifest in database.counted_manifests.values():
        own = {source.path for source in manifest.sources if source.path == root or source.path.startswith(below)}
        if own:
            files |= own
            samples += sum(run.samples for run in manifest.runs)
    return len(files), samples


def signature_of(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of a file, or of the files of a folder: another one where something has changed."""

    def found() -> Iterator[tuple[str, int, int]]:
        paths: Iterator[Path] = iter((path,))
        if path.is_dir():
            paths = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
        for one in paths:
            with suppress(OSError):
                told = one.stat()
                yield str(one), told.st_size, told.st_mtime_ns

    return tuple(sorted(found()))
