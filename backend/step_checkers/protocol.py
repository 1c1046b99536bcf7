"""What every step checker takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from backend.verifiers.protocol import Task

Validity = Literal["valid", "invalid", "unsure"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a checker says of one path; `unsure` where it found nothing that it can check."""

    judgement: Validity
    note: str
    """One sentence: what is wrong, and in which step; or how many steps were checked."""


class StepChecker(Protocol):
    """Checks the reasoning of texts, whatever their answer is worth.

    The version changes whenever a judgement may change.

    A plug-in is a class (or a function that makes one) under the entry-point group `passk.step_checkers`, called
    without arguments.
    """

    @property
    def name(self) -> str:
        """Short name, which stands as the author of its judgements."""

    @property
    def version(self) -> str:
        """Version of the rules."""

    def check(self, task: Task) -> Checked:
        """Judge the reasoning of one text; never raises because of what the text says."""
