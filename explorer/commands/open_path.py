"""passk PATH: open results where they lie, and follow them."""

from __future__ import annotations

import argparse

from explorer.commands import import_results
from explorer.commands.command import Command
from explorer.options import STORE, Option, file_path


def open_path(arguments: argparse.Namespace) -> int:
    from backend import FollowedPath, Said
    from explorer.commands.open_explorer import open_followed

    said = Said(
        arguments.words,
        import_results.run_options(arguments),
        import_results.reading_options(arguments),
        arguments.format,
    )
    return open_followed(FollowedPath.of(arguments.path, arguments.store), said, arguments.place)


OF_PATH = Command(
    open_path,
    (
        Option("path", "a file or folder of results", "PATH", file_path),
        STORE.but(help="the store folder that keeps what comes (default: one of this path in your cache)"),
        *import_results.READING,
    ),
    purpose="open results, and follow them: new files and rows appear as they are written",
)
"""`passk PATH`, which is no command of a name."""
