"""passk config."""

from __future__ import annotations

import argparse

from explorer.commands.output import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`passk config` has no options."""
    parser.epilog = "To begin: passk config > FILE, where FILE is what it names; take the '# ' away from a setting."


def run(arguments: argparse.Namespace) -> int:
    """Print a configuration with every key, and say where the user's lies and whether it can be read."""
    from backend import EXAMPLE, read_configuration

    configuration = read_configuration()
    there = "is there and in order" if configuration.path.exists() else "is not there: passk goes by the defaults"
    print(EXAMPLE, end="")
    say(f"{configuration.path} {there}.")
    return 0
