"""Selectors: which problems of a run are meant, in the words that the explorer's filters use.

    17,23,AIME-4             these ids
    set:base_only            the problems of a solve set of the run's pair (both, base_only, rl_only, neither)
    level=5                  the problems of that level
    c=0  c<3  c>=1  n<128    by correct samples or samples of the run
    all                      every problem

Several, separated by spaces, must all hold.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence

from backend.comparison import PAIR_SETS, default_pairs, run_problems, solve_sets
from backend.errors import UsageError
from backend.records import Run, SetProblem
from backend.store.reads import Reader

COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
HELP = "Ids such as 17,23; set:base_only, set:rl_only, set:both or set:neither; level=5; c=0, c<3, n<128; all."

Test = Callable[[str, str | None, int, int, str | None], bool]
"""label, level, n, c, name of the set -> whether the problem is meant."""


def select(reader: Reader, run: Run, selector: str, against: Run | None = None) -> list[str]:
    """Labels of the problems of a run that a selector means, in the order of the benchmark.

    Args:
        reader: of the run's store.
        run: whose problems, n and c are meant.
        selector: see the module.
        against: the other run of the pair, for `set:`; the usual partner when omitted.

    Raises:
        UsageError: not a selector, an id that does not exist, or no pair for `set:`.
    """
    tests = [_test(word) for word in selector.split()]
    if not tests:
        raise UsageError("An empty selector", next_step=HELP)
    place, problems = _problems(reader, run, against, needs_pair="set:" in selector)
    named = {label for word in selector.split() if _is_ids(word) for label in word.split(",")}
    unknown = named.difference(problem.label for problem in problems)
    if unknown:
        raise UsageError(f"{run.benchmark} has no problem {', '.join(sorted(unknown))}")
    return [
        problem.label
        for problem in problems
        for tally in [problem.tallies[place]]
        if all(test(problem.label, problem.level, tally.n, tally.c, PAIR_SETS.get(problem.solved)) for test in tests)
    ]


def _problems(reader: Reader, run: Run, against: Run | None, *, needs_pair: bool) -> tuple[int, Sequence[SetProblem]]:
    """The run's place in the comparison, and the compared problems."""
    runs = reader.runs(run.benchmark)
    if against is None:
        pairs = [pair for pair in default_pairs(runs) if run.key in (pair[0].key, pair[1].key)]
        if needs_pair and len(pairs) != 1:
            raise UsageError(
                f"{run.name} is in {len(pairs)} pairs: which solve set is meant?", next_step="Say --against RUN."
            )
        pair = pairs[0] if pairs else None
    else:
        pair = (run, against) if run.model.role == "base" or against.model.role != "base" else (against, run)
    if pair is not None and needs_pair:
        return (0 if pair[0].key == run.key else 1), solve_sets(reader, pair).problems
    return 0, run_problems(reader, run)


def _is_ids(word: str) -> bool:
    return word != "all" and not word.startswith(("set:", "level=")) and not re.match(r"[cn](<=|>=|<|>|=)\d+$", word)


def _test(word: str) -> Test:
    if word == "all":
        return lambda label, level, n, c, named: True
    if word.startswith("set:"):
        wanted = word.removeprefix("set:").replace("-", "_").lower()
        if wanted not in PAIR_SETS.values():
            raise UsageError(f"{word}: there is no such set", next_step=HELP)
        return lambda label, level, n, c, named: named == wanted
    if word.startswith("level="):
        value = word.removeprefix("level=")
        return lambda label, level, n, c, named: (
            level is not None
            and value.lower()
            in (
                level.lower(),
                level.lower().removeprefix("level").strip(),
            )
        )
    if compared := re.match(r"([cn])(<=|>=|<|>|=)(\d+)$", word):
        compare, limit, of_c = COMPARISONS[compared[2]], int(compared[3]), compared[1] == "c"
        return lambda label, level, n, c, named: compare(c if of_c else n, limit)
    ids = set(word.split(","))
    return lambda label, level, n, c, named: label in ids
