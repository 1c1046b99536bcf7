"""What the engines share in scoring: the order of the items, and which alternatives are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from backend.engines.protocol import SURE, Alternative, Score


def in_order(found: Iterable[tuple[int, Score]], known: Mapping[int, Score]) -> Iterator[Score]:
    """The scores by place from 0, each as soon as those before it are there.

    Args:
        found: places with their scores, in any order.
        known: those that needed no model.
    """
    waiting = dict(known)
    following = 0
    for place, score in found:
        waiting[place] = score
        while following in waiting:
            yield waiting.pop(following)
            following += 1
    while following in waiting:
        yield waiting.pop(following)
        following += 1


def likeliest(entries: Iterable[Alternative], logprob: float, most: int) -> tuple[Alternative, ...]:
    """The likeliest of these tokens, in order; none where the token that stands there, of `logprob`, was sure."""
    if logprob >= SURE:
        return ()
    return tuple(sorted(entries, key=lambda entry: -entry[1])[:most])
