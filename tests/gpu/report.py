"""The table that the check prints, and its time."""

from __future__ import annotations

import sys
import textwrap
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

OK, MISSED, FAILED, ABSENT = "ok", "missed", "failed", "not here"
"""missed: it works, and a goal was not reached; not here: what it needs is not installed, or there was no time."""
WIDTH = 118


class CheckFailed(Exception):
    """Something is not as it must be; the message says what."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    found: str
    status: str
    seconds: float


@dataclass
class Report:
    """Rows as they come, and how much time there is."""

    minutes: float
    rows: list[Row] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds until the check should have ended."""
        return self.began + 60 * self.minutes - time.monotonic()

    def check(self, what: str, do: Callable[[], tuple[str, str]], *, needs: float = 0) -> str:
        """Do something that gives what was found and a status; a failure becomes a row too.

        Args:
            what: the first column.
            do: what is to be done.
            needs: seconds; it is left out when there are fewer.

        Returns:
            The status.
        """
        started = time.monotonic()
        if needs and self.left < needs:
            found, status = f"left out: it takes {needs:.0f} s, and {max(self.left, 0):.0f} s were left", ABSENT
        else:
            print(f"[{started - self.began:5.0f} s] {what}", file=sys.stderr, flush=True)
            try:
                found, status = do()
            except CheckFailed as error:
                found, status = str(error), FAILED
            except Exception as error:
                traceback.print_exc()
                found, status = f"{type(error).__name__}: {error}", FAILED
        row = Row(what, " ".join(found.split()), status, time.monotonic() - started)
        self.rows.append(row)
        for line in _lines(row):
            print(line, file=sys.stderr, flush=True)
        return status

    def lines(self) -> list[str]:
        """The table."""
        head = Row("what", "found", "", 0)
        body = [line for row in self.rows for line in _lines(row)]
        return [_lines(head)[0].removesuffix("0"), "-" * WIDTH, *body]

    @property
    def failed(self) -> bool:
        """Whether anything did not work."""
        return any(row.status == FAILED for row in self.rows)


def _lines(row: Row) -> list[str]:
    first = textwrap.wrap(row.what, 27) or [""]
    second = textwrap.wrap(row.found, WIDTH - 46, break_on_hyphens=False) or [""]
    size = max(len(first), len(second))
    cells = zip(first + [""] * (size - len(first)), second + [""] * (size - len(second)), strict=True)
    return [
        f"{what:<29}{found:<{WIDTH - 44}}" + (f"{row.status:>9}{row.seconds:>5.0f}" if place == 0 else "")
        for place, (what, found) in enumerate(cells)
    ]
