"""Drives the installed command on a pty, key by key, and measures from the key to the frame that shows the answer."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.bench.bare import bare_fastest
from tests.bench.build_store import Built
from tests.bench.terminal import Seen, Terminal

SIZES = ((80, 24), (120, 40))
# Esc as terminals with kitty's keyboard protocol send it; Textual waits 100 ms for what may follow the plain one.
ENTER, ESCAPE, PLAIN_ESCAPE, DOWN, RIGHT, PAGE_DOWN, TOP = (
    b"\r",
    b"\x1b[27u",
    b"\x1b",
    b"\x1b[B",
    b"\x1b[C",
    b"\x1b[6~",
    b"g",
)
MILLISECONDS = {"row": 33.0, "drill": 100.0, "start": 700.0}
BUDGETS = {
    "command → Home": None,
    "command → first curve": MILLISECONDS["start"],
    "row in Sets": MILLISECONDS["row"],
    "row in Problem": MILLISECONDS["row"],
}
"""Milliseconds; every other step has the drill-in's."""
MEMORY = 400 * 1024 * 1024
BARE = {
    "command → Home": "Home", "Home → Curves": "Curves", "k cursor": "k cursor", "Curves → Sets": "Sets",
    "Sets → Problem": "Problem", "Problem → Path": "Path", "Path → next": "Path", "32k-token path": "Path",
}  # fmt: skip
"""Steps that read, and the statements that they need."""


def command() -> str:
    """The installed command, of the environment that runs this."""
    beside = Path(sys.executable).with_name("passk")
    found = str(beside) if beside.exists() else shutil.which("passk")
    if found is None:
        raise SystemExit("passk is not installed in this environment: pip install -e .")
    return found


@dataclass
class Measured:
    """All that was seen, by step."""

    steps: dict[str, list[Seen]] = field(default_factory=dict)
    memory: int = 0

    def add(self, step: str, seen: Seen) -> None:
        """One more measurement of a step."""
        self.steps.setdefault(step, []).append(seen)


class Walk:
    """One explorer, walked through."""

    def __init__(self, built: Built, columns: int, lines: int, measured: Measured) -> None:
        self.built = built
        self.measured = measured
        self.terminal = Terminal([command(), built.root], columns, lines)

    # What each screen looks like once it shows its answer

    def home(self) -> bool:
        """A pair in the table, and the words below it."""
        text = self.terminal.text
        return "› benchmarks" in text and "Bench1" in text and "problems" in text

    def curves(self) -> bool:
        """A plot in braille and a value beside it."""
        text = self.terminal.text
        return len(re.findall("[\u2801-\u28ff]", text)) > 30 and "pass@k at k" in text and "problems" in text

    def sets(self) -> bool:
        """Rows of problems and how many there are."""
        return "› all" in self.terminal.rows[0] + self.status() or "in benchmark order" in self.status()

    def status(self) -> str:
        """The line above the keys."""
        return self.terminal.rows[-2]

    def problem(self) -> bool:
        """Samples, and how many."""
        return " samples" in self.status() and "problem Q" in self.terminal.rows[0]

    def path(self) -> bool:
        """The beginning of a text."""
        return self.attempt() is not None

    def attempt(self) -> str | None:
        """Which text is on the screen, from its first words."""
        found = re.search(r"Attempt \d+ at Q\d+", self.terminal.text)
        return found.group() if found else None

    # Steps

    def step(self, name: str, keys: bytes, shows: Callable[[], bool]) -> None:
        """Measure one."""
        self.measured.add(name, self.terminal.press(keys, shows, name))

    def row(self, name: str) -> None:
        """One row down."""
        self.terminal.settle()
        before = self.terminal.cursor_line()
        self.step(name, DOWN, lambda: self.terminal.cursor_line() not in (None, before))

    def start(self) -> None:
        """From the command to Home and on to the first curve, as fast as the keys can follow."""
        home = self.terminal.wait(self.home, "Home", settle=False)
        self.terminal.send(ENTER)
        curve = self.terminal.wait(self.curves, "the first curve")
        self.measured.add("command → Home", home)
        both = Seen(
            home.seconds + curve.seconds,
            home.alone + curve.alone,
            home.seconds + curve.settled,
            home.bytes + curve.bytes,
        )
        self.measured.add("command → first curve", both)
        self.terminal.press(ESCAPE, self.home, "Home again")

    def round(self, number: int) -> None:
        """From Home to a path and back, and once around the long path."""
        terminal = self.terminal
        self.step("Home → Curves", ENTER, self.curves)
        for power in (2, 4, 8):
            self.step("k cursor", RIGHT, lambda power=power: f"@{power} %" in terminal.text)  # type: ignore[misc]
        self.step("Curves → Sets", ENTER, self.sets)
        for _ in range(5):
            if self.status().lstrip().startswith("all"):
                break
            before = self.status()
            self.step("other set", RIGHT, lambda before=before: self.status() != before)  # type: ignore[misc]
        terminal.send(TOP)
        terminal.press(ENTER, lambda: self.problem() and self.built.long_problem in terminal.rows[0], "first problem")
        self.step("32k-token path", ENTER, lambda: self.attempt() == f"Attempt 0 at {self.built.long_problem}")
        for _ in range(3):
            top = terminal.rows[4:-1]
            self.step("page in the path", PAGE_DOWN, lambda top=top: terminal.rows[4:-1] != top)  # type: ignore[misc]
        terminal.press(ESCAPE, self.problem, "first problem again")
        terminal.press(ESCAPE, self.sets, "Sets again")
        for _ in range(number % 8 + 1):
            self.row("row in Sets")
        self.step("Sets → Problem", ENTER, self.problem)
        self.row("row in Problem")
        self.row("row in Problem")
        self.step("Problem → Path", ENTER, self.path)
        shown = self.attempt()
        self.step("Path → next", RIGHT, lambda: self.attempt() not in (None, shown))
        self.step("back to Problem", ESCAPE, self.problem)
        self.step("back to Sets", ESCAPE, self.sets)
        self.step("back to Curves", ESCAPE, self.curves)
        self.step("back to Home, plain Esc", PLAIN_ESCAPE, self.home)

    def close(self) -> None:
        """Leave the explorer; note its memory first."""
        self.measured.memory = max(self.measured.memory, self.terminal.peak_memory())
        self.terminal.close()


def measure(built: Built, columns: int, lines: int, *, starts: int, rounds: int) -> Measured:
    """Start the explorer several times, then walk through it."""
    measured = Measured()
    for number in range(starts + 1):
        # The first one fills the page cache and compiles modules; it does not count.
        walk = Walk(built, columns, lines, measured if number else Measured())
        try:
            walk.start()
            if number == starts:
                for index in range(rounds):
                    walk.round(index)
        finally:
            walk.close()
    return measured


def table(built: Built, *, starts: int = 5, rounds: int = 8) -> list[str]:
    """The figures of both window sizes, as lines to print."""
    bare = bare_fastest(Path(built.root), built.long_problem)
    lines = [
        "Milliseconds from the key to the frame that shows the answer, as measured and without the time in which other",
        "programs had the processors (alone); that is held against the budget: p95, for the start p50. DuckDB: the",
        "same statements in a plain connection, warm, the fastest of several; the ratio is alone p50 to that.",
    ]
    for columns, height in SIZES:
        measured = measure(built, columns, height, starts=starts, rounds=rounds)
        lines.append(f"Explorer at {columns}x{height}, {built.samples:,} samples, {built.runs} runs")
        lines.append(
            f"  {'step':<24}{'p50':>7}{'p95':>7}{'alone p50':>11}{'p95':>6}{'settled':>9}{'bytes':>8}"
            f"{'DuckDB':>8}{'ratio':>7}{'budget':>8}"
        )
        for step, seen in measured.steps.items():
            lines.append(_line(step, seen, bare.get(BARE.get(step, ""))))
        verdict = "ok" if measured.memory <= MEMORY else "over"
        lines.append(f"  peak memory {measured.memory / 2**20:.0f} MiB of {MEMORY / 2**20:.0f}: {verdict}")
    return lines


def _line(step: str, seen: list[Seen], bare: float | None) -> str:
    times = 1000 * np.array([entry.seconds for entry in seen])
    alone = 1000 * np.array([entry.alone for entry in seen])
    (p50, p95), (alone50, alone95) = np.percentile(times, (50, 95)), np.percentile(alone, (50, 95))
    settled = 1000 * float(np.median([entry.settled for entry in seen]))
    sent = int(np.median([entry.bytes for entry in seen]))
    budget = BUDGETS.get(step, MILLISECONDS["drill"])
    judged = alone50 if budget == MILLISECONDS["start"] else alone95
    verdict = "" if budget is None else f"{budget:>6.0f} {'ok' if judged <= budget else 'over'}"
    duck = "" if bare is None else f"{1000 * bare:.1f}"
    ratio = "" if bare is None else f"{alone50 / (1000 * bare):.1f}"
    return (
        f"  {step:<24}{p50:>7.0f}{p95:>7.0f}{alone50:>11.0f}{alone95:>6.0f}{settled:>9.0f}{sent:>8,}"
        f"{duck:>8}{ratio:>7}  {verdict}"
    )
