"""What every verifier takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

VerdictName = Literal["correct", "wrong", "no_answer", "truncated", "timeout", "error", "unverified"]


@dataclass(frozen=True)
class Verdict:
    """What a verifier says about one text.

    `answer` is what was extracted (None where there is none), `span` its place in the text as
    (start, end) in characters, `detail` one sentence that gives the reason.
    """

    verdict: VerdictName
    answer: str | None = None
    span: tuple[int, int] | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One text to judge, with what is known of its problem."""

    text: str
    finish_reason: str | None = None
    statement: str = ""
    reference: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Verifier(Protocol):
    """Judges texts. The version changes whenever a verdict may change.

    A verifier is pickled and sent to the processes that judge. Entry-point group: `passk.verifiers`. These attributes
    are optional:

    - `cheap = True` says that a judgement takes time linear in the text, runs no foreign code and cannot hang: it is
      then made in the process that draws, without a deadline;
    - `deadline`: seconds for one judgement, 10 where it says nothing; what takes longer is `timeout`;
    - `memory`: bytes of address space that a judging process may have, 4 GiB where it says nothing;
    - `needs`: modules beyond the core, each with how to install it;
    - `prepare()` loads what judging needs; it is called once in each process, before any deadline starts.
    """

    @property
    def name(self) -> str:
        """Short name, as stored beside the verdict."""

    @property
    def version(self) -> str:
        """Version of the rules."""

    def judge(self, task: Task) -> Verdict:
        """Judges one generated text; never raises because of what the text says."""
