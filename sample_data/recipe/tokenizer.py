"""The word-level tokenizer: one token a number or word, with an exact round trip.

A token carries the space before it (`` 24``), so joining tokens gives back the text byte for byte for
every text of the language. Words outside of it become ``<unk>``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
WORDS = (
    *("\n", ",", ".", ":", "Numbers", " Target", "Try", "I", " stop", " here", "Answer", " is", " not"),
    *(" sums", " products", " groups", " pairs", " quotients"),
    *(" +", " -", " *", " /", " =", " (", " )", " \\boxed{", " }"),
)
LARGEST_NUMBER = 100


def vocabulary() -> dict[str, int]:
    """Token to id: special tokens, words, then the numbers 0..100."""
    numbers = tuple(f" {n}" for n in range(LARGEST_NUMBER + 1))
    return {token: index for index, token in enumerate((*SPECIAL, *WORDS, *numbers))}


def build(max_length: int) -> PreTrainedTokenizerFast:
    """The tokenizer, as a transformers object that AutoTokenizer can load once saved."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocab = vocabulary()
    inner = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(r"\n|[,.:]| ?[^\s,.:]+| "), behavior="isolated")
    inner.decoder = decoders.Fuse()
    inner.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", vocab["<s>"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        model_max_length=max_length,
        padding_side="left",
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        clean_up_tokenization_spaces=False,
    )


def save(folder: Path, max_length: int) -> PreTrainedTokenizerFast:
    """Writes the tokenizer's files into a model folder."""
    tokenizer = build(max_length)
    tokenizer.save_pretrained(folder)
    return tokenizer
