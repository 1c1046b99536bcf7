r"""The "math" verifier: two answers mean the same, as math-verify (SymPy) sees it.

| what the text has | verdict |
| --- | --- |
| an answer (see `extraction`) that equals the reference, as text or as mathematics | correct |
| another; one that cannot be parsed and is not the same text; one of more than 1,000 characters | wrong |
| an empty box | no_answer |
| no answer, a box that is never closed, an answer that breaks off | truncated if out of tokens, else no_answer |
| a problem without a reference answer | unverified |
| parsing or comparing failed inside SymPy, for example out of memory or too deeply nested | error |

Unlike `number` it never takes just any last number of a text for the answer. math-verify's own timeout works by a
signal, which raises in threads, so it is off: whoever runs this verifier gives it a process and a deadline (see
`pool`), and what exceeds that is `timeout`.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any, ClassVar

from backend.answers import NO_REFERENCE, find_answer, no_answer_verdict, unwrap_reference
from backend.verifiers.protocol import Task, Verdict

LONGEST = 1_000
"""Characters of an answer that is worth parsing."""


class MathVerifier:
    """Judges with math-verify; see the table of this module."""

    name = "math"
    needs: ClassVar = {"math_verify": "pip install 'passk-explorer[verify]'"}

    @property
    def version(self) -> str:
        """Version of these rules and of math-verify, which decides what is equal."""
        from importlib.metadata import version

        return f"1 (math-verify {version('math-verify')})"

    def prepare(self) -> None:
        """Load SymPy and its grammar, which takes a second or two."""
        logging.getLogger("math_verify").setLevel(logging.ERROR)
        _parsed("1")

    def judge(self, task: Task) -> Verdict:
        """Judges one text."""
        text, reference, finish_reason = task.text, task.reference, task.finish_reason
        if reference is None or not (wanted := unwrap_reference(reference)):
            return Verdict("unverified", detail=NO_REFERENCE)
        found = find_answer(text, finish_reason)
        if isinstance(found, str):
            return no_answer_verdict(finish_reason, found)
        answer = text[slice(*found)]
        if " ".join(answer.split()) == " ".join(wanted.split()):
            return Verdict("correct", answer, found, "It is the reference answer.")
        if len(answer) > LONGEST:
            return Verdict("wrong", answer, found, f"It is longer than {LONGEST} characters.")
        try:
            equal = _equal(wanted, answer)
        except (Exception, RecursionError) as error:
            return Verdict("error", answer, found, f"Comparing failed: {type(error).__name__}.")
        if equal:
            return Verdict("correct", answer, found, "It equals the reference answer.")
        return Verdict("wrong", answer, found, "It does not equal the reference answer.")


def _parsed(answer: str) -> list[Any]:
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse

    # In a box of its own, so that all of it is the answer and math-verify need not search.
    config = [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig()]
    parsed: list[Any] = parse(f"\\boxed{{{answer}}}", config, parsing_timeout=None, raise_on_error=True)
    return parsed


@lru_cache(maxsize=4096)
def _parsed_reference(reference: str) -> list[Any]:
    return _parsed(reference)


def _equal(reference: str, answer: str) -> bool:
    from math_verify import verify

    wanted, given = _parsed_reference(reference), _parsed(answer)
    # Without raise_on_error: of several readings of an answer one may fail to compare and another succeed.
    return bool(verify(wanted, given, timeout_seconds=None))
