"""Where a new job is worked: elsewhere, in the background, or here while one waits for its end."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from explorer.commands.output import say

if TYPE_CHECKING:
    from subprocess import Popen

    from backend import Job


def add_where(parser: argparse.ArgumentParser) -> None:
    """--prepare and --wait."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--prepare", action="store_true", help="write the job and stop; passk work JOB does it elsewhere"
    )
    where.add_argument("--wait", action="store_true", help="stay, show progress, fail if the job fails")


def begin(job: Job, arguments: argparse.Namespace, what: str = "samples") -> int:
    """Leave a job prepared, start it, or start it and wait, as the options say; the exit status."""
    if arguments.prepare:
        print(job.folder)
        say(f"Prepared. On a machine with the engine: passk work {job.folder}")
        return 0
    worker = job.start()
    if not arguments.wait:
        say(f"It runs on its own; passk jobs shows it, passk jobs log {job.name} what it says.")
        return 0
    return wait(job, worker, what)


def wait(job: Job, worker: Popen[bytes], what: str = "samples") -> int:
    """Show the job's progress until it ends; the exit status."""
    terminal = sys.stderr.isatty()
    said = 0.0
    while True:
        ended = worker.poll() is not None
        status = job.status()
        share = status.samples / max(status.wanted, 1)
        rate = status.tokens / status.seconds if status.seconds else 0.0
        line = f"{'█' * round(30 * share):░<30} {status.samples:,} of {status.wanted:,} {what}"
        if share and rate:
            line += f", {rate:,.0f} tokens/s, {status.seconds * (1 - share) / share:,.0f} s left"
        if terminal or ended or time.monotonic() - said > 10:
            said = time.monotonic()
            print(f"\r{line} ", end="" if terminal and not ended else "\n", file=sys.stderr, flush=True)
        if ended:
            break
        time.sleep(0.3)
    verdicts = ", ".join(f"{times:,} {verdict.replace('_', ' ')}" for verdict, times in sorted(status.verdicts.items()))
    say(f"{status.state}: {verdicts}" if verdicts else status.state)
    if status.state != "finished":
        say(status.error or "\n".join(job.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]))
        return 1
    if set(status.verdicts) == {"unverified"}:
        say(
            "Unverified samples count into neither n nor c. For verdicts give the benchmark reference answers "
            "(passk benchmark add --answer COLUMN)."
        )
    return 0
