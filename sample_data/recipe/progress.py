"""Progress on standard error: one rewritten line on a terminal, a line every ten seconds in a log."""

from __future__ import annotations

import sys
import time


class Progress:
    """Counts units of work of one step, with rate and time left."""

    def __init__(self, title: str, total: int, unit: str = "", first: int = 0) -> None:
        """`first` units were done before, by an earlier run of the step."""
        self.title, self.total, self.unit = title, total, unit
        self.start = self.shown = time.monotonic()
        self.done = self.first = first

    def update(self, done: int, note: str = "") -> None:
        """Says that `done` units of the total are done."""
        self.done = done
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if now - self.shown < (0.2 if terminal else 10.0):
            return
        self.shown = now
        rate = (done - self.first) / max(now - self.start, 1e-9)
        left = (self.total - done) / rate if rate else 0.0
        line = f"{self.title}: {done}/{self.total} {self.unit} {rate:.1f}/s, {left:.0f} s left {note}".rstrip()
        print(f"\r\x1b[K{line}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)

    def close(self, note: str = "") -> None:
        """The last line of the step."""
        took = time.monotonic() - self.start
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        line = f"{start}{self.title}: {self.done} {self.unit} in {took:.1f} s {note}".rstrip()
        print(line, file=sys.stderr, flush=True)
