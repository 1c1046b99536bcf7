"""What a language model says of a path's reasoning: how its answer is read, and what several votes come to.

A model is asked several times, each time with another seed. Every answer is kept as a vote beside the judgement, so
that any rule can be applied again without asking anew. A vote that cannot be read says nothing, for or against.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

RULES = ("any", "majority", "all")
"""So many votes must call the reasoning sound: one, more than half, every one (any-, majority- and all-correct of arXiv
2506.14245)."""

Rule = Literal["any", "majority", "all"]
Said = Literal["sound", "unsound", "unknown"]

PARSER = "1"
"""Version of `read_vote`; part of a judge's identity."""

LONGEST_TEXT = 4_000
"""Characters kept of an answer: its end, where the verdict stands."""
LONGEST_REASON = 500

_VERDICT = re.compile(r"\W{0,8}VERDICT\W{1,8}(?P<said>sound|unsound)\W{0,8}", re.IGNORECASE)
_REASON = re.compile(r"\W{0,8}REASON\W{0,4}:\W{0,4}(?P<reason>.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer of a judge about one path."""

    vote: int
    """From 0."""
    attempt: int
    """0, or 1 where the first answer could not be read and was asked for again; the last attempt counts."""
    seed: int
    said: Said
    reason: str
    tokens: int
    text: str
    """The end of the answer, as it came."""

    def to_note(self) -> str:
        """As it stands in the store's judgements."""
        known = {name: getattr(self, name) for name in ("vote", "attempt", "said", "seed", "tokens", "reason", "text")}
        return json.dumps(known, ensure_ascii=False, separators=(",", ":"))


def read_vote(text: str) -> tuple[Said, str]:
    r"""What an answer says, and why: its last line must be ``VERDICT: sound`` or ``VERDICT: unsound``.

    >>> read_vote("Step 2 adds wrongly.\nREASON: 2 + 2 is 4\nVERDICT: unsound")
    ('unsound', '2 + 2 is 4')
    >>> read_vote("It is sound, I think.")
    ('unknown', '')
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    match = _VERDICT.fullmatch(lines[-1]) if lines else None
    if match is None:
        return "unknown", ""
    reasons = (found["reason"] for line in reversed(lines[:-1]) if (found := _REASON.fullmatch(line)) is not None)
    said: Said = "sound" if match["said"].lower() == "sound" else "unsound"
    return said, next(reasons, "")[:LONGEST_REASON]


def decide(rule: str, sound: int, unsound: int, unknown: int) -> str | None:
    """What votes come to: valid or invalid where no unread vote could change it, else unsure.

    Returns:
        None where no vote could be read: then the path counts as not judged.

    >>> decide("majority", 2, 0, 1), decide("majority", 1, 1, 1), decide("any", 0, 2, 1), decide("all", 2, 0, 1)
    ('valid', 'unsure', 'unsure', 'unsure')
    """
    votes = sound + unsound + unknown
    if not sound + unsound:
        return None
    # The fewest sound votes that make a path valid.
    needed = {"any": 1, "majority": votes // 2 + 1, "all": votes}[rule]
    if sound >= needed:
        return "valid"
    # An even number of votes that is split in halves has no majority either way.
    is_tie = rule == "majority" and 2 * unsound == votes
    return "invalid" if sound + unknown < needed and not is_tie else "unsure"


def in_words(rule: str, votes: Iterable[Vote]) -> str:
    """The note of a judgement that votes came to."""
    last = {vote.vote: vote for vote in sorted(votes, key=lambda vote: (vote.vote, vote.attempt))}
    counts = [sum(vote.said == said for vote in last.values()) for said in ("sound", "unsound", "unknown")]
    unread = f", {counts[2]} could not be read" if counts[2] else ""
    reasons = [vote.reason for vote in last.values() if vote.reason and vote.said == "unsound"]
    reasons += [vote.reason for vote in last.values() if vote.reason and vote.said == "sound"]
    why = f" {reasons[0]}" if reasons else ""
    return f"{counts[0]} of {len(last)} votes sound, {counts[1]} unsound{unread} ({rule}).{why}"
