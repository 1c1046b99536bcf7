"""Whatever keys and bytes come, the explorer goes on; and whatever ends it, the terminal gets its modes back."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import pytest

from backend.store.layout import StoreLayout
from tests.explorer import monkey
from tests.support import clean_environment, passk_command

RAW = {
    "an é of a Latin-1 terminal": "é".encode("latin-1"),
    "an old mouse report": b"\x1b[M \xe0\xf0",
    "numbers that no terminal sends": b"\x1b[<9999999999999;1;1M\x1b[;;;;R\x1b[99999999999999u",
    "noise": random.Random(3).randbytes(3_000).translate(None, b"q\x03\x11\x1a\x1c"),
}
RESTORED = b"\x1b[?1049l"


class Terminal:
    """The installed command at one end of a pty."""

    def __init__(self, store: StoreLayout, home: Path, **more: str) -> None:
        environment = clean_environment(home) | more
        self.process, self.end = pty.fork()
        if self.process == 0:
            try:
                os.execve(passk_command()[0], ["passk", str(store.root)], environment)
            finally:
                os._exit(99)
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.said = b""

    def read_until(self, what: bytes, seconds: float = 60.0) -> None:
        until = time.monotonic() + seconds
        while what not in self.said:
            assert time.monotonic() < until, self.said[-500:]
            if select.select([self.end], [], [], 0.1)[0]:
                try:
                    self.said += os.read(self.end, 65_536)
                except OSError:  # the other end is closed
                    break
        assert what in self.said

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.end, data[:512]) :]
            if select.select([self.end], [], [], 0)[0]:
                self.said += os.read(self.end, 65_536)

    def status(self) -> int:
        until = time.monotonic() + 30
        while (done := os.waitpid(self.process, os.WNOHANG))[0] == 0:
            if time.monotonic() > until:
                os.kill(self.process, signal.SIGKILL)
                os.waitpid(self.process, 0)
                pytest.fail("it does not end")
            time.sleep(0.05)
        return os.waitstatus_to_exitcode(done[1])


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")


def test_bytes_that_are_no_keys_do_not_end_it(sums_store: StoreLayout, tmp_path: Path) -> None:
    terminal = Terminal(sums_store, tmp_path)
    terminal.read_until(b"sums")
    for data in RAW.values():
        terminal.send(data)
    time.sleep(1)
    assert os.waitpid(terminal.process, os.WNOHANG) == (0, 0)
    os.kill(terminal.process, signal.SIGTERM)
    terminal.read_until(RESTORED)
    assert terminal.status() == 143
    assert b"Traceback" not in terminal.said


def test_a_hangup_restores_the_terminal(sums_store: StoreLayout, tmp_path: Path) -> None:
    terminal = Terminal(sums_store, tmp_path, COLUMNS="1000000", LINES="-3")
    terminal.read_until(b"sums")
    os.kill(terminal.process, signal.SIGHUP)
    terminal.read_until(RESTORED)
    assert terminal.status() == 129


def test_a_terminal_that_is_gone_ends_it(sums_store: StoreLayout, tmp_path: Path) -> None:
    terminal = Terminal(sums_store, tmp_path)
    terminal.read_until(b"sums")
    os.close(terminal.end)
    assert terminal.status() in (0, 120, 129), "120: Python could not write its last words"


def test_a_monkey_finds_nothing(sums_store: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # it exports
    falls, screens = monkey.run(sums_store, 400, seed=20)
    assert falls == []
    assert len(screens) > 5, "it got around"
