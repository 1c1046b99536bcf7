"""passk imports, undo and redo: what came into a store, and taking it back."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial

from backend.wording import with_noun
from explorer.commands.command import Command
from explorer.commands.inputs import confirm, reading
from explorer.commands.output import print_table, say
from explorer.options import FORMAT, REASON, STORE, YES, Option
from explorer.render.decided import forgettable_in_words, taken_back_in_words, undo_question


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
        if not confirm(undo_question(words, again=again), yes=arguments.yes):
            say("Nothing was changed.")
            return 1
        done = (redo if again else undo)(reader, arguments.change, arguments.reason)
    for line in taken_back_in_words(done):
        say(line)
    return 0


def run_compact(arguments: argparse.Namespace) -> int:
    """Merge what waits; with --forget, drop what does not count for good."""
    from backend import forget, forgettable, merge, store_for_reading
    from backend.errors import StoreError

    layout = store_for_reading(arguments.store)
    if not arguments.forget:
        done = merge(layout)
        if done.failure is not None:
            raise StoreError(f"Merging {layout.root} failed", done.failure)
        if done.skipped:
            say("Nothing was merged: somebody else has the store open, or you may not write it. Nothing depends on it.")
            return 1
        say(f"Merged: {with_noun(len(done.merged), 'part')}")
        return 0
    with reading(arguments.store) as reader:
        lost = forgettable(reader)
    if lost.is_nothing:
        say("There is nothing to forget: nothing was taken back, removed or replaced.")
        return 0
    say("This will be dropped from the store for good; no undo or redo brings it back:")
    for line in forgettable_in_words(lost):
        say(f"  {line}")
    if not confirm("Forget all of it?", yes=arguments.yes):
        say("Nothing was changed.")
        return 1
    before = layout.base.stat().st_size if layout.base.exists() else 0
    forget(layout)
    say(f"Forgotten. The store's base had {before:,} bytes, and has {layout.base.stat().st_size:,}.")
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
    "compact": Command(
        run_compact,
        (
            STORE,
            Option("--forget", "drop for good what was taken back, removed or replaced; what that is is listed first"),
            replace(YES, needs="--forget"),
        ),
    ),
    "redo": Command(partial(run_undo, again=True), (CHANGE, STORE, REASON, YES)),
}
