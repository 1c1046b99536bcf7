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
    alike: dict[str, list[str]] = field(default_factory=dict)
    """Ids of new problems whose id and reference a stored one of the benchmark has under another statement."""
    _named: dict[str, dict[str, str | None]] = field(default_factory=dict)
    """References of the stored problems of a benchmark by their ids."""
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
            named = self._named[benchmark] = {}
            for key, name, statement, reference, metadata, prompts in self.stored(benchmark):
                known = KnownProblem(key, name, reference, *_beside(metadata))
                same = found.setdefault(problem_key(benchmark, statement, name), [])
                same.append(known)
                taken.add(key)
                named.setdefault(name, reference)
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
            if facts.reference is not None and self._named[benchmark].get(facts.id) == facts.reference:
                self.alike.setdefault(benchmark, []).append(facts.id)
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
        with closing(open_store(layout, merging=False)) as database, StoreCursor(database) as cursor:
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
