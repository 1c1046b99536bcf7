"""The importers that are installed, and which of them reads a file."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from backend.errors import PasskError, UsageError, suggestion
from backend.importers.protocol import Importer, Options, SourceFile, unexpected

GROUP = "passk.importers"
LAST = ("counts", "long-form")
"""Asked when no other recognises the file, in this order: other formats are special cases of a table."""


@cache
def importers() -> dict[str, Importer]:
    """Every importer by name; those of other packages among them.

    Raises:
        UsageError: a plug-in cannot be loaded.
    """
    found: dict[str, Importer] = {}
    for entry in entry_points(group=GROUP):
        try:
            importer: Importer = entry.load()
        except Exception as error:
            raise UsageError(
                f"The importer plug-in {entry.name} cannot be loaded",
                f"{type(error).__name__}: {error}",
                f"Upgrade or remove the package that brings it ({entry.value}).",
            ) from error
        found[importer.name] = importer
    return dict(sorted(found.items(), key=lambda item: LAST.index(item[0]) if item[0] in LAST else -1))


def importer_for(source: SourceFile, options: Options, wanted: str | None = None) -> Importer | None:
    """The importer that reads this file; None when none recognises it.

    Args:
        wanted: the format the user named; it is taken at its word.

    Raises:
        UsageError: no such format.
    """
    known = importers()
    if wanted is not None:
        if wanted not in known:
            raise UsageError(f"--format {wanted}: unknown format", next_step=suggestion(wanted, list(known), "format"))
        return known[wanted]
    found = claimants(source, options)
    if len(found) > 1:
        raise UsageError(
            f"{source.path} is taken for {' and for '.join(importer.name for importer in found)}",
            next_step="Say which it is with --format, and tell whoever maintains these importers.",
        )
    return found[0] if found else None


def claimants(source: SourceFile, options: Options) -> list[Importer]:
    """The importers that recognise a file: one, or none, unless a plug-in takes what is another's.

    Tables are asked for only when nobody else recognises it, and the first of them alone is named.
    """
    known = importers()
    found = [importer for name, importer in known.items() if name not in LAST and _claims(importer, source, options)]
    if found:
        return found
    tables = (known[name] for name in LAST if name in known)
    return [importer for importer in tables if _claims(importer, source, options)][:1]


def _claims(importer: Importer, source: SourceFile, options: Options) -> bool:
    try:
        return importer.recognise(source, options)
    except PasskError:
        raise
    except Exception as error:
        raise unexpected(source, importer.name, error) from error
