"""Two texts aligned word by word, and which paths are near to a path."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from backend.records import Response, Run
from backend.records.reading import Neighbour, PathComparison, Stretch
from backend.store.reads import Reader

# Two texts aligned word by word. Words are LaTeX commands, runs of letters and digits, and single other characters;
# white space does not count. What both texts begin and end with is cut off first. What is left is aligned by a
# longest common subsequence of words (bit-parallel, by rapidfuzz); where that would compare more than `MOST_PAIRS`
# pairs of words, runs of words that occur once in both texts (`ANCHORS`) divide it first, as in Bram Cohen's patience
# diff. What is still too large and has no such runs is a difference that nobody looked into, and says so. Last, small
# islands of common words between larger differences are given up, as in diff-match-patch (semantic clean-up): that
# two different sentences share a comma helps no reader.

MOST_PAIRS = 100_000_000
"""Pairs of words that are compared at once: 12 MB and some 40 ms."""

ANCHORS = (4, 16)
"""Words in an anchor: single words and pairs are found in both texts by chance, four in a row hardly; where the same
few words come again and again, longer runs are tried."""

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"(?:\\[A-Za-z]+|\w+|[^\w\s])\s*")
"""A word with the white space behind it."""


class _Run(NamedTuple):
    """A stretch in words: from and to on the left, from and to on the right."""

    same: bool
    a: int
    b: int
    c: int
    d: int
    searched: bool = True


def common_beginning(left: str, right: str) -> int:
    """How many characters two texts begin with in common."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left.startswith(right[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low


def align(left: str, right: str) -> tuple[Stretch, ...]:
    """Stretches that are the same in both texts, or differ, in order; together they are both texts."""
    # Alike at both ends, from and to white space, so that no word is cut.
    common = common_beginning(left, right)
    start = common if common == len(left) == len(right) else 1 + max(left.rfind(mark, 0, common) for mark in " \n")
    ending = common_beginning(left[start:][::-1], right[start:][::-1])
    space = re.search(r"\s", left[len(left) - ending :])
    ending = ending - space.end() if space else 0
    ends = len(left) - ending, len(right) - ending
    numbers: dict[str, int] = {}
    a, begin_a = _words(left, start, ends[0], numbers)
    b, begin_b = _words(right, start, ends[1], numbers)
    runs = _without_islands(_joined(_runs(a, b, 0, len(a), 0, len(b))), begin_a, begin_b)
    found = [Stretch(True, (0, start), (0, start))]
    for same, i, j, k, m, searched in runs:
        found.append(Stretch(same, (begin_a[i], begin_a[j]), (begin_b[k], begin_b[m]), searched))
    found.append(Stretch(True, (ends[0], len(left)), (ends[1], len(right))))
    return _touching(found)


def _words(text: str, start: int, end: int, numbers: dict[str, int]) -> tuple[list[int], list[int]]:
    """The words between two places as numbers, and where each begins, with the end behind the last.

    White space belongs to the word before it, at the beginning to the first.
    """
    pieces = _WORD.findall(text, start, end)
    space = _SPACE.match(text, start, end)
    begins = list(accumulate(map(len, pieces), initial=start if space is None else space.end()))
    begins[0] = start
    return [numbers.setdefault(word, len(numbers)) for word in map(str.rstrip, pieces)], begins


def _touching(stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Each begins where the one before ends; empty ones are left out, and neighbours that are the same are one."""
    found: list[Stretch] = []
    for same, left, right, searched in ((s.same, s.left, s.right, s.searched) for s in stretches):
        start = (found[-1].left[1], found[-1].right[1]) if found else (0, 0)
        span = Stretch(same, (start[0], left[1]), (start[1], right[1]), searched)
        if span.left[0] == span.left[1] and span.right[0] == span.right[1]:
            continue
        if found and found[-1].same and same:
            span = Stretch(True, (found[-1].left[0], left[1]), (found[-1].right[0], right[1]))
            found.pop()
        found.append(span)
    return tuple(found)


def _runs(left: Sequence[int], right: Sequence[int], a: int, b: int, c: int, d: int) -> Iterator[_Run]:
    """left[a:b] against right[c:d]."""
    head = 0
    while a + head < b and c + head < d and left[a + head] == right[c + head]:
        head += 1
    if head:
        yield _Run(True, a, a + head, c, c + head)
        a, c = a + head, c + head
    tail = 0
    while a < b - tail and c < d - tail and left[b - tail - 1] == right[d - tail - 1]:
        tail += 1
    inner = (a, b - tail, c, d - tail)
    if a == b - tail or c == d - tail:
        if b - tail > a or d - tail > c:
            yield _Run(False, *inner)
    elif (b - a) * (d - c) <= MOST_PAIRS:
        yield from _common_words(left, right, *inner)
    else:
        yield from _between_anchors(left, right, *inner)
    if tail:
        yield _Run(True, b - tail, b, d - tail, d)


def _between_anchors(left: Sequence[int], right: Sequence[int], a: int, b: int, c: int, d: int) -> Iterator[_Run]:
    """Too large to be compared at once."""
    for size in ANCHORS:
        if anchors := _anchors(left[a:b], right[c:d], size):
            break
    else:
        yield _Run(False, a, b, c, d, searched=False)
        return
    first, second = a, c
    for x, y in anchors:
        yield from _runs(left, right, first, a + x, second, c + y)
        first, second = a + x + size, c + y + size
        yield _Run(True, a + x, first, c + y, second)
    yield from _runs(left, right, first, b, second, d)


def _common_words(left: Sequence[int], right: Sequence[int], a: int, b: int, c: int, d: int) -> Iterator[_Run]:
    from rapidfuzz.distance import LCSseq

    for code in LCSseq.opcodes(left[a:b], right[c:d]):
        yield _Run(code.tag == "equal", a + code.src_start, a + code.src_end, c + code.dest_start, c + code.dest_end)


def _anchors(left: Sequence[int], right: Sequence[int], size: int) -> list[tuple[int, int]]:
    """Where runs of `size` words begin that occur once in both, in order in both, none reaching into the next."""
    places = []
    for words in (left, right):
        grams = list(zip(*(words[shift:] for shift in range(size)), strict=False))
        times = Counter(grams)
        places.append({gram: at for at, gram in enumerate(grams) if times[gram] == 1})
    both = [(at, places[1][gram]) for gram, at in places[0].items() if gram in places[1]]
    # The longest increasing subsequence: piles whose tops ascend, and the way back through them.
    tops: list[int] = []
    chain: list[tuple[int, int, int]] = []
    ends: list[int] = []
    for number, (x, y) in enumerate(both):
        pile = bisect_left(tops, y)
        if pile == len(tops):
            tops.append(y)
            ends.append(number)
        else:
            tops[pile] = y
            ends[pile] = number
        chain.append((x, y, ends[pile - 1] if pile else -1))
    found: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        x, y, at = chain[at]
        if not found or (x + size <= found[-1][0] and y + size <= found[-1][1]):
            found.append((x, y))
    return found[::-1]


def _joined(runs: Iterator[_Run]) -> list[_Run]:
    """Neighbours of one kind as one."""
    found: list[_Run] = []
    for run in runs:
        if found and found[-1].same == run.same:
            before = found.pop()
            run = _Run(run.same, before.a, run.b, before.c, run.d, before.searched and run.searched)
        found.append(run)
    return found


def _without_islands(runs: list[_Run], begin_a: Sequence[int], begin_b: Sequence[int]) -> list[_Run]:
    """Common words between two differences that are both at least as long belong to them."""

    def length(run: _Run) -> int:
        return max(begin_a[run.b] - begin_a[run.a], begin_b[run.d] - begin_b[run.c])

    kept: list[_Run] = []
    for run in runs:
        kept.append(run)
        while len(kept) >= 3 and not kept[-1].same and length(kept[-2]) <= min(length(kept[-1]), length(kept[-3])):
            first, _, last = kept[-3:]
            kept[-3:] = [_Run(False, first.a, last.b, first.c, last.d, first.searched and last.searched)]
    return kept


# A path beside another: which are near to it, and where the two differ.


def neighbours(reader: Reader, path: Response, runs: Sequence[Run]) -> tuple[Neighbour, ...]:
    """All other samples of the path's problem that have a text, those with the longest common beginning first.

    Args:
        path: it must have a text, or there are none.
        runs: whose samples; the path's own run may be among them.
    """
    if path.text is None:
        return ()
    found = [
        Neighbour(
            run, other.sample.index, other.sample.verdict, common_beginning(path.text, other.text), len(other.text)
        )
        for run in runs
        for other in reader.paths(run, path.problem_key)
        if other.text is not None and (run.key, other.sample.index) != (path.run.key, path.sample.index)
    ]
    return tuple(sorted(found, key=lambda neighbour: -neighbour.common))


def compare_paths(left: Response, right: Response) -> PathComparison:
    """Two paths with their texts aligned; a text that is not stored counts as empty."""
    return PathComparison(left, right, align(left.text or "", right.text or ""))
