"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend import Reader
    from backend.records import Run
    from backend.records.samples import Selection


def add_store(parser: argparse.ArgumentParser, *, writing: bool = False) -> None:
    """--store."""
    default = "./store.passk" if writing else "./store.passk, else the sample store"
    parser.add_argument("--store", metavar="S", help=f"the store folder (default: $PASSK_STORE, else {default})")


def add_format(parser: argparse.ArgumentParser) -> None:
    """--format for lists."""
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="default: table")


def add_engine(parser: argparse.ArgumentParser | argparse._ArgumentGroup, when: str = "") -> None:
    """--engine."""
    from backend import ENGINES

    names = ", ".join(ENGINES.names())
    parser.add_argument("--engine", metavar="E", help=f"{when}{names}, or a name of config.toml")


def add_problems(parser: argparse.ArgumentParser) -> None:
    """--problems: the filter of the explorer."""
    parser.add_argument(
        "--problems",
        metavar="SELECTOR",
        default="",
        help="only these: level=5, c<3, rl.c>3, rate<0.05, tokens>2000, set:base_only, guess:RUN<0.05, ids, words",
    )


def problems_of(reader: Reader, runs: Sequence[Run], selector: str) -> Selection:
    """The problems that --problems means; said in words on stderr."""
    from backend import resolve_selector
    from explorer.commands.output import say

    meant = resolve_selector(reader, runs, selector)
    if meant.words:
        say(f"only {meant.count:,} of {meant.total:,} problems: {meant.words}")
    return meant


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


@contextmanager
def reading(store: str | None) -> Iterator[Reader]:
    """A reader of the store that the user means, closed afterwards."""
    from backend import Reader, open_store, store_for_reading

    database = open_store(store_for_reading(store))
    try:
        with Reader(database) as reader:
            yield reader
    finally:
        database.close()
