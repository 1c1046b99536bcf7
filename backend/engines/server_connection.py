"""One connection to one server: requests out, JSON or a sentence about what went wrong back.

http.client of the standard library: a thread per request in flight is all that is needed here, so this engine works
from the core install, on a login node too. httpx has had no release since 2024, and its successor brings six packages.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from backend.errors import UsageError

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
        """The key in this environment variable; empty where there is none."""
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
        """GET a path; see `_call`."""
        return self._call("GET", path, None, seconds)

    def post(self, path: str, payload: dict[str, Any], seconds: float) -> dict[str, Any]:
        """POST a JSON object to a path; see `_call`."""
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
