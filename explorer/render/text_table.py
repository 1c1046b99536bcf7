"""Tables and bars of text: what a view shows that one reads and does not walk in."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from explorer.render.names import squeezed
from explorer.render.numbers import UNKNOWN
from explorer.render.visible import visible_line

GAP = "  "
SHORTEST = 12
"""Cells that a name keeps."""
NARROWEST = 14
"""Cells of a column of bars beside its counts: a bar of four cells or more, and its percentage."""
EIGHTHS = " ▏▎▍▌▋▊▉"


def text_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1, *, width: int, names: int = 0
) -> list[str]:
    """Aligned lines, the headings first; the first `left` columns to the left, the others to the right.

    Args:
        width: cells there are.
        names: the column whose texts are squeezed where all together find no room.
    """
    lines = [[visible_line(text) for text in row] for row in (headings, *rows)]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(headings))]
    beyond = sum(widths) + len(GAP) * (len(widths) - 1) - width
    if beyond > 0:
        widths[names] = max(widths[names] - beyond, SHORTEST)
        for line in lines[1:]:
            line[names] = squeezed(line[names], widths[names])
    return [
        GAP.join(
            set_cell_size(text, size) if column < left else " " * (size - cell_len(text)) + text
            for column, (text, size) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def bar(share: float, largest: float, width: int) -> str:
    """A bar of at most `width` cells, to an eighth of a cell; what is more than nothing can be seen."""
    if width <= 0:
        return ""
    eighths = round(8 * width * share / largest) if largest else 0
    eighths = max(eighths, 1) if share > 0 else 0
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()).ljust(width)


def bar_columns(
    labels: Sequence[str], headings: Sequence[str], columns: Sequence[Sequence[int]], width: int
) -> list[str]:
    """Shares as bars: a line for each label, and in it for each heading the bar, its percentage and its count.

    Args:
        labels: names of the lines.
        headings: names of the columns; those that find no room stand in further blocks below.
        columns: for each heading the counts of the labels; a share is of their sum.
        width: cells there are.
    """
    totals = [sum(counts) for counts in columns]
    first = max(map(cell_len, [*labels, ""])) + 1
    digits = max((len(f"{count:,}") for counts in columns for count in counts), default=1)
    most = max((width - first) // (NARROWEST + digits), 1)
    blocks = -(-len(columns) // most)
    beside = -(-len(columns) // max(blocks, 1))
    each = (width - first) // max(beside, 1) - len(GAP)
    shares = [[count / total if total else None for count in counts]
              for counts, total in zip(columns, totals, strict=True)]  # fmt: skip
    largest = max((share for of_column in shares for share in of_column if share is not None), default=0.0)
    lines: list[str] = []
    for start in range(0, len(columns), max(beside, 1)):
        shown = range(start, min(start + beside, len(columns)))
        names = (set_cell_size(squeezed(visible_line(headings[column]), each), each) for column in shown)
        lines += [""] * bool(lines) + [(" " * first + GAP.join(names)).rstrip()]
        for row, label in enumerate(labels):
            parts = (_share(shares[column][row], columns[column][row], largest, each, digits) for column in shown)
            lines.append((set_cell_size(visible_line(label), first) + GAP.join(parts)).rstrip())
    return lines


def _share(share: float | None, count: int, largest: float, width: int, digits: int) -> str:
    percentage = f"{UNKNOWN:>6}" if share is None else f"{100 * share:5.1f}%"
    return f"{bar(share or 0.0, largest, width - 8 - digits)} {percentage} {count:>{digits},}"
