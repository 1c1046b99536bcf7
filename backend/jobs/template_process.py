"""Renders templates that could take for ever, in a process that can be killed. Run as a module it is that process.

jinja2's sandbox keeps a template from the machine, not from its time and memory: a loop in a loop never ends, and
`"a" * 10**10` is computed while it is compiled.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import IO, TYPE_CHECKING

from backend.errors import UsageError

if TYPE_CHECKING:
    from jinja2 import Environment, Template

DEADLINE = 5.0
"""Seconds for one prompt."""
LONGEST = 8_000_000
"""Characters of a prompt."""
MEMORY = 512 << 20
"""Bytes of address space of the process."""
START = 30.0
"""More seconds for the first prompt: a process begins, perhaps on a slow file system."""


class Renderer:
    """One process, begun when it is first needed and again after it was killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def render(self, template: str, values: Mapping[str, str]) -> str:
        """The prompt; `values` are the names that the template may use.

        Raises:
            UsageError: it takes too long, or becomes too long.
            ValueError: the template is broken; what jinja2 says of it.
        """
        with self._lock:
            seconds = DEADLINE
            if self._process is None or self._process.poll() is not None:
                self._process = self._start()
                seconds += START
            try:
                answer = self._ask(self._process, json.dumps([template, dict(values)]).encode() + b"\n", seconds)
            except BaseException:
                self.close()
                raise
        said: dict[str, str] = json.loads(answer)
        if "prompt" in said:
            return said["prompt"]
        raise ValueError(said["error"])

    def _start(self) -> subprocess.Popen[bytes]:
        atexit.register(self.close)
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "backend.jobs.template_process"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def _ask(self, process: subprocess.Popen[bytes], question: bytes, seconds: float) -> bytes:
        assert process.stdin is not None and process.stdout is not None
        until = time.monotonic() + seconds
        feeding = threading.Thread(target=_feed, args=(process.stdin, question), daemon=True)
        feeding.start()
        answer = bytearray()
        while not answer.endswith(b"\n"):
            left = until - time.monotonic()
            ready = left > 0 and select.select([process.stdout], [], [], left)[0]
            more = os.read(process.stdout.fileno(), 1 << 16) if ready else b""
            if not more:
                why = f"is not done within {DEADLINE:g} s" if left <= 0 or not ready else "needs too much memory"
                raise UsageError(f"The prompt template {why}", next_step="Write it without loops over large ranges.")
            answer += more
        return bytes(answer)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    _close(pipe)


def _feed(pipe: IO[bytes], data: bytes) -> None:
    try:
        pipe.write(data)
        pipe.flush()
    except (OSError, ValueError):  # the process is gone; whoever waits for its answer finds out
        return


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return


@lru_cache(maxsize=64)
def compiled(template: str) -> Template:
    """Ready to be rendered."""
    return environment().from_string(template)


def bounded(template: str, values: Mapping[str, str]) -> str:
    """The prompt, as long as it is not longer than `LONGEST`.

    Raises:
        ValueError: it is.
        Exception: whatever the expressions of the template raise.
    """
    pieces, length = [], 0
    for piece in compiled(template).generate(**values):
        pieces.append(piece)
        length += len(piece)
        if length > LONGEST:
            raise ValueError(f"it makes a prompt of more than {LONGEST:,} characters")
    return "".join(pieces)


@cache
def environment() -> Environment:
    try:
        from jinja2 import StrictUndefined
        from jinja2.sandbox import SandboxedEnvironment
    except ImportError as error:
        raise UsageError("Prompt templates need the package jinja2: pip install jinja2") from error
    # A template may come with somebody's store: it can name the statement and do nothing else.
    return SandboxedEnvironment(
        autoescape=False, keep_trailing_newline=True, undefined=StrictUndefined, optimized=False
    )


def serve() -> None:
    """Answer line by line, until the pipe closes."""
    import resource
    import signal

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard), hard))
    for line in sys.stdin.buffer:
        template, values = json.loads(line)
        try:
            answer = {"prompt": bounded(template, values)}
        except MemoryError:
            answer = {"error": "it needs too much memory"}
        except Exception as error:
            answer = {"error": f"{error}"[:2_000] or type(error).__name__}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
