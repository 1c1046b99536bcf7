"""Where the tokens of a text end in it, in characters: tokens come as the tokenizer's own pieces."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

_SPACE = "\u2581"
"""How SentencePiece writes a space."""
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
"""How SentencePiece writes a byte that is no piece of its vocabulary."""


@cache
def _byte_of() -> dict[str, int]:
    """The alphabet of byte-level BPE (GPT-2's `bytes_to_unicode`), turned around: character to byte."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(others)}


def _byte_level(piece: str) -> bytes:
    known = _byte_of()
    # Tokens that were added to the vocabulary stand there as they are.
    return bytes(known[c] for c in piece) if all(c in known for c in piece) else _plain(piece)


def _plain(piece: str) -> bytes:
    return piece.encode("utf-8", "surrogatepass")


def _sentence_piece(piece: str) -> bytes:
    byte = _BYTE.fullmatch(piece)
    return bytes([int(byte[1], 16)]) if byte else _plain(piece.replace(_SPACE, " "))


_READINGS: tuple[Callable[[str], bytes], ...] = (_byte_level, _plain, _sentence_piece)


def piece_ends(text: str, pieces: Sequence[str]) -> tuple[int, ...] | None:
    """Where each token ends in the text, in characters; a character of several tokens belongs to the last of them.

    Byte-level BPE, SentencePiece (with bytes, and with a space put before the text) and vocabularies of plain words are
    read; the pieces must make up the text exactly.

    Returns:
        One place a token, never falling; None where the pieces do not make up the text (unknown words, normalisers).

    >>> piece_ends("é 2", ["Ã", "©", "Ġ2"])
    (0, 1, 3)
    """
    wanted = _plain(text)
    for reading in _READINGS:
        read = [reading(piece) for piece in pieces]
        together = b"".join(read)
        if together == wanted:
            return _ends(read, 0)
        if together == b" " + wanted:
            return _ends(read, 1)
    return None


def _ends(read: Sequence[bytes], skipped: int) -> tuple[int, ...]:
    """Characters that are complete after each piece; the first `skipped` bytes are not of the text."""
    ends: list[int] = []
    characters, open_bytes = 0, 0
    for piece in read:
        for byte in piece:
            if skipped:
                skipped -= 1
            elif open_bytes:
                open_bytes -= 1
                characters += open_bytes == 0
            elif byte < 0x80:
                characters += 1
            else:
                open_bytes = 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
        ends.append(characters)
    return tuple(ends)


def offset_ends(offsets: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The same from a tokenizer's (start, end) of every token, where pieces do not make up the text.

    What lies between two tokens (a normaliser took it away) belongs to the later one.
    """
    ends: list[int] = []
    for place, (_, end) in enumerate(offsets):
        following = offsets[place + 1][0] if place + 1 < len(offsets) else end
        # Tokens of one character all span it.
        ends.append(max(min(end, following) if following < end else end, ends[-1] if ends else 0))
    return tuple(ends)


def text_ends(tokenizer: Any, text: str, ids: Sequence[int]) -> tuple[int, ...] | None:
    """Where the tokens of a text end in it, by a tokenizer of transformers; see `piece_ends`.

    Args:
        tokenizer: that the ids come from.
        ids: its tokens; an end-of-text token may follow them and ends where the text does.

    Returns:
        One place a token; None where the tokenizer cannot say.
    """
    known = tokenizer(text, add_special_tokens=False, return_offsets_mapping=bool(tokenizer.is_fast))
    size = len(known["input_ids"])
    ends = piece_ends(text, tokenizer.convert_ids_to_tokens(list(ids[:size])))
    if ends is None and "offset_mapping" in known:
        ends = offset_ends(known["offset_mapping"])
    return None if ends is None else ends + (len(text),) * (len(ids) - size)


def token_text(tokenizer: Any, token: int) -> str:
    """The text of one token alone; what is no whole character comes out as a replacement character."""
    return str(tokenizer.decode([token]))
