"""Samples that a file holds one by one, gathered into blocks of one problem and run; which reward gives the verdict."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.errors import UsageError, suggestion
from backend.importers.protocol import Beside, Block, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile

# Which of several rewards of a training dump is about right answers, and so gives the verdict.

ABOUT_ANSWERS = re.compile(r"accura|correct|solve|verif|answer|exact|pass", re.IGNORECASE)
ABOUT_FORM = re.compile(r"format|length|len_|tag|language|repetition|cosine|xml|think", re.IGNORECASE)


def about_answers(source: SourceFile, rewards: Sequence[str], options: Options, notes: Notes) -> str | None:
    """The reward whose word counts: the one that the user names, else the one whose name says so, or the only one.

    Returns:
        None where nothing tells which is about right answers.

    Raises:
        UsageError: there is no reward of the name that the user gave.
    """
    if options.filter is not None:
        return choose_one(source, rewards, options, notes, "rewards")
    about = [name for name in rewards if ABOUT_ANSWERS.search(name)]
    if len(about) == 1:
        used: str | None = about[0]
    elif len(rewards) == 1 and not ABOUT_FORM.search(rewards[0]):
        used = rewards[0]
    else:
        used = None
    if used is None:
        notes.add(
            f"files with rewards ({', '.join(rewards) or 'none'}) of which none is clearly about correctness: "
            "unverified; --filter NAME chooses one"
        )
    elif len(rewards) > 1:
        notes.add(f"files with several rewards: {used} gives the verdict, the others are kept as details")
    return used


# Samples that a file holds one by one, gathered into blocks of one problem and run; and which verdict of several.

FAILED = "samples that an error of the machinery ended: unverified, they count into neither n nor c"
BUFFERED = 4_096
"""Samples that are gathered at a time: those of a problem need not follow each other."""


class BlockBuilder:
    """Blocks that are being filled. Every list has an entry a sample, as `Block` wants it."""

    def __init__(self, *lists: str, beside: Sequence[str] = ()) -> None:
        """`lists` are the optional lists of `Block` that this format can fill, `beside` who gives further verdicts."""
        self._lists = lists
        self._beside = beside
        self._blocks: dict[tuple[int, int], tuple[Block, list[list[Any]]]] = {}
        self._problems: dict[Hashable, ProblemFacts] = {}
        self._asked_otherwise: dict[Hashable, ProblemFacts] = {}
        self._waiting = 0

    def problem(
        self,
        identity: Hashable,
        *,
        name: str | None = None,
        statement: str | None = None,
        reference: str | None = None,
        level: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        **asked: Any,
    ) -> ProblemFacts:
        """The problem of that identity; what is known of it comes from its first sample.

        Args:
            name: its id in the file; its place among the problems when omitted.
            asked: what was asked beside the statement, as `ProblemFacts` has it.
        """
        known = self._problems.get(identity)
        if known is None:
            place = len(self._problems)
            facts = ProblemFacts(name or str(place), place, statement, reference, level, metadata or {}, **asked)
            known = self._problems[identity] = facts
        elif known.prompt != (prompt := asked.get("prompt")) and prompt is not None:
            # One other prompt is enough to see that they vary.
            known = self._asked_otherwise.setdefault(identity, replace(known, prompt=prompt))
        return known

    def add(
        self,
        facts: RunFacts,
        problem: ProblemFacts,
        row: int,
        verdict: str,
        *values: Any,
        beside: Sequence[str] = (),
    ) -> None:
        """One sample.

        Args:
            facts: the same object for all samples of a run.
            problem: as `problem` gave it.
            values: one for each of the lists.
            beside: a verdict of each of those who give further ones.
        """
        # The objects live as long as their block does, so that a place in memory can stand for the facts.
        key = id(facts), problem.position
        found = self._blocks.get(key)
        if found is None:
            lists: dict[str, list[Any]] = {name: [] for name in self._lists}
            block = Block(facts, problem, [], [], **lists)
            if self._beside:
                block.beside = [Beside(name, []) for name in self._beside]
            further = [each.verdicts for each in block.beside or ()]
            found = self._blocks[key] = block, [block.verdicts, block.rows, *lists.values(), *further]
        for column, value in zip(found[1], (verdict, row, *values, *beside), strict=True):
            column.append(value)
        self._waiting += 1

    @property
    def full(self) -> bool:
        """Whether enough has been gathered to be handed on."""
        return self._waiting >= BUFFERED

    def flush(self) -> Iterator[Block]:
        """The blocks that have been built; what comes next begins anew."""
        blocks, self._blocks, self._waiting = self._blocks, {}, 0
        for block, _ in blocks.values():
            yield block


def note_others(record: Mapping[str, Any], known: Set[str], notes: Notes) -> None:
    """Note the fields of a line that nobody keeps."""
    if not record.keys() <= known:
        for name in record.keys() - known:
            notes.add(f"lines with field {name}, which is not kept")


def choose_one(source: SourceFile, names: Sequence[str], options: Options, notes: Notes, what: str) -> str:
    """Which of several verdicts counts: the one that the user names with --filter, else the first.

    Args:
        names: what the file has, the first that counts first; not empty.
        what: what such a name is, in the plural: filters, scorers, test suites.

    Raises:
        UsageError: the file has no verdict of the name that the user gave.
    """
    if options.filter is not None:
        if options.filter not in names:
            raise UsageError(
                f"{source.path}: --filter {options.filter}: it has none of this name",
                f"Its {what}: {', '.join(names)}.",
                suggestion(options.filter, list(names), "name"),
            )
        return options.filter
    if len(names) > 1:
        notes.add(
            f"files with several {what} ({', '.join(names)}): {names[0]} counts, the others are kept beside; "
            "--filter NAME chooses another"
        )
    return names[0]


def read_json_beside(path: Path, name: str) -> Mapping[str, Any]:
    """The JSON object in a file beside a result file: what its tool wrote about it. Empty when there is none."""
    import orjson

    try:
        value = orjson.loads((path.parent / name).read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def sampling_parameters(values: Mapping[str, Any], names: Mapping[str, str]) -> tuple[tuple[str, Any], ...]:
    """Sampling parameters under vLLM's names; what is no word or finite number is left out.

    Args:
        values: as the file has them.
        names: its name -> vLLM's.
    """
    found: dict[str, Any] = {}
    for name, usual in names.items():
        value = values.get(name)
        if isinstance(value, str | bool | int) or (isinstance(value, float) and abs(value) < float("inf")):
            if isinstance(value, int) and abs(value) >= 2**63:
                continue
            found.setdefault(usual, value)
    return tuple(sorted(found.items()))
