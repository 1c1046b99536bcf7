"""A process that judges: one task in, one judgement out, until the pipe closes."""

from __future__ import annotations

import faulthandler
import os
import signal
from contextlib import suppress
from multiprocessing.connection import Connection

from backend.verifiers.judging import judge_safely, prepare
from backend.verifiers.protocol import Verifier

MEMORY = 4 << 30
"""Bytes of address space: `9^{9^{9}}` must not take the machine's memory before its deadline comes."""


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
            _limit_memory()
            prepare(verifier)
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
                judged = judge_safely(verifier, task)
                faulthandler.cancel_dump_traceback_later()
                connection.send(judged)
            except (EOFError, OSError):
                return


def _limit_memory() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    with suppress(ValueError, OSError):  # not every system has this limit
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
