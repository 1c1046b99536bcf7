r"""Where the answer of a response stands in its text, and by which rule it was found.

The one home of these rules: the verifiers `math`, `number`, `choice` and `exact` judge what `find_answer` takes, and the
reader marks it. What is looked at, in this order:

1. **The response's own part.** A base model that runs on into a next question is judged by its own answer: what stands
   before a line `Question:`, `Q:` or `Problem:`, or before a new turn (`Human:`, `User:`, chat markers), counts alone
   once it holds an answer.
2. **What comes after thinking.** Text after the last `</think>` goes before what was thought.
3. **The rules**, the first that finds something:

| what the text has | the answer |
| --- | --- |
| `\boxed{...}`, `\boxed 5`, `\fbox{...}`, `<answer>...</answer>` | what is in the last one that holds something |
| a last box that is never closed, or only empty ones | none |
| `answer is ...`, `answer: ...`, `answer = ...`, `Final Answer` and a new line, `答案是...` | the formula set off after the last one, else the rest of the sentence |
| a line `#### 72` (not `#### 1. First step`) | the one word after it; the last of both kinds counts |
| the same, and the text ran out of tokens inside that sentence | none: it may be cut off |
| nothing of the kind | none (`exact`, `number` and `choice`, and `math` for plain numbers, then look at the last line) |

Signs that only set an answer apart are no part of it: spaces, `**`, `$...$`, `\(...\)`, `\[...\]`, `\textbf{...}`, a full
stop. A box that holds only dots or a word such as "answer" is an instruction repeated, not an answer.
"""  # noqa: E501

from __future__ import annotations

import re
from dataclasses import dataclass

from backend.verifiers.protocol import Verdict

EMPTY = "The box is empty."
OPEN = "The last box is not closed."
NOWHERE = "There is no box, and nothing that says what the answer is."
CUT = "The text ends in the middle of the answer."
NO_REFERENCE = "The problem has no reference answer."

Span = tuple[int, int]

_NEXT_QUESTION = re.compile(
    r"(?:^|\n)[ \t]{0,4}(?:#{1,4} |\*\*)?(?:Question|Q|Problem|Exercise)(?:[ \t]\d{1,3})?(?:\*\*)?[ \t]?:"
    r"|(?:(?:^|[\n>.])\s{0,2})(?:Human|User|USER|H)\s?:"
    r"|<\|im_start\|>\s?user|<\|start_header_id\|>\s?user|<start_of_turn>\s?user|\[INST\]|<｜User｜>|<\|user\|>"
)
_MOST_QUESTIONS = 50
"""Places where a next question may begin that are tried; a text of nothing else costs no more."""
_THOUGHT = re.compile(r"</think(?:ing)?>")

_BOX = re.compile(r"\\(?:boxed|fbox|framebox)(?:\s?\{|\s{1,2}(?=[^\s{$\\])|\s{1,2}(?=\\[a-z]))")
_TAG = re.compile(r"<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)
_UNBRACED = re.compile(r"[^\s$,;]+")
_PLACEHOLDER = re.compile(r"(?:\.+|…|\\l?dots|\\cdots|(?:your |final |the )*answer(?: here)?|)\s*", re.IGNORECASE)

_ANNOUNCED = re.compile(
    r"\banswer(?:\*\*)?\s{0,2}(?:(?:is|equals)\b(?!\s+not\b)|[:：=])"
    r"|\bfinal answer(?:\*\*)?:?[ \t]*(?=\n)"
    r"|答案[是为為：:]|####(?=[ \t]?[^\s#]\S{0,60}[ \t]{0,8}(?:\n|\Z))",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"(?:\s|:|：|\*\*)*")
_DISPLAY = re.compile(r"\$\$(.{1,2000}?)\$\$|\\\[(.{1,2000}?)\\\]|\\\((.{1,2000}?)\\\)", re.DOTALL)
_SENTENCE = re.compile(r"[^\n]*?(?=\.(?:\s|\Z)|。|\n|\Z)")
_WRAPPINGS = (
    ("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("**", "**"), (r"\textbf{", "}"), (r"\mathbf{", "}"),
)  # fmt: skip
_LONGEST_WRAPPED = 10_000
"""Characters of an answer that is unwrapped: a hostile one may be nothing but dollar signs."""


@dataclass(frozen=True, slots=True)
class FoundAnswer:
    span: Span
    """Start and end in characters."""
    rule: str
    """How it was found, as the end of a sentence: `in the last box`."""
    set_apart: bool
    """Whether the text sets it apart (a box, a tag); else it is the rest of a sentence, which may go on in words."""


def find_answer(text: str, finish_reason: str | None = None) -> FoundAnswer | str:
    """The answer of a response, or the sentence that says why there is none.

    Args:
        finish_reason: `length` when the response ran out of tokens.
    """
    for number, question in enumerate(_NEXT_QUESTION.finditer(text)):
        if number == _MOST_QUESTIONS:
            break
        # Before a next question nothing was cut off.
        found = _in_own_part(text, 0, question.start(), "stop") if question.start() else NOWHERE
        if isinstance(found, FoundAnswer):
            return FoundAnswer(found.span, f"{found.rule}, before the next question", found.set_apart)
    return _in_own_part(text, 0, len(text), finish_reason)


def _in_own_part(text: str, start: int, end: int, finish_reason: str | None) -> FoundAnswer | str:
    thoughts = [match.end() for match in _THOUGHT.finditer(text, start, end)]
    if thoughts:
        found = _by_rules(text, thoughts[-1], end, finish_reason)
        if isinstance(found, FoundAnswer) or found != NOWHERE:
            return found
    return _by_rules(text, start, end, finish_reason)


def _by_rules(text: str, start: int, end: int, finish_reason: str | None) -> FoundAnswer | str:
    boxed = _last_box(text, start, end)
    tagged = None
    for match in _TAG.finditer(text, start, end):
        inner = unwrap_span(text, *match.span(1))
        if not _PLACEHOLDER.fullmatch(text, *inner):
            tagged = inner
    if tagged is not None and (not isinstance(boxed, tuple) or boxed[0] < tagged[1]):
        inside = isinstance(boxed, tuple) and tagged[0] <= boxed[0] < tagged[1]
        return FoundAnswer(boxed if inside and isinstance(boxed, tuple) else tagged, "in the <answer> tags", True)
    if isinstance(boxed, tuple):
        return FoundAnswer(boxed, "in the last box", True)
    if boxed is not None and boxed != EMPTY:
        return boxed
    announced = _announced(text, start, end, finish_reason)
    return EMPTY if announced == NOWHERE and boxed == EMPTY else announced


def _last_box(text: str, start: int, end: int) -> Span | str | None:
    """What is in the last box that holds something; else why there is nothing; None where there is no box."""
    why: str | None = None
    boxes = list(_BOX.finditer(text, start, end))
    for match in reversed(boxes):
        inner: Span | None
        if match[0].endswith("{"):
            close = _closing_brace(text, match.end(), end)
            if close is None:
                if match is boxes[-1]:
                    return OPEN
                continue
            inner = unwrap_span(text, match.end(), close)
        else:
            word = _UNBRACED.match(text, match.end(), end)
            inner = unwrap_span(text, *word.span()) if word else None
        if inner is None or _PLACEHOLDER.fullmatch(text, *inner):
            why = why or EMPTY
            continue
        return inner
    return why


def _announced(text: str, start: int, end: int, finish_reason: str | None) -> FoundAnswer | str:
    announcements = list(_ANNOUNCED.finditer(text, start, end))
    for match in reversed(announcements):
        before = _BEFORE.match(text, match.end(), end)
        begin = before.end() if before else match.end()
        display = _DISPLAY.match(text, begin, end)
        sentence = _SENTENCE.match(text, begin, end)
        span = display.span() if display else sentence.span() if sentence else (end, end)
        if finish_reason == "length" and span[1] == len(text):
            return CUT
        span = unwrap_span(text, *span)
        if text.startswith("not ", span[0]) or span[0] >= span[1]:
            continue
        rule = "after ####" if match[0].startswith("####") else f"after “{match[0].strip(' :*')}”"
        return FoundAnswer(span, rule, bool(display) or match[0].startswith("####"))
    return NOWHERE


def last_line(text: str) -> Span | None:
    """The last line that holds anything, without what only sets it apart; None for an empty text."""
    end = len(text.rstrip())
    span = unwrap_span(text, text.rfind("\n", 0, end) + 1, end)
    return span if span[0] < span[1] else None


def trim_span(text: str, start: int, end: int) -> Span:
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
        if end - start > 1 and text[end - 1] in ".。":
            end -= 1
        inner_box = _BOX.match(text, start, end)
        if inner_box and inner_box[0].endswith("{") and _closing_brace(text, inner_box.end(), end) == end - 1:
            start, end = inner_box.end(), end - 1
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
    found = find_answer(text) if "\\boxed" in text or "####" in text else NOWHERE
    start, end = unwrap_span(text, *((0, len(text)) if isinstance(found, str) else found.span))
    return text[start:end]


def no_answer_verdict(finish_reason: str | None, why: str) -> Verdict:
    """The verdict on a text without an answer; an empty box is one, however the text ends."""
    return Verdict("truncated" if finish_reason == "length" and why != EMPTY else "no_answer", detail=why)


def _closing_brace(text: str, start: int, end: int) -> int | None:
    """Index of the brace that closes the one before `start`; None when it stays open."""
    depth = 1
    for match in _BRACE.finditer(text, start, end):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            return match.start()
    return None


_BRACE = re.compile(r"(?<!\\)[{}]")


def locate_answer(text: str, answer: str | None) -> Span | None:
    r"""Where an extracted answer stands in the text that it was extracted from.

    What `find_answer` takes when it is that answer, or stands in a box: an importer's answer may be normalised (`\frac`
    for `\dfrac`). Else the answer's last occurrence.

    Returns:
        Start and end in characters, or None when the text has neither.
    """
    if not answer:
        return None
    found = find_answer(text)
    if isinstance(found, FoundAnswer):
        taken = text[slice(*found.span)]
        if found.set_apart or taken == answer:
            return found.span
    last = text.rfind(answer)
    return (last, last + len(answer)) if last >= 0 else None
