"""What runs were asked with: a run has one prompt for each problem, and another prompt is another run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import queries
from backend.importers.protocol import MayBeSeveral, ProblemFacts
from backend.store.database import open_store
from backend.store.identity import run_key, without_surrogates
from backend.store.layout import StoreLayout

VARIED = "problems that one file asked with several prompts; they stay one run, and pass@k is over all of them"

Note = Callable[[str, int], None]


def stored_prompts(layout: StoreLayout) -> Callable[[str], Mapping[int, str]]:
    """Gives the prompts that a store has of a run, by problem key; it opens the store only when it is asked."""

    def read(run: str) -> Mapping[int, str]:
        with (
            closing(open_store(layout, merging=False, matching=False)) as database,
            closing(database.cursor()) as cursor,
        ):
            return dict(cursor.execute(queries.load("reads/prompts"), {"run_key": run_key(run)}).fetchall())

    return read


@dataclass
class RunPrompts:
    """The prompts of the runs of one import, each with the file that gave it first."""

    note: Note
    stored: Callable[[str], Mapping[int, str]] | None = None
    """The prompts of a run that the store has already; None where nothing may be compared with it."""
    write: Callable[[int, int, str], None] | None = None
    """Takes run key, problem key and prompt of every pair that is new in this import."""
    _first: dict[tuple[str, int], tuple[str, Path]] = field(default_factory=dict)
    _before: dict[str, Mapping[int, str]] = field(default_factory=dict)
    _varied: set[tuple[str, int]] = field(default_factory=set)

    def take(self, run: str, key: int, facts: ProblemFacts, path: Path, *, is_known: bool, is_said: bool) -> None:
        """Take the prompt of a problem, where the file has it.

        Args:
            is_known: whether the store has this run.
            is_said: whether the user said which run the samples are of, so that no question is left.

        Raises:
            MayBeSeveral: another file, or the store, has another prompt for this problem of the run.
        """
        prompt = facts.prompt
        if prompt is None:
            return
        first = self._first.get((run, key))
        if first is not None:
            said, where = first
            if said == prompt or (run, key) in self._varied:
                return
            if where != path and not is_said:
                raise _asked_otherwise(run, facts, f"{where} and {path}")
            self._varied.add((run, key))
            self.note(VARIED, 1)
            return
        if is_known and not is_said and self.stored is not None:
            before = self._before.get(run)
            if before is None:
                before = self._before[run] = self.stored(run)
            if before.get(key, prompt) not in (prompt, without_surrogates(prompt)):
                raise _asked_otherwise(run, facts, f"The store and {path}")
        self._first[run, key] = prompt, path
        if self.write is not None:
            self.write(run_key(run), key, prompt)


def _asked_otherwise(run: str, facts: ProblemFacts, which: str) -> MayBeSeveral:
    return MayBeSeveral(
        f"{which} would form one run, {run}, and ask problem {facts.id} with different prompts",
        "Another template, other examples or another system prompt are another configuration.",
        f"Nothing was imported. Import one of them as a run of its own: --run NAME; or, if they are one run all the "
        f"same, say --run {run}.",
    )
