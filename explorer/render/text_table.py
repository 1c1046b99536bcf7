"""A table as aligned lines of text: what a command prints, and what a view shows to be read."""

from __future__ import annotations

from backend.records.table import Column, Table
from backend.visible_text import visible_line
from backend.wording import UNKNOWN, shown
from explorer.render.names import fitting_names, shorten_end

GAP = "  "
LONGEST = 60
"""Characters of a cell."""
SHORTEST = 12
"""Cells that a text keeps where room is short."""


def table_lines(table: Table, width: int | None = None) -> list[str]:
    """Headings, then a line an item: texts to the left, numbers to the right, prose last.

    Args:
        table: with the columns that are wanted.
        width: cells there are: the widest text is squeezed where all together find no room. None for no limit.
    """
    from rich.cells import cell_len, set_cell_size

    columns = sorted(table.columns, key=lambda column: column.kind == "prose")
    rows = [[column.title for column in columns]]
    rows += [[shown(column.of(item), column.kind) for column in columns] for item in table.items]
    lines = [[visible_line(text, LONGEST) for text in row] for row in rows]
    widths = [max(map(cell_len, texts)) for texts in zip(*lines, strict=True)]
    if width is not None and (beyond := sum(widths) + len(GAP) * (len(widths) - 1) - width) > 0:
        texts = [place for place, column in enumerate(columns) if not column.right] or [0]
        widest = max(texts, key=lambda place: widths[place])
        widths[widest] = max(widths[widest] - beyond, SHORTEST)
        cells = [line[widest] for line in lines[1:]]
        is_prose = columns[widest].kind == "prose"
        short = (
            [shorten_end(text, widths[widest]) for text in cells] if is_prose else fitting_names(cells, widths[widest])
        )
        for line, text in zip(lines[1:], short, strict=True):
            line[widest] = text
    return [
        GAP.join(
            " " * (size - cell_len(text)) + text if column.right else set_cell_size(text, size)
            for text, size, column in zip(line, widths, columns, strict=True)
        ).rstrip()
        for line in lines
    ]


def record_lines(table: Table) -> list[str]:
    """Two lines an item, which fit a narrow box: its texts, and below them its numbers, each with its heading."""
    texts = [column for column in table.columns if not column.right]
    numbers = [column for column in table.columns if column.right]
    lines = []
    for item in table.items:
        said = [visible_line(shown(column.of(item), column.kind), LONGEST) for column in texts]
        named = [f"{column.title} {text}" for column, text in zip(texts[1:], said[1:], strict=True)]
        lines.append(", ".join([*said[:1], *named]))
        lines.append(GAP + ", ".join(_with_heading(column, shown(column.of(item), column.kind)) for column in numbers))
    return lines


def _with_heading(column: Column, text: str) -> str:
    """A number behind its heading, and its unit behind the number: agreement 91.5 %."""
    name = column.title.removesuffix(" %")
    return f"{name} {text}" + (" %" if name != column.title and text != UNKNOWN else "")
