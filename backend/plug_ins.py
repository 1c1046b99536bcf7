"""Plug-ins of other packages: entry points of a group, loaded when they are named."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from backend.errors import UsageError


@cache
def plug_ins(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group by name."""
    return {entry.name: entry for entry in entry_points(group=group)}


def plug_in_names(group: str, built_in: Collection[str]) -> list[str]:
    """Every name that can be used: the built-in ones, which no plug-in can take, then those of plug-ins."""
    return [*built_in, *sorted(name for name in plug_ins(group) if name not in built_in)]


def make_plug_in(group: str, name: str, what: str) -> Any:
    """What the plug-in's class, or function, makes.

    Args:
        what: what it is, for the error: "verifier".

    Raises:
        UsageError: it cannot be loaded or made.
    """
    entry = plug_ins(group)[name]
    try:
        return entry.load()()
    except Exception as error:
        raise UsageError(
            f"The {what} plug-in {name} cannot be loaded",
            f"{type(error).__name__}: {error}",
            f"Install what it needs, upgrade it or remove it ({entry.value}).",
        ) from error
