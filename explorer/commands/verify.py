"""passk verify."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from explorer.commands.command import Command, Mode
from explorer.commands.inputs import problems_of, reading
from explorer.commands.output import Progress, print_rows, say
from explorer.options import AGAIN, FORMAT, POSITIVE, PROBLEMS, RUN, STORE, VERIFIER, Option

if TYPE_CHECKING:
    from backend.records.samples import Verification

COLUMNS = ("run", "before", "now", "samples")


def run_verify(arguments: argparse.Namespace) -> int:
    from backend import use_verdicts, verify

    with reading(arguments.store) as reader, Progress("samples") as progress:
        meant = reader.run(arguments.run)
        problems = problems_of(reader, [meant], arguments.problems).problems
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
        say(f"{done.run}: nothing to verify" + ("" if again else "; --again verifies samples that have a verdict too"))
        return
    what = "samples" if again else "samples without a verdict"
    say(f"{done.run}: {done.judged:,} of {done.wanted:,} {what} verified by {done.verifier} {done.version}")
    if done.because:
        say(f"  {done.verifier}, because {done.because}; --verifier names another")
    if done.without_text:
        say(f"  {done.without_text:,} have no stored text, and stay as they are")
    if done.unused:
        why = "no reference answer, or the verifier failed"
        say(f"  {done.unused:,} could not be verified ({why}), and stay as they are")


USE = Option(
    "--use",
    "verify nothing; let verdicts count that stand beside: of another filter or scorer of the imported file, of an "
    "earlier verifier, or `imported`: those that the samples came with",
    "NAME",
)
PROCESSES = Option("--processes", "processes that verify (default: by the machine)", "N", POSITIVE)

COMMANDS = {
    "verify": Command(
        run_verify,
        (STORE, RUN.but(help="the run whose samples are verified"), PROBLEMS, FORMAT),
        modes=(Mode("--use NAME", (USE,)), Mode("", (), (VERIFIER, AGAIN, PROCESSES))),
    )
}
