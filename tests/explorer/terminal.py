"""A real terminal: tmux on a socket of its own, looked at and typed into."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from time import monotonic, sleep

import pytest

from tests.support import Passk, passk_command

numbers = itertools.count()

needs_tmux = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="tmux is not installed: no real terminal to test in"
)


class Terminal:
    """`passk` with some arguments, as a user starts it in a terminal."""

    def __init__(self, passk: Passk, *arguments: object, size: tuple[int, int] = (80, 24)) -> None:
        self.socket = f"passk-test-{os.getpid()}-{next(numbers)}"
        self.environment = {**passk.environment, "SHELL": "/bin/sh", "TMUX_TMPDIR": str(passk.home)}
        command = shlex.join([*passk_command(), *map(str, arguments)])
        program = f"{command}; echo STATUS $?; exec cat"
        options = ["set -g status off", "set -s escape-time 0", "set -s set-clipboard on"]
        new = ["new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), "-c", str(passk.folder), program]
        self.tmux("-f", "/dev/null", *new, *(word for option in options for word in (";", *option.split())))

    def tmux(self, *arguments: str) -> str:
        result = subprocess.run(
            ["tmux", "-L", self.socket, *arguments],
            env=self.environment,
            capture_output=True,
            timeout=30,
        )
        assert result.returncode == 0, result.stderr
        # As bytes: in a text that was copied, a carriage return is one.
        return result.stdout.decode(errors="surrogateescape")

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.tmux("send-keys", key)

    def resize(self, width: int, height: int) -> None:
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def clipboard(self) -> str:
        """What the program copied by OSC 52."""
        return self.tmux("save-buffer", "-")

    def wait(
        self, *texts: str, until: Callable[[str], bool] = lambda _: True, said: str = "", seconds: float = 30
    ) -> str:
        """Until all these texts are on the screen, and it is painted to the end; returns it."""
        deadline = monotonic() + seconds
        before = ""
        while True:
            screen = self.screen()
            flat = " ".join(screen.split())
            if screen == before and all(text in flat for text in texts) and until(screen):
                return screen
            before = screen
            assert monotonic() < deadline, f"waited in vain for {texts}{said}:\n{screen}"
            sleep(0.05)

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], env=self.environment, capture_output=True)


Start = Callable[..., Terminal]
"""Starts `passk` with these arguments in a terminal, which the test need not close; see the fixture `start`."""
