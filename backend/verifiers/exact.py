r"""The "exact" verifier: the answer is the reference answer, character for character.

| what the text has | verdict |
| --- | --- |
| an answer (see `extraction`), else a last line, that is the reference | correct |
| any other | wrong |
| an empty box, or no text at all | no_answer |
| a box that is never closed | truncated if it ran out of tokens, else no_answer |
| no box and no announced answer, and it ran out of tokens | truncated |
| a problem without a reference answer | unverified |

Runs of white space count as one space, and characters that Unicode writes in two ways (NFC) are the same. Case counts.
"""

from __future__ import annotations

import unicodedata

from backend.verifiers.extraction import NO_REFERENCE, NOWHERE, absent, bare, locate, unwrapped
from backend.verifiers.protocol import Judgement, Task


class ExactVerifier:
    """Judges by equality of texts; see the table of this module."""

    name = "exact"
    version = "1"
    cheap = True

    def judge(self, task: Task) -> Judgement:
        """Judges one text."""
        text, reference, finish_reason = task.text, task.reference, task.finish_reason
        if reference is None or not (wanted := _plain(bare(reference))):
            return Judgement("unverified", detail=NO_REFERENCE)
        found = locate(text, finish_reason)
        if found == NOWHERE and finish_reason != "length":
            end = len(text.rstrip())
            found = unwrapped(text, text.rfind("\n", 0, end) + 1, end)
            if found[0] == found[1]:
                return Judgement("no_answer", detail="There is no text.")
        if isinstance(found, str):
            return absent(finish_reason, found)
        answer = text[slice(*found)]
        if _plain(answer) == wanted:
            return Judgement("correct", answer, found, "It is the reference answer.")
        return Judgement("wrong", answer, found, "It is not the reference answer.")


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
