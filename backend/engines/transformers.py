"""The transformers engine: samples on a CPU or on one GPU, with a decode loop of its own.

torch and transformers are imported when an engine is made, not with this module. Work is sorted by prompt
length and cut into batches of rows; the samples of a problem share the prompt's prefill. Texts are decoded
without special tokens, as vLLM does by default.

Whoever draws a sample again gets the same text as far as arithmetic carries: its noise follows from its seed alone, but
the logits are computed in a batch, and other neighbours (a job that was killed and goes on has others) may change their
last bits. Where two tokens are nearly tied the other one can come out. In float32 none did in the redraws that the
tests make; in bfloat16 or float16, and on a GPU, expect some.
"""

from __future__ import annotations

import gc
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
    from backend.engines.decoding import Finished

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

    def __init__(self, model: Any, tokenizer: Any, batch: int = 256) -> None:
        """Wraps a loaded model and its tokenizer; `batch` is the number of rows decoded together."""
        _require()
        if batch < 1:
            raise ValueError(f"batch must be 1 or more, not {batch}")
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

    @classmethod
    def load(
        cls, path: str | Path, *, device: str | None = None, dtype: str = "float32", batch: int = 256
    ) -> TransformersEngine:
        """Loads a local model folder (or a hub name already in the cache).

        `device` defaults to "cuda" where there is one, else "cpu". `dtype` is a torch name; float32 keeps
        redraws and perplexities exact. Raises EngineUnavailable when a package or the model is missing.
        """
        _require()
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        folder = Path(path).expanduser()
        if not folder.is_dir() and (folder.is_absolute() or str(path).startswith(".")):
            # transformers would take it for a malformed hub name, and say so.
            raise EngineUnavailable(f"The model at {path} could not be loaded: there is no such folder")
        logging.disable_progress_bar()  # it would write into the terminal of whoever loads the model
        target = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            tokenizer = AutoTokenizer.from_pretrained(path)
            model = AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype)).to(target)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            if not folder.is_dir():
                reason = f"there is no folder {folder.resolve()}, and as a name on a hub: {reason}"
            raise EngineUnavailable(f"The model at {path} could not be loaded: {reason}") from error
        return cls(model, tokenizer, batch)

    @property
    def version(self) -> str:
        """For example ``transformers 5.23.0, torch 2.13.0+cpu``."""
        return f"transformers {package_version('transformers')}, torch {package_version('torch')}"

    @property
    def device(self) -> str:
        """Where the model lives: "cpu" or "cuda:0"."""
        return str(self._model.device)

    def close(self) -> None:
        """Drops the model and empties the GPU's cache."""
        import torch

        self._model = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def generate(self, requests: Sequence[PromptRequest], params: SamplingParams) -> Iterator[DrawnSample]:
        """Yields samples as they finish.

        Raises ValueError when prompts fill the model's whole context, after the samples of all others.
        """
        from backend.engines.decoding import decode

        prompts = [list(self._tokenizer(request.prompt)["input_ids"]) for request in requests]
        fitting = [i for i in range(len(requests)) if 0 < len(prompts[i]) < self._limit]
        order = sorted(fitting, key=lambda i: len(prompts[i]))
        work = [(i, place) for i in order for place in range(requests[i].n)]
        for start in range(0, len(work), self._batch):
            part = work[start : start + self._batch]
            used = list(dict.fromkeys(i for i, _ in part))
            local = {i: row for row, i in enumerate(used)}
            finished = decode(
                self._model,
                [prompts[i] for i in used],
                [local[i] for i, _ in part],
                [requests[i].seeds[place] for i, place in part],
                params,
                pad_id=self._pad,
                eos_ids=self._eos,
                limit=self._limit,
                stops=self._stops(params.stop),
            )
            for row in finished:
                i, place = part[row.row]
                yield self._sample(requests[i], place, row, params)
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
        from backend.engines.decoding import batches, score_rows

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
            for part in batches({i: size for i, size in enumerate(sizes) if i not in known}, self._batch):
                rows = [(prompts[i], texts[i]) for i in part]
                for i, row in zip(part, score_rows(self._model, rows, self._pad, alternatives or 0), strict=True):
                    score = TextLogprobs(len(row.logprobs), float(sum(row.logprobs)), tuple(row.logprobs))
                    if alternatives is not None:
                        ends = text_ends(self._tokenizer, items[i].text, texts[i])
                        score = replace(score, ends=ends, alternatives=tuple(map(self._texts, row.alternatives)))
                    yield i, score

        yield from in_order(scored(), known)

    def _texts(self, tokens: Sequence[tuple[int, float]]) -> tuple[Alternative, ...]:
        return tuple((token_text(self._tokenizer, token), logprob) for token, logprob in tokens)


engine = EngineKind(
    name="transformers",
    purpose="a CPU or one GPU",
    load=lambda model, options: TransformersEngine.load(model, **options),
    options=("device", "dtype", "batch"),
    example="""\
# transformers: batch (samples drawn together), device (cuda where there is one, else cpu), dtype.
# cpu = { kind = "transformers", batch = 256, device = "cpu", dtype = "float32" }
""",
    needs={"torch": EXTRA, "transformers": EXTRA},
)
