"""The server engine against real HTTP servers on loopback that break in one way each."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from backend.engines.protocol import DrawnSample, EngineUnavailable, SamplingParams, make_request
from backend.engines.registry import engine_option, load_engine
from backend.engines.server import ServerEngine
from backend.engines.server_pool import Address, rest
from backend.errors import UsageError
from tests.support import wait_while

KEY = "sk-very-secret-4711"
REQUESTS = [make_request("run", f"p{place}", f"What is {place}?", range(8)) for place in range(5)]
EVERYTHING = {(request.problem, index) for request in REQUESTS for index in request.indices}
GOOD: dict[str, Any] = {
    "choices": [{"text": "42", "finish_reason": "stop", "logprobs": {"token_logprobs": [-0.5, -0.25]}}],
    "usage": {"completion_tokens": 2},
}

Behaviour = Callable[["Handler", dict[str, Any], int], None]


@dataclass
class Local:
    """A server that answers completions as `behaviour` says; the number counts completions from 0."""

    behaviour: Behaviour
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    now: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)
    """The test has ended: whoever hangs may go."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer takes 40 ms
    local: Local

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def answer(self, status: int, body: Any, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self.answer(200, {"data": [{"id": "tiny"}]})
        else:
            self.answer(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        local = self.local
        if self.path != "/v1/completions":
            self.answer(404, {"detail": "Not Found"})
            return
        with local.lock:
            number = len(local.asked)
            local.asked.append(body)
            local.keys.add(self.headers["Authorization"])
            local.now += 1
            local.most = max(local.most, local.now)
        try:
            local.behaviour(self, body, number)
        except OSError:
            self.close_connection = True
        finally:
            with local.lock:
                local.now -= 1


class Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients hang up in these tests


Serve = Callable[[Behaviour], Local]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers = []

    def start(behaviour: Behaviour) -> Local:
        local = Local(behaviour)
        server = Quiet(("127.0.0.1", 0), type("Bound", (Handler,), {"local": local}))
        servers.append((server, local))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        local.url = f"http://127.0.0.1:{server.server_port}/v1"
        return local

    yield start
    for server, local in servers:
        local.over.set()
        server.shutdown()
        server.server_close()


def good(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.answer(200, GOOD)


def failing(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.answer(500, {"error": {"message": "CUDA error: out of memory"}})


def closing_mid_body(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [{"text": "4')
    handler.close_connection = True


def hanging_up(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.close_connection = True


def hanging(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.local.over.wait()


def dripping(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    while not handler.local.over.wait(0.05):
        handler.wfile.write(b" ")


def garbage(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.answer(200, b"<html>It works!</html>")


def no_completion(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.answer(200, {"choices": []})


def first(count: int, then: Behaviour) -> Behaviour:
    """Good answers at first, then something else."""
    return lambda handler, body, number: (good if number < count else then)(handler, body, number)


def load(*servers: Local, **options: Any) -> ServerEngine:
    urls = [server.url for server in servers]
    usual = {"base_url": urls, "concurrency": 4, "timeout": 60.0, "retries": 2, "backoff": 0.02}
    engine = load_engine("tiny", name="server", options=usual | options)
    assert isinstance(engine, ServerEngine)
    return engine


def drawn(engine: ServerEngine) -> tuple[list[DrawnSample], Exception | None]:
    found: list[DrawnSample] = []
    try:
        for sample in engine.generate(REQUESTS, SamplingParams(temperature=0.6, top_p=0.95, max_tokens=99)):
            found.append(sample)
    except (EngineUnavailable, ValueError) as error:
        return found, error
    return found, None


def identities(samples: list[DrawnSample]) -> set[tuple[str, int]]:
    assert len({(sample.problem, sample.index) for sample in samples}) == len(samples)
    return {(sample.problem, sample.index) for sample in samples}


def test_every_sample_is_a_request_with_its_own_seed(serve: Serve) -> None:
    server = serve(good)
    samples, error = drawn(load(server))
    assert error is None
    assert identities(samples) == EVERYTHING
    assert {(s.text, s.tokens, s.finish_reason, s.logprob_sum) for s in samples} == {("42", 2, "stop", -0.75)}
    assert sorted(body["seed"] for body in server.asked) == sorted(seed for each in REQUESTS for seed in each.seeds)
    assert {(body["n"], body["temperature"], body["top_p"], body["max_tokens"]) for body in server.asked} == {
        (1, 0.6, 0.95, 99)
    }
    assert "top_k" not in server.asked[0]  # a strict server would refuse what only vLLM knows


def test_requests_are_concurrent_and_bounded(serve: Serve) -> None:
    full = threading.Event()

    def together(handler: Handler, body: dict[str, Any], number: int) -> None:
        if handler.local.now == 6:
            full.set()
        full.wait()
        good(handler, body, number)

    server = serve(together)
    drawn(load(server, concurrency=6, timeout=200.0))
    assert server.most == 6


def test_what_passes_is_waited_for(serve: Serve) -> None:
    """Busy, broken, away: each for a while."""

    def shaky(handler: Handler, body: dict[str, Any], number: int) -> None:
        {2: failing, 9: closing_mid_body, 16: garbage, 23: hanging_up}.get(number, good)(handler, body, number)

    samples, error = drawn(load(serve(shaky)))
    assert error is None
    assert identities(samples) == EVERYTHING


def test_a_server_that_asks_for_a_pause_gets_it(serve: Serve) -> None:
    times: list[float] = []

    def busy(handler: Handler, body: dict[str, Any], number: int) -> None:
        times.append(time.monotonic())
        if number == 0:
            handler.answer(429, {"error": "slow down"}, Retry_After="1")
        else:
            good(handler, body, number)

    samples, error = drawn(load(serve(busy), concurrency=1))
    assert error is None
    assert identities(samples) == EVERYTHING
    assert times[1] - times[0] > 0.9


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (failing, "answered 500: CUDA error: out of memory"),
        (closing_mid_body, "stopped in the middle of an answer"),
        (hanging_up, "closed the connection without an answer"),
        (hanging, "gave no answer within"),
        (dripping, "gave no answer within"),
        (garbage, "answered with something that is not JSON"),
        (no_completion, "sent a completion in a form that is not understood"),
    ],
)
@pytest.mark.parametrize("before", [0, 11])
def test_a_broken_server_ends_in_a_sentence_after_what_was_finished(
    serve: Serve, broken: Behaviour, said: str, before: int
) -> None:
    server = serve(first(before, broken))
    samples, error = drawn(load(server, timeout=1.0 if said == "gave no answer within" else 60.0))
    assert isinstance(error, EngineUnavailable)
    assert str(error).startswith(f"No server is left: {server.url} ")
    assert said in str(error)
    assert "\n" not in str(error)
    assert len(identities(samples)) == before
    # Four at once fail, then one at a time is tried; twice as many where an old connection is opened anew.
    assert len(server.asked) <= before + 2 * (4 + 2)


def test_one_server_of_two_is_enough(serve: Serve) -> None:
    fine, broken = serve(good), serve(first(3, failing))
    samples, error = drawn(load(broken, fine))
    assert error is None
    assert identities(samples) == EVERYTHING
    assert len(fine.asked) >= len(EVERYTHING) - 3


def test_a_server_that_is_away_does_not_stop_the_other(serve: Serve) -> None:
    fine = serve(good)
    engine = load(fine, base_url=f"{fine.url}, http://127.0.0.1:9/v1")
    samples, error = drawn(engine)
    assert error is None
    assert identities(samples) == EVERYTHING


def test_nobody_there_is_a_sentence() -> None:
    with pytest.raises(UsageError, match=r"http://127.0.0.1:9/v1 cannot be reached: Connection refused"):
        load_engine("tiny", name="server", options={"base_url": "http://127.0.0.1:9/v1"})


def test_a_refused_prompt_is_named_and_the_others_are_drawn(serve: Serve) -> None:
    def picky(handler: Handler, body: dict[str, Any], number: int) -> None:
        if body["prompt"] == "What is 2?":
            handler.answer(400, {"error": {"message": "This model's maximum context length is 2 tokens."}})
        else:
            good(handler, body, number)

    samples, error = drawn(load(serve(picky)))
    assert isinstance(error, ValueError)
    assert "The prompt of p2 could not be sampled" in str(error)
    assert "maximum context length" in str(error)
    assert identities(samples) == {each for each in EVERYTHING if each[0] != "p2"}


def test_a_server_that_refuses_everything_is_asked_a_few_times_only(serve: Serve) -> None:
    server = serve(lambda handler, body, number: handler.answer(400, {"error": "no seed allowed"}))
    samples, error = drawn(load(server))
    assert samples == []
    assert "no seed allowed" in str(error)
    assert len(server.asked) < 16


def test_the_key_is_sent_and_never_shown(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def telltale(handler: Handler, body: dict[str, Any], number: int) -> None:
        handler.answer(500, {"error": f"trouble with {handler.headers['Authorization']}"})

    monkeypatch.setenv("MY_KEY", KEY)
    server = serve(telltale)
    engine = load(server, api_key_env="MY_KEY")
    _, error = drawn(engine)
    assert server.keys == {f"Bearer {KEY}"}
    assert "trouble with Bearer [API key]" in str(error)
    shown = [str(error), repr(error), engine.version, repr(vars(engine))]
    cause: BaseException | None = error
    while cause is not None:
        shown.append(repr(cause))
        cause = cause.__cause__ or cause.__context__
    assert not any(KEY in text for text in shown)


@pytest.mark.parametrize("value", [KEY, f"{KEY}\nX", f"{KEY}é"])
def test_the_key_is_not_shown_where_it_cannot_be_used(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PASSK_API_KEY", value)
    options = {"api_key_env": value} if value == KEY else {}
    with pytest.raises(UsageError) as raised:
        load_engine("tiny", name="server", options=options)
    assert KEY not in str(raised.value)


def test_leaving_drops_what_is_under_way(serve: Serve) -> None:
    server = serve(first(2, hanging))
    samples = load(server, timeout=600.0).generate(REQUESTS, SamplingParams())
    next(samples)
    samples.close()  # type: ignore[attr-defined]
    wait_while(lambda: any(each.name.startswith("server-") for each in threading.enumerate()))
    assert not server.over.is_set(), "the server would have gone on"


def test_no_log_probabilities_are_unknown_and_not_0(serve: Serve) -> None:
    bare = {"choices": [{"text": "42", "finish_reason": "length"}]}
    samples, error = drawn(load(serve(lambda handler, body, number: handler.answer(200, bare))))
    assert error is None
    assert all(math.isnan(sample.logprob_sum) and sample.logprobs is None for sample in samples)


def test_rests_grow_with_jitter_and_have_an_end() -> None:
    assert all(0.5 * 2**n <= rest(n + 1, None, 1.0) <= 2**n for n in range(5) for _ in range(20))
    assert len({rest(3, None, 1.0) for _ in range(20)}) > 10
    assert max(rest(n, None, 1.0) for n in range(1, 40)) <= 60
    assert rest(1, 7.0, 1.0) == 7.0


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("http://node7:8000/v1", "http://node7:8000/v1"),
        ("node7:8000", "http://node7:8000/v1"),
        ("https://api.example.org/openai/v1/", "https://api.example.org/openai/v1"),
        ("http://[::1]:8000", "http://[::1]:8000/v1"),
    ],
)
def test_base_urls(url: str, read: str) -> None:
    assert str(Address.parse(url)) == read


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://", "http://user:hunter2@x/v1", "http://x:port", "http://x/v1?key=1"]
)
def test_what_is_no_base_url(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        Address.parse(url)
    assert "hunter2" not in str(raised.value)


def test_options_are_checked() -> None:
    for options, said in (
        ({"concurency": 3}, "no option concurency"),
        ({"concurrency": 0}, "concurrency of the server engine cannot be 0"),
        ({"timeout": "soon"}, "timeout of the server engine cannot be soon"),
        ({"base_url": ""}, "needs a base URL"),
    ):
        with pytest.raises(UsageError, match=said):
            load_engine("tiny", name="server", options=options)


def test_options_as_the_user_writes_them() -> None:
    assert engine_option("tensor-parallel-size=2") == ("tensor_parallel_size", 2)
    assert engine_option("enforce_eager=true") == ("enforce_eager", True)
    assert engine_option("base_url=http://a:1/v1,http://b:2/v1") == ("base_url", "http://a:1/v1,http://b:2/v1")
    with pytest.raises(UsageError, match="NAME=VALUE"):
        engine_option("fast")


def test_an_unknown_engine_is_a_sentence() -> None:
    with pytest.raises(UsageError, match=r"(?s)There is no engine vlm.*vllm"):
        load_engine("tiny", name="vlm")


def test_many_samples_over_a_shaky_line(serve: Serve) -> None:
    """1,000 samples, every seventh answer some failure: complete, none twice."""
    faults = [failing, closing_mid_body, garbage, hanging_up]

    def shaky(handler: Handler, body: dict[str, Any], number: int) -> None:
        (faults[number % 4] if number % 7 == 3 else good)(handler, body, number)

    engine = load(serve(shaky), serve(shaky), concurrency=16, retries=8, backoff=0.005)
    requests = [make_request("run", f"p{place}", f"{place}", range(100)) for place in range(10)]
    samples = list(engine.generate(requests, SamplingParams()))
    assert Counter(sample.problem for sample in samples) == {f"p{place}": 100 for place in range(10)}
    assert len(identities(samples)) == 1000
