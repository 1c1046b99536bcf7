"""A command on a real pty, its output parsed as a terminal would, every piece of it with the time at which it came."""

from __future__ import annotations

import fcntl
import os
import pty
import queue
import signal
import struct
import sys
import termios
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte

QUIET = 0.15
"""Seconds without output after which a screen counts as settled."""


class NotSeen(Exception):
    """What was waited for did not come."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How long it took until the screen showed what was asked for, and what was sent for it."""

    seconds: float
    """From the key to the piece of output that completed the answer."""
    alone: float
    """What an idle machine would have needed; see `Terminal._alone`."""
    settled: float
    """From the key to the last piece of output."""
    bytes: int


Work = dict[str, tuple[int, int]]
"""Nanoseconds that each thread has worked, and waited for a processor, so far."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some output, when it came, and what the command had worked and waited until then."""

    time: float
    work: Work
    data: bytes


def _work(pid: int) -> Work:
    result = {}
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
                worked, waited, _ = file.read().split()
                result[thread] = int(worked), int(waited)
    except (OSError, ValueError):
        pass
    return result


class Terminal:
    """Runs a command in a window of this size."""

    def __init__(self, command: Sequence[str], columns: int, lines: int) -> None:
        # Pieces must get their times while the screen is being parsed in the other thread.
        sys.setswitchinterval(0.0005)
        self.columns, self.lines = columns, lines
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._pieces: queue.Queue[_Piece | None] = queue.Queue()
        self._key = time.perf_counter()
        self._before: Work = {}
        self.pid, self._fd = self._spawn(command)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _spawn(self, command: Sequence[str]) -> tuple[int, int]:
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "", "LINES": ""}
        # 256 colours as over SSH, and compiled modules as an installed command has them.
        for name in ("COLUMNS", "LINES", "COLORTERM", "NO_COLOR", "PYTHONDONTWRITEBYTECODE", "TERM_PROGRAM"):
            environment.pop(name, None)
        size = struct.pack("HHHH", self.lines, self.columns, 0, 0)
        pid, fd = pty.fork()
        if pid == 0:
            # The window's size must stand before the command looks at it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            os.execvpe(command[0], list(command), environment)
        return pid, fd

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except OSError:
                data = b""
            self._pieces.put(_Piece(time.perf_counter(), _work(self.pid), data) if data else None)
            if not data:
                return

    def _next(self, timeout: float) -> _Piece | None:
        """Take in the next piece. None when none came.

        Raises:
            NotSeen: the command has ended.
        """
        try:
            piece = self._pieces.get(timeout=timeout)
        except queue.Empty:
            return None
        if piece is None:
            raise NotSeen(f"the command ended; the screen was:\n{self.text}")
        self._stream.feed(piece.data)
        return piece

    @property
    def rows(self) -> list[str]:
        """The screen's lines."""
        return list(self.screen.display)

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(row.rstrip() for row in self.rows)

    def cursor_line(self) -> str | None:
        """The line that a table's cursor is on: the lowest that is bold on a background of its own."""
        cells = [self.screen.buffer[y][2] for y in range(1, self.lines - 1)]
        usual = Counter(cell.bg for cell in cells).most_common(1)[0][0]
        found = [y for y, cell in enumerate(cells, 1) if cell.bold and not cell.underscore and cell.bg != usual]
        return self.rows[found[-1]] if found else None

    def press(self, keys: bytes, shows: Callable[[], bool], what: str, timeout: float = 20.0) -> Seen:
        """Send a key to a settled screen and wait for the frame that answers it, then until the screen is quiet.

        Raises:
            NotSeen: the answer did not come.
        """
        self.settle()
        self.send(keys)
        return self.wait(shows, what, timeout)

    def wait(self, shows: Callable[[], bool], what: str, timeout: float = 20.0, *, settle: bool = True) -> Seen:
        """Wait for a frame; times count from the last key (or from the start).

        Raises:
            NotSeen: it did not come.
        """
        sent = 0
        answer: _Piece | None = None
        last = self._key
        while True:
            if answer is None and time.perf_counter() - self._key > timeout:
                raise NotSeen(f"{what} did not come within {timeout:.0f} s; the screen is:\n{self.text}")
            piece = self._next(0.5 if answer is None else QUIET)
            if piece is not None:
                last = piece.time
                sent += len(piece.data)
                if answer is None and shows():
                    answer = piece
            if answer is not None and (piece is None or not settle):
                return Seen(answer.time - self._key, self._alone(answer), last - self._key, sent)

    def settle(self) -> None:
        """Take in what still comes, until nothing does."""
        while self._next(QUIET) is not None:
            pass

    def send(self, keys: bytes) -> None:
        """Send a key at once; what follows is counted from here."""
        self._before = _work(self.pid)
        os.write(self._fd, keys)
        self._key = time.perf_counter()

    def _alone(self, piece: _Piece) -> float:
        """Seconds from the last key to this piece without those in which other programs had the processors.

        A key is answered by one thread after another (the main one, one that reads, the main one again), so what they
        waited for a processor is taken off. Where they waited at the same time that is too much: but it is never less
        than what all threads worked together.
        """
        spent = {
            thread: (worked - self._before.get(thread, (0, 0))[0], waited - self._before.get(thread, (0, 0))[1])
            for thread, (worked, waited) in piece.work.items()
        }
        measured = piece.time - self._key
        worked = sum(entry[0] for entry in spent.values()) / 1e9
        _, main = spent.pop(str(self.pid), (0, 0))
        waited = (main + max((entry[1] for entry in spent.values()), default=0)) / 1e9
        return min(max(measured - waited, worked), measured)

    def peak_memory(self) -> int:
        """Largest resident size of the command so far, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def close(self) -> None:
        """Quit, and end the command if it does not."""
        try:
            os.write(self._fd, b"q")
            deadline = time.monotonic() + 5
            while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
                if time.monotonic() > deadline:
                    os.kill(self.pid, signal.SIGKILL)
                    os.waitpid(self.pid, 0)
                    break
                time.sleep(0.01)
        except (OSError, ChildProcessError):
            pass
        os.close(self._fd)
