"""Where the answer of a response stands in its text, and by which rule it was found."""

from __future__ import annotations

import re

from backend.verifiers.expression import last_box
from backend.verifiers.protocol import Verdict

# Where the answer of a text stands: rules that `math`, `exact`, `number` and `choice` share. | what the text has |
# the answer | | --- | --- | | `\boxed{...}` | what is in the last box, whatever else the text says | | a last box
# that is never closed, or an empty one | none | | no box, but `answer is ...`, `answer: ...`, `answer = ...` | the
# rest of the sentence after the last one | | no box, but a line `#### 72` (not `#### 1. First step`) | the one word
# after the last one of both kinds | | the same, and the text ran out of tokens inside that sentence | none: it may be
# cut off | | nothing of the kind | none (`exact`, `number` and `choice` then look at the end of the text) | Signs
# that only set an answer apart are no part of it: spaces, `**`, `$...$`, `\(...\)`, `\[...\]`, a full stop.

EMPTY = "The box is empty."
OPEN = "The last box is not closed."
NOWHERE = "There is no box, and nothing that says what the answer is."
CUT = "The text ends in the middle of the answer."
NO_REFERENCE = "The problem has no reference answer."

_ANNOUNCED = re.compile(
    r"\banswer(?:\*\*)?\s{0,2}(?:is\b|:|=)|####(?=[ \t]?[^\s#]\S{0,60}[ \t]{0,8}(?:\n|\Z))", re.IGNORECASE
)
_BEFORE = re.compile(r"(?:\s|:|\*\*)*")
_SENTENCE = re.compile(r"[^\n]*?(?=\.(?:\s|\Z)|\n|\Z)")
_WRAPPINGS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("**", "**"))
_LONGEST_WRAPPED = 10_000
"""Characters of an answer that is unwrapped: a hostile one may be nothing but dollar signs."""

Span = tuple[int, int]


def find_answer(text: str, finish_reason: str | None) -> Span | str:
    """Span of the answer, or the sentence that says why there is none."""
    box = last_box(text)
    if isinstance(box, str):
        return OPEN
    if box is not None:
        start, end = trim_span(text, *box)
        return (start, end) if start < end else EMPTY
    announced = [match.end() for match in _ANNOUNCED.finditer(text)]
    if not announced:
        return NOWHERE
    before = _BEFORE.match(text, announced[-1])
    sentence = _SENTENCE.match(text, before.end() if before else announced[-1])
    start, end = sentence.span() if sentence else (len(text), len(text))
    if finish_reason == "length" and end == len(text):
        return CUT
    start, end = unwrap_span(text, start, end)
    return (start, end) if start < end else NOWHERE


def trim_span(text: str, start: int, end: int) -> Span:
    """The span without white space at its ends."""
    inside = text[start:end]
    bare = inside.strip()
    start += len(inside) - len(inside.lstrip()) if bare else 0
    return start, start + len(bare)


def unwrap_span(text: str, start: int, end: int) -> Span:
    """The span without what only sets it apart: white space, dollar signs, brackets of formulas, asterisks, a stop."""
    start, end = trim_span(text, start, end)
    if end - start > _LONGEST_WRAPPED:
        return start, end
    while True:
        before = start, end
        if end - start > 1 and text[end - 1] == ".":
            end -= 1
        for opening, closing in _WRAPPINGS:
            inner = text[start + len(opening) : end - len(closing)]
            wraps = text.startswith(opening, start, end) and text.endswith(closing, start, end) and inner
            if wraps and opening not in inner and closing not in inner:
                start, end = start + len(opening), end - len(closing)
        if text.endswith("**", start, end) and text.count("**", start, end) == 1:
            end -= 2  # opened before the answer, as in `**Answer: 5**`
        start, end = trim_span(text, start, end)
        if (start, end) == before:
            return start, end


def unwrap_reference(text: str) -> str:
    """A reference answer as it would stand in a box: after `####`, out of its box, without dollar signs."""
    found = find_answer(text, None) if "\\boxed{" in text or "####" in text else NOWHERE
    start, end = unwrap_span(text, *((0, len(text)) if isinstance(found, str) else found))
    return text[start:end]


def no_answer_verdict(finish_reason: str | None, why: str) -> Verdict:
    """The judgement on a text without an answer; an empty box is one, however the text ends."""
    return Verdict("truncated" if finish_reason == "length" and why != EMPTY else "no_answer", detail=why)


# Finding an extracted answer again in the text that it was extracted from.


def _closing_brace(text: str, start: int) -> int | None:
    """Index of the brace that closes the one before `start`; None when it stays open."""
    depth = 1
    for position in range(start, len(text)):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if not depth:
                return position
    return None


def locate_answer(text: str, answer: str | None) -> tuple[int, int] | None:
    r"""Where the answer stands in the text: the content of the last `\boxed{...}`, else its last occurrence.

    An importer's answer may be normalised (`\frac` for `\dfrac`), so the last box counts also when its content differs.

    Returns:
        Start and end in characters, or None when the text has neither a box nor the answer.
    """
    if not answer:
        return None
    box = text.rfind("\\boxed{")
    while box >= 0:
        start = box + len("\\boxed{")
        end = _closing_brace(text, start)
        if end is not None:
            return start, end
        box = text.rfind("\\boxed{", 0, box)
    found = text.rfind(answer)
    return (found, found + len(answer)) if found >= 0 else None
