"""A completions server that hands out the stored samples of a run, so many a second: real paths at a steady rate.

    python -m tests.bench.stored_server STORE RUN RATE

Two models on two cores would deliver a rate of their own and leave none for the explorer that is measured. Here only
the drawing of tokens is left out: the server engine, the verifier, the parts and the store are those of any job.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from backend import Reader, open_store, require_store
from backend.jobs.templates import render_prompt

Answers = dict[str, Iterator[dict[str, Any]]]
"""Prompt -> its stored samples, again and again, as a server answers them."""


def stored_answers(store: Path, run_name: str) -> Answers:
    """The samples of a run by prompt."""
    database = open_store(require_store(store), merging=False)
    try:
        with Reader(database) as reader:
            run = reader.run(run_name)
            template = str(run.parameters["template"])
            found: Answers = {}
            for key, _, statement, *_ in reader.rows("reads/problems_to_sample", benchmark=run.benchmark):
                paths = [
                    {
                        "choices": [{"text": path.text, "finish_reason": path.sample.finish_reason or "stop"}],
                        "usage": {"completion_tokens": path.sample.tokens or 1},
                    }
                    for path in itertools.islice(reader.paths(run, key), 64)
                ]
                found[render_prompt(template, statement)] = itertools.cycle(paths)
            return found
    finally:
        database.close()


class Pace:
    """Lets so many through in a second, evenly."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate
        self._lock = threading.Lock()
        self._next = time.monotonic()

    def wait(self) -> None:
        """Until it is one's turn."""
        with self._lock:
            now = time.monotonic()
            # What was missed while nobody asked is not made up for.
            self._next = max(self._next + self._gap, now - 0.1)
            until = self._next
        time.sleep(max(until - now, 0))


def handler_of(answers: Answers, pace: Pace) -> type[BaseHTTPRequestHandler]:
    """Handles the requests of the server engine."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else every answer takes 40 ms

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

        def answer(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            self.answer(*((200, {"data": [{"id": "stored"}]}) if self.path == "/v1/models" else (404, {})))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != "/v1/completions":
                self.answer(404, {})
                return
            pace.wait()
            with lock:
                found = next(answers[body["prompt"]])
            self.answer(200, found)

    return Handler


class Quiet(ThreadingHTTPServer):
    """Clients that hang up when a job is cancelled are nothing to report."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until the process is ended; the first line of stdout is the URL."""
    store, run, rate = sys.argv[1:]
    handler = handler_of(stored_answers(Path(store), run), Pace(float(rate)))
    server = Quiet(("127.0.0.1", 0), handler)
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
