"""Samples that a file holds one by one, gathered into blocks of one problem and run; and which verdict of several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.errors import UsageError, suggestion
from backend.importers.protocol import Block, Notes, Options, ProblemFacts, RunFacts, SourceFile

BUFFERED = 4_096
"""Samples that are gathered at a time: those of a problem need not follow each other."""


class Gathering:
    """Blocks that are being filled. Every list has an entry a sample, as `Block` wants it."""

    def __init__(self, *lists: str) -> None:
        """`lists` are the optional lists of `Block` that this format can fill."""
        self._lists = lists
        self._blocks: dict[tuple[int, int], Block] = {}
        self._facts: dict[RunFacts, RunFacts] = {}
        self._problems: dict[str, ProblemFacts] = {}
        self._waiting = 0

    def problem(
        self,
        identity: str,
        *,
        name: str | None = None,
        statement: str | None = None,
        reference: str | None = None,
        level: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> ProblemFacts:
        """The problem of that identity; what is known of it comes from its first sample.

        Args:
            name: its id in the file; its place among the problems when omitted.
        """
        known = self._problems.get(identity)
        if known is None:
            place = len(self._problems)
            facts = ProblemFacts(name or str(place), place, statement, reference, level, metadata or {})
            known = self._problems[identity] = facts
        return known

    def add(self, facts: RunFacts, problem: ProblemFacts, row: int, verdict: str, **more: Any) -> None:
        """One sample; `more` has a value for each of the lists."""
        # The same facts are the same object from here on, so that their places in memory can stand for them.
        facts = self._facts.setdefault(facts, facts)
        block = self._blocks.get((id(facts), problem.position))
        if block is None:
            block = Block(facts, problem, [], [], **{name: [] for name in self._lists})
            self._blocks[id(facts), problem.position] = block
        block.verdicts.append(verdict)
        block.rows.append(row)
        for name in self._lists:
            getattr(block, name).append(more[name])
        self._waiting += 1

    def full(self) -> Iterator[Block]:
        """The blocks, once enough have been gathered; none before."""
        if self._waiting >= BUFFERED:
            yield from self.rest()

    def rest(self) -> Iterator[Block]:
        """The blocks that are left."""
        blocks, self._blocks, self._waiting = self._blocks, {}, 0
        yield from blocks.values()


def chosen(source: SourceFile, names: Sequence[str], options: Options, notes: Notes, what: str) -> str:
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


def beside(path: Path, name: str) -> Mapping[str, Any]:
    """The JSON object in a file beside a result file: what its tool wrote about it. Empty when there is none."""
    import orjson

    try:
        value = orjson.loads((path.parent / name).read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def sampling(values: Mapping[str, Any], names: Mapping[str, str]) -> tuple[tuple[str, Any], ...]:
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
