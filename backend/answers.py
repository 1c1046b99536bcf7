"""Finding an extracted answer again in the text that it was extracted from."""

from __future__ import annotations


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
