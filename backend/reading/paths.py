"""A path beside another: which are near to it, and where the two differ."""

from __future__ import annotations

from collections.abc import Sequence

from backend.reading.alignment import align, common_beginning
from backend.records import Path, Run
from backend.records.reading import Neighbour, PathComparison
from backend.store.reads import Reader


def neighbours(reader: Reader, path: Path, runs: Sequence[Run]) -> tuple[Neighbour, ...]:
    """All other samples of the path's problem that have a text, those with the longest common beginning first.

    Args:
        reader: of the path's store.
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


def compare_paths(left: Path, right: Path) -> PathComparison:
    """Two paths with their texts aligned; a text that is not stored counts as empty."""
    return PathComparison(left, right, align(left.text or "", right.text or ""))
