"""passk audit."""

from __future__ import annotations

import argparse

from explorer.commands.command import Command
from explorer.commands.inputs import pair_of, problems_of, reading
from explorer.commands.output import Progress, print_json, print_table, say
from explorer.options import (
    AUDIT_BY,
    AUDIT_FIRST,
    AUDIT_SECOND,
    AUDIT_VERIFIER,
    FORMAT,
    MIN_CORRECT,
    PAIR,
    PROBLEMS,
    STORE,
)  # fmt: skip


def run_audit(arguments: argparse.Namespace) -> int:
    from dataclasses import replace

    from backend import (
        audit,
        audit_curves_table,
        audit_notes,
        audit_runs_table,
        audit_sets_table,
        audit_table,
        disputed_paths,
        queue_of_disputed,
        verify_beside,
    )
    from backend.wording import short_names

    with reading(arguments.store) as reader, Progress("samples") as progress:
        pair = pair_of(reader, arguments)
        problems = problems_of(reader, pair, arguments.problems).problems
        if arguments.verifier:
            for run in pair:
                judged = 0
                for judged, total in verify_beside(reader, run, arguments.verifier, problems=problems):
                    progress(judged, total)
                say(f"{run.name}: {judged:,} samples judged by {arguments.verifier}, beside what counts")
        second = arguments.second or arguments.verifier
        done = audit(
            reader, *pair, arguments.first, second, min_correct=arguments.min_correct, problems=problems
        )  # fmt: skip
        paths = disputed_paths(reader, done) if arguments.by == "sample" else ()
    if arguments.format == "json" and arguments.by != "sample":
        print_json(audit_table(done).json())
        return 0
    for line in audit_notes(done):
        say(line)
    made = {
        "run": lambda: audit_runs_table(done),
        "problem": lambda: audit_table(done),
        "set": lambda: audit_sets_table(done),
        "curve": lambda: audit_curves_table(done),
        "sample": lambda: queue_of_disputed(paths, short_names(pair)),
    }[arguments.by]()
    print_table(arguments.format, replace(made, notes=()))
    return 0


COMMANDS = {
    "audit": Command(
        run_audit,
        (STORE, *PAIR, AUDIT_FIRST, AUDIT_SECOND, AUDIT_VERIFIER, MIN_CORRECT, AUDIT_BY, PROBLEMS, FORMAT),
    )
}
