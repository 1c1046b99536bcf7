"""The transformers engine: samples on a CPU or on one GPU, with a decode loop of its own.

torch and transformers are imported when an engine is made, not with this module. Work is sorted by prompt
length and cut into batches of rows; the samples of a problem share the prompt's prefill. Texts are decoded
without special tokens, as vLLM does by default.

Whoever draws a sample again gets the same text as far as arithmetic carries: its noise follows from its seed alone, but
the logits are computed in a batch, and other neighbours (a job that was killed and goes on has others) may change their
last bits. Where two tokens are nearly tied the other one can come out. In float32 none did in the redraws that the
tests make, nor in 9,600 that an H200 drew of samples from a CPU; in bfloat16 one text in seven differed there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.engines.protocol import (
    Alternative,
    DrawnSample,
    EngineKind,
    EngineUnavailable,
    PromptRequest,
    SamplingParams,
    TextLogprobs,
    TextToScore,
    in_order,
    no_room_message,
    too_long_for_context,
)
from backend.engines.token_offsets import text_ends, token_text

if TYPE_CHECKING:
    from backend.engines.decoding import Finished, RowScore

log = logging.getLogger(__name__)
EXTRA = "pip install 'passk-explorer[transformers]'"
UNLIMITED = 1 << 20


def _require() -> None:
    for package in ("torch", "transformers"):
        try:
            import_module(package)
        except ImportError as error:
            raise EngineUnavailable(
                f"The transformers engine needs the package {package}, which is not installed: {EXTRA}"
            ) from error


def _limit(config: Any) -> int:
    return int(getattr(config.get_text_config(), "max_position_embeddings", None) or UNLIMITED)


class TransformersEngine:
    """Draws samples from, and scores texts with, one causal language model."""

    name = "transformers"

    def __init__(self, model: Any, tokenizer: Any, batch: int | None = None) -> None:
        """Wraps a loaded model and its tokenizer; `batch` is the number of rows decoded together.

        None: 256 on a CPU; on a GPU what its memory holds.
        """
        _require()
        from backend.engines.attention import use_shared_keys

        if batch is not None and batch < 1:
            raise ValueError(f"batch must be 1 or more, not {batch}")
        use_shared_keys(model)
        self._model, self._tokenizer, self._batch = model.eval(), tokenizer, batch
        ends = model.generation_config.eos_token_id
        if ends is None:
            ends = tokenizer.eos_token_id
        if ends is None:
            ends = []
        self._eos = frozenset(ends if isinstance(ends, list) else [ends])
        pad = tokenizer.pad_token_id
        self._pad = int(pad if pad is not None else next(iter(self._eos), 0))
        self._limit = _limit(model.config)

    @property
    def batch(self) -> int | None:
        """Rows that are decoded together; fewer than were asked for once memory has run out; None: not known yet."""
        return self._batch

    @classmethod
    def load(
        cls, path: str | Path, *, device: str | None = None, dtype: str = "float32", batch: int | None = None
    ) -> TransformersEngine:
        """Loads a local model folder (or a hub name already in the cache).

        `device` defaults to "cuda" where there is one, else "cpu". `dtype` is a torch name, or "auto" for the
        precision that the model is stored in; float32 keeps redraws and perplexities exact. Raises EngineUnavailable
        when a package, the device or the model is missing or too small, UsageError for what no device or dtype is.
        """
        _require()
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging as transformers_logging

        from backend.engines import devices

        devices.set_up_cuda()
        target, precision = devices.find_device(device), devices.find_precision(dtype)
        folder = Path(path).expanduser()
        if not folder.is_dir() and (folder.is_absolute() or str(path).startswith(".")):
            # transformers would take it for a malformed hub name, and say so.
            raise EngineUnavailable(f"The model at {path} could not be loaded: there is no such folder")
        transformers_logging.disable_progress_bar()  # it would write into the terminal of whoever loads the model
        try:
            tokenizer = AutoTokenizer.from_pretrained(path)
            model = AutoModelForCausalLM.from_pretrained(path, dtype=precision)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            if not folder.is_dir():
                reason = f"there is no folder {folder.resolve()}, and as a name on a hub: {reason}"
            raise EngineUnavailable(f"The model at {path} could not be loaded: {reason}") from error
        where = devices.describe_device(target, free=True)
        try:
            return cls(model.to(target), tokenizer, batch)
        except (RuntimeError, MemoryError) as error:
            if not devices.is_out_of_memory(error):
                raise
            raise EngineUnavailable(devices.too_large(path, model, target, where)) from error

    @property
    def version(self) -> str:
        """For example ``transformers 5.23.0, torch 2.13.0+cpu, float32``; on a GPU followed by its name."""
        import torch

        dtype, device = str(self._model.dtype).removeprefix("torch."), self._model.device
        gpu = f", {torch.cuda.get_device_name(device)}" if device.type == "cuda" else ""
        libraries = f"transformers {package_version('transformers')}, torch {package_version('torch')}"
        return f"{libraries}, {dtype}{gpu}"

    @property
    def device(self) -> str:
        """Where the model lives: "cpu" or "cuda:0"."""
        return str(self._model.device)

    def close(self) -> None:
        """Drops the model and empties the GPU's cache."""
        from backend.engines.devices import free_memory

        self._model = None
        free_memory()

    def generate(self, requests: Sequence[PromptRequest], params: SamplingParams) -> Iterator[DrawnSample]:
        """Yields samples as they finish.

        Where memory runs out, those that have not finished are drawn again, half as many together, and so are all
        that follow.

        Raises ValueError when prompts fill the model's whole context, after the samples of all others, and
        EngineUnavailable when memory does not suffice for a single sample.
        """
        from backend.engines import devices
        from backend.engines.decoding import decode

        prompts = [list(self._tokenizer(request.prompt)["input_ids"]) for request in requests]
        fitting = [i for i in range(len(requests)) if 0 < len(prompts[i]) < self._limit]
        order = sorted(fitting, key=lambda i: len(prompts[i]))
        work = [(i, place) for i in order for place in range(requests[i].n)]
        if self._batch is None:
            longest = min(max(map(len, prompts), default=0) + params.max_tokens, self._limit)
            self._batch = devices.usual_batch(self._model, longest)
        begun, again = 0, list[list[tuple[int, int]]]()
        while again or begun < len(work):
            part, is_new = (again.pop(), False) if again else (work[begun : begun + self._batch], True)
            begun += len(part) if is_new else 0
            used = list(dict.fromkeys(i for i, _ in part))
            local = {i: row for row, i in enumerate(used)}
            left = dict(enumerate(part))
            try:
                for row in decode(
                    self._model,
                    [prompts[i] for i in used],
                    [local[i] for i, _ in part],
                    [requests[i].seeds[place] for i, place in part],
                    params,
                    pad_id=self._pad,
                    eos_ids=self._eos,
                    limit=self._limit,
                    stops=self._stops(params.stop),
                ):
                    i, place = left.pop(row.row)
                    yield self._sample(requests[i], place, row, params)
                continue
            except (RuntimeError, MemoryError) as error:
                if not devices.is_out_of_memory(error):
                    raise
                if len(part) == 1:
                    what = f"one sample of up to {params.max_tokens:,} tokens"
                    raise EngineUnavailable(devices.no_memory_for(what, self._model)) from error
            # Not in the handler: its error holds on to all that the batch has taken.
            devices.free_memory()
            rest, half = list(left.values()), (len(left) + 1) // 2
            again += [some for some in (rest[half:], rest[:half]) if some]
            if is_new:
                self._batch = (len(part) + 1) // 2
            log.warning("%s", devices.fewer_together(self._model, len(part), len(left), self._batch))
        if len(fitting) < len(requests):
            sizes = ((request.problem, len(prompts[i])) for i, request in enumerate(requests))
            too_long = [f"{problem} ({size:,} tokens)" for problem, size in sizes if not 0 < size < self._limit]
            raise ValueError(no_room_message(too_long, self._limit))

    def _stops(self, stop: tuple[str, ...]) -> Any:
        if not stop:
            return None
        return lambda ids: any(word in self._text(ids) for word in stop)

    def _text(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))

    def _sample(self, request: PromptRequest, place: int, row: Finished, params: SamplingParams) -> DrawnSample:
        text = self._text(row.ids)
        if params.stop:
            text = text[: min((at for word in params.stop if (at := text.find(word)) >= 0), default=len(text))]
        return DrawnSample(
            problem=request.problem,
            index=request.indices[place],
            seed=request.seeds[place],
            text=text,
            tokens=len(row.ids),
            finish_reason="stop" if row.stopped else "length",
            logprob_sum=float(sum(row.logprobs)),
            token_ids=row.ids,
            logprobs=row.logprobs if params.logprobs else None,
        )

    def score(self, items: Sequence[TextToScore], alternatives: int | None = None) -> Iterator[TextLogprobs]:
        """Log-probabilities of given texts, in the order of the items; see `Engine.score`.

        Texts of like length are scored together, so many that their tokens stay below `scoring.TOKENS`.
        """
        from backend.engines.decoding import batches

        end = [min(self._eos)] if self._eos else []
        prompts = [list(self._tokenizer(item.prompt)["input_ids"]) for item in items]
        texts = [
            list(self._tokenizer(item.text, add_special_tokens=False)["input_ids"])
            + (end if item.finish_reason == "stop" else [])
            for item in items
        ]
        sizes = [len(prompt) + len(text) for prompt, text in zip(prompts, texts, strict=True)]
        known = {
            i: too_long_for_context(len(text)) if text else TextLogprobs(0, 0.0, ())
            for i, text in enumerate(texts)
            if not (text and prompts[i] and sizes[i] <= self._limit)
        }

        def scored() -> Iterator[tuple[int, TextLogprobs]]:
            for part in batches({i: size for i, size in enumerate(sizes) if i not in known}, self._batch or len(items)):
                rows = [(prompts[i], texts[i]) for i in part]
                for i, row in zip(part, self._score_rows(rows, alternatives or 0), strict=True):
                    score = TextLogprobs(len(row.logprobs), float(sum(row.logprobs)), tuple(row.logprobs))
                    if alternatives is not None:
                        ends = text_ends(self._tokenizer, items[i].text, texts[i])
                        score = replace(score, ends=ends, alternatives=tuple(map(self._texts, row.alternatives)))
                    yield i, score

        yield from in_order(scored(), known)

    def _score_rows(self, rows: Sequence[tuple[list[int], list[int]]], alternatives: int) -> list[RowScore]:
        """Scores of prompts and texts; in halves where memory does not suffice for all at once."""
        from backend.engines.decoding import score_rows
        from backend.engines.devices import free_memory, is_out_of_memory, no_memory_for

        try:
            scores: list[RowScore] = score_rows(self._model, rows, self._pad, alternatives)
            return scores
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if len(rows) == 1:
                size = sum(map(len, rows[0]))
                what = f"scoring one text of {size:,} tokens"
                raise EngineUnavailable(no_memory_for(what, self._model)) from error
        free_memory()
        half = (len(rows) + 1) // 2
        return [score for some in (rows[:half], rows[half:]) for score in self._score_rows(some, alternatives)]

    def _texts(self, tokens: Sequence[tuple[int, float]]) -> tuple[Alternative, ...]:
        return tuple((token_text(self._tokenizer, token), logprob) for token, logprob in tokens)


engine = EngineKind(
    name="transformers",
    purpose="a CPU or one GPU",
    load=lambda model, options: TransformersEngine.load(model, **options),
    options=("device", "dtype", "batch"),
    in_plans=("device", "dtype", "batch"),
    example="""\
# transformers: batch (samples drawn together), device (cuda where there is one, else cpu), dtype.
# cpu = { kind = "transformers", batch = 256, device = "cpu", dtype = "float32" }
""",
    needs={"torch": EXTRA, "transformers": EXTRA},
)
