r"""Where one step of a reasoning path ends and the next begins.

A step is a line, or a sentence of it; what announces something and ends in a colon ("Try sums:", "Step 1:") is a step
too. A sentence longer than `LONGEST` characters goes by words: `WORDS` of them make a step. White space belongs to the
step before it, so that all steps together are the text.

    Try sums: 3 + 8 = 11, 11 + 3 = 14. 14 is 14.\nAnswer: 14
    ^         ^                        ^          ^       ^
"""

from __future__ import annotations

import re
from collections.abc import Callable

LONGEST = 240
"""Characters of a sentence that is still one step."""

WORDS = 12
"""Words that make a step of a longer sentence."""

Cut = Callable[[str, int], int]
"""From a text and where a step begins in it: where that step ends. At the end of the text it is the text's length."""

_SPACE = re.compile(r"\s*")
# The number of a list's item is no sentence.
_BEGINNING = re.compile(r"\s*(?:\d{1,3}[.)](?=\s)\s*)?")
_END = re.compile(r"\n|[.!?:…][\"')\]*]*(?=\s)|[。！？：]")
_WORDS = re.compile(rf"(?:\s*\S+(?=\s)){{1,{WORDS}}}")
_WORD = re.compile(r"\s*\S+")


def step_end(text: str, start: int) -> int:
    """End of the step that begins at `start`, behind the white space that follows it."""
    beginning = _end(_BEGINNING, text, start)
    limit = beginning + LONGEST
    found = _END.search(text, beginning, limit + 2)
    if found is not None:
        return _end(_SPACE, text, found.end())
    if len(text) <= limit:
        return len(text)
    # Nobody's word is that long; one who writes a hundred thousand characters without a space is cut.
    words = _WORDS.match(text, beginning, limit)
    return _end(_SPACE, text, limit if words is None else words.end())


def word_end(text: str, start: int) -> int:
    """End of the word that begins at `start`, behind the white space that follows it."""
    word = _WORD.match(text, start)
    return len(text) if word is None else _end(_SPACE, text, word.end())


CUTS: dict[str, Cut] = {"step": step_end, "word": word_end}
"""Ways to cut a path, by name."""


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return start if found is None else found.end()
