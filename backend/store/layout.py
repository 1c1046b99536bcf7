"""Where things lie in a store folder, and how a new one is made."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from backend.errors import StoreError
from backend.store.shared_files import share


@dataclass(frozen=True, slots=True)
class StoreLayout:
    """The paths of one store folder, usually named `NAME.passk`."""

    root: Path
    """Absolute: what is given is resolved here, once, so that no worker takes it for another folder."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(os.path.abspath(self.root)))

    @property
    def base(self) -> Path:
        """The merged database. Everybody opens it read-only; `merge` alone writes it."""
        return self.root / "base.duckdb"

    @property
    def parts(self) -> Path:
        """Immutable folders that wait to be merged."""
        return self.root / "parts"

    @property
    def jobs(self) -> Path:
        """Sampling jobs."""
        return self.root / "jobs"

    @property
    def unfinished(self) -> Path:
        """Where parts are written before they are renamed into `parts`; same file system, so the rename is atomic."""
        return self.root / "unfinished"

    @property
    def publish_lock(self) -> Path:
        """Held for milliseconds while a part is given its name, so that two imports see each other."""
        return self.root / "publish.lock"

    @property
    def follow_lock(self) -> Path:
        """Held while a follower takes what has come, so that two of them never take the same."""
        return self.root / "follow.lock"

    def exists(self) -> bool:
        """Whether the folder is a store: it has parts or a base."""
        return self.base.is_file() or self.parts.is_dir()

    def writable(self) -> bool:
        """Whether this user may add to the store."""
        probe = self.parts if self.parts.is_dir() else self.root
        return os.access(probe, os.W_OK)

    def create(self) -> None:
        """Make the folders of an empty store; what exists stays.

        Raises:
            StoreError: the folder cannot be made, or holds something else.
        """
        if self.root.is_dir() and not self.exists() and any(self.root.iterdir()):
            raise StoreError(
                f"{self.root} is a folder, but not a store",
                "It holds files and neither base.duckdb nor parts/.",
                "Name a new folder (usually NAME.passk) or an existing store.",
            )
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for folder in (self.parts, self.jobs, self.unfinished):
                if not folder.is_dir():
                    folder.mkdir(exist_ok=True)
                    share(folder, self.root)
        except OSError as error:
            there = self.exists()
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                advice = "Make room there, and do it again."
            elif error.errno in (errno.EEXIST, errno.ENOTDIR):
                advice = "Something that is no folder stands there; move it away."
            elif there:
                advice = "Ask its owner for write rights, or copy it (passk copy STORE TO) and name the copy: --store."
            else:
                advice = "Choose a folder that you can write to."
            raise StoreError(
                f"The store {self.root} cannot be {'written' if there else 'made'}",
                f"{error.strerror}: {error.filename}",
                advice,
            ) from error

    def remove_if_empty(self) -> None:
        """Take back what `create` made, if nothing has come into it since."""
        # In this order: whoever is importing has a folder in `unfinished`, and then everything stays.
        try:
            for folder in (self.unfinished, self.parts, self.jobs):
                folder.rmdir()
            self.publish_lock.unlink(missing_ok=True)
            self.follow_lock.unlink(missing_ok=True)
            self.root.rmdir()
        except OSError:
            return


def require_store(root: Path) -> StoreLayout:
    """The layout of an existing store. Raises StoreError: nothing there, or something that is not a store."""
    layout = StoreLayout(root)
    root = layout.root
    if not root.exists():
        raise StoreError(
            f"There is no store at {root}",
            next_step="Import results first: passk import FILE --store STORE",
        )
    if not root.is_dir() or not layout.exists():
        raise StoreError(
            f"{root} is not a store",
            "A store is a folder that holds base.duckdb or parts/.",
            f"To read results from a file: passk import {root} --store NAME.passk",
        )
    return layout
