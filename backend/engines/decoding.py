"""The forward passes of the transformers engine: the decode loop, and the log-probabilities of given tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

from backend.engines.protocol import SURE, SamplingParams

# The decode loop of the transformers engine: a growing key-value cache, and one draw per row. A sample's randomness
# is a stream of uniform numbers from a Philox generator keyed by its seed: the t-th token is picked with the t-th
# number by inverting the cumulative distribution, in vocabulary order. So a text does not depend on which other
# samples share the batch, except where floating-point differences between batch shapes (about 1e-6 in a probability)
# move a boundary across the number drawn. Imported only by the transformers engine, because it needs torch.

GROWTH = 64  # positions a cache grows by
COMPACT = 0.85  # finished rows leave the batch when fewer than this share of rows is alive
PICKED = 1 << 25  # logits that are drawn from at a time; with what is made of them they take about 1.5 GB
LIKELIEST = 1024  # of a large vocabulary only so many are sorted for top-p, where they reach it


class GrowingLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values [rows, heads, positions, width] in buffers with room, not copied at every token."""

    def __init__(self) -> None:
        super().__init__()
        self.length = 0
        self.buffers: list[torch.Tensor] = []

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Appends [rows, heads, new, width] and returns all keys and values."""
        new = key_states.shape[-2]
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.buffers = [
                states.new_empty(*states.shape[:2], new + GROWTH, states.shape[-1])
                for states in (key_states, value_states)
            ]
        elif self.length + new > self.buffers[0].shape[-2]:
            room = (0, 0, 0, new + GROWTH)
            self.buffers = [torch.nn.functional.pad(buffer, room) for buffer in self.buffers]
        end = self.length + new
        self.buffers[0][:, :, self.length : end] = key_states
        self.buffers[1][:, :, self.length : end] = value_states
        self._show(end)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keeps (or repeats) the given rows."""
        self.buffers = [buffer.index_select(0, indices) for buffer in self.buffers]
        self._show(self.length)

    def _show(self, length: int) -> None:
        self.length = length
        self.keys, self.values = (buffer[:, :, :length] for buffer in self.buffers)


def make_cache(model: Any) -> DynamicCache:
    """A cache for the model: plain layers grow in place, others (sliding windows) are left as they are."""
    cache = DynamicCache(config=model.config.get_text_config())
    cache.layers = [GrowingLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def pick(logits: torch.Tensor, uniforms: torch.Tensor, params: SamplingParams) -> tuple[torch.Tensor, torch.Tensor]:
    """Draws one token a row: logits [rows, vocabulary], uniforms [rows] in [0, 1).

    Returns ids [rows] and their log-probabilities [rows]. Top-p keeps the smallest set of most probable
    tokens whose probability reaches top_p.
    """
    together = max(PICKED // logits.shape[-1], 1)
    if len(logits) <= together:
        return _pick(logits, uniforms, params)
    parts = zip(logits.split(together), uniforms.split(together), strict=True)
    ids, logprobs = zip(*(_pick(some, numbers, params) for some, numbers in parts), strict=True)
    return torch.cat(ids), torch.cat(logprobs)


def _pick(logits: torch.Tensor, uniforms: torch.Tensor, params: SamplingParams) -> tuple[torch.Tensor, torch.Tensor]:
    logprobs = torch.log_softmax(logits.float(), dim=-1)
    if params.temperature == 0:
        ids = logprobs.argmax(dim=-1)
        return ids, logprobs.gather(1, ids[:, None])[:, 0]
    scaled = logprobs if params.temperature == 1 else logprobs / params.temperature
    probabilities = torch.softmax(scaled, dim=-1)
    if params.top_p < 1:
        # A threshold, not a set of ranks: tokens of equal probability stay or go together.
        probabilities = probabilities.where(probabilities >= least_kept(probabilities, params.top_p), 0.0)
    cumulative = probabilities.double().cumsum(dim=-1)
    aim = uniforms[:, None] * cumulative[:, -1:]
    ids = torch.searchsorted(cumulative, aim, right=True)[:, 0]
    # Rounding may push the aim to the very end, where the last tokens have no probability.
    last = torch.searchsorted(cumulative, cumulative[:, -1:].contiguous(), right=False)[:, 0]
    ids = torch.minimum(ids, last)
    return ids, logprobs.gather(1, ids[:, None])[:, 0]


def least_kept(probabilities: torch.Tensor, top_p: float) -> torch.Tensor:
    """The least probability [rows, 1] that top-p keeps, of probabilities [rows, vocabulary]."""
    if probabilities.shape[-1] <= 4 * LIKELIEST:
        return _least_of(probabilities.sort(dim=-1, descending=True).values, top_p)[0]
    # Sorting a hundred thousand probabilities of each row can take longer than the model.
    least, reached = _least_of(probabilities.topk(LIKELIEST, dim=-1).values, top_p)
    wide = (reached < top_p).nonzero()[:, 0]
    if len(wide):
        least[wide] = _least_of(probabilities[wide].sort(dim=-1, descending=True).values, top_p)[0]
    return least


def _least_of(ordered: torch.Tensor, top_p: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The least kept of descending probabilities, [rows, 1], and what all of them reach, [rows]."""
    reached = ordered.double().cumsum(dim=-1)
    kept = (reached - ordered < top_p).sum(dim=-1, keepdim=True)
    return ordered.gather(1, kept - 1), reached[:, -1]


def noise(seeds: Sequence[int], count: int) -> torch.Tensor:
    """The first `count` numbers in [0, 1) of each seed's stream: [seeds, count]."""
    streams = [np.random.Generator(np.random.Philox(key=seed)).random(count) for seed in seeds]
    return torch.from_numpy(np.stack(streams))


@dataclass(frozen=True)
class Prefilled:
    """After the prompts: last logits [prompts, vocabulary], cache, lengths, mask of left padding."""

    logits: torch.Tensor
    cache: DynamicCache
    lengths: torch.Tensor
    mask: torch.Tensor | None  # None where no prompt is padded


def prefill(model: Any, prompts: Sequence[Sequence[int]], pad_id: int) -> Prefilled:
    """Reads the prompts, padded on the left to the longest."""
    device, longest = model.device, max(map(len, prompts))
    padded = [[pad_id] * (longest - len(ids)) + list(ids) for ids in prompts]
    lengths = torch.tensor([len(ids) for ids in prompts], device=device)
    positions = torch.arange(longest, device=device)[None] - (longest - lengths[:, None])
    mask = positions >= 0 if int(lengths.min()) < longest else None
    cache = make_cache(model)
    output = model(
        input_ids=torch.tensor(padded, device=device),
        attention_mask=mask,
        position_ids=positions.clamp(min=0),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return Prefilled(output.logits[:, -1], cache, lengths, mask)


@dataclass(frozen=True)
class Finished:
    row: int
    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    stopped: bool


@torch.inference_mode()  # type: ignore[untyped-decorator]
def decode(
    model: Any,
    prompts: Sequence[Sequence[int]],
    owners: Sequence[int],
    seeds: Sequence[int],
    params: SamplingParams,
    *,
    pad_id: int,
    eos_ids: frozenset[int],
    limit: int,
    stops: Callable[[Sequence[int]], bool] | None = None,
) -> Iterator[Finished]:
    """Draws one sample a row and yields rows as they finish.

    `prompts` are token ids; row r continues prompt `owners[r]` with seed `seeds[r]`; `limit` is the largest
    number of positions of the model; `stops` says whether a row's ids contain a stop string.
    """
    longest = max(map(len, prompts))
    if longest >= limit:
        raise ValueError(f"a prompt of {longest} tokens leaves no room in a context of {limit}")
    if not all(prompts):
        raise ValueError("a prompt has no tokens")
    device = model.device
    owner = torch.tensor(owners, device=device)
    start = prefill(model, prompts, pad_id)
    cache, logits, next_position = start.cache, start.logits[owner], start.lengths[owner]
    cache.batch_select_indices(owner)
    mask = start.mask[owner] if start.mask is not None else None
    # Each row has its own room in the context, so that it does not depend on its neighbours' prompts.
    budgets = (limit - next_position).clamp(max=params.max_tokens)
    budget = int(budgets.max())
    uniforms = noise(seeds, budget).to(device)
    rows = torch.arange(len(seeds), device=device)
    alive = torch.ones(len(seeds), dtype=torch.bool, device=device)
    ids = torch.full((len(seeds), budget), pad_id, device=device)
    logprobs = torch.zeros(len(seeds), budget, dtype=torch.float64, device=device)
    ends = torch.tensor(sorted(eos_ids), dtype=torch.long, device=device)
    count = len(seeds)  # rows that go on
    for step in range(budget):
        token, logprob = pick(logits, uniforms[rows, step], params)
        ids[rows, step], logprobs[rows, step] = token, logprob.double()
        ended = torch.isin(token, ends)
        if stops is not None:
            ended |= torch.tensor([stops(row) for row in ids[rows, : step + 1].tolist()], device=device)
        done = alive & (ended | (budgets[rows] <= step + 1))
        # The one time in a step that a GPU is waited for; what has finished is then fetched in one go.
        places = [place for place, is_done in enumerate(done.tolist()) if is_done]
        if places:
            at = torch.tensor(places, device=device)
            mine = rows[at]
            drawn, scores = ids[mine, : step + 1].tolist(), logprobs[mine, : step + 1].tolist()
            for row, tokens, values, stopped in zip(mine.tolist(), drawn, scores, ended[at].tolist(), strict=True):
                yield Finished(row, tuple(tokens), tuple(values), stopped)
            count -= len(places)
        if not count:
            return
        alive &= ~done
        if count < COMPACT * len(alive):
            keep = alive.nonzero()[:, 0]
            cache.batch_select_indices(keep)
            rows, token, next_position, alive = rows[keep], token[keep], next_position[keep], alive[keep]
            mask = mask[keep] if mask is not None else None
        if mask is not None:
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
        output = model(
            input_ids=token[:, None],
            attention_mask=mask,
            position_ids=next_position[:, None],
            past_key_values=cache,
            use_cache=True,
        )
        # A row that has finished and is still in the batch does not leave the model's positions.
        logits, next_position = output.logits[:, -1], (next_position + 1).clamp(max=limit - 1)


# The log-probabilities of given tokens under a model of transformers, in bounded memory. Logits take most of it:
# 16,000 tokens of a vocabulary of 152,000 are 10 GB in float32. So long texts go through the model a stretch at a
# time, with the keys and values of what stands before kept, and of a stretch's logits only the wanted ones stay.
# Imported only by the transformers engine, because it needs torch.

TOKENS = 16_384
"""Tokens that are scored together, padding included; a longer text is scored alone."""
LOGITS = 1 << 26
"""Logits that exist at a time: 256 MB in float32, and as much again while they are summed up."""


@dataclass(frozen=True, slots=True)
class RowScore:
    """Log-probabilities of one text's tokens, and at each place the likeliest tokens (none where it was sure)."""

    logprobs: list[float]
    alternatives: list[list[tuple[int, float]]]


def batches(sizes: Mapping[int, int], most: int) -> Iterator[list[int]]:
    """What is scored together: texts of like length, at most `most`, whose padded tokens stay below `TOKENS`."""
    part: list[int] = []
    for place in sorted(sizes, key=lambda place: sizes[place]):
        # In this order the last is the longest, and all are padded to it.
        if part and (len(part) == most or (len(part) + 1) * sizes[place] > TOKENS):
            yield part
            part = []
        part.append(place)
    if part:
        yield part


@torch.inference_mode()  # type: ignore[untyped-decorator]
def score_rows(
    model: Any, rows: Sequence[tuple[Sequence[int], Sequence[int]]], pad_id: int, alternatives: int = 0
) -> list[RowScore]:
    """Score each text after its prompt.

    Args:
        rows: token ids of prompt and text, neither empty.
        pad_id: any token; it stands on the right, where causal attention never looks back from.
        alternatives: so many of the likeliest tokens are kept at each place.
    """
    device = model.device
    longest = max(len(prompt) + len(text) for prompt, text in rows)
    padded = [[*prompt, *text] + [pad_id] * (longest - len(prompt) - len(text)) for prompt, text in rows]
    ids = torch.tensor(padded, device=device)
    wanted = torch.zeros(ids.shape, dtype=torch.bool, device=device)
    for row, (prompt, text) in enumerate(rows):
        wanted[row, len(prompt) : len(prompt) + len(text)] = True
    stretch = max(LOGITS // (len(rows) * int(model.config.get_text_config().vocab_size)), 1)
    cache = make_cache(model) if stretch < longest - 1 else None
    logprobs = torch.zeros(ids.shape, dtype=torch.float64)
    likeliest: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for start in range(0, longest - 1, stretch):
        end = min(start + stretch, longest - 1)
        positions = torch.arange(start, end, device=device)[None].expand(len(rows), -1)
        output = model(
            input_ids=ids[:, start:end], position_ids=positions, past_key_values=cache, use_cache=cache is not None
        )
        # The logits of a place are of the token after it.
        logits, after = output.logits.float(), slice(start + 1, end + 1)
        total = logits.logsumexp(dim=-1)
        taken = logits.gather(2, ids[:, after, None])[:, :, 0] - total
        logprobs[:, after] = taken.double().cpu()
        if alternatives:
            kept = wanted[:, after] & (taken < SURE)
            values, tokens = logits[kept].topk(min(alternatives, logits.shape[-1]), dim=-1)
            values = values - total[kept][:, None]
            places = [(row, place + start + 1) for row, place in kept.nonzero().tolist()]
            for at, some, their in zip(places, tokens.tolist(), values.tolist(), strict=True):
                likeliest[at] = list(zip(some, their, strict=True))
    return [
        RowScore(
            logprobs[row, len(prompt) : len(prompt) + len(text)].tolist(),
            [likeliest.get((row, len(prompt) + place), []) for place in range(len(text))],
        )
        for row, (prompt, text) in enumerate(rows)
    ]
