"""Files of one folder that hold the same samples twice: before and after an evaluation, raw and sanitised."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PAIRS = (
    (".raw.jsonl", (".jsonl",)),
    (".jsonl", (".jsonl_results.jsonl", ".eval_results.json", "_eval_results.json", "_results.jsonl")),
    (".json", ("_eval_all.json",)),
)
"""Ending of the file that says less, and the endings of those that say more: evalplus, human-eval, LiveCodeBench."""
PACKED = ("", ".gz", ".zst")


def said_better(path: Path, recognised: Iterable[Path]) -> Path | None:
    """The file among these that holds the samples of this one with more known about them; None when none does."""
    others = set(recognised)
    name = path.name
    for packed in PACKED[1:]:
        name = name.removesuffix(packed)
    for ending, better in PAIRS:
        if not name.endswith(ending):
            continue
        stem = name.removesuffix(ending)
        for candidate in (stem + more + packed for more in better for packed in PACKED):
            found = path.with_name(candidate)
            if found != path and found in others:
                return found
    return None
