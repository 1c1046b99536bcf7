"""Judges samples beside the engine: in processes with a deadline each, or at once where a verifier is cheap."""

from __future__ import annotations

import atexit
import faulthandler
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, Protocol, TypeVar

from backend.errors import UsageError
from backend.records import VERDICTS
from backend.verifiers.protocol import Task, Verdict, Verifier

# Judging safely: whatever a verifier does short of hanging or crashing, a judgement comes out.

T = TypeVar("T")


def is_cheap(verifier: Verifier) -> bool:
    """Whether it may judge in the process that draws."""
    return bool(getattr(verifier, "cheap", False))


def limits_of(verifier: Verifier) -> tuple[float, int]:
    """Seconds for one judgement, and bytes of a judging process, as the verifier declares them."""
    return float(getattr(verifier, "deadline", DEADLINE)), int(getattr(verifier, "memory", MEMORY))


def verify_safely(verifier: Verifier, task: Task) -> Verdict:
    """The verifier's judgement; `error` when it raises or returns something else."""
    try:
        judged = verifier.judge(task)
        problem = _problem(judged, task.text)
    except Exception as error:
        # A plug-in that keeps no promise costs one sample, not the job.
        return Verdict("error", detail=f"The verifier failed: {type(error).__name__}.")
    return judged if problem is None else Verdict("error", detail=f"The verifier returned {problem}.")


def _problem(judged: object, text: str) -> str | None:
    """What is wrong with what a verifier returned; None when it is a judgement that can be stored."""
    if not isinstance(judged, Verdict):
        return "no judgement"
    if judged.verdict not in VERDICTS:
        return "an unknown verdict"
    if not all(isinstance(said, str) for said in (judged.answer or "", judged.detail)):
        return "an answer that is no text"
    if judged.span is not None:
        start, end = judged.span
        if not 0 <= start <= end <= len(text):
            return "a place that is not in the text"
    return None


class VerdictStream(Protocol[T]):
    """Takes samples with their tasks and gives them back with their judgements, in any order."""

    def submit(self, sample: T, task: Task) -> None:
        """Take a sample in; waits while too many wait already."""

    def ready(self) -> Iterator[tuple[T, Verdict]]:
        """The samples that have been judged by now; does not wait."""

    def finish(self, patience: float | None = None) -> Iterator[tuple[T, Verdict]]:
        """The samples that are still out, as they are judged; at the latest after `patience` seconds no more come."""

    def __enter__(self) -> VerdictStream[T]: ...

    def __exit__(self, *_: object) -> None: ...


class ImmediateVerdicts(Generic[T]):
    """Judges in this process, as samples come."""

    def __init__(self, verifier: Verifier | None) -> None:
        self._verifier = verifier
        self._done: deque[tuple[T, Verdict]] = deque()

    def submit(self, sample: T, task: Task) -> None:
        unverified = Verdict("unverified", detail="no verifier")
        judged = unverified if self._verifier is None else verify_safely(self._verifier, task)
        self._done.append((sample, judged))

    def ready(self) -> Iterator[tuple[T, Verdict]]:
        while self._done:
            yield self._done.popleft()

    def finish(self, patience: float | None = None) -> Iterator[tuple[T, Verdict]]:
        """The same: nothing is out."""
        return self.ready()

    def __enter__(self) -> ImmediateVerdicts[T]:
        return self

    def __exit__(self, *_: object) -> None:
        pass


# A process that judges: one task in, one judgement out, until the pipe closes.

MEMORY = 4 << 30
"""Bytes of address space, where a verifier does not say: `9^{9^{9}}` must not take the machine's memory."""


def work(connection: Connection, verifier: Verifier, longest: float) -> None:
    """Judge what comes. The pool enforces the deadline from outside by killing this process.

    Args:
        longest: seconds after which a judgement ends this process, should its pool be gone; beyond the deadline.
    """
    # Ctrl-C and a batch system's SIGTERM reach the whole group. The pool decides what becomes of what is in flight.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # libraries that print have no place in a job's log or on a screen
    os.dup2(silence, 2)
    with open(os.devnull, "w") as nowhere:
        try:
            _limit_memory(limits_of(verifier)[1])
            getattr(verifier, "prepare", lambda: None)()
            connection.send(None)
        except Exception as error:
            with suppress(OSError):
                connection.send(f"{type(error).__name__}: {error}")
            return
        while True:
            try:
                task = connection.recv()
                # A thread in C, which also ends a process that holds Python's lock; a killed pool cannot.
                faulthandler.dump_traceback_later(longest, exit=True, file=nowhere)
                judged = verify_safely(verifier, task)
                faulthandler.cancel_dump_traceback_later()
                connection.send(judged)
            except (EOFError, OSError):
                return


def _limit_memory(wanted: int) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(ValueError, OSError):  # not every system has this limit
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


# Why not pebble's ProcessPool, which judges as many a second: the reason why a verifier cannot be loaded is lost, one
# that hangs while it loads is waited for without end, a process stays when this one is killed with -9, and its kill
# begins with a SIGTERM. Either a batch system's own SIGTERM turns samples into `error`, or every missed deadline holds
# up all other judging for 3 s.

# Judges samples beside the engine: in processes with a deadline each, or at once where a verifier is cheap.
#
#     with open_verifiers(verifier) as verdicts:
#         for sample in engine.generate(...):
#             verdicts.submit(sample, task)
#             for sample, verdict in verdicts.ready(): ...
#         for sample, verdict in verdicts.finish(): ...
#
# A judgement that takes longer than its deadline is `timeout`, and its process is killed and replaced (on a machine
# that was busy with other things it is tried once more, alone, when nothing else waits); one whose process dies is
# `error`. A thread hands out tasks and takes verdicts in, so that judging goes on while the engine computes.

DEADLINE = 10.0
"""Seconds for one judgement, where a verifier does not say."""
START_DEADLINE = 300.0
"""Seconds in which a process must have loaded its verifier, on a slow file system too."""
BUSY = 0.8
"""Share of its deadline that a judgement must have had of a processor; with less, its timeout may be the machine's."""
GRACE = 5.0
"""Seconds beyond the deadline after which a process ends itself, should its pool have been killed."""
CAPACITY = 2_048
"""Tasks that may wait; `submit` waits when there are more."""


def open_verifiers(verifier: Verifier | None, *, processes: int | None = None) -> VerdictStream[T]:
    """Judges for this verifier; without one every sample is `unverified`.

    Args:
        processes: at most so many; one less than there are processors, and no more than four, when omitted.

    Raises:
        UsageError: the verifier cannot be sent to another process.
    """
    if verifier is None or is_cheap(verifier):
        return ImmediateVerdicts(verifier)
    return VerifierPool(verifier, processes or max(min((os.cpu_count() or 2) - 1, 4), 1))


def _start_resource_tracker() -> None:
    """Start what multiprocessing starts with its first process, where stderr is no file: as in the explorer."""
    # It hands the number of that file to its own process, and Textual's says -1.
    with redirect_stderr(sys.__stderr__):
        resource_tracker.ensure_running()


@dataclass(eq=False)
class _Process(Generic[T]):
    """A judging process as the pool sees it."""

    process: BaseProcess
    connection: Connection
    until: float
    """When it must have answered, on the monotonic clock."""
    ready: bool = False
    """Whether it has loaded its verifier."""
    task: tuple[T, Task] | None = None
    alone: bool = False
    """Whether the task has run out of time before and nothing else is judged now."""
    cpu_before: float | None = None
    """The process's processor time when the task was handed out, in seconds; None where the system does not say."""


class VerifierPool(Generic[T]):
    """Judges in processes of its own; `close` or leaving the `with` block ends them."""

    def __init__(self, verifier: Verifier, processes: int) -> None:
        try:
            pickle.dumps(verifier)
        except Exception as error:
            raise UsageError(
                f"The verifier {verifier.name} cannot be sent to the processes that judge",
                f"{type(error).__name__}: {error}",
                "Upgrade or remove the package that brings it.",
            ) from error
        self._verifier, self._limit, self._deadline = verifier, processes, limits_of(verifier)[0]
        # Not forked: this process has threads, and perhaps a GPU.
        self._context = multiprocessing.get_context("spawn")
        _start_resource_tracker()
        self._changed = threading.Condition()
        self._waiting: deque[tuple[T, Task]] = deque()
        self._again: deque[tuple[T, Task]] = deque()  # ran out of time on a loaded machine: once more, alone
        self._done: deque[tuple[T, Verdict]] = deque()
        self._open = 0  # submitted and not yet done
        self._closing = False
        self._failure: BaseException | None = None
        self._processes: list[_Process[T]] = []
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_writer, False)
        self._thread = threading.Thread(target=self._run, name="judges", daemon=True)
        self._thread.start()
        # Before multiprocessing's own end, which would wait for processes that ignore its SIGTERM.
        atexit.register(self.close)

    def submit(self, sample: T, task: Task) -> None:
        """Take a sample in. Raises UsageError: the verifier cannot be loaded."""
        with self._changed:
            while len(self._waiting) >= CAPACITY and self._failure is None:
                self._changed.wait()
            self._raise_failure()
            self._waiting.append((sample, task))
            self._open += 1
        self._wake()

    def ready(self) -> Iterator[tuple[T, Verdict]]:
        """What has been judged by now; raises like `submit`."""
        return self.finish(0)

    def finish(self, patience: float | None = None) -> Iterator[tuple[T, Verdict]]:
        """What is still out; raises like `submit`."""
        until = None if patience is None else time.monotonic() + patience
        while True:
            with self._changed:
                while not self._done and self._open and self._failure is None and not self._closing:
                    left = None if until is None else until - time.monotonic()
                    if (left is not None and left <= 0) or not self._changed.wait(left):
                        return
                self._raise_failure()
                if not self._done:
                    return
                # One at a time: what the caller does not come to take is still there for its next call.
                judged = self._done.popleft()
            yield judged

    def close(self) -> None:
        """Kill the processes; what is still out is dropped. Safe to call again."""
        atexit.unregister(self.close)
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._wake()
        self._thread.join()
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def __enter__(self) -> VerifierPool[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _wake(self) -> None:
        with suppress(BlockingIOError, OSError):  # full: it is awake
            os.write(self._wake_writer, b"!")

    # The thread

    def _run(self) -> None:
        try:
            while not self._closing:
                self._hand_out()
                self._listen()
                self._end_those_overdue()
        except BaseException as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()
        finally:
            for entry in list(self._processes):
                self._end(entry)

    def _hand_out(self) -> None:
        """Give waiting tasks to idle processes, and start processes while there is more to do than they can take."""
        for entry in list(self._processes):
            if any(other.alone for other in self._processes):
                return
            if entry.ready and entry.task is None:
                with self._changed:
                    is_idle = all(other.task is None for other in self._processes)
                    entry.alone = bool(self._again) and not self._waiting and is_idle
                    if not self._waiting and not entry.alone:
                        break
                    entry.task = (self._again if entry.alone else self._waiting).popleft()
                    self._changed.notify_all()
                entry.cpu_before = _cpu_seconds(entry.process.pid)
                entry.until = time.monotonic() + self._deadline
                try:
                    entry.connection.send(entry.task[1])
                except OSError:
                    self._died(entry)
        starting = sum(not entry.ready for entry in self._processes)
        wanted = len(self._waiting) or (not self._processes and len(self._again))
        if wanted > starting and len(self._processes) < self._limit:
            self._start()

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        arguments = (theirs, self._verifier, self._deadline + GRACE)
        process = self._context.Process(target=work, args=arguments, name="passk-judge", daemon=True)
        process.start()
        theirs.close()
        self._processes.append(_Process(process, ours, time.monotonic() + START_DEADLINE))

    def _listen(self) -> None:
        """Wait for a judgement, a new task, a death or the next deadline."""
        busy = [entry for entry in self._processes if entry.task is not None or not entry.ready]
        timeout = max(min(entry.until for entry in busy) - time.monotonic(), 0) if busy else None
        by_connection = {entry.connection: entry for entry in self._processes}
        for found in wait([self._wake_reader, *by_connection], timeout):
            if found == self._wake_reader:
                os.read(self._wake_reader, 65_536)
                continue
            entry = by_connection[found]  # type: ignore[index]
            try:
                message = entry.connection.recv()
            except (EOFError, OSError):
                self._died(entry)
                continue
            if entry.ready:
                self._take(entry, message)
            elif message is None:
                entry.ready = True
            else:
                raise self._unusable(message)

    def _end_those_overdue(self) -> None:
        now = time.monotonic()
        for entry in list(self._processes):
            if entry.until > now:
                continue
            if not entry.ready:
                raise self._unusable(f"It did not start within {START_DEADLINE:.0f} s.")
            if entry.task is None:
                continue
            if entry.alone or self._had_the_processor(entry):
                also = ", also alone" if entry.alone else ""
                self._take(entry, Verdict("timeout", detail=f"Judging took longer than {self._deadline:g} s{also}."))
            else:
                self._again.append(entry.task)
                entry.task = None
            self._end(entry)

    def _had_the_processor(self, entry: _Process[T]) -> bool:
        """Whether the judgement itself used up its time, and not a machine that had others to serve."""
        now = _cpu_seconds(entry.process.pid)
        if now is None or entry.cpu_before is None:
            return False
        return now - entry.cpu_before >= BUSY * self._deadline

    def _died(self, entry: _Process[T]) -> None:
        self._end(entry)
        if not entry.ready:
            raise self._unusable(f"Its process ended with {_ending(entry.process)}.")
        if entry.task is not None:
            self._take(entry, Verdict("error", detail=f"The verifier's process ended with {_ending(entry.process)}."))

    def _take(self, entry: _Process[T], judged: Verdict) -> None:
        assert entry.task is not None
        with self._changed:
            self._done.append((entry.task[0], judged))
            self._open -= 1
            self._changed.notify_all()
        entry.task, entry.alone = None, False

    def _end(self, entry: _Process[T]) -> None:
        self._processes.remove(entry)
        entry.process.kill()
        entry.process.join()
        entry.connection.close()

    def _unusable(self, why: str) -> UsageError:
        return UsageError(f"The verifier {self._verifier.name} cannot be used", why)


def _cpu_seconds(pid: int | None) -> float | None:
    """Processor time that a process has used; None where the system does not say."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _ending(process: BaseProcess) -> str:
    code = process.exitcode
    return f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"
