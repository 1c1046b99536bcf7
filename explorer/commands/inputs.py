"""The store, runs and problems that the options of a command mean. What is taken without being named is said."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from explorer.commands.output import say

if TYPE_CHECKING:
    from backend import Reader
    from backend.records import Run
    from backend.records.samples import Selection


@contextmanager
def reading(store: str | None, *, memory_limit: str = "2GB") -> Iterator[Reader]:
    """A reader of the store that the user means, closed afterwards; parts of it that do not count are said."""
    from backend import Reader, open_store, store_for_reading

    database = open_store(store_for_reading(store), memory_limit=memory_limit)
    try:
        for stray in database.strays:
            say(str(stray))
        with Reader(database) as reader:
            yield reader
    finally:
        database.close()


def benchmark_named(reader: Reader, name: str | None) -> str | None:
    """The benchmark in which runs are looked for; None for all of them."""
    return reader.benchmark(name) if name else None


def benchmark_of(reader: Reader, name: str | None) -> str:
    """The benchmark that is meant: the one named, else the only one.

    Raises:
        UsageError: none is named and there are several, or none.
    """
    benchmark = reader.benchmark(name)
    if not name:
        say(f"benchmark: {benchmark}, the only one")
    return benchmark


def run_of(reader: Reader, arguments: argparse.Namespace) -> Run:
    """The run of --run, looked for in --benchmark."""
    return reader.run(arguments.run, benchmark_named(reader, arguments.benchmark))


def runs_named(reader: Reader, names: Sequence[str | None], benchmark: str | None) -> list[Run]:
    """The runs of these names, each once and in this order."""
    known = reader.benchmark(benchmark) if benchmark else None
    return list({run.key: run for name in names if name for run in [reader.run(name, known)]}.values())


def pair_of(reader: Reader, arguments: argparse.Namespace) -> tuple[Run, Run]:
    """The runs of --base and --rl; one that is not named is that of the only pair.

    Raises:
        UsageError: one does not exist, or there are other numbers of pairs than one.
    """
    from backend import default_pairs
    from backend.errors import UsageError
    from backend.wording import with_noun

    benchmark = benchmark_named(reader, arguments.benchmark)
    base, rl = (name and reader.run(name, benchmark) for name in (arguments.base, arguments.rl))
    if base and rl:
        return base, rl
    pairs = [
        pair
        for pair in default_pairs(reader.runs(benchmark))
        if all(named is None or named.key == run.key for named, run in zip((base, rl), pair, strict=True))
    ]
    if len(pairs) != 1:
        known = "".join(f"\n  --base {one.name} --rl {other.name}" for one, other in pairs[:8])
        raise UsageError(
            f"Which runs? There are {with_noun(len(pairs), 'pair')}{' with that run' if base or rl else ''}",
            next_step=f"Name them: --base R --rl R.{known}",
        )
    say(f"base: {pairs[0][0].name}, RL: {pairs[0][1].name}, the only pair")
    return pairs[0]


def problems_of(reader: Reader, runs: Sequence[Run], selector: str) -> Selection:
    """The problems that --problems means; said in words on stderr."""
    from backend import resolve_selector

    meant = resolve_selector(reader, runs, selector)
    if meant.words:
        say(f"only {meant.count:,} of {meant.total:,} problems: {meant.words}")
    return meant


def confirm(question: str, *, yes: bool) -> bool:
    """Whether it is meant: `yes` says so beforehand, else the person is asked on the terminal.

    Raises:
        UsageError: nobody is there to be asked.
    """
    import sys

    from backend.errors import UsageError

    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(question, "Nothing was changed: nobody is there to be asked.", "Say --yes if it is meant.")
    say(f"{question} [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
