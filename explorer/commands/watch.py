"""passk watch: the follower without a screen."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from backend.errors import PasskError
from backend.visible_text import visible_line
from explorer.commands import import_results
from explorer.commands.command import Command
from explorer.commands.output import print_json_line
from explorer.options import INDEX, STORE_TO_WRITE, TEXT_OR_JSON, Option, file_path

if TYPE_CHECKING:
    from backend import Passed, Taken

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_watch(arguments: argparse.Namespace) -> int:
    """Follow until somebody stops it: 0 after SIGTERM or when the process of --until has ended, 130 after Ctrl-C."""
    from backend import Follower, leave_out_pandas, store_for_writing

    leave_out_pandas()
    layout = store_for_writing(arguments.store)
    stop = threading.Event()

    def report(event: Taken | Passed) -> None:
        try:
            (_say_json if arguments.print == "json" else _say)(event)
        except BrokenPipeError:
            # Nobody listens any more; what is being taken goes into the store all the same.
            stop.set()

    follower = Follower(
        layout,
        arguments.paths,
        run_options=import_results.run_options(arguments),
        options=import_results.reading_options(arguments),
        wanted_format=arguments.format,
        report=report,
    )
    with _stopped_by_signals(stop) as stopped:
        if arguments.until:
            threading.Thread(target=_wait_for, args=(arguments.until, stop), name="until", daemon=True).start()
        if arguments.print == "text":
            print(visible_line(f"following {', '.join(map(str, arguments.paths))} into {layout.root}"), flush=True)
        try:
            follower.run(stop)
        except PasskError as error:
            if arguments.print == "json":
                failure = {"title": error.title, "detail": error.detail, "next_step": error.next_step}
                print_json_line({"event": "failed", "time": round(time.time(), 3), **failure})
            raise
    return 130 if signal.SIGINT in stopped else 0


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[list[int]]:
    """Signals end the following when what is being taken is in the store, which takes a second at most."""
    stopped: list[int] = []

    def note(number: int, frame: Any) -> None:
        stopped.append(number)
        stop.set()

    before = {number: signal.signal(number, note) for number in STOPS}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for(process: int, stop: threading.Event) -> None:
    """Set `stop` when that process is no more."""
    parent = os.getppid() == process
    while not stop.wait(0.5):
        if parent and os.getppid() != process:
            stop.set()
            return
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            stop.set()
            return
        except PermissionError:
            continue


def _say(event: Taken | Passed) -> None:
    print(f"{time.strftime('%H:%M:%S')} {visible_line(_words(event), 2_000)}", flush=True)


def _words(event: Taken | Passed) -> str:
    from backend import Taken

    if isinstance(event, Taken):
        samples = f"{event.samples:,} {'sample' if event.samples == 1 else 'samples'}"
        return f"{event.path}: {samples} into {', '.join(event.runs)}"
    return f"{event.path}: left, {event.reason}. {event.next_step}".rstrip()


def _say_json(event: Taken | Passed) -> None:
    from dataclasses import asdict

    from backend import Taken

    kind = "taken" if isinstance(event, Taken) else "left"
    print_json_line({"event": kind, "time": round(time.time(), 3), **asdict(event)})
    sys.stdout.flush()


COMMANDS = {
    "watch": Command(
        run_watch,
        (
            Option("paths", "result files, or folders of them", "PATH", file_path, nargs="+"),
            STORE_TO_WRITE,
            *import_results.READING,
            TEXT_OR_JSON.but(spelling="--print", help="how what comes is printed: a line each"),
            Option("--until", "end when the process of this number has ended", "PID", INDEX),
        ),
        epilogue=(
            "Every row is taken once, also when this is killed and started again. Ctrl-C ends it. A half-written last\n"
            "line waits for its end; a file that is one document (json, Parquet, gz) is taken when it has not changed\n"
            "for a second."
        ),
    )
}
