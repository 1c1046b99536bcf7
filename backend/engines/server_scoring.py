"""Scoring through a server: what is sent for one text, and what the answer says of its tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from backend.engines.pieces import piece_ends
from backend.engines.protocol import Score
from backend.engines.scores import likeliest


def echo(model: str, tokens: Sequence[int], alternatives: int | None) -> dict[str, Any]:
    """A completion of nothing that tells the log-probabilities of its prompt, to `/completions`."""
    return {
        "model": model, "prompt": list(tokens), "max_tokens": 0, "echo": True, "logprobs": alternatives or 0,
    }  # fmt: skip


def read_echo(answer: Mapping[str, Any], skipped: int, tokens: int, alternatives: int | None) -> Score:
    """The score in an answer to `echo`; `skipped` tokens are the prompt's, `tokens` the text's.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: something is missing or of another form.
    """
    told = answer["choices"][0]["logprobs"]
    values = tuple(float(value) for value in told["token_logprobs"][skipped : skipped + tokens])
    if len(values) < tokens:
        raise ValueError(f"{len(values)} of {tokens} tokens are scored")
    score = Score(tokens, float(sum(values)), values)
    places = (told.get("top_logprobs") or ())[skipped : skipped + tokens]
    if alternatives is None or len(places) < tokens:
        return score
    kept = (
        likeliest(((str(text), float(of)) for text, of in (place or {}).items()), value, alternatives)
        for place, value in zip(places, values, strict=True)
    )
    return replace(score, alternatives=tuple(kept))


def with_ends(score: Score, text: str, pieces: Sequence[str]) -> Score:
    """The score with where each token ends, from the server's pieces; tokens after these end where the text does."""
    ends = piece_ends(text, pieces)
    if ends is None:
        return score
    return replace(score, ends=ends + (len(text),) * (score.tokens - len(pieces)))
