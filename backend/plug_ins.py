"""What passk can be taught: one mechanism for importers, engines, verifiers, step checkers and exporters.

Its own are listed in code, each by its module and its name in it, so that a new module works without a reinstall.
Another package names what it brings as entry points of the same group: the entry point's name is the plug-in's, and it
leads to an object of the kind's protocol or to a class that makes one without arguments. Both are loaded when they are
used. `conformance.py` tells whether a plug-in keeps its protocol.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pkgutil import resolve_name
from types import FunctionType
from typing import TYPE_CHECKING, Generic, TypeVar

from backend.errors import UsageError, suggestion

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


class PlugInWarning(UserWarning):
    """A plug-in of another package is left out."""


@dataclass(frozen=True)
class PlugIns(Generic[T]):
    """All plug-ins of one kind, by name."""

    group: str
    """The entry-point group, such as `passk.verifiers`."""
    what: str
    """One of them in a sentence: "verifier"."""
    built_in: Mapping[str, str]
    """Name -> "module:object". Nobody else can take these names: what a store says of a verdict's verifier, or of a
    sample's format, must mean one set of rules."""
    functions: bool = False
    """Whether such a plug-in is itself a function, and not what a function makes."""

    @cached_property
    def others(self) -> dict[str, EntryPoint]:
        """Those of other packages."""
        from importlib.metadata import entry_points

        found = entry_points(group=self.group)
        # An old installation of this project may still name its own modules.
        ours = (entry.name in self.built_in or entry.value.startswith("backend.") for entry in found)
        return {entry.name: entry for entry, own in zip(found, ours, strict=True) if not own}

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in self.others

    def names(self) -> list[str]:
        """Every name that can be used, whether or not what it needs is installed; those of other packages last."""
        return [*self.built_in, *sorted(self.others)]

    def require(self, name: str) -> None:
        """Raise UsageError where there is none of that name."""
        if name not in self:
            known = suggestion(name, self.names(), self.what)
            raise UsageError(f"There is no {self.what} {name}", next_step=known)

    def load(self, name: str) -> T:
        """The plug-in of that name. Raises UsageError: there is none, or another package's cannot be loaded or made."""
        self.require(name)
        if name in self.built_in:
            return self._made(resolve_name(self.built_in[name]))
        entry = self.others[name]
        try:
            return self._made(entry.load())
        except Exception as error:
            raise UsageError(
                f"The {self.what} plug-in {name} cannot be loaded",
                f"{type(error).__name__}: {error}",
                f"Install what it needs, upgrade it or remove it ({entry.value}).",
            ) from error

    def _made(self, found: T) -> T:
        makes = isinstance(found, type) or (isinstance(found, FunctionType) and not self.functions)
        return found() if makes else found  # type: ignore[operator]

    def every(self) -> dict[str, T]:
        """All of them by name; another package's that cannot be loaded is left out with a `PlugInWarning`."""
        found = {name: self.load(name) for name in self.built_in}
        for name in sorted(self.others):
            try:
                found[name] = self.load(name)
            except UsageError as error:
                warnings.warn(f"{error.title}, so it is left out. {error.detail}", PlugInWarning, stacklevel=2)
        return found


def missing_modules(plug_in: object) -> dict[str, str]:
    """Modules that a plug-in says it needs (its attribute `needs`: module -> how to install it) and that are not there.

    It looks without importing them.
    """
    needs: Mapping[str, str] = getattr(plug_in, "needs", {})
    return {module: install for module, install in needs.items() if find_spec(module) is None}
