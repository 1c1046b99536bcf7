"""What the transformers engine says of a text, against a direct computation with transformers."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, isnan
from pathlib import Path
from typing import Any

import pytest

from backend.engines.protocol import SURE, TextLogprobs, TextToScore
from backend.engines.registry import load_engine

PROMPT = "Numbers: 3 8 3. Target: 14.\n"
ITEMS = [
    TextToScore(PROMPT, "Try products: 8 * 3 = 24, 24 - 3 = 21. 21 is not 14.\nI stop here.\n"),
    TextToScore("Numbers: 3 5 7 2. Target: 24.\n", "Try sums: 3 + 5 = 8.", "length"),
    TextToScore(PROMPT, "", "length"),
    TextToScore(PROMPT, ""),
    TextToScore(PROMPT, "Nothing of this <b>is</b> \x1b[31m known 数学 🙂."),
    TextToScore(PROMPT, " 7" * 300),
    TextToScore(PROMPT, " 7" * 40),
]


@pytest.fixture(scope="module")
def parts(models: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = models / "countdown-base"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    return model, AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def engine(models: Path) -> Iterator[Any]:
    loaded = load_engine(str(models / "countdown-base"), options={"device": "cpu", "dtype": "float32"})
    yield loaded
    loaded.close()


def direct(model: Any, tokenizer: Any, item: TextToScore) -> list[float]:
    """Log-probability of each token of the text, one forward pass for this text alone."""
    import torch

    prompt = tokenizer(item.prompt)["input_ids"]
    text = tokenizer(item.text, add_special_tokens=False)["input_ids"]
    if item.finish_reason == "stop":
        text = [*text, tokenizer.eos_token_id]
    ids = torch.tensor([[*prompt, *text]])
    with torch.inference_mode():
        logprobs = torch.log_softmax(model(ids).logits.double(), dim=-1)[0]
    return [float(logprobs[len(prompt) - 1 + at, token]) for at, token in enumerate(text)]


def agree(scores: list[TextLogprobs], parts: tuple[Any, Any]) -> None:
    for item, score in zip(ITEMS, scores, strict=True):
        if isnan(score.logprob_sum):
            continue
        expected = direct(*parts, item)
        assert score.tokens == len(expected)
        assert score.logprobs == pytest.approx(expected, abs=1e-4)
        if expected:
            perplexity = exp(-sum(expected) / len(expected))
            assert exp(-score.logprob_sum / score.tokens) == pytest.approx(perplexity, rel=1e-4)


def test_perplexities_equal_a_direct_computation(engine: Any, parts: tuple[Any, Any]) -> None:
    scores = list(engine.score(ITEMS))
    agree(scores, parts)
    assert [isnan(score.logprob_sum) for score in scores] == [False] * 5 + [True, False]
    assert scores[5].tokens == 301, "300 numbers and the end do not fit 256 positions"
    assert (scores[2].tokens, scores[3].tokens) == (0, 1)


def test_long_texts_go_through_in_stretches(
    engine: Any, parts: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stretch of a few tokens at a time, and padded batches of two: still the same values."""
    from backend.engines import decoding as scoring

    monkeypatch.setattr(scoring, "LOGITS", 7 * 134)
    monkeypatch.setattr(scoring, "TOKENS", 120)
    seen: list[tuple[int, ...]] = []
    forward = engine._model.forward

    def counted(**arguments: Any) -> Any:
        seen.append(tuple(arguments["input_ids"].shape))
        return forward(**arguments)

    monkeypatch.setattr(engine._model, "forward", counted)
    agree(list(engine.score(ITEMS)), parts)
    assert len(seen) > 20
    assert max(rows * places for rows, places in seen) <= 7


def test_batches_stay_within_the_budget_of_tokens() -> None:
    from backend.engines.decoding import TOKENS, batches

    sizes = {place: 1 + place * 37 % 5_000 for place in range(300)} | {1_000: 3 * TOKENS}
    found = list(batches(sizes, 64))
    assert sorted(place for part in found for place in part) == sorted(sizes)
    for part in found:
        assert len(part) == 1 or len(part) * max(sizes[place] for place in part) <= TOKENS
        assert len(part) <= 64
    assert [1_000] in found


def test_alternatives_are_the_likeliest_and_kept_where_it_was_open(engine: Any, parts: tuple[Any, Any]) -> None:
    import torch

    (score,) = engine.score(ITEMS[:1], 3)
    model, tokenizer = parts
    prompt = tokenizer(PROMPT)["input_ids"]
    text = tokenizer(ITEMS[0].text, add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        logprobs = torch.log_softmax(model(torch.tensor([[*prompt, *text]])).logits, dim=-1)[0]
    assert score.alternatives is not None
    assert len(score.alternatives) == score.tokens == len(text) + 1
    kept = 0
    for at, (logprob, found) in enumerate(zip(score.logprobs, score.alternatives, strict=True)):
        assert bool(found) == (logprob < SURE)
        if found:
            values, tokens = logprobs[len(prompt) - 1 + at].topk(3)
            assert [word for word, _ in found] == [tokenizer.decode([token]) for token in tokens.tolist()]
            assert [value for _, value in found] == pytest.approx(values.tolist(), abs=1e-4)
            kept += 1
    assert 0 < kept < score.tokens


def test_ends_are_places_in_the_text(engine: Any) -> None:
    for item, score in zip(ITEMS, engine.score(ITEMS, 0), strict=True):
        if isnan(score.logprob_sum) or not score.tokens:
            continue
        assert score.ends is not None
        assert list(score.ends) == sorted(score.ends)
        assert score.ends[-1] == len(item.text)
    hostile = ITEMS[4].text
    ends = next(engine.score(ITEMS[4:5], 0)).ends
    assert "".join(hostile[a:b] for a, b in zip((0, *ends[:-1]), ends, strict=True)) == hostile
