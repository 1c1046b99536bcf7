"""passk work."""

from __future__ import annotations

import argparse
from pathlib import Path

from explorer.commands.output import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk work`."""
    parser.add_argument("job", metavar="JOB", help="the job's folder: STORE/jobs/NAME")


def run(arguments: argparse.Namespace) -> int:
    """Do the job, or what is left of it; the exit status is 1 when it was cancelled."""
    from backend import work

    status = work(Path(arguments.job).resolve())
    rate = status.tokens / status.seconds if status.seconds else 0
    counts = f"{status.samples:,} of {status.wanted:,} samples, {status.tokens:,} tokens"
    say(f"{status.state}: {counts}, {rate:,.0f} tokens/s")
    return 0 if status.state == "finished" else 1
