"""Scoring through a server: what is sent for one text, and what the answer says of its tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Any

from backend.engines.protocol import (
    DrawnSample,
    EngineKind,
    EngineUnavailable,
    FinishReason,
    PromptRequest,
    SamplingParams,
    TextLogprobs,
    TextToScore,
    in_order,
    likeliest,
    too_long_for_context,
)
from backend.engines.server_pool import Address, Connection, Key, Refused, ServerPool, Trouble
from backend.engines.token_offsets import piece_ends
from backend.errors import UsageError

# Scoring through a server: what is sent for one text, and what the answer says of its tokens.


def echo(model: str, tokens: Sequence[int], alternatives: int | None) -> dict[str, Any]:
    """A completion of nothing that tells the log-probabilities of its prompt, to `/completions`."""
    return {
        "model": model, "prompt": list(tokens), "max_tokens": 0, "echo": True, "logprobs": alternatives or 0,
    }  # fmt: skip


def read_echo(answer: Mapping[str, Any], skipped: int, tokens: int, alternatives: int | None) -> TextLogprobs:
    """The score in an answer to `echo`; `skipped` tokens are the prompt's, `tokens` the text's.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: something is missing or of another form.
    """
    told = answer["choices"][0]["logprobs"]
    values = tuple(float(value) for value in told["token_logprobs"][skipped : skipped + tokens])
    if len(values) < tokens:
        raise ValueError(f"{len(values)} of {tokens} tokens are scored")
    score = TextLogprobs(tokens, float(sum(values)), values)
    places = (told.get("top_logprobs") or ())[skipped : skipped + tokens]
    if alternatives is None or len(places) < tokens:
        return score
    kept = (
        likeliest(((str(text), float(of)) for text, of in (place or {}).items()), value, alternatives)
        for place, value in zip(places, values, strict=True)
    )
    return replace(score, alternatives=tuple(kept))


def with_ends(score: TextLogprobs, text: str, pieces: Sequence[str]) -> TextLogprobs:
    """The score with where each token ends, from the server's pieces; tokens after these end where the text does."""
    ends = piece_ends(text, pieces)
    if ends is None:
        return score
    return replace(score, ends=ends + (len(text),) * (score.tokens - len(pieces)))


# The server engine: samples from OpenAI-compatible completions servers, such as `vllm serve` on other nodes. Every
# sample is a request of its own with its own seed. A server that tokenizes (vLLM does) is sent tokens, tells what was
# drawn token by token, and can score; of any other the texts, finish reasons and log-probabilities are taken. Loading
# and drawing need nothing but the standard library.

FINISHED: dict[str, FinishReason] = {"stop": "stop", "length": "length"}
VLLM_ONLY = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0, "return_token_ids": True}
"""Sent to vLLM, which would take the first three from the model's folder."""


@dataclass(frozen=True)
class ServerOptions:
    base_url: str | Sequence[str] = "http://127.0.0.1:8000/v1"
    """One or more, separated by commas or as a list."""
    concurrency: int = 64
    """Requests in flight, for each server."""
    timeout: float = 1800.0
    """Seconds for one sample."""
    retries: int = 5
    """After the first failure."""
    backoff: float = 1.0
    """Seconds of rest after the first failure; twice as long after each further one."""
    api_key_env: str = "PASSK_API_KEY"
    """The environment variable that holds the API key, if the server wants one; empty to send none."""
    chat: bool = False
    """Whether a prompt goes as a chat message to /chat/completions, with the server's chat template around it."""
    eos_token_id: int | None = None
    """For scoring: the model's end-of-text token, which servers do not tell."""

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> ServerOptions:
        """Raises UsageError for a value that cannot be."""
        made = cls(**options)
        for name in ("concurrency", "timeout", "backoff", "retries"):
            value = getattr(made, name)
            least = 0 if name == "retries" else 1 if name == "concurrency" else 1e-3
            whole = name in ("concurrency", "retries")
            if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or value < least:
                raise UsageError(f"The option {name} of the server engine cannot be {value}")
        if not isinstance(made.chat, bool):
            raise UsageError(f"The option chat of the server engine cannot be {made.chat}: true or false")
        return made

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The base URLs, taken apart."""
        urls = self.base_url.split(",") if isinstance(self.base_url, str) else self.base_url
        found = tuple(dict.fromkeys(Address.parse(url.strip()) for url in urls if url.strip()))
        if not found:
            raise UsageError("The server engine needs a base URL", next_step="For example http://127.0.0.1:8000/v1.")
        return found


@dataclass(frozen=True)
class _Prompt:
    """What is sent for a prompt, and how many tokens may follow it."""

    sent: str | list[int]
    room: int | None


class ServerEngine:
    """Draws samples from, and scores texts with, the model that one or more servers hold."""

    name = "server"

    def __init__(self, pool: ServerPool, options: ServerOptions, model: str, software: str, *, tokenizes: bool) -> None:
        """`load` makes one."""
        self._pool, self._options, self._model = pool, options, model
        self._software, self._tokenizes = software, tokenizes

    @classmethod
    def load(cls, model: str, *, options: Mapping[str, Any] | None = None) -> ServerEngine:
        """Look which servers are there and what they serve.

        Args:
            model: the model's name as the server knows it; empty for the only one that it serves.
            options: see `ServerOptions`.

        Raises:
            EngineUnavailable: no server answers, or the first that does has no such model.
            UsageError: an option cannot be.
        """
        read = ServerOptions.read(options or {})
        key = Key.read(read.api_key_env)
        pool = ServerPool(read.addresses, key, read.concurrency, read.retries, read.backoff)
        reasons = []
        for address in pool.addresses:
            connection = Connection(address, key)
            try:
                with closing(connection):
                    return cls(pool, read, *_look(connection, model), tokenizes=_tokenizes(connection, model))
            except (Trouble, Refused) as error:
                reasons.append(str(error))
        raise EngineUnavailable("; ".join(reasons))

    @property
    def version(self) -> str:
        """For example ``server vllm 0.32.0, model qwen``; no host names, since stores are shared."""
        return f"server {self._software}, model {self._model}"

    def close(self) -> None:
        """Nothing is kept open between calls."""

    def generate(self, requests: Sequence[PromptRequest], params: SamplingParams) -> Iterator[DrawnSample]:
        """Yield samples as they finish. Where a server tells no log-probabilities, their sum is NaN.

        Raises:
            ValueError: a server refused prompts, such as too long ones; all other samples have been handed on.
            EngineUnavailable: no server is left; what had finished has been handed on.
        """
        refused: dict[str, str] = {}
        prompts: dict[str, _Prompt | Refused] = {}
        texts = list(dict.fromkeys(request.prompt for request in requests))
        with closing(self._pool.run(texts, self._prompt)) as found:
            prompts.update(found)

        def work() -> Iterator[tuple[PromptRequest, int, _Prompt]]:
            for request in requests:
                prompt = prompts[request.prompt]
                if isinstance(prompt, Refused):
                    refused[request.problem] = str(prompt)
                elif prompt.room is not None and prompt.room < 1:
                    refused[request.problem] = "it leaves no room in the model's context, or is empty"
                else:
                    yield from ((request, place, prompt) for place in range(request.n))

        def draw(connection: Connection, job: tuple[PromptRequest, int, _Prompt]) -> DrawnSample:
            return self._draw(connection, *job, params)

        with closing(self._pool.run(work(), draw)) as drawn:
            for (request, _, _), sample in drawn:
                if isinstance(sample, Refused):
                    refused[request.problem] = str(sample)
                else:
                    yield sample
        if refused:
            problem, why = next(iter(refused.items()))
            more = f" (and of {len(refused) - 1:,} other problems)" if len(refused) > 1 else ""
            raise ValueError(f"The prompt of {problem}{more} could not be sampled: {why}")

    def score(self, items: Sequence[TextToScore], alternatives: int | None = None) -> Iterator[TextLogprobs]:
        """Log-probabilities of given texts, in the order of the items; see `Engine.score`.

        They are exact where the server runs in float32. A text of the whole context does not fit, of one token less
        it does.

        Raises:
            EngineUnavailable: the server does not tokenize, or the option eos_token_id is missing.
            ValueError: the server refused a text.
        """
        if not self._tokenizes:
            raise EngineUnavailable("Scoring needs a server that tokenizes, such as vLLM; this one does not")
        if self._options.eos_token_id is None and any(item.finish_reason == "stop" for item in items):
            raise EngineUnavailable(
                "Scoring texts that ended needs the option eos_token_id: no server tells which it is"
            )

        def score(connection: Connection, place: int) -> TextLogprobs:
            return self._score(connection, items[place], alternatives)

        def scored() -> Iterator[tuple[int, TextLogprobs]]:
            with closing(self._pool.run(range(len(items)), score)) as found:
                for place, result in found:
                    if isinstance(result, Refused):
                        raise ValueError(f"Text {place + 1} could not be scored: {result}")
                    yield place, result

        yield from in_order(scored(), {})

    def _tokens(self, connection: Connection, text: str, *, special: bool) -> tuple[list[int], int, list[str]]:
        """Token ids of a text, the size of the context, and the tokens as the vocabulary writes them."""
        payload = {"model": self._model, "prompt": text, "add_special_tokens": special, "return_token_strs": True}
        answer = connection.post(f"{connection.address.root}/tokenize", payload, self._options.timeout)
        try:
            return list(answer["tokens"]), int(answer["max_model_len"]), list(answer.get("token_strs") or ())
        except (KeyError, TypeError, ValueError) as error:
            raise Trouble(f"{connection.address} sent tokens in a form that is not understood") from error

    def _prompt(self, connection: Connection, text: str) -> _Prompt:
        if not self._tokenizes or self._options.chat:
            return _Prompt(text, None)
        ids, limit, _ = self._tokens(connection, text, special=True)
        return _Prompt(ids, limit - len(ids) if ids else 0)

    def _draw(
        self, connection: Connection, request: PromptRequest, place: int, prompt: _Prompt, params: SamplingParams
    ) -> DrawnSample:
        if self._options.chat:
            return self._draw_chat(connection, request, place, params)
        payload = {
            "model": self._model,
            "prompt": prompt.sent,
            "max_tokens": params.max_tokens if prompt.room is None else min(params.max_tokens, prompt.room),
            "temperature": params.temperature,
            "top_p": params.top_p,
            "n": 1,
            "seed": request.seeds[place],
            # vLLM adds the drawn token to that many others; to some servers 0 means none at all.
            "logprobs": 0 if self._tokenizes else 1,
            **({"stop": list(params.stop)} if params.stop else {}),
            **(VLLM_ONLY if self._tokenizes else {}),
        }
        answer = connection.post(f"{connection.address.path}/completions", payload, self._options.timeout)
        with suppress(LookupError, TypeError, ValueError, AttributeError):
            return _sample(answer, request, place, params)
        raise Trouble(f"{connection.address} sent a completion in a form that is not understood")

    def _draw_chat(
        self, connection: Connection, request: PromptRequest, place: int, params: SamplingParams
    ) -> DrawnSample:
        """The prompt as a message; an answer is text alone, without tokens and their log-probabilities."""
        payload = {
            "model": self._model,
            "messages": [{"role": "user", "content": request.prompt}],
            "max_tokens": params.max_tokens,
            "temperature": params.temperature,
            "top_p": params.top_p,
            "n": 1,
            "seed": request.seeds[place],
            **({"stop": list(params.stop)} if params.stop else {}),
        }
        answer = connection.post(f"{connection.address.path}/chat/completions", payload, self._options.timeout)
        with suppress(LookupError, TypeError, ValueError, AttributeError):
            choice = answer["choices"][0]
            told = {"text": choice["message"]["content"] or "", "finish_reason": choice["finish_reason"]}
            return _sample({"choices": [told], "usage": answer.get("usage")}, request, place, params)
        raise Trouble(f"{connection.address} sent a chat completion in a form that is not understood")

    def _score(self, connection: Connection, item: TextToScore, alternatives: int | None) -> TextLogprobs:
        prompt, limit, _ = self._tokens(connection, item.prompt, special=True)
        text, _, pieces = self._tokens(connection, item.text, special=False)
        if item.finish_reason == "stop" and self._options.eos_token_id is not None:
            text.append(self._options.eos_token_id)
        if not text:
            return TextLogprobs(0, 0.0, ())
        if not prompt or len(prompt) + len(text) >= limit:
            return too_long_for_context(len(text))
        payload = echo(self._model, [*prompt, *text], alternatives)
        answer = connection.post(f"{connection.address.path}/completions", payload, self._options.timeout)
        try:
            score = read_echo(answer, len(prompt), len(text), alternatives)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise Trouble(f"{connection.address} sent a score in a form that is not understood: {error}") from error
        return score if alternatives is None else with_ends(score, item.text, pieces)


def _look(connection: Connection, model: str) -> tuple[str, str]:
    """The model's name, and what software the server is, as far as it tells."""
    served = [
        str(entry["id"])
        for entry in connection.get(f"{connection.address.path}/models").get("data") or []
        if isinstance(entry, dict) and "id" in entry
    ]
    if not model and len(served) == 1:
        model = served[0]
    if served and model not in served:
        wanted = f"does not serve {model}" if model else "serves several models, and none was chosen"
        raise Refused(f"{connection.address} {wanted}; it serves {', '.join(served[:8])}")
    with suppress(Trouble, Refused):
        return model, f"vllm {connection.get(f'{connection.address.root}/version')['version']}"
    return model, "of unknown kind"


def _tokenizes(connection: Connection, model: str) -> bool:
    """Whether the server has vLLM's tokenizer."""
    payload = {"prompt": "1", **({"model": model} if model else {})}
    with suppress(Trouble, Refused):
        answer = connection.post(f"{connection.address.root}/tokenize", payload, 10.0)
        return isinstance(answer.get("tokens"), list) and "max_model_len" in answer
    return False


def _sample(answer: Mapping[str, Any], request: PromptRequest, place: int, params: SamplingParams) -> DrawnSample:
    """A server's answer as a sample; raises what indexing raises where something is missing."""
    choice = answer["choices"][0]
    told = (choice.get("logprobs") or {}).get("token_logprobs")
    logprobs = None if told is None else tuple(float(value) for value in told)
    ids = tuple(int(token) for token in choice.get("token_ids") or ())
    usage = answer.get("usage") or {}
    tokens = len(ids) or int(usage.get("completion_tokens") or len(logprobs or ()))
    return DrawnSample(
        problem=request.problem,
        index=request.indices[place],
        seed=request.seeds[place],
        text=str(choice["text"]),
        tokens=tokens,
        finish_reason=FINISHED[choice["finish_reason"]],
        logprob_sum=math.nan if logprobs is None else float(sum(logprobs)),
        token_ids=ids,
        logprobs=logprobs if params.logprobs else None,
    )


engine = EngineKind(
    name="server",
    purpose="OpenAI-compatible servers (--option base_url=http://node7:8000/v1)",
    load=lambda model, options: ServerEngine.load(model, options=options),
    options=tuple(ServerOptions.__dataclass_fields__),
    example="""\
# server: base_url (one or a list), concurrency (requests in flight), timeout (seconds for a sample), retries, backoff
# (seconds), api_key_env (the environment variable that holds the key; the key itself never stands here), eos_token_id,
# chat (whether prompts go as messages to /chat/completions).
# cluster = { kind = "server", base_url = ["http://gpu1:8000/v1", "http://gpu2:8000/v1"], concurrency = 64 }
""",
    folders=False,
    in_plans=("base_url", "concurrency", "timeout", "retries", "backoff", "chat", "eos_token_id"),
    address_option="base_url",
    key_option="api_key_env",
    usual_key="PASSK_API_KEY",
    addresses=lambda options: tuple(map(str, ServerOptions.read(options).addresses)),
)
