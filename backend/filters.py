"""Filters: the kinds of words that a selector is made of, each with what it means and how a problem is tested.

`FILTERS` is the one table. A new kind is a new entry: how it is written, a pattern, and a function that makes of a
match and a scope the condition, in words and as a test.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from backend.comparison import PAIR_SETS
from backend.errors import UsageError, suggestion
from backend.filter_scope import NOTHING, Candidate, Condition, Scope, Tallied, label_of
from backend.records.judgements import JUDGEMENTS
from backend.text_search import pattern, problems_with

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
COMPARED = "<=|>=|!=|<|>|="
QUOTED = r'"(?:[^"]|"")*"'
IN_QUOTES = "Put a word in double quotes to look for it in id, level and statement."


@dataclass(frozen=True, slots=True)
class Filter:
    """One kind of word."""

    form: str
    """How it is written, for people."""
    meaning: str
    pattern: re.Pattern[str]
    """Matches such words as a whole."""
    condition: Callable[[re.Match[str], Scope], Condition | None]
    """What it asks; None when it asks nothing. Raises UsageError, and the word is put before its title."""
    reads_texts: bool = False


def quoted(value: str) -> str:
    """A value as it stands in a selector, in double quotes where it needs them; a quote inside is doubled."""
    return value if value and not re.search(r'[\s",]', value) else '"' + value.replace('"', '""') + '"'


def unquoted(value: str) -> str:
    """A value without the quotes of the language."""
    return re.sub(QUOTED, lambda match: match[0][1:-1].replace('""', '"'), value)


def alternatives(text: str) -> list[str]:
    """The values between commas that stand outside quotes."""
    return [unquoted(value) for value in re.findall(rf'(?:[^,"]|{QUOTED})+', text)]


def _number(text: str) -> Fraction:
    """A number exactly as it is written; a percentage is a share.

    Raises:
        UsageError: not a number.
    """
    found = re.fullmatch(r"(\d{1,18}(?:\.\d{1,18})?|\.\d{1,18})(%?)", text, re.ASCII)
    if found is None:
        what = f"{text} is not a number" if text else "a number is missing"
        raise UsageError(what, next_step="Such as c<3, rate<0.05, tokens>2000.")
    return Fraction(found[1]) / (100 if found[2] else 1)


# The kinds of words


def _everything(match: re.Match[str], scope: Scope) -> None:
    return None


def _set(match: re.Match[str], scope: Scope) -> Condition:
    wanted = {name.replace("-", "_").lower() for name in alternatives(match["sets"])}
    if not wanted or not wanted <= set(PAIR_SETS.values()):
        raise UsageError("there is no such set", next_step=f"Known sets: {', '.join(PAIR_SETS.values())}.")
    base, rl = scope.pair()
    first, second = scope.tallies(base), scope.tallies(rl)
    described = {
        "both": "solved by both {0} and {1}",
        "base_only": "solved by {0}, not by {1}",
        "rl_only": "solved by {1}, not by {0}",
        "neither": "solved by neither {0} nor {1}",
    }

    def holds(problem: Candidate) -> bool:
        a, b = first.get(problem.key, NOTHING), second.get(problem.key, NOTHING)
        return a.n > 0 and b.n > 0 and PAIR_SETS[a.c > 0, b.c > 0] in wanted

    chosen = [text.format(label_of(base), label_of(rl)) for name, text in described.items() if name in wanted]
    return Condition(" or ".join(chosen), holds)


MEASURES: Mapping[str, tuple[str, Callable[[Tallied], Any]]] = {
    "c": ("c", lambda tallied: tallied.c if tallied.n else None),
    "n": ("n", lambda tallied: tallied.n),
    "rate": ("c/n", lambda tallied: Fraction(tallied.c, tallied.n) if tallied.n else None),
    "tokens": ("mean tokens", lambda tallied: tallied.tokens),
}
"""Measure -> its name for people, and its value; None where it is unknown."""


def _measure(match: re.Match[str], scope: Scope) -> Condition:
    name = match["measure"].lower().replace("c/n", "rate")
    called, value_of = MEASURES[name]
    limit, compare = _number(match["value"]), COMPARISONS[match["compare"]]
    runs = (scope.run(unquoted(match["run"])),) if match["run"] else scope.spoken_of()
    columns = [scope.tallies(run) for run in runs]
    for run, column in zip(runs, columns, strict=True):
        if all(value_of(tallied) is None for tallied in column.values()):
            missing = "no token counts are stored" if name == "tokens" else "no sample has a verdict"
            raise UsageError(f"{missing} for {label_of(run)}")

    def holds(problem: Candidate) -> bool:
        values = [value_of(column.get(problem.key, NOTHING)) for column in columns]
        return all(value is not None and compare(value, limit) for value in values)

    where = label_of(runs[0]) if len(runs) == 1 else "both runs" if len(runs) == 2 else f"all {len(runs)} runs"
    return Condition(f"{called} {match['compare']} {match['value']} in {where}", holds)


def _guess(match: re.Match[str], scope: Scope) -> Condition:
    run, limit = scope.run(unquoted(match["run"])), _number(match["value"])
    judged = {key: Fraction(c, n) for key, (n, c, _) in scope.tallies(run).items() if n}
    guessed = {key for key, rate in judged.items() if 0 < rate < limit}
    return Condition(
        f"without {len(guessed):,} of {len(judged):,} problems that can be guessed (0 < c/n < {match['value']} in "
        f"{label_of(run)}, named as sampled without reasoning)",
        lambda problem: problem.key not in guessed,
    )


def _field(match: re.Match[str], scope: Scope) -> Condition:
    name, compare, wanted = unquoted(match["field"]), match["compare"], alternatives(match["value"])
    known = sorted({key for problem in scope.problems for key in problem.metadata})
    if name != "level" and name not in known:
        fields = [*MEASURES, "level", "set:", "guess:", *known]
        raise UsageError(
            f"nothing in {scope.benchmark} is called {name}",
            next_step=f"{suggestion(name, fields, 'field')} {IN_QUOTES}",
        )
    if not wanted:
        raise UsageError("the value is missing")
    read: Callable[[Candidate], Any] = (
        (lambda problem: problem.level) if name == "level" else (lambda problem: problem.metadata.get(name))
    )
    if compare in ("=", "!="):
        values, equal = {value.lower() for value in wanted}, compare == "="
        return Condition(
            f"{name} {'' if equal else 'not '}{' or '.join(wanted)}",
            lambda problem: (not values.isdisjoint(_names_of(read(problem)))) == equal and read(problem) is not None,
        )
    limit, is_beyond = _number(match["value"]), COMPARISONS[compare]

    def holds(problem: Candidate) -> bool:
        number = _number_in(read(problem))
        return number is not None and is_beyond(number, limit)

    return Condition(f"{name} {compare} {match['value']}", holds)


def _names_of(value: Any) -> set[str]:
    """What a value of a problem may be called: itself, each entry of a list, a level without the word."""
    if isinstance(value, list):
        return {name for entry in value for name in _names_of(entry)}
    text = str(value).lower()
    return {text, text.removeprefix("level").strip()}


def _number_in(value: Any) -> Fraction | None:
    """The number that a value is or ends with, such as 5 in Level 5; None where there is none."""
    found = re.search(r"(?<![\d.])\d{1,18}(?:\.\d{1,18})?$", str(value), re.ASCII)
    return Fraction(found[0]) if found else None


def _ids(match: re.Match[str], scope: Scope) -> Condition:
    return _these(alternatives(match["ids"]), scope)


def _these(labels: Iterable[str], scope: Scope) -> Condition:
    wanted = set(labels)
    unknown = sorted(wanted - scope.labels)
    if unknown or not wanted:
        raise UsageError(
            f"{scope.benchmark} has no problem {', '.join(unknown)}",
            next_step=f"{suggestion((unknown or [''])[0], sorted(scope.labels), 'problem')} {IN_QUOTES}",
        )
    shown = ", ".join(sorted(wanted)[:5])
    more = f" and {len(wanted) - 5:,} more" if len(wanted) > 5 else ""
    return Condition(
        f"{'problem' if len(wanted) == 1 else 'problems'} {shown}{more}", lambda problem: problem.label in wanted
    )


def _words(match: re.Match[str], scope: Scope) -> Condition:
    raw, text = match[0], unquoted(match[0])
    if '"' not in raw:
        labels = alternatives(raw)
        known = scope.labels.intersection(labels)
        if scope.strict or (known and len(known) == len(set(labels))) or ("," in raw and known):
            return _these(labels, scope)
    needle = text.lower()
    return Condition(f'"{text}" in id, level or statement', lambda problem: needle in problem.text)


def _contains(match: re.Match[str], scope: Scope) -> Condition:
    written = unquoted(match["pattern"])
    runs = scope.spoken_of()
    found = problems_with(scope.reader, runs, pattern(written))
    where = label_of(runs[0]) if len(runs) == 1 else "one of the runs"
    return Condition(f"a path of {where} contains {written}", lambda problem: problem.key in found)


def _judged(match: re.Match[str], scope: Scope) -> Condition:
    wanted = {value.lower() for value in alternatives(match["judgements"])}
    if not wanted or not wanted <= {*JUDGEMENTS, "none"}:
        raise UsageError("there is no such judgement", next_step=f"One of {', '.join(JUDGEMENTS)}, none.")
    runs = (scope.run(unquoted(match["run"])),) if match["run"] else scope.spoken_of()
    rows = scope.reader.rows("judgements/tallies", run_keys=[run.key for run in runs])
    settled = {(run, key): counts for run, key, *counts in rows}
    found = set()
    for run in runs:
        for key, tallied in scope.tallies(run).items():
            counts = settled.get((run.key, key), [0, 0, 0])
            judged = dict(zip((*JUDGEMENTS, "none"), (*counts, tallied.c - sum(counts)), strict=True))
            if any(judged[name] for name in wanted):
                found.add(key)
    said = ["not judged" if name == "none" else f"judged {name}" for name in (*JUDGEMENTS, "none") if name in wanted]
    where = label_of(runs[0]) if len(runs) == 1 else "one of the runs"
    return Condition(f"a right path of {where} is {' or '.join(said)}", lambda problem: problem.key in found)


def contains_word(written: str) -> str:
    """The word of a selector that keeps a search as a filter; `written` is a pattern as `text_search` reads it."""
    return f"contains:{quoted(written)}"


def _kind(form: str, meaning: str, pattern: str, condition: Any, *, reads_texts: bool = False) -> Filter:
    return Filter(form, meaning, re.compile(pattern, re.DOTALL | re.IGNORECASE), condition, reads_texts)


FILTERS: tuple[Filter, ...] = (
    _kind("all", "every problem", r"all", _everything),
    _kind("set:base_only", "a solve set of the pair: both, base_only, rl_only, neither", r"set:(?P<sets>.*)", _set),
    _kind(
        'contains:wait  contains:"two words"  contains:/regex/i',
        "problems with a path that contains this text, or matches",
        r"contains:(?P<pattern>.*)",
        _contains,
    ),
    _kind(
        "guess:RUN<0.05",
        "without what RUN, sampled without reasoning, guesses: 0 < c/n < 0.05",
        rf'guess:(?P<run>(?:[^"<]|{QUOTED})+)<(?P<value>.*)',
        _guess,
    ),
    _kind(
        "c<3  n>=128  rate<0.05  tokens>2000  base.c=0  RUN.c>3",
        "correct samples, samples, c/n, mean tokens: of every run compared, or of the one that is named",
        rf'(?:(?P<run>(?:[^"]|{QUOTED})+)\.)?(?P<measure>c|n|rate|c/n|tokens)(?P<compare>{COMPARED})(?P<value>.*)',
        _measure,
    ),
    _kind("id=17,23", "these ids; also without id=", r"id=(?P<ids>.*)", _ids),
    _kind(
        "level=5  level>=4  subject=algebra",
        "level, or a field of the problem's metadata; several values with commas",
        rf'(?P<field>(?:[^"<>=!]|{QUOTED})+)(?P<compare>{COMPARED})(?P<value>.*)',
        _field,
    ),
    _kind(
        "judged:invalid  rl.judged:none",
        "problems with a right path whose reasoning is judged so, or by nobody yet",
        rf'(?:(?P<run>(?:[^"]|{QUOTED})+)\.)?judged:(?P<judgements>.*)',
        _judged,
    ),
    _kind('word  "two words"', "found in id, level or statement", r".+", _words, reads_texts=True),
)
"""Every kind of word; the first whose pattern matches counts."""
