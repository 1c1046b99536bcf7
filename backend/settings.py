"""Which store a command means."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from backend.store.layout import StoreLayout, require_store
from backend.visible_text import visible

HERE = Path("store.passk")
"""The store of the working folder."""


def _named(store: str | None) -> Path | None:
    """The whole path of the store that the user named, or that stands in the environment or the working folder.

    None when none does. From here on no path depends on the folder that a process runs in.
    """
    if named := store or os.environ.get("PASSK_STORE"):
        return Path(named).expanduser().absolute()
    return HERE.absolute() if HERE.exists() else None


def store_for_reading(store: str | None = None) -> StoreLayout:
    """The store named, else $PASSK_STORE, else ./store.passk, else the sample store (built on first use).

    Raises:
        StoreError: the store named does not exist or is none.
    """
    path = _named(store)
    if path is None:
        from backend.sample_store import sample_store

        return sample_store(lambda text: print(visible(text), file=sys.stderr))
    return require_store(path)


def store_for_writing(store: str | None = None) -> StoreLayout:
    """The store named, else $PASSK_STORE, else ./store.passk; it need not exist. Never the sample store."""
    return StoreLayout(_named(store) or HERE.absolute())
