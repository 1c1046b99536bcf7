"""passk imports, undo and redo: what came into a store, and taking it back."""

from __future__ import annotations

import argparse
from functools import partial

from explorer.commands.command import Command
from explorer.commands.inputs import confirm, reading
from explorer.commands.output import print_table, say
from explorer.options import FORMAT, REASON, STORE, YES, Option


def run_imports(arguments: argparse.Namespace) -> int:
    """List the imports, or what was decided since."""
    from backend import decisions, decisions_table, imports, imports_table

    with reading(arguments.store) as reader:
        if arguments.decisions:
            print_table(arguments.format, decisions_table(decisions(reader)))
            return 0
        found = imports(reader)
    if not found:
        say("Nothing was imported into this store. Import results: passk import FILE --store STORE")
    print_table(arguments.format, imports_table(found))
    return 0


def run_undo(arguments: argparse.Namespace, *, again: bool = False) -> int:
    """Take an import or a decision back, or bring it back."""
    from backend import change_in_words, find_change, redo, undo

    again = again or bool(getattr(arguments, "undo", False))
    with reading(arguments.store) as reader:
        words = change_in_words(reader.database, find_change(reader, arguments.change))
        if not confirm(f"{'Bring back' if again else 'Take back'} {words}?", yes=arguments.yes):
            say("Nothing was changed.")
            return 1
        done = (redo if again else undo)(reader, arguments.change, arguments.reason)
    say(f"{'Brought back' if done.counts_again else 'Taken back'}: {done.words}")
    for line in done.notes:
        say(f"  {line}")
    say(f"Decision {done.id}; to take it back: passk undo {done.id}")
    return 0


CHANGE = Option("change", "its id, as passk imports prints it, or the beginning of it", "IMPORT")
BRING_BACK = Option("--undo", "bring back what was taken back, as passk redo does")

COMMANDS = {
    "imports": Command(
        run_imports,
        (
            STORE,
            FORMAT,
            Option("--decisions", "list what was decided since: taken back, renamed, removed, overridden"),
        ),
    ),
    "undo": Command(run_undo, (CHANGE, STORE, BRING_BACK, REASON, YES)),
    "redo": Command(partial(run_undo, again=True), (CHANGE, STORE, REASON, YES)),
}
