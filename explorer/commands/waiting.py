"""Staying with a job until it ends."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from explorer.commands.output import say

if TYPE_CHECKING:
    from subprocess import Popen

    from backend import Job


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
