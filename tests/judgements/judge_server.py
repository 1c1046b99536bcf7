"""An OpenAI-compatible server whose model is a true program: it checks every equation of the path that it is shown.

It errs as often as it is told, by a hash of path and seed, so that the truth is known and every run is the same. As a
program: ``python -m tests.judgements.judge_server PORT [ERROR]``.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from backend.step_checkers import ArithmeticChecker
from backend.verifiers.protocol import Task

_PATH = re.compile(r"^={20}\n(?P<path>.*)\n={20}$", re.DOTALL | re.MULTILINE)


def is_sound(path: str) -> bool:
    """The truth: no equation of the path is wrong."""
    return ArithmeticChecker().check(Task(path, "stop", "", None, {})).judgement != "invalid"


def chance(*what: object) -> float:
    """A number in [0, 1) that follows from what is given."""
    digest = blake2b("\0".join(map(str, what)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def judged(path: str, seed: int, error: float) -> str:
    """The model's answer."""
    sound = is_sound(path) != (chance(path, seed) < error)
    said = "sound" if sound else "unsound"
    return f"I look at every equation.\nREASON: the equations are {said}\nVERDICT: {said}"


@dataclass
class Judging:
    """What a server answers, and what it was asked."""

    error: float = 0.0
    answer: Callable[[str, int, int], Any] | None = None
    """Instead: path, seed and number of the request -> the text; or a status, or bytes that are sent as they are."""
    delay: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def says(self, path: str, seed: int, number: int) -> Any:
        return judged(path, seed, self.error) if self.answer is None else self.answer(path, seed, number)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    judging: Judging

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def send(self, status: int, body: Any) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        found = self.path == "/v1/models"
        self.send(200 if found else 404, {"data": [{"id": "checker"}]} if found else {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        chat = self.path == "/v1/chat/completions"
        if not chat and self.path != "/v1/completions":
            self.send(404, {"detail": "Not Found"})
            return
        with self.judging.lock:
            number = len(self.judging.asked)
            self.judging.asked.append({"endpoint": self.path, **body})
            self.judging.keys.add(self.headers["Authorization"])
        self.judging.over.wait(self.judging.delay)
        prompt = body["messages"][0]["content"] if chat else body["prompt"]
        match = _PATH.search(prompt)
        said = self.judging.says(match["path"] if match else prompt, body["seed"], number)
        if said is None:  # it hangs
            self.judging.over.wait()
            self.close_connection = True
        elif isinstance(said, int):
            self.send(said, {"error": {"message": "not now"}})
        elif isinstance(said, bytes):
            self.send(200, said)
        else:
            choice = {"message": {"role": "assistant", "content": said}} if chat else {"text": said}
            usage = {"completion_tokens": len(said.split())}
            self.send(200, {"choices": [{**choice, "finish_reason": "stop"}], "usage": usage})


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients hang up in these tests


@contextmanager
def serving(judging: Judging, port: int = 0) -> Iterator[Judging]:
    """The server, on loopback, as long as the block lasts."""
    server = _Quiet(("127.0.0.1", port), type("Bound", (_Handler,), {"judging": judging}))
    judging.url = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield judging
    finally:
        judging.over.set()
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    with serving(Judging(float(sys.argv[2]) if len(sys.argv) > 2 else 0.0), int(sys.argv[1])) as started:
        print(started.url, flush=True)
        while True:
            time.sleep(3600)
