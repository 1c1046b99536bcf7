"""`passk` in processes that begin with torch and transformers imported.

Importing these two costs five seconds of a worker's six, and the tests of jobs start hundreds of workers. So one
process imports them and then does nothing but fork: each fork is a process of its own, with its own pid, folder,
environment and open files, which runs the same `main` as the installed command and can be killed like any other.

    python -m tests.warm SOCKET
"""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

EXIT = struct.Struct("!i")


class WarmProcess:
    """As much of `subprocess.Popen` as the tests use, for a fork that its forker waits for."""

    def __init__(self, wire: socket.socket, pid: int, stdout: IO[str], stderr: IO[str]) -> None:
        self.pid = pid
        self.stdout, self.stderr = stdout, stderr
        self.returncode: int | None = None
        self._wire = wire

    def poll(self) -> int | None:
        return self._take(0.0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._take(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def _take(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            # 0 would mean a socket that never blocks; the smallest wait that is one.
            self._wire.settimeout(timeout if timeout is None else max(timeout, 1e-3))
            try:
                said = self._wire.recv(EXIT.size, socket.MSG_WAITALL)
            except TimeoutError:
                return None
            (self.returncode,) = EXIT.unpack(said)
            self._wire.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        from threading import Thread

        said: dict[str, str] = {}
        readers = [
            Thread(target=lambda name=name, pipe=pipe: said.__setitem__(name, pipe.read()), daemon=True)  # type: ignore[misc]
            for name, pipe in (("out", self.stdout), ("err", self.stderr))
        ]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join(timeout)
        return said.get("out", ""), said.get("err", "")

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forker:
    """The process that forks; started with the first command and ended with the tests."""

    def __init__(self, folder: Path) -> None:
        self.address = folder / "warm"
        root = str(Path(__file__).resolve().parent.parent)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(self.address)],
            cwd=root,
            # As workers that passk starts; torch reads it when it is imported.
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
        )
        while not self.address.exists():
            assert self._process.poll() is None, "the forker did not start"
            time.sleep(0.01)

    def start(self, arguments: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> WarmProcess:
        wire = socket.socket(socket.AF_UNIX)
        wire.connect(str(self.address))
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        request = json.dumps({"arguments": list(arguments), "cwd": str(cwd), "environment": dict(environment)}).encode()
        ends = array.array("i", [out_end, err_end]).tobytes()
        wire.sendmsg([struct.pack("!i", len(request))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, ends)])
        wire.sendall(request)
        os.close(out_end)
        os.close(err_end)
        (pid,) = EXIT.unpack(wire.recv(EXIT.size, socket.MSG_WAITALL))
        return WarmProcess(wire, pid, open(out, encoding="utf-8"), open(err, encoding="utf-8"))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def _serve(address: str) -> None:
    import torch  # noqa: F401
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM  # noqa: F401

    import explorer.commands.main  # noqa: F401

    server = socket.socket(socket.AF_UNIX)
    server.bind(address + ".new")
    server.listen(64)
    os.rename(address + ".new", address)
    while True:
        wire, _ = server.accept()
        # The child of this fork forks again and waits, so that each command has somebody who takes its exit status.
        if os.fork() == 0:
            server.close()
            os._exit(_one(wire))
        wire.close()
        _reap()


def _reap() -> None:
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def _one(wire: socket.socket) -> int:
    size, ends, _, _ = wire.recvmsg(4, socket.CMSG_SPACE(8))
    fds = array.array("i", ends[0][2])
    (length,) = struct.unpack("!i", size)
    request = json.loads(wire.recv(length, socket.MSG_WAITALL))
    pid = os.fork()
    if pid == 0:
        wire.close()
        _become(request, *fds)
    for fd in fds:
        os.close(fd)
    wire.sendall(EXIT.pack(pid))
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    try:
        wire.sendall(EXIT.pack(code))
    except BrokenPipeError:
        return 1  # nobody waits for it any more
    return 0


def _become(request: dict[str, Any], out: int, err: int) -> None:
    """Be the command: its folder, environment and open files, then its `main`."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.closerange(3, 256)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["passk", *request["arguments"]]
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    # Processes that are spawned from here must not import this module as their main one.
    here = sys.modules["__main__"]
    here.__spec__ = None
    del here.__file__
    from explorer.commands.main import main

    run: Callable[[], Any] = main
    code: Any = 1
    try:
        code = run()
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        import atexit

        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(int(code or 0))


if __name__ == "__main__":
    _serve(sys.argv[1])
