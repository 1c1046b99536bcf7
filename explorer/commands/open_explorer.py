"""passk [STORE]: open the explorer."""

from __future__ import annotations

import sys


def open_explorer(store: str | None) -> int:
    """Open the explorer on a store and stay until the user leaves.

    Raises:
        PasskError: no such store, or no terminal.
    """
    from backend import open_store, store_for_reading
    from backend.errors import UsageError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The explorer needs a terminal",
            next_step="In scripts use passk runs, curves, sets or paths; passk --help lists them.",
        )
    layout = store_for_reading(store)
    database = open_store(layout)
    from explorer.app import Explorer

    try:
        Explorer(database).run()
    finally:
        database.close()
    return 0
