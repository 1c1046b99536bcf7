"""Which problem a file's rows are of: what was asked decides, and what is known of the problems that asked the same.

Most problems are known by their statement alone. Of those with one statement, images and tests tell them apart wherever
they come from; ids and references do where one file gives several of both (see `ProblemFacts`). What a store holds from
before is found again, also where another version of passk or another template gave it another key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

from backend.importers.prompts import question_of
from backend.importers.protocol import ProblemFacts
from backend.store.cursor import StoreCursor
from backend.store.database import open_store
from backend.store.identity import problem_key, without_surrogates
from backend.store.layout import StoreLayout

StoredProblem = tuple[int, str, str | None, str | None, Mapping[str, Any], Iterable[str]]
"""Key, id, statement, reference, metadata and the `prompt_hash` of every prompt that runs were given."""


Named = tuple[str, str | None]
"""Id and reference answer of a problem."""


def shared_name(some: Mapping[int, Named], others: Mapping[int, Named]) -> tuple[str, int]:
    """By what problems that are not the same seem to be: id or reference, and how many.

    Nothing (0) where most of them are the same, or where fewer than half have a namesake. A name counts that one
    problem alone has on either side; an id not where the reference answers contradict it.
    """
    shared = len(some.keys() & others.keys())
    left = [name for key, name in some.items() if key not in others]
    theirs = [name for key, name in others.items() if key not in some]
    fewer = min(len(left), len(theirs))
    if not fewer or shared > fewer:
        return "", 0
    ids = _alone((name, (name, reference)) for name, reference in left)
    their_ids = _alone((name, (name, reference)) for name, reference in theirs)
    by_id = sum(
        None in (mine[1], other[1]) or mine[1] == other[1]
        for name, mine in ids.items()
        if (other := their_ids.get(name)) is not None
    )
    answers = _alone((reference, (name, reference)) for name, reference in left if reference)
    by_reference = len(
        answers.keys() & _alone((reference, (name, reference)) for name, reference in theirs if reference)
    )
    count, by = max((by_id, "id"), (by_reference, "reference"), key=lambda way: way[0])
    return (by, count) if 2 * count >= fewer else ("", 0)


def _alone(named: Iterable[tuple[str | None, Named]]) -> dict[str, Named]:
    found: dict[str, list[Named]] = {}
    for name, value in named:
        if name is not None:
            found.setdefault(name, []).append(value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def prompt_hash(prompt: str) -> str:
    """What a stored prompt is found by: its MD5, as DuckDB computes it."""
    return md5(without_surrogates(prompt).encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class KnownProblem:
    """A problem that asks a certain statement."""

    key: int
    id: str
    reference: str | None
    images: tuple[str, ...] = ()
    tests: str | None = None

    def is_another(self, facts: ProblemFacts) -> bool:
        """Whether it cannot be the problem of these facts, although it asks the same."""
        return bool(self.images and facts.images and self.images != facts.images) or (
            None not in (self.tests, facts.tests) and self.tests != facts.tests
        )

    def differences(self, facts: ProblemFacts) -> tuple[bool, ...]:
        """What is otherwise, the weightiest first."""
        return (
            (self.images, self.tests) != (facts.images, facts.tests),
            self.reference != facts.reference,
            self.id != facts.id,
        )


@dataclass(slots=True)
class KnownProblems:
    """The problems of a store and of an import that goes into it."""

    stored: Callable[[str], Iterable[StoredProblem]] = lambda benchmark: ()
    """The problems that the store has of a benchmark."""
    several: dict[int, tuple[str, dict[str, None]]] = field(default_factory=dict)
    """Id and reference answers of what was asked with more than one, by the key of what was asked."""
    named: dict[str, dict[int, Named]] = field(default_factory=dict)
    """Id and reference of the stored problems of a benchmark by their keys."""
    _by_content: dict[str, dict[int, list[KnownProblem]]] = field(default_factory=dict)
    _asked: dict[str, dict[str, list[KnownProblem]]] = field(default_factory=dict)
    """Problems by `prompt_hash`: what was given to a model in the same words is the same problem."""
    _taken: dict[str, set[int]] = field(default_factory=dict)
    """Keys of the stored problems of a benchmark."""

    def of_benchmark(self, benchmark: str) -> dict[int, list[KnownProblem]]:
        """Known problems by the key of what they ask."""
        found = self._by_content.get(benchmark)
        if found is None:
            found = self._by_content[benchmark] = {}
            taken = self._taken[benchmark] = set()
            asked = self._asked[benchmark] = {}
            named = self.named[benchmark] = {}
            for key, name, statement, reference, metadata, prompts in self.stored(benchmark):
                known = KnownProblem(key, name, reference, *_beside(metadata))
                same = found.setdefault(problem_key(benchmark, statement, name), [])
                same.append(known)
                taken.add(key)
                named[key] = name, reference
                for prompt in prompts:
                    asked.setdefault(prompt, same)
                if statement is not None and (question := question_of(statement)) != statement:
                    # An older passk stored the prompt with its template.
                    asked.setdefault(prompt_hash(statement), same)
                    found.setdefault(problem_key(benchmark, question, name), same)
        return found

    def key(self, benchmark: str, facts: ProblemFacts, in_file: Mapping[int, ProblemFacts]) -> int:
        """The key of the problem that these facts are of.

        Args:
            in_file: how the problems of this file were first described, by key: there different ids with different
                references are different problems.
        """
        by_content = self.of_benchmark(benchmark)
        content = problem_key(benchmark, facts.asked, facts.id)
        known = by_content.get(content)
        given = None if facts.prompt is None else prompt_hash(facts.prompt)
        if known is None and given is not None and not (facts.images or facts.context):
            known = self._asked[benchmark].get(given)
        if known is None:
            known = self._asked_without_more(benchmark, facts)
        if known is None:
            beside = _said_beside(facts)
            if content in self._taken[benchmark]:
                # An older passk gave this key to another problem, for which line breaks were blanks.
                beside = (*beside, "as it stands")
            key = problem_key(benchmark, facts.asked, facts.id, *beside) if beside else content
            known = [KnownProblem(key, facts.id, facts.reference, facts.images, facts.tests)]
            by_content[content] = known
            if given is not None:
                self._asked[benchmark].setdefault(given, known)
            return key
        possible = [
            entry for entry in known if not entry.is_another(facts) and not _apart(in_file.get(entry.key), facts)
        ]
        if possible:
            best = min(possible, key=lambda entry: entry.differences(facts))
            differ = None not in (best.reference, facts.reference) and best.reference != facts.reference
            if differ:
                self._note(content, best, facts)
            if not (differ and best.id != facts.id and len(known) > 1):
                best.reference = best.reference if best.reference is not None else facts.reference
                return best.key
        if known:
            self._note(content, known[0], facts)
        beside = (*_said_beside(facts), "reference", facts.reference or "")
        key = problem_key(benchmark, facts.asked, facts.id, *beside)
        known.append(KnownProblem(key, facts.id, facts.reference, facts.images, facts.tests))
        return key

    def _note(self, content: int, known: KnownProblem, facts: ProblemFacts) -> None:
        if None not in (known.reference, facts.reference) and known.reference != facts.reference:
            _, references = self.several.setdefault(content, (known.id, {str(known.reference): None}))
            references[str(facts.reference)] = None

    def _asked_without_more(self, benchmark: str, facts: ProblemFacts) -> list[KnownProblem] | None:
        """A problem that an older passk stored without its context and options, if id and reference say that it is."""
        if facts.statement is None or facts.asked == facts.statement:
            return None
        known = self.of_benchmark(benchmark).get(problem_key(benchmark, facts.statement, facts.id), [])
        same = [entry for entry in known if (entry.id, entry.reference) == (facts.id, facts.reference)]
        return same if len(same) == 1 and facts.reference is not None else None


def stored_problems(layout: StoreLayout) -> Callable[[str], Iterable[StoredProblem]]:
    """What `KnownProblems` asks for: it opens the store for each benchmark, and only then."""

    def read(benchmark: str) -> list[StoredProblem]:
        if not layout.exists():
            return []
        with closing(open_store(layout, merging=False, matching=False)) as database, StoreCursor(database) as cursor:
            return problems_of(cursor, benchmark)

    return read


def problems_of(cursor: StoreCursor, benchmark: str) -> list[StoredProblem]:
    """What an open store has of a benchmark."""
    rows = cursor.rows("imports/known_problems", benchmark=benchmark)
    prompts: dict[int, list[str]] = dict(cursor.rows("imports/known_prompts", benchmark=benchmark))
    return [
        (key, name, statement, reference, json.loads(metadata) if metadata else {}, prompts.get(key, ()))
        for key, name, statement, reference, metadata in rows
    ]


def runs_having(layout: StoreLayout) -> Callable[[Iterable[int]], list[str]]:
    """Which runs of a store have some problems, the one with most of them first."""

    def read(keys: Iterable[int]) -> list[str]:
        with closing(open_store(layout, merging=False, matching=False)) as database, StoreCursor(database) as cursor:
            return [row[0] for row in cursor.rows("imports/runs_having", keys=list(keys))]

    return read


def _apart(first: ProblemFacts | None, facts: ProblemFacts) -> bool:
    """Whether one file, which describes all its problems alike, says that these are two."""
    if first is None:
        return False
    if (first.images, first.tests) != (facts.images, facts.tests):
        return True
    known = None not in (first.reference, facts.reference)
    return known and first.reference != facts.reference and first.id != facts.id


def _said_beside(facts: ProblemFacts) -> tuple[str, ...]:
    images = ("images", *facts.images) if facts.images else ()
    return (*images, "tests", facts.tests) if facts.tests is not None else images


def _beside(metadata: Mapping[str, Any]) -> tuple[tuple[str, ...], str | None]:
    """Images and tests as `ProblemFacts.stored_metadata` keeps them."""
    images, tests = metadata.get("images"), metadata.get("tests")
    listed = isinstance(images, list) and all(isinstance(image, str) for image in images)
    return tuple(images) if listed and images else (), tests if isinstance(tests, str) else None
