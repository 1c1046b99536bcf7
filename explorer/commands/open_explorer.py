"""passk [STORE] [@PLACE] and passk PATH: open the explorer."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend import FollowedPath, Said, StoreLayout
    from explorer.following import Following


def open_explorer(store: str | None, place: str | None = None) -> int:
    """Open the explorer on a store, at Home or at a place, and stay until the user leaves.

    Raises:
        PasskError: no such store, no such place in it, or no terminal.
    """
    from backend import store_for_reading

    _require_terminal()
    return _run(store_for_reading(store), place)


def open_followed(followed: FollowedPath, said: Said, place: str | None = None) -> int:
    """Open a file or folder of results, at Home or at a place, and follow it as long as the explorer is open.

    Raises:
        PasskError: its store cannot be made, no such place in it, or no terminal.
    """
    from explorer.following import Following

    _require_terminal()
    is_new = followed.make_store()
    following = Following(followed, said)
    try:
        status = _run(followed.layout, place, following, merging=not is_new)
    finally:
        following.stop()
        if is_new:
            followed.leave()
    if following.refused is not None:
        from explorer.commands.output import say

        # Where it can be copied from: the way out may be a statement of several lines.
        say(f"passk: {following.refused}")
    return status


def _require_terminal() -> None:
    from backend.errors import UsageError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The explorer needs a terminal",
            next_step="In scripts use passk runs, curves, sets or paths; passk --help lists them.",
        )


def _run(layout: StoreLayout, place: str | None, following: Following | None = None, *, merging: bool = True) -> int:
    from backend import Reader, open_store
    from backend.errors import UsageError

    # Nothing that the start makes is garbage; `Explorer.load_screens` switches it on again.
    gc.disable()
    # What numpy multiplies here is small: threads would take a core from the screen, to wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from explorer.terminal import forget_absurd_sizes

    forget_absurd_sizes()
    again: str | None = None
    while True:
        database = open_store(layout, merging=merging)
        from explorer.app import Explorer
        from explorer.location import resolve_permalink

        try:
            at = None
            if place is not None:
                with Reader(database) as reader:
                    try:
                        at = resolve_permalink(reader, place)
                    except UsageError:
                        # Another store under the same name need not have what the one before had: Home then.
                        if again is None:
                            raise
            explorer = Explorer(database, at, following)
            explorer.run()
        finally:
            database.close()
            # What is never looked at again is never freed: DuckDB's binding would print all of it into the terminal.
            gc.unfreeze()
        if explorer.reopen_at is None:
            return explorer.return_code or 0
        place = again = explorer.reopen_at
