"""One shape for whatever has rows and columns: a screen, a command, a file of data and a document print the same.

`backend.analysis.tables` makes the table of each record. Whoever prints one asks for the columns of its medium, and
for their values item by item: so a screen of ten thousand problems formats the sixty that one sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal[
    "text", "prose", "whole", "count", "compact", "number", "decimal", "percent", "chance", "points", "tally",
    "interval", "span", "json",
]  # fmt: skip
"""How a value is shown to people, see `backend.wording.shown`; and of which type it is in a file of data."""

Media = frozenset[str]
SCREEN, PRINT, DOCUMENT = frozenset({"screen"}), frozenset({"print"}), frozenset({"document"})
"""The explorer; what a command prints for people; an exported md, tex or html."""
CSV, JSON, EXPORT = frozenset({"csv"}), frozenset({"json"}), frozenset({"export"})
"""What a command prints as csv and as JSON; an exported csv, jsonl or Parquet."""
PEOPLE, DATA = SCREEN | PRINT | DOCUMENT, CSV | JSON | EXPORT
EVERYWHERE = PEOPLE | DATA


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    """Its name in data."""
    kind: Kind = "text"
    heading: str = ""
    """What people read over it; the key where it is empty."""
    value: Callable[..., Any] | None = None
    """Its value for an item, None where it is unknown. Without one, the item is a mapping that has it under the key."""
    on: Media = EVERYWHERE
    """Where it is shown."""
    path: str = ""
    """Where it stands in a JSON object, when not under its key: `base.n`."""
    gives_way: int = 0
    """Where room is short, the column with the highest number is left out first, one with 0 never."""

    @property
    def title(self) -> str:
        """What stands over it for people."""
        return self.heading or self.key

    @property
    def right(self) -> bool:
        """Whether it stands to the right: numbers do."""
        return self.kind not in ("text", "prose", "json")

    def of(self, item: Any) -> Any:
        """Its value for an item."""
        return self.value(item) if self.value is not None else item[self.key]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and the items that they are of."""

    columns: tuple[Column, ...]
    items: Sequence[Any] = ()
    notes: tuple[str, ...] = ()
    """What must be known to read it."""
    document: Callable[[list[dict[str, Any]]], Any] | None = None
    """Makes the JSON document from the records of the items, where it says more than they do."""

    def on(self, medium: Media) -> Table:
        """The same with only the columns of a medium."""
        return replace(self, columns=tuple(column for column in self.columns if medium <= column.on))

    def values(self, item: Any) -> tuple[Any, ...]:
        """The values of an item, in the order of the columns."""
        return tuple(column.of(item) for column in self.columns)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        return [self.values(item) for item in self.items]

    def column(self, key: str) -> Column:
        return next(column for column in self.columns if column.key == key)

    def record(self, item: Any) -> dict[str, Any]:
        """An item as a JSON object."""
        found: dict[str, Any] = {}
        for column in self.columns:
            *outer, name = (column.path or column.key).split(".")
            inner = found
            for each in outer:
                inner = inner.setdefault(each, {})
            inner[name] = column.of(item)
        return found

    def json(self) -> Any:
        table = self.on(JSON)
        records = [table.record(item) for item in self.items]
        return records if self.document is None else self.document(records)
