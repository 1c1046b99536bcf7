"""Where tokens end in a text: real tokenizers of every kind, against what they decode themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.engines.token_offsets import offset_ends, piece_ends, text_ends

tokenizers = pytest.importorskip("tokenizers")
transformers = pytest.importorskip("transformers")

CORPUS = ["Let us try: 3 × 7 = 21, naïve café, 数学 and 😀 emojis.\n\tNext  line\r\n"] * 4
TEXTS = st.text(
    st.one_of(st.sampled_from(" \n\té×数😀𝒳ﷺ\u202ea1+=ñ"), st.characters(exclude_categories=["Cs"])), max_size=60
)


def byte_level() -> Any:
    """Byte-level BPE as in GPT-2, Llama 3 and Qwen: a rare character takes several tokens."""
    inner = tokenizers.Tokenizer(tokenizers.models.BPE())
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=320,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["</s>"],
        show_progress=False,
    )
    inner.train_from_iterator(CORPUS, trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="</s>")


def sentence_piece() -> Any:
    """As in Llama 2: ▁ for a space, one put before the text, bytes for what the vocabulary lacks."""
    letters = ["▁", *"abcdefghijklmnopqrstuvwxyzLN0123456789=+,.:é"]
    vocabulary = {
        piece: number for number, piece in enumerate(["<unk>", "</s>", *(f"<0x{b:02X}>" for b in range(256)), *letters])
    }
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    inner.decoder = tokenizers.decoders.Sequence(
        [tokenizers.decoders.ByteFallback(), tokenizers.decoders.Metaspace(prepend_scheme="first", split=False)]
    )
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="</s>")


BYTE_LEVEL, SENTENCE_PIECE = byte_level(), sentence_piece()


def complete(tokenizer: Any, ids: Sequence[int]) -> int:
    """Characters that these tokens make up, by the tokenizer's own decoder; half a character is none."""
    return len(bytes_of(tokenizer, ids).decode("utf-8", "ignore"))


def bytes_of(tokenizer: Any, ids: Sequence[int]) -> bytes:
    """Bytes of byte-level tokens, by GPT-2's table as transformers ships it."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    back = {character: byte for byte, character in bytes_to_unicode().items()}
    return bytes(back[c] for piece in tokenizer.convert_ids_to_tokens(list(ids)) for c in piece)


@given(TEXTS)
def test_byte_level_tokens_end_where_their_bytes_do(text: str) -> None:
    ids = BYTE_LEVEL(text, add_special_tokens=False)["input_ids"]
    ends = text_ends(BYTE_LEVEL, text, [*ids, BYTE_LEVEL.eos_token_id])
    assert ends == (*(complete(BYTE_LEVEL, ids[: at + 1]) for at in range(len(ids))), len(text))


@given(TEXTS.filter(lambda text: not text.startswith(" ") and "▁" not in text))
def test_sentence_pieces_and_bytes_make_up_the_text(text: str) -> None:
    """Texts that begin with a space are left out: SentencePiece's decoder drops it, the tokens do not."""
    ids = SENTENCE_PIECE(text, add_special_tokens=False)["input_ids"]
    ends = text_ends(SENTENCE_PIECE, text, ids)
    assert ends is not None
    assert list(ends) == sorted(ends)
    assert len(ends) == len(ids)
    assert not ids or ends[-1] == len(text)
    for at, end in enumerate(ends):
        # Where a token ends a character, the text up to there is what the tokens up to there decode to.
        decoded = SENTENCE_PIECE.decode(ids[: at + 1])
        if "\ufffd" not in decoded and "\ufffd" not in text:
            assert decoded == text[:end]


def test_a_character_of_several_tokens_belongs_to_the_last() -> None:
    ids = BYTE_LEVEL("a😀b", add_special_tokens=False)["input_ids"]
    ends = text_ends(BYTE_LEVEL, "a😀b", ids)
    assert ends is not None
    assert len(ids) > 3
    assert ends == (1,) * (len(ids) - 2) + (2, 3)


def test_words_that_a_vocabulary_lacks_end_by_its_offsets(models: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(models / "countdown-base")
    text = "Try pumpkins: 3 + 5 = 8."
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.unk_token_id in ids
    assert piece_ends(text, tokenizer.convert_ids_to_tokens(ids)) is None
    ends = text_ends(tokenizer, text, ids)
    assert ends is not None
    starts = (0, *ends[:-1])
    assert [text[start:end] for start, end in zip(starts, ends, strict=True)][:3] == ["Try", " pumpkins", ":"]
    assert ends[-1] == len(text)


def test_offsets_with_gaps_and_shared_characters() -> None:
    assert offset_ends([(0, 3), (4, 6), (6, 7), (6, 7), (7, 9)]) == (3, 6, 6, 7, 9)
    assert offset_ends([]) == ()
