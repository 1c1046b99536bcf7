"""Many requests to several servers at once: connections, back-off and retries, results as they come."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from backend.engines.protocol import EngineUnavailable
from backend.errors import UsageError

# One connection to one server: requests out, JSON or a sentence about what went wrong back. http.client of the
# standard library: a thread per request in flight is all that is needed here, so this engine works from the core
# install, on a login node too. httpx has had no release since 2024, and its successor brings six packages. urllib3
# would replace a dozen lines: its timeouts are of each read and not of a whole answer, its Retry knows a request and
# not that the server is resting, and to hang up on a request under way one needs the socket all the same.

CONNECT_SECONDS = 10.0
LARGEST = 256 << 20
"""No answer has more bytes."""
TEMPORARY = {408, 409, 425, 429}


class Trouble(Exception):
    """May work another time: the server is busy, broken or away."""

    def __init__(self, what: str, after: float | None = None) -> None:
        super().__init__(what)
        self.after = after  # seconds that the server asked to wait


class Refused(Exception):
    """Will not work another time: the server understood and said no."""

    def __init__(self, what: str, *, everything: bool = False) -> None:
        super().__init__(what)
        self.everything = everything  # whether it will say no to every request


@dataclass(frozen=True)
class Address:
    """A base URL such as http://node7:8000/v1, taken apart."""

    secure: bool
    host: str
    port: int | None
    path: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises UsageError for what is not the base URL of a server."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if parts.username or parts.password:
            raise UsageError(
                "A base URL must hold no user name and no password", next_step="Export an API key instead."
            )
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
            raise UsageError(
                f"{url} is not the base URL of a server", next_step="For example http://127.0.0.1:8000/v1."
            )
        return cls(parts.scheme == "https", host, port, parts.path.rstrip("/") or "/v1")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}{f':{self.port}' if self.port else ''}{self.path}"

    @property
    def root(self) -> str:
        """Path of what lies beside /v1, such as /tokenize."""
        return self.path.removesuffix("/v1")


@dataclass(frozen=True)
class Key:
    """The API key: taken from the environment, sent, and never shown."""

    variable: str
    secret: str = field(default="", repr=False)

    @classmethod
    def read(cls, variable: str) -> Key:
        """The key in this environment variable; empty where there is none, or no variable."""
        if not variable:
            return cls("")
        if not re.fullmatch(r"[A-Za-z_]\w*", variable):
            raise UsageError(
                "The option api_key_env takes the name of an environment variable, not the key itself",
                next_step="For example api_key_env=PASSK_API_KEY.",
            )
        secret = os.environ.get(variable, "").strip()
        if not re.fullmatch(r"[!-~]*", secret):  # http.client would quote it in its complaint
            raise UsageError(f"The API key in ${variable} holds a character that no HTTP header can carry")
        return cls(variable, secret)

    def hide(self, text: str) -> str:
        """The text of a server, which may quote the key, without it."""
        return text.replace(self.secret, "[API key]") if self.secret else text


class Connection:
    """Kept open between calls; for one thread, except for `abort`."""

    def __init__(self, address: Address, key: Key) -> None:
        self.address, self._key = address, key
        self._open: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._aborted = False

    def get(self, path: str, seconds: float = CONNECT_SECONDS) -> dict[str, Any]:
        return self._call("GET", path, None, seconds)

    def post(self, path: str, payload: dict[str, Any], seconds: float) -> dict[str, Any]:
        return self._call("POST", path, json.dumps(payload).encode(), seconds)

    def abort(self) -> None:
        """From another thread: end a call that is under way, which makes the server drop it, too."""
        self._aborted = True
        if (opened := self._socket) is not None:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it; the next call opens it again."""
        if self._open is not None:
            self._open.close()
            self._open = self._socket = None

    def _call(self, method: str, path: str, body: bytes | None, seconds: float) -> dict[str, Any]:
        """The answer as a JSON object.

        Raises:
            Trouble: no answer within `seconds`, half of one, none that is JSON, or a status of trouble.
            Refused: the server does not want this request.
        """
        reused = self._open is not None
        deadline = time.monotonic() + seconds
        try:
            try:
                status, headers, text = self._exchange(method, path, body, deadline)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # A server closes connections that were idle for some seconds; that is no failure.
                self.close()
                if not reused or self._aborted:
                    raise
                status, headers, text = self._exchange(method, path, body, deadline)
        except TimeoutError as error:
            raise self._trouble(f"gave no answer within {seconds:,.0f} s") from error
        except http.client.RemoteDisconnected as error:
            raise self._trouble("closed the connection without an answer") from error
        except http.client.IncompleteRead as error:
            raise self._trouble("stopped in the middle of an answer") from error
        except http.client.HTTPException as error:
            raise self._trouble("does not speak HTTP") from error
        except OSError as error:
            raise self._trouble(f"cannot be reached: {error.strerror or error}") from error
        if not 200 <= status < 300:
            self._complain(status, headers, text)
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise self._trouble("answered with something that is not JSON") from error
        if not isinstance(answer, dict):
            raise self._trouble("answered with JSON that is not an object")
        return answer

    def _exchange(self, method: str, path: str, body: bytes | None, deadline: float) -> tuple[int, Any, bytes]:
        opened = self._open or self._connect()
        used = self._socket
        assert used is not None
        used.settimeout(max(deadline - time.monotonic(), 0.01))
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "passk"}
        if self._key.secret:
            headers["Authorization"] = f"Bearer {self._key.secret}"
        opened.request(method, path, body, headers)
        answer = opened.getresponse()
        text = bytearray()
        while chunk := answer.read1(1 << 16):
            text += chunk
            left = deadline - time.monotonic()
            if left <= 0:  # one byte now and then would otherwise go on for ever
                raise TimeoutError
            if len(text) > LARGEST:
                raise http.client.HTTPException("too long")
            used.settimeout(left)
        missing = answer.length
        answer.close()  # else the connection takes no further request
        if missing:  # read1 does not tell an early end from the end
            raise http.client.IncompleteRead(bytes(text), missing)
        if answer.will_close:
            self.close()
        return answer.status, answer.headers, bytes(text)

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self.address.secure else http.client.HTTPConnection
        opened = kind(self.address.host, self.address.port, timeout=CONNECT_SECONDS)
        opened.connect()
        self._socket = opened.sock
        # A sample takes minutes in which no byte comes: let the kernel notice a node that went down.
        opened.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
            if hasattr(socket, option):
                opened.sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), 30)
        self._open = opened
        return opened

    def _trouble(self, what: str, after: float | None = None) -> Trouble:
        self.close()
        return Trouble(f"{self.address} {what}", after)

    def _complain(self, status: int, headers: Any, text: bytes) -> None:
        said = self._key.hide(_message(text))
        if status >= 500 or status in TEMPORARY:
            raise self._trouble(f"answered {status}{f': {said}' if said else ''}", _seconds(headers.get("Retry-After")))
        if status in (401, 403):
            state = "does not accept the API key in" if self._key.secret else "wants an API key, and none is in"
            raise Refused(f"{self.address} {state} ${self._key.variable} (answer {status})", everything=True)
        if 300 <= status < 400:
            raise Refused(
                f"{self.address} points elsewhere (answer {status}): give the address it leads to", everything=True
            )
        raise Refused(
            f"{self.address} refused a request ({status}{f': {said}' if said else ''})", everything=status == 404
        )


def _message(text: bytes) -> str:
    """What a server says about an error, as one short line."""
    said: Any = text.decode("utf-8", "replace")
    with contextlib.suppress(ValueError):
        said = json.loads(said)
    for name in ("error", "message", "detail"):
        if isinstance(said, dict) and name in said:
            said = said[name]
    line = " ".join(str(said).split())
    return line if len(line) <= 300 else f"{line[:299]}…"


def _seconds(text: str | None) -> float | None:
    """The header Retry-After, where it is a number."""
    try:
        return min(max(float(text), 0.0), 120.0) if text else None
    except ValueError:
        return None


# Many requests to several servers at once: bounded, with back-off and retries, results as they come. A server that
# fails rests, longer each time and with jitter; then one request alone tries it, after a look whether it answers at
# all. When it has failed `retries` times more than the first, it is given up. Others go on meanwhile.

Item = TypeVar("Item")
Result = TypeVar("Result")

LONGEST_REST = 60.0
LAST_SECONDS = 2.0
"""So long is waited for threads that were told to end."""
ALL_REFUSED = 8
"""So many requests refused and none answered: the rest would be refused too."""


def rest(failures: int, after: float | None, backoff: float) -> float:
    """Seconds of rest after so many failures in a row; half of it is chance, so that clients do not come in step."""
    usual = min(backoff * float(2 ** (failures - 1)), LONGEST_REST)
    return max(after or 0.0, usual * random.uniform(0.5, 1.0))


@dataclass
class _Server:
    address: Address
    failures: int = 0
    wave: int = 0  # failures of requests that were sent together count once
    until: float = 0.0
    trying: bool = False
    lost: str = ""


@dataclass
class _Taken(Generic[Item]):
    job: Item
    tries: int = 0
    wave: int = 0
    alone: bool = False  # it tries a server that has failed


@dataclass(frozen=True)
class ServerPool:
    """Servers, and how hard they are asked."""

    addresses: Sequence[Address]
    key: Key = field(repr=False)
    concurrency: int
    retries: int
    backoff: float

    def run(
        self, jobs: Iterable[Item], task: Callable[[Connection, Item], Result]
    ) -> Generator[tuple[Item, Result | Refused], None, None]:
        """Yield every job with its result, or with why a server refused it.

        Raises:
            EngineUnavailable: no server is left, or one request fails again and again; results come first.
        """
        run = _Run(self, iter(jobs), task)
        try:
            yield from run.results()
        finally:
            run.stop()


class _Run(Generic[Item, Result]):
    """One pass over jobs. Everything below is guarded by `_changed`, except for the calls to servers."""

    def __init__(self, pool: ServerPool, jobs: Iterator[Item], task: Callable[[Connection, Item], Result]) -> None:
        self._pool, self._jobs, self._task = pool, jobs, task
        self._changed = threading.Condition()
        self._servers = [_Server(address) for address in pool.addresses]
        self._again: deque[_Taken[Item]] = deque()
        self._results: deque[tuple[Item, Result | Refused]] = deque()
        self._most = 4 * pool.concurrency * len(self._servers)  # results that may wait for whoever takes them
        self._busy = self._answered = self._refused = 0
        self._drained = self._stopped = False
        self._error: BaseException | None = None
        self._connections: list[Connection] = []
        self._threads = [
            threading.Thread(target=self._work, args=(server,), name=f"server-{place}", daemon=True)
            for server in self._servers
            for place in range(pool.concurrency)
        ]
        for thread in self._threads:
            thread.start()

    def results(self) -> Iterator[tuple[Item, Result | Refused]]:
        """Results as they come; at the end the error, if there was one."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._results or self._over())
                if not self._results:
                    break
                result = self._results.popleft()
                self._changed.notify_all()
            yield result
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Drop what is under way and end the threads."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            connections = list(self._connections)
        deadline = time.monotonic() + LAST_SECONDS
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < deadline:
            # Again and again: a thread may have been about to open its connection when it was told to end.
            for connection in connections:
                connection.abort()
            for thread in self._threads:
                thread.join(timeout=0.05)

    def _over(self) -> bool:
        if self._error is not None:
            # Requests to servers that work are waited for; those to servers that are lost may never end.
            return self._busy == 0 or all(server.lost for server in self._servers)
        return self._drained and not self._again and self._busy == 0

    def _work(self, server: _Server) -> None:
        connection = Connection(server.address, self._pool.key)
        with self._changed:
            self._connections.append(connection)
        try:
            while (taken := self._take(server)) is not None:
                self._do(server, connection, taken)
        finally:
            with suppress(OSError):
                connection.close()

    def _do(self, server: _Server, connection: Connection, taken: _Taken[Item]) -> None:
        try:
            if taken.alone:
                self._look(connection)
            result = self._task(connection, taken.job)
        except Trouble as trouble:
            self._failed(server, taken, trouble)
        except Refused as refused:
            self._refuse(server, taken, refused)
        except BaseException as error:  # a mistake of ours: shown, not swallowed by a thread
            self._end(error)
        else:
            with self._changed:
                self._busy -= 1
                self._answered += 1
                self._works(server, taken)
                self._results.append((taken.job, result))
                self._changed.notify_all()

    def _works(self, server: _Server, taken: _Taken[Item]) -> None:
        if taken.wave == server.wave:  # an answer to what was sent before it failed says nothing
            server.failures, server.trying = 0, False

    def _look(self, connection: Connection) -> None:
        """A request may take minutes; whether a server is there at all takes no time."""
        with suppress(Refused):  # an answer, and so there
            connection.get(f"{connection.address.path}/models")

    def _take(self, server: _Server) -> _Taken[Item] | None:
        """The next job for this server; None when there will be none."""
        with self._changed:
            while True:
                if self._stopped or self._error is not None or server.lost:
                    return None
                resting = server.until - time.monotonic()
                if server.failures and (server.trying or resting > 0):
                    self._changed.wait(None if server.trying else resting)
                    continue
                if len(self._results) < self._most and (taken := self._next(fresh=server.failures > 0)) is not None:
                    taken.wave = server.wave
                    taken.alone = server.trying = server.failures > 0
                    self._busy += 1
                    return taken
                if self._over():
                    self._changed.notify_all()
                    return None
                self._changed.wait()

    def _next(self, *, fresh: bool) -> _Taken[Item] | None:
        """A job to do: a failed one first, but never to try a server with what may have broken it."""
        if self._again and not fresh:
            return self._again.popleft()
        if not self._drained:
            try:
                return _Taken(next(self._jobs))
            except StopIteration:
                self._drained = True
        return self._again.popleft() if self._again else None

    def _failed(self, server: _Server, taken: _Taken[Item], trouble: Trouble) -> None:
        with self._changed:
            self._busy -= 1
            taken.tries += 1
            self._again.append(taken)
            if taken.wave == server.wave:
                server.wave += 1
                server.failures += 1
                server.trying = False
                server.until = time.monotonic() + rest(server.failures, trouble.after, self._pool.backoff)
                if server.failures > self._pool.retries:
                    server.lost = str(trouble)
            if all(each.lost for each in self._servers):
                self._end_locked(
                    EngineUnavailable(f"No server is left: {_listed([each.lost for each in self._servers])}")
                )
            elif taken.tries > self._pool.retries * len(self._servers) + 1:
                self._end_locked(EngineUnavailable(f"One request failed {taken.tries} times; the last time {trouble}"))
            self._changed.notify_all()

    def _refuse(self, server: _Server, taken: _Taken[Item], refused: Refused) -> None:
        with self._changed:
            self._busy -= 1
            self._works(server, taken)
            if refused.everything:
                server.lost = str(refused)
                self._again.append(taken)
                if all(each.lost for each in self._servers):
                    self._end_locked(EngineUnavailable(_listed([each.lost for each in self._servers])))
            else:
                self._refused += 1
                self._results.append((taken.job, refused))
                if self._refused >= ALL_REFUSED and not self._answered:
                    self._end_locked(EngineUnavailable(str(refused)))
            self._changed.notify_all()

    def _end(self, error: BaseException) -> None:
        with self._changed:
            self._busy -= 1
            self._end_locked(error)
            self._changed.notify_all()

    def _end_locked(self, error: BaseException) -> None:
        self._error = self._error or error


def _listed(reasons: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(reasons))
