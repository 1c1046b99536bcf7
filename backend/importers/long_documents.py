"""A JSON object too large to be held whole, of which one list has nearly all: its entries come one at a time."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

PIECE = 4 << 20
"""Bytes that are read at a time; what is not whole yet is read on to twice as much."""
BLANKS = " \t\n\r"
_DECODER = json.JSONDecoder()


class _Text:
    """The text of a file, as much of it as is being looked at."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._place, self._ended = "", 0, False

    def more(self) -> bool:
        """Read on; False at the end of the file. Raises ValueError: not UTF-8."""
        if self._ended:
            return False
        data = self._file.read(max(PIECE, len(self._text) - self._place))
        self._ended = not data
        self._text = self._text[self._place :] + self._decode.decode(data, final=self._ended)
        self._place = 0
        return not self._ended

    def next(self) -> str:
        """The next character that is no blank, which stays; empty at the end."""
        while True:
            while self._place < len(self._text) and self._text[self._place] in BLANKS:
                self._place += 1
            if self._place < len(self._text) or not self.more():
                return self._text[self._place : self._place + 1]

    def take(self, wanted: str) -> None:
        """Pass the next character over. Raises ValueError: it is another."""
        if self.next() != wanted:
            raise ValueError(f"expected {wanted}")
        self._place += 1

    def value(self) -> Any:
        """The next value. Raises ValueError: there is none."""
        self.next()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._text, self._place)
                # A number that ends where the text ends may go on: 1 with 2, 1.5e with +7.
                goes_on = isinstance(found, int | float) and not self._text[end:].strip("0123456789.eE+-")
                if not goes_on or not self.more():
                    self._place = end
                    return found
            except ValueError:
                if not self.more():
                    raise


def members(file: BinaryIO, inner: str) -> Iterator[tuple[str | None, Any]]:
    """Name and value of every member of an object; of the list `inner` its entries, each with None for a name.

    Raises:
        ValueError: it is no object, or not whole.
    """
    text = _Text(file)
    text.take("{")
    while text.next() != "}":
        name = text.value()
        if not isinstance(name, str):
            raise ValueError("expected a name")
        text.take(":")
        if name == inner and text.next() == "[":
            text.take("[")
            while text.next() != "]":
                yield None, text.value()
                if text.next() != "]":
                    text.take(",")
            text.take("]")
        else:
            yield name, text.value()
        if text.next() != "}":
            text.take(",")
    text.take("}")
    if text.next():
        raise ValueError("expected the end")
