"""passk match: which problems of two runs are one, and by what; undo takes a match back."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from explorer.commands.command import Command
from explorer.commands.inputs import pair_of, reading, runs_named
from explorer.commands.output import print_table, say
from explorer.options import FORMAT, PAIR, REASON, STORE, Option

if TYPE_CHECKING:
    from backend import Reader
    from backend.records import Run


def run_match(arguments: argparse.Namespace) -> int:
    from backend import as_planned, match, matches_table, matching_of, plan_match
    from explorer.render.matching import matched_in_words

    with reading(arguments.store) as reader:
        first, second = _two_runs(reader, arguments)
        if arguments.by is None:
            found = matching_of(reader, first, second)
            for line in matched_in_words(found):
                say(line)
            print_table(arguments.format, matches_table(found))
            return 0
        plan = plan_match(reader, first, second, arguments.by)
        print_table(arguments.format, matches_table(as_planned(plan)))
        if arguments.dry_run:
            say(f"{plan.words}: nothing was written")
            return 0
        done = match(reader, first, second, arguments.by, arguments.reason)
    say(done.words)
    for note in done.notes:
        say(f"  {note}")
    say(f"Decision {done.id}; to take it back: passk undo {done.id}")
    return 0


def _two_runs(reader: Reader, arguments: argparse.Namespace) -> tuple[Run, Run]:
    """The two that are named, else the pair of --base and --rl, else the only one.

    Raises:
        UsageError: another number of runs, or named in both ways.
    """
    from backend.errors import UsageError

    if not arguments.of:
        return pair_of(reader, arguments)
    if arguments.base or arguments.rl:
        raise UsageError("Either two runs, or --base and --rl", next_step="passk match RUN RUN")
    runs = runs_named(reader, arguments.of, arguments.benchmark)
    if len(runs) != 2:
        raise UsageError(f"Two runs are matched, not {len(runs)}", next_step="passk match RUN RUN")
    return runs[0], runs[1]


OF = Option("of", "the two runs (default: --base and --rl, else the only pair)", "RUN", nargs="*")
BY = Option(
    "--by",
    "make one what is equal in statement, id, reference, or the first group of a pattern (in statement, prompt or id); "
    "or what FILE.csv pairs, a problem of each run a row",
    "WAY",
)
DRY_RUN = Option("--dry-run", "show what --by would match, write nothing", needs="--by")

COMMANDS = {"match": Command(run_match, (OF, STORE, *PAIR, BY, DRY_RUN, REASON.but(needs="--by"), FORMAT))}
