"""The explorer's terminal: whatever comes from it, and whatever takes it away, ends in order or not at all."""

from __future__ import annotations

import asyncio
import os
import signal
from codecs import IncrementalDecoder, getincrementaldecoder
from contextlib import suppress
from functools import partial
from typing import Any

from textual.app import App
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

LARGEST = {"COLUMNS": 1_000, "LINES": 500}
"""No terminal has more; a screen of that size would take minutes and all memory."""


class _TerminalGone(Exception):
    """There is nothing to read any more."""


def _decoder(encoding: str) -> type[IncrementalDecoder]:
    """Bytes that are not UTF-8 are U+FFFD: an é of a Latin-1 terminal, an old mouse report."""
    usual = getincrementaldecoder(encoding)

    class Tolerant(usual):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            super().__init__(errors="replace")

        def decode(self, data: bytes, final: bool = False) -> str:
            if not data and not final:
                raise _TerminalGone
            return str(super().decode(data, final))

    return Tolerant


class SteadyDriver(LinuxDriver):
    """Textual's driver, whose thread ended with a traceback at the first byte that it did not understand."""

    def run_input_thread(self) -> None:
        setattr(linux_driver, "getincrementaldecoder", _decoder)  # noqa: B010 - what it imports, and does not export
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except (_TerminalGone, OSError):
                self._app.call_later(self._app.exit)
                return
            except Exception:
                # What the parser cannot take is dropped with the rest of its packet.
                continue

    def stop_application_mode(self) -> None:
        # A terminal that is gone has no modes to restore.
        with suppress(OSError):
            super().stop_application_mode()


def driver() -> type[Driver] | None:
    """The driver for this system; None for Textual's own choice."""
    return SteadyDriver if os.name == "posix" and "TEXTUAL_DRIVER" not in os.environ else None


def forget_absurd_sizes() -> None:
    """Drop COLUMNS and LINES that no terminal has: then the terminal itself is asked."""
    for name, most in LARGEST.items():
        value = os.environ.get(name, "")
        if value and not (value.isascii() and value.isdigit() and 0 < int(value[:9]) <= most):
            del os.environ[name]


def end_on_signals(app: App[Any]) -> None:
    """SIGTERM and SIGHUP leave as `q` does: the terminal gets its modes back, and threads end."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread: in a test
            asyncio.get_running_loop().add_signal_handler(number, partial(app.exit, return_code=128 + number))
