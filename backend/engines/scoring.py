"""The log-probabilities of given tokens under a model of transformers, in bounded memory.

Logits take most of it: 16,000 tokens of a vocabulary of 152,000 are 10 GB in float32. So long texts go through the
model a stretch at a time, with the keys and values of what stands before kept, and of a stretch's logits only the
wanted ones stay.

Imported only by the transformers engine, because it needs torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from backend.engines.decoding import make_cache
from backend.engines.protocol import SURE

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
        model: a causal language model.
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
