"""What the names of files and folders say of the run: model, step, benchmark; and whether two may be of two models."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from backend.errors import UsageError
from backend.importers.protocol import RunFacts

FOLDER = "folder"
"""The value of --model-from and its like that stands for the name of the file's folder."""

_WORD = r"(?:global[-_]?steps?|steps?|checkpoints?|ckpts?|iters?|iterations?)"
STEP = re.compile(rf"(?:{_WORD}[-_=.]?|.*[-_.]{_WORD}[-_=])0*(\d{{1,9}})", re.IGNORECASE)
"""A folder or file that is named after a training step: step_100, checkpoint-100, global_step_200, iter_0000300."""
MOST_FOLDERS = 4
"""So many folders above a file are looked at for a step."""

TOKEN = re.compile(r"[a-z]+|\d+", re.IGNORECASE)
_WORDS = """
    seed seeds gpu rank worker shard part chunk split of node proc process replica rs sample samples output outputs
    batch run try attempt repeat rep fold epoch result results generation generations response responses rollout
    rollouts eval evals dump test train val new old more copy backup retry resumed again task jsonl json csv tsv parquet
    gz zst txt log logs am pm utc one two three four first second third all correct wrong incorrect final last latest
    checkpoint checkpoints ckpt raw filtered scored judged verified
    a b c d e f g h i j k l m n o p q r s t u v w x y z
"""
SAME_RUN = frozenset(_WORDS.split())
"""Words in file names that tell no model or benchmark from another."""


@dataclass(frozen=True, slots=True)
class NamesFrom:
    """Where model, step and benchmark stand in a file's path, as the user says: `folder`, or a pattern with a group."""

    model: str | None = None
    step: str | None = None
    benchmark: str | None = None
    only_gaps: bool = False
    """Whether a file's own word goes before what the user says of its run."""

    def facts_of(self, path: Path) -> Callable[[RunFacts], RunFacts]:
        """What turns the facts of this file's blocks into those that its name completes.

        Raises:
            UsageError: a pattern without exactly one group, or one that the file's path does not match.
        """
        model = _found("--model-from", self.model, path)
        benchmark = _found("--benchmark-from", self.benchmark, path)
        step: int | None = None
        if self.step is not None:
            text = _found("--step-from", self.step, path) or ""
            digits = re.findall(r"\d+", text)
            if not digits:
                raise UsageError(f"{path}: --step-from {self.step} finds no number, but {text!r}")
            step = int(digits[-1])
        named = step_in_names(path)

        def complete(facts: RunFacts) -> RunFacts:
            if model is not None and not (self.only_gaps and facts.model is not None):
                facts = replace(facts, model=model)
            if benchmark is not None and not (self.only_gaps and facts.benchmark is not None):
                facts = replace(facts, benchmark=benchmark)
            at = step if step is not None else named if facts.step is None else None
            return facts if at is None else replace(facts, step=at, checkpoint=True)

        return complete

    def step_of(self, path: Path) -> int | None:
        """The training step that a file's path says."""
        return self.facts_of(path)(RunFacts()).step


def _found(option: str, where: str | None, path: Path) -> str | None:
    if where is None:
        return None
    if where == FOLDER:
        return path.absolute().parent.name
    try:
        pattern = re.compile(where)
    except re.error as error:
        raise UsageError(f"{option} {where}: no regular expression: {error}") from None
    if pattern.groups != 1:
        raise UsageError(
            f"{option} {where}: expected {FOLDER}, or a pattern with one group",
            next_step=f"For example {option} '([^/]+)\\.jsonl' for the file's name.",
        )
    found = pattern.search(path.absolute().as_posix())
    if found is None or not found[1]:
        raise UsageError(
            f"{path}: {option} {where} finds nothing in this path",
            next_step="The pattern is searched in the whole path; its group is what is taken.",
        )
    return found[1]


def step_in_names(path: Path) -> int | None:
    """The training step that a file or a folder above it is named after; the nearest counts."""
    parts = path.absolute().parts[1:]
    for place, name in enumerate([parts[-1].split(".")[0], *reversed(parts[-1 - MOST_FOLDERS : -1])] if parts else []):
        # A file that is called a checkpoint is mostly what an evaluation had so far, and no model's.
        if (found := STEP.fullmatch(name)) and not (place == 0 and re.search("checkpoint|ckpt", name, re.IGNORECASE)):
            return int(found[1])
    return None


def telling_words(path: Path, other: Path) -> tuple[str, ...]:
    """Words that one of two paths has and the other has not, and that may name a model or a benchmark."""

    def words(one: Path, root: tuple[str, ...]) -> set[str]:
        rest = one.absolute().parts[len(root) :]
        return {word.lower() for part in rest for word in TOKEN.findall(part) if not word.isdigit()}

    shared: list[str] = []
    for first, second in zip(path.absolute().parts[:-1], other.absolute().parts[:-1], strict=False):
        if first != second:
            break
        shared.append(first)
    ours, theirs = words(path, tuple(shared)), words(other, tuple(shared))
    return tuple(sorted((ours ^ theirs) - SAME_RUN))
