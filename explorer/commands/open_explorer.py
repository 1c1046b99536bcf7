"""passk [STORE] [@PLACE]: open the explorer."""

from __future__ import annotations

import gc
import os
import sys


def open_explorer(store: str | None, place: str | None = None) -> int:
    """Open the explorer on a store, at Home or at a place, and stay until the user leaves.

    Raises:
        PasskError: no such store, no such place in it, or no terminal.
    """
    from backend import Reader, open_store, store_for_reading
    from backend.errors import UsageError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The explorer needs a terminal",
            next_step="In scripts use passk runs, curves, sets or paths; passk --help lists them.",
        )
    # Nothing that the start makes is garbage; `Explorer.load_screens` switches it on again.
    gc.disable()
    # What numpy multiplies here is small: threads would take a core from the screen, to wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from explorer.terminal import forget_absurd_sizes

    forget_absurd_sizes()
    layout = store_for_reading(store)
    again: str | None = None
    while True:
        database = open_store(layout)
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
            explorer = Explorer(database, at)
            explorer.run()
        finally:
            database.close()
        if explorer.reopen_at is None:
            return explorer.return_code or 0
        place = again = explorer.reopen_at
