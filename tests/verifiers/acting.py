"""A verifier that does what a text says: how the pool takes what verifiers can do. Real processes import it."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

from backend.verifiers.protocol import Task, Verdict


class Acting:
    name = "acting"
    version = "1"
    deadline = 3.0
    """Long enough for a busy machine, and no longer: what hangs is waited for."""

    def judge(self, task: Task) -> Verdict:
        text = task.text
        action, _, value = text.partition(" ")
        match action:
            case "hang":
                while True:
                    pass
            case "sleep":
                time.sleep(3_600)
            case "once":  # the first time
                if not Path(value).exists():
                    Path(value).touch()
                    time.sleep(3_600)
            case "hold":  # Python's lock is held all the time: no thread of this process gets a turn
                re.fullmatch(r"(a+)+b", "a" * 60)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(int(value))
            case "raise":
                raise ValueError(value)
            case "nothing":
                return None  # type: ignore[return-value]
            case "beyond":
                return Verdict("correct", "x", (0, len(text) + 1))
            case "unknown":
                return Verdict("perhaps")  # type: ignore[arg-type]
            case "print":
                print("noise", flush=True)
            case "wait":  # until the test makes this file
                while not Path(value).exists():
                    time.sleep(0.01)
        return Verdict("correct", str(os.getpid()), None, text)


class Unprepared(Acting):
    name = "unprepared"

    def prepare(self) -> None:
        raise ImportError("no such grammar")


class Dying(Acting):
    name = "dying"

    def prepare(self) -> None:
        os._exit(3)


class Patient(Acting):
    deadline = 600.0
