"""What a selector means."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meant:
    """The problems that a selector means, and the same in words."""

    problems: frozenset[int] | None
    """Their keys; None when the selector leaves nothing out."""
    words: str
    """What must hold of a problem, for people: "level 5, c < 3 in both runs"; empty when nothing must."""
    total: int
    """Problems there are without the selector."""

    @property
    def count(self) -> int:
        """How many problems are meant."""
        return self.total if self.problems is None else len(self.problems)
