"""passk copy: a consistent copy of a store, while others write it."""

from __future__ import annotations

import argparse
from pathlib import Path

from explorer.commands.command import Command
from explorer.commands.output import Progress, say, stop_as_ctrl_c_does
from explorer.options import Option


def run_copy(arguments: argparse.Namespace) -> int:
    """Copy a store into a folder or an archive."""
    from backend import copy_store, require_store
    from backend.wording import with_noun

    layout = require_store(Path(arguments.source).expanduser())
    stop_as_ctrl_c_does()
    with Progress("bytes") as progress:
        done = copy_store(layout, Path(arguments.target).expanduser(), progress)
    for stray in done.strays:
        say(str(stray))
    left = f"; {with_noun(len(done.strays), 'part')} left out, see above" if done.strays else ""
    say(f"{layout.root} is copied to {done.path} ({done.bytes / 1e6:,.1f} MB){left}. Jobs are not copied.")
    if done.unpacks_to is None:
        say(f"Open it: passk {done.path}")
    else:
        say(f"Unpack and open it: tar xf {done.path.name} && passk {done.unpacks_to}")
    return 0


COMMANDS = {
    "copy": Command(
        run_copy,
        (
            Option("source", "the store folder", "STORE"),
            Option("target", "a folder that does not exist yet, or an archive: .tar, .tar.gz, .tar.zst", "TO"),
        ),
    ),
}
