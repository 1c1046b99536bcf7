"""The verifiers that compare what stands there: "exact" the whole answer, "choice" its letter."""

from __future__ import annotations

import re
import unicodedata

from backend.answers import (
    NO_REFERENCE,
    NOWHERE,
    FoundAnswer,
    find_answer,
    last_line,
    no_answer_verdict,
    unwrap_reference,
)
from backend.verifiers.protocol import Task, Verdict


class ExactVerifier:
    """Judges by equality of texts: runs of white space count as one space, NFC and NFD are the same, case counts.

    | what the text has | verdict |
    | --- | --- |
    | an answer (see `backend.answers`), else a last line, that is the reference | correct |
    | any other | wrong |
    | an empty box, or no text at all | no_answer |
    | a box that is never closed | truncated if it ran out of tokens, else no_answer |
    | no box and no announced answer, and it ran out of tokens | truncated |
    | a problem without a reference answer | unverified |
    """

    name = "exact"
    version = "2"
    cheap = True

    def judge(self, task: Task) -> Verdict:
        text, reference, finish_reason = task.text, task.reference, task.finish_reason
        if reference is None or not (wanted := _plain(unwrap_reference(reference))):
            return Verdict("unverified", detail=NO_REFERENCE)
        found = find_answer(text, finish_reason)
        if found == NOWHERE and finish_reason != "length":
            line = last_line(text)
            if line is None:
                return Verdict("no_answer", detail="There is no text.")
            found = FoundAnswer(line, "as the last line", False)
        if isinstance(found, str):
            return no_answer_verdict(finish_reason, found)
        answer = text[slice(*found.span)]
        if _plain(answer) == wanted:
            return Verdict("correct", answer, found.span, f"It is the reference answer (taken {found.rule}).")
        return Verdict("wrong", answer, found.span, f"It is not the reference answer (taken {found.rule}).")


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


LETTERS = "ABCDEFGHIJ"

_WRAP = r"(?:\\(?:text|mathrm|mathbf|textbf)\{\s?|\*\*|[$])?"
_LETTER = re.compile(
    rf"(?i:(?:the\s)?(?:correct\s)?(?:option|choice|answer)\s)?{_WRAP}"
    r"(?:[(\[]\s?([A-Ja-j])\s?[)\]]|([A-J])(?=[\s.):,}$*]|\Z)|([a-j])(?=[.)}$*]{0,4}\Z))"
)
_ALONE = re.compile(r"(?:[(\[]\s?[A-Ja-j]\s?[)\]]|[A-J](?:[.):*$]|\Z))")


def letter_of(answer: str) -> tuple[str, int] | None:
    """The letter that an answer chooses, upper-case, and its place; None where it chooses none."""
    match = _LETTER.match(answer)
    if match is None:
        return None
    group = next(index for index in (1, 2, 3) if match[index])
    letter, rest = match[group], answer[match.end() :]
    if letter == "I" and rest[:1].isspace() and rest.lstrip()[:1].islower():
        return None  # "I think that ..."
    return letter.upper(), match.start(group)


def reference_letter(reference: str) -> str | None:
    """The letter of a reference answer; None where it is none."""
    plain = unwrap_reference(reference)
    if len(plain) == 1 and plain.isascii() and plain.isdigit():
        return LETTERS[int(plain)]
    found = letter_of(plain)
    return found[0] if found else None


class ChoiceVerifier:
    r"""Judges by the chosen letter.

    | what the text has | verdict |
    | --- | --- |
    | an answer (see `backend.answers`) that is a letter or begins with one, and it is the reference's | correct |
    | another letter | wrong |
    | no box and no announced answer, but a last line that is or begins with a letter set apart | as above |
    | an answer without such a letter, an empty box, none of all this | no_answer |
    | a box that is never closed; no box, no announced answer, out of tokens | truncated, if out of tokens |
    | a problem without a reference answer | unverified |
    | a reference answer that is no letter | error |

    A letter set apart is `C`, `(C)`, `C.`, `C)`, `C:`, also after `option` or `choice`, in `\text{...}` or between
    asterisks. Lower-case letters count where they are the whole answer or stand in brackets, so that `a triangle`
    chooses nothing; nor does `I think`. A reference may be a digit, as in MMLU: 0 is A.
    """

    name = "choice"
    version = "2"
    cheap = True

    def judge(self, task: Task) -> Verdict:
        text, reference, finish_reason = task.text, task.reference, task.finish_reason
        if reference is None or not reference.strip():
            return Verdict("unverified", detail=NO_REFERENCE)
        wanted = reference_letter(reference)
        if wanted is None:
            return Verdict("error", detail="The reference answer is no letter from A to J.")
        found = find_answer(text, finish_reason)
        if found == NOWHERE and finish_reason != "length":
            line = last_line(text)
            if line is not None and _ALONE.match(text, line[0]):
                found = FoundAnswer((line[0], len(text.rstrip())), "at the beginning of the last line", False)
        if isinstance(found, str):
            return no_answer_verdict(finish_reason, found)
        chosen = letter_of(text[slice(*found.span)])
        if chosen is None:
            return Verdict("no_answer", detail="The answer is no letter from A to J.")
        letter, place = chosen
        span = found.span[0] + place, found.span[0] + place + 1
        if letter == wanted:
            return Verdict("correct", letter, span, f"It is the correct letter (taken {found.rule}).")
        return Verdict("wrong", letter, span, f"It is {letter}, not {wanted} (taken {found.rule}).")
