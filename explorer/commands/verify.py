"""passk verify."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from explorer.commands.options import add_format, add_problems, add_store, positive, problems_of, reading
from explorer.commands.output import print_rows, say

if TYPE_CHECKING:
    from backend.records.samples import Verification

COLUMNS = ("run", "before", "now", "samples")


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Options of `passk verify`."""
    add_store(parser)
    parser.add_argument("--run", metavar="R", required=True, help="the run whose samples are judged")
    parser.add_argument("--verifier", metavar="V", help="default: the benchmark's, or the one that fits its references")
    parser.add_argument(
        "--again",
        action="store_true",
        help="judge also samples that have a verdict; the new one counts, the earlier is kept beside it",
    )
    parser.add_argument(
        "--use",
        metavar="NAME",
        help="judge nothing; let verdicts count that stand beside: of another filter or scorer of the imported file, "
        "of an earlier verifier, or `imported`: those that the samples came with",
    )
    add_problems(parser)
    parser.add_argument("--processes", metavar="N", type=positive, help="judging processes (default: by the machine)")
    add_format(parser)


class _Progress:
    """A line on stderr that is rewritten in place, only on a terminal."""

    def __init__(self) -> None:
        self.started = self.last = time.monotonic()
        self.shown = False

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if not sys.stderr.isatty() or now - self.last < 0.2:
            return
        self.last, self.shown = now, True
        rate = done / max(now - self.started, 1e-9)
        left = (total - done) / max(rate, 1e-9)
        bar = "█" * round(30 * done / max(total, 1))
        line = f"\r{bar:░<30} {done:,} of {total:,} samples, {rate:,.0f}/s, {left:,.0f} s left "
        print(line, end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the line."""
        if self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def run_verify(arguments: argparse.Namespace) -> int:
    """Judge stored samples, and print how many changed from what to what."""
    from backend import use_verdicts, verify

    progress = _Progress()
    with reading(arguments.store) as reader:
        meant = reader.run(arguments.run)
        problems = problems_of(reader, [meant], arguments.problems).problems
        try:
            if arguments.use is not None:
                done = use_verdicts(reader, meant, arguments.use, problems=problems)
            else:
                done = verify(
                    reader,
                    meant,
                    verifier=arguments.verifier,
                    problems=problems,
                    again=arguments.again,
                    processes=arguments.processes,
                    progress=progress,
                )
        finally:
            progress.clear()
    rows = [
        {"run": done.run, "before": before, "now": now, "samples": samples}
        for (before, now), samples in sorted(done.changes.items())
    ]
    print_rows(arguments.format, COLUMNS, rows)
    if arguments.use is None:
        _say(done, again=arguments.again)
    else:
        say(f"{done.run}: the verdicts of {done.verifier} count for {done.judged - done.unused:,} samples")
    return 0


def _say(done: Verification, *, again: bool) -> None:
    if done.verifier is None:
        say(f"{done.run}: nothing to judge" + ("" if again else "; --again judges samples that have a verdict too"))
        return
    what = "samples" if again else "samples without a verdict"
    say(f"{done.run}: {done.judged:,} of {done.wanted:,} {what} judged by {done.verifier} {done.version}")
    if done.without_text:
        say(f"  {done.without_text:,} have no stored text, and stay as they are")
    if done.unused:
        say(
            f"  {done.unused:,} could not be judged (no reference answer, or the verifier failed), and stay as they are"
        )
