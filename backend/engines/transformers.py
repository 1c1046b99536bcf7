"""The transformers engine: samples on a CPU or on one GPU, with a decode loop of its own.

torch and transformers are imported when an engine is made, not with this module. Work is sorted by prompt
length and cut into batches of rows; the samples of a problem share the prompt's prefill. Texts are decoded
without special tokens, as vLLM does by default.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.engines.protocol import EngineUnavailable, Request, Sample, SamplingParams, Score, Scoring, no_room

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

    def generate(self, requests: Sequence[Request], params: SamplingParams) -> Iterator[Sample]:
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
            raise ValueError(no_room(too_long, self._limit))

    def _stops(self, stop: tuple[str, ...]) -> Any:
        if not stop:
            return None
        return lambda ids: any(word in self._text(ids) for word in stop)

    def _text(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))

    def _sample(self, request: Request, place: int, row: Finished, params: SamplingParams) -> Sample:
        text = self._text(row.ids)
        if params.stop:
            text = text[: min((at for word in params.stop if (at := text.find(word)) >= 0), default=len(text))]
        return Sample(
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

    def score(self, items: Sequence[Scoring]) -> Iterator[Score]:
        """Log-probabilities of given texts, in the order of the items.

        The text is tokenized apart from the prompt, so its tokens may differ from those it was drawn with.
        """
        import torch

        end = [min(self._eos)] if self._eos else []
        pairs: list[tuple[list[int], list[int]]] = []
        for item in items:
            text = list(self._tokenizer(item.text, add_special_tokens=False)["input_ids"])
            prompt = list(self._tokenizer(item.prompt)["input_ids"])
            pairs.append((prompt, text + (end if item.finish_reason == "stop" else [])))
        scores: dict[int, Score] = {}
        order = sorted(range(len(items)), key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
        for start in range(0, len(order), self._batch):
            part = order[start : start + self._batch]
            longest = max(len(pairs[i][0]) + len(pairs[i][1]) for i in part)
            rows = [[*pairs[i][0], *pairs[i][1]] for i in part]
            ids = torch.tensor([row + [self._pad] * (longest - len(row)) for row in rows], device=self._model.device)
            with torch.inference_mode():
                # Padding stands on the right, where causal attention never looks back from.
                logits = self._model(input_ids=ids, use_cache=False).logits[:, :-1].float()
                taken = torch.log_softmax(logits, dim=-1).gather(2, ids[:, 1:, None])[:, :, 0].double().cpu()
            for row, i in enumerate(part):
                first = len(pairs[i][0]) - 1
                values = tuple(taken[row, first : first + len(pairs[i][1])].tolist())
                scores[i] = Score(len(values), float(sum(values)), values)
        for i in range(len(items)):
            yield scores[i]
