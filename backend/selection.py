"""Selectors: which problems are meant, in one language for the explorer's filter and for the command line.

A selector is words separated by spaces, all of which must hold:

    17,23,AIME-4             these ids (id=17 where a number could be text)
    set:base_only            a solve set of the pair (both, base_only, rl_only, neither)
    level=5  level>=4        level, or any field of the problems' metadata: subject=algebra
    c=0  c<3  n<128          correct samples or samples, of every run that is compared
    rate<0.05  tokens>2000   c/n, and mean tokens
    base.c=0  rl.c>3         of one of the runs compared, or of any run of the benchmark by its name
    contains:wait            problems with a path that contains this, or matches contains:/a regular expression/
    judged:invalid           problems with a right path judged so: right answer, wrong reasoning; also rl.judged:none
    guess:RUN<0.05           without the problems that RUN, sampled without reasoning, guesses: 0 < c/n < 0.05
    triangle  "two words"    found in id, level or statement
    all                      every problem

A value with spaces or commas stands in double quotes; a quote inside is doubled. What is unknown of a problem (c
without a verified sample, tokens that nobody counted) fulfils no condition. The table `filters.FILTERS` has the kinds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from backend.errors import UsageError
from backend.filter_scope import Candidate, Condition, Scope
from backend.filters import FILTERS, QUOTED, Filter
from backend.records import Run
from backend.records.selection import Meant
from backend.store.reads import Reader

HELP = "Ids such as 17,23; set:base_only; level=5; c=0, rl.c>3, rate<0.05, tokens>2000; guess:RUN<0.05; words; all."

_WORD = re.compile(rf'(?:[^\s"]|{QUOTED})+')


class Word(NamedTuple):
    """One word of a selector and the kind that it is."""

    text: str
    kind: Filter
    match: re.Match[str]


def parse(selector: str) -> tuple[Word, ...]:
    """The words of a selector.

    Raises:
        UsageError: a quote that does not end.
    """
    words: list[Word] = []
    at = 0
    for found in _WORD.finditer(selector):
        if selector[at : found.start()].strip():
            break
        at = found.end()
        kind, match = next((kind, match) for kind in FILTERS if (match := kind.pattern.fullmatch(found[0])))
        words.append(Word(found[0], kind, match))
    if selector[at:].strip():
        raise UsageError(f"{selector[at:].strip()}: the quote does not end", next_step='Put a " at the end.')
    return tuple(words)


def meaning(reader: Reader, runs: Sequence[Run], selector: str) -> Meant:
    """What a selector means where these runs are compared.

    Args:
        reader: of the runs' store.
        runs: the runs compared, for a pair base first; runs of several benchmarks are taken benchmark by benchmark.
        selector: see the module.

    Raises:
        UsageError: a word that cannot be understood here; the title names it.
    """
    words = parse(selector)
    if not words:
        # What is asked most, by every figure without a filter.
        [(total,)] = reader.rows("statistics/problem_count", run_keys=[run.key for run in runs])
        return Meant(None, "", total)
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.benchmark, []).append(run)
    found = [_meant(Scope(reader, group, texts=_reads_texts(words)), words) for group in groups.values()]
    if len(found) == 1:
        return found[0]
    said = list(dict.fromkeys(meant.words for meant in found))
    named = said if len(said) == 1 else [f"{name}: {meant.words}" for name, meant in zip(groups, found, strict=True)]
    meant_keys = [meant.problems for meant in found if meant.problems is not None]
    return Meant(
        frozenset[int]().union(*meant_keys) if meant_keys else None,
        "; ".join(entry for entry in named if entry),
        sum(meant.total for meant in found),
    )


def problems_meant(reader: Reader, runs: Sequence[Run], selector: str) -> frozenset[int] | None:
    """Keys of the problems that a selector means; None when it leaves nothing out. Raises like `meaning`."""
    return meaning(reader, runs, selector).problems


def filter_in_words(reader: Reader, runs: Sequence[Run], selector: str) -> str:
    """What a selector asks of a problem, for people; empty when it asks nothing. Raises like `meaning`."""
    return meaning(reader, runs, selector).words


def select(reader: Reader, run: Run, selector: str, against: Run | None = None) -> list[str]:
    """Labels of the problems of a run that a selector means, in the order of the benchmark.

    A word that is no id must be in quotes to be looked for in statements: a typo would cost samples.

    Args:
        reader: of the run's store.
        run: whose problems, n and c are meant.
        selector: see the module.
        against: the other run of the pair, for `set:`; the usual partner when omitted.

    Raises:
        UsageError: not a selector, an id that does not exist, no pair for `set:`, or no problem is meant.
    """
    words = _said(selector)
    scope = Scope(reader, [run], against, texts=_reads_texts(words), strict=True)
    tallies = scope.tallies(run)
    return _labels(scope, words, lambda problem: problem.key in tallies and tallies[problem.key].n > 0)


def select_unsampled(reader: Reader, benchmark: str, selector: str) -> list[str]:
    """As `select`, of a benchmark's problems for a run that is still to be drawn.

    Words that speak of the run's own samples are refused; those that name another run are not. Raises like `select`.
    """
    words = _said(selector)
    scope = Scope(reader, [], texts=_reads_texts(words), strict=True, benchmark=benchmark)
    return _labels(scope, words, lambda problem: True)


def _said(selector: str) -> tuple[Word, ...]:
    words = parse(selector)
    if not words:
        raise UsageError("An empty selector", next_step=HELP)
    return words


def _labels(scope: Scope, words: Sequence[Word], may: Callable[[Candidate], bool]) -> list[str]:
    """Labels of those problems that may be meant and are."""
    conditions = [condition for word in words if (condition := _condition(word, scope))]
    labels = [
        problem.label
        for problem in scope.problems
        if may(problem) and all(condition.holds(problem) for condition in conditions)
    ]
    if not labels:
        raise UsageError(
            f"No problem of {scope.benchmark} is meant by {' '.join(word.text for word in words)}", next_step=HELP
        )
    return labels


def _reads_texts(words: Sequence[Word]) -> bool:
    return any(word.kind.reads_texts for word in words)


def _meant(scope: Scope, words: Sequence[Word]) -> Meant:
    conditions = [condition for word in words if (condition := _condition(word, scope))]
    problems = {run_key for run in scope.runs for run_key in scope.tallies(run)}
    if not conditions:
        return Meant(None, "", len(problems))
    keys = frozenset(
        problem.key
        for problem in scope.problems
        if problem.key in problems and all(condition.holds(problem) for condition in conditions)
    )
    return Meant(keys, ", ".join(condition.words for condition in conditions), len(problems))


def _condition(word: Word, scope: Scope) -> Condition | None:
    """What a word asks; whatever is wrong with it, the error begins with the word."""
    try:
        return word.kind.condition(word.match, scope)
    except UsageError as error:
        raise UsageError(f"{word.text}: {error.title}", error.detail, error.next_step or HELP) from error
