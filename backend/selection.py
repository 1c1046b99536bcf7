"""Selectors: which problems are meant, in one language for the explorer's filter and for the command line.

Read from top to bottom: the scope a selector is used in (runs and what their benchmark holds), the filters it is made
of, and the selector as a whole.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

from backend.analysis.comparison import default_pairs
from backend.errors import UsageError, suggestion
from backend.records import Run
from backend.records.reading import JUDGEMENTS
from backend.records.samples import Selection
from backend.store.reads import Reader
from backend.text_search import pattern, problems_with
from backend.wording import PAIR_SETS

# Where a selector is used: the runs it speaks of and what their benchmark holds, read when it is asked for.


class Candidate(NamedTuple):
    """A problem that may be meant."""

    key: int
    label: str
    level: str | None
    metadata: Mapping[str, Any]
    text: str
    """Id, level and statement in lower case."""


class Tallied(NamedTuple):
    """What one run has of a problem; n and c are 0 where it has nothing verified."""

    n: int
    c: int
    tokens: float | None


NOTHING = Tallied(0, 0, None)


@dataclass(frozen=True, slots=True)
class Condition:
    """What one word of a selector asks of a problem."""

    words: str
    holds: Callable[[Candidate], bool]


class Scope:
    """The runs that a selector speaks of, and what their benchmark holds.

    Args:
        runs: those that a word without a name speaks of, of one benchmark.
        partner: a run that a single one is compared with.
        texts: whether statements are looked at.
        strict: whether a bare word must be an id: where a typo would cost samples.
        benchmark: whose problems are meant where there is no run yet.
    """

    def __init__(
        self,
        reader: Reader,
        runs: Sequence[Run],
        partner: Run | None = None,
        *,
        texts: bool,
        strict: bool = False,
        benchmark: str = "",
    ) -> None:
        self.reader = reader
        self.runs = tuple(runs)
        self.compared = self.runs if partner is None else in_order(self.runs[0], partner)
        self.benchmark = benchmark or runs[0].benchmark
        self.strict = strict
        self._texts = texts
        self._tallies: dict[int, Mapping[int, Tallied]] = {}

    @cached_property
    def problems(self) -> tuple[Candidate, ...]:
        """Every problem of the benchmark, in its order."""
        rows = self.reader.rows("statistics/problems", benchmark=self.benchmark, with_statements=self._texts)
        return tuple(
            Candidate(
                key,
                label,
                level,
                _fields(metadata),
                f"{label} {level or ''} {statement or ''}".lower() if self._texts else "",
            )
            for key, label, level, metadata, statement in rows
        )

    @cached_property
    def labels(self) -> frozenset[str]:
        """The ids of the benchmark, made unique."""
        return frozenset(problem.label for problem in self.problems)

    def tallies(self, run: Run) -> Mapping[int, Tallied]:
        """n, c and mean tokens of every problem of a run."""
        if run.key not in self._tallies:
            rows = self.reader.rows("statistics/run_tallies", run_key=run.key)
            self._tallies[run.key] = {key: Tallied(*counted) for key, *counted in rows}
        return self._tallies[run.key]

    def run(self, name: str) -> Run:
        """The run that a name means here: base and rl of the runs compared, else any run of the benchmark.

        Raises:
            UsageError: none, or more than one.
        """
        of_role = [run for run in self.compared if run.model.role == name.lower()]
        if len(of_role) == 1:
            return of_role[0]
        if len(self.compared) == 2 and name.lower() in ("base", "rl"):
            return self.compared[name.lower() == "rl"]
        return self.reader.run(name, self.benchmark)

    def pair(self) -> tuple[Run, Run]:
        """The two runs whose solve sets are meant: those compared, or a single run and its usual partner.

        Raises:
            UsageError: no such pair, or several.
        """
        if len(self.compared) == 2:
            return self.compared[0], self.compared[1]
        if len(self.compared) > 2:
            raise UsageError(
                f"solve sets are of two runs, and {len(self.compared)} are compared: which pair is meant?",
                next_step="Say it by counts, such as base.c>0 rl.c=0.",
            )
        if not self.runs:
            raise UsageError(
                "a run that has no samples yet is in no solve set: of which runs is it meant?",
                next_step="Name them and say it by counts, such as BASE.c>0 RL.c=0.",
            )
        run = self.runs[0]
        pairs = [pair for pair in default_pairs(self.reader.runs(self.benchmark)) if run in pair]
        if len(pairs) != 1:
            raise UsageError(
                f"{run.name} is in {len(pairs)} pairs: which solve set is meant?", next_step="Say --against RUN."
            )
        return pairs[0]

    def spoken_of(self) -> tuple[Run, ...]:
        """The runs that a word without a name speaks of. Raises UsageError: there is none yet."""
        if not self.runs:
            raise UsageError("the run has no samples yet", next_step="Name another run, such as RUN.c=0.")
        return self.runs


def _fields(metadata: str | None) -> Mapping[str, Any]:
    """What is known of a problem by name; nothing where its metadata are no JSON object."""
    fields = json.loads(metadata) if metadata else {}
    return fields if isinstance(fields, dict) else {}


def label_of(run: Run) -> str:
    """A run's name without its benchmark."""
    return run.name.removesuffix(f"@{run.benchmark}")


def in_order(run: Run, other: Run) -> tuple[Run, Run]:
    """Two runs, base first."""
    return (run, other) if run.model.role == "base" or other.model.role != "base" else (other, run)


# Filters: the kinds of words that a selector is made of, each with what it means and how a problem is tested.
# `FILTERS` is the one table. A new kind is a new entry: how it is written, a pattern, and a function that makes of a
# match and a scope the condition, in words and as a test.

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
    """A number exactly as it is written; a percentage is a share. Raises UsageError: not a number."""
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


EVIDENCE = ("rl", "base", "none")


def _evidence(match: re.Match[str], scope: Scope) -> Condition:
    from backend.analysis.evidence import problem_evidence

    wanted = {name.lower() for name in alternatives(match["ahead"])}
    if not wanted or not wanted <= set(EVIDENCE):
        raise UsageError("there is no such evidence", next_step=f"Known: {', '.join(EVIDENCE)}.")
    base, rl = scope.pair()
    found = problem_evidence(scope.reader, base, rl)
    described = {
        "rl": f"{label_of(rl)} higher beyond chance", "base": f"{label_of(base)} higher beyond chance",
        "none": f"{label_of(base)} and {label_of(rl)} compatible with equal rates",
    }  # fmt: skip

    def holds(problem: Candidate) -> bool:
        return problem.key in found and (found[problem.key].ahead or "none") in wanted

    return Condition(" or ".join(text for name, text in described.items() if name in wanted), holds)


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
    return Condition(f"a correct path of {where} is {' or '.join(said)}", lambda problem: problem.key in found)


def _disputed(match: re.Match[str], scope: Scope) -> Condition:
    if match["what"].lower() not in ("disagree", "agree"):
        raise UsageError(f"verdicts disagree or agree, not {match['what']}", next_step="Such as verdict:disagree.")
    runs = (scope.run(unquoted(match["run"])),) if match["run"] else scope.spoken_of()
    rows = scope.reader.rows("verification/disputed", run_keys=[run.key for run in runs], problem_keys=[])
    disputed = {key for _, key, _ in rows}
    where = label_of(runs[0]) if len(runs) == 1 else "one of the runs"
    if match["what"].lower() == "disagree":
        return Condition(f"verdicts on a sample of {where} disagree", lambda problem: problem.key in disputed)
    return Condition(f"no verdicts on a sample of {where} disagree", lambda problem: problem.key not in disputed)


def contains_word(written: str) -> str:
    """The word of a selector that keeps a search as a filter; `written` is a pattern as `text_search` reads it."""
    return f"contains:{quoted(written)}"


def _kind(form: str, meaning: str, pattern: str, condition: Any, *, reads_texts: bool = False) -> Filter:
    return Filter(form, meaning, re.compile(pattern, re.DOTALL | re.IGNORECASE), condition, reads_texts)


FILTERS: tuple[Filter, ...] = (
    _kind("all", "every problem", r"all", _everything),
    _kind("set:base_only", "a solve set of the pair: both, base_only, rl_only, neither", r"set:(?P<sets>.*)", _set),
    _kind(
        "evidence:rl",
        "what differs beyond chance in the pair: rl higher, base higher, none",
        r"evidence:(?P<ahead>.*)",
        _evidence,
    ),
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
        "problems with a correct path whose reasoning is judged so, or not judged yet",
        rf'(?:(?P<run>(?:[^"]|{QUOTED})+)\.)?judged:(?P<judgements>.*)',
        _judged,
    ),
    _kind(
        "verdict:disagree  rl.verdict:disagree",
        "problems with a sample on which verdicts that stand beside each other disagree",
        rf'(?:(?P<run>(?:[^"]|{QUOTED})+)\.)?verdict:(?P<what>.*)',
        _disputed,
    ),
    _kind('word  "two words"', "found in id, level or statement", r".+", _words, reads_texts=True),
)
"""Every kind of word; the first whose pattern matches counts."""


# Selectors: which problems are meant, in one language for the explorer's filter and for the command line. A selector is
# words separated by spaces, all of which must hold; `FILTERS` has the kinds. A value with spaces or commas stands in
# double quotes; a quote inside is doubled. What is unknown of a problem (c without a verified sample, tokens that
# nobody counted) fulfils no condition.

HELP = (
    "Ids such as 17,23; set:base_only; evidence:rl; level=5; c=0, rl.c>3, rate<0.05; guess:RUN<0.05; verdict:disagree; "
    "words; all."
)

_WORD = re.compile(rf'(?:[^\s"]|{QUOTED})+')


class Word(NamedTuple):
    """One word of a selector and the kind that it is."""

    text: str
    kind: Filter
    match: re.Match[str]


def parse(selector: str) -> tuple[Word, ...]:
    """The words of a selector. Raises UsageError: a quote that does not end."""
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


def resolve_selector(reader: Reader, runs: Sequence[Run], selector: str) -> Selection:
    """What a selector means where these runs are compared.

    Args:
        runs: the runs compared, for a pair base first; runs of several benchmarks are taken benchmark by benchmark.

    Raises:
        UsageError: a word that cannot be understood here; the title names it.
    """
    words = parse(selector)
    if not words:
        # What is asked most, by every figure without a filter.
        [(total,)] = reader.rows("statistics/problem_count", run_keys=[run.key for run in runs])
        return Selection(None, "", total)
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.benchmark, []).append(run)
    found = [_meant(Scope(reader, group, texts=_reads_texts(words)), words) for group in groups.values()]
    if len(found) == 1:
        return found[0]
    said = list(dict.fromkeys(meant.words for meant in found))
    named = said if len(said) == 1 else [f"{name}: {meant.words}" for name, meant in zip(groups, found, strict=True)]
    meant_keys = [meant.problems for meant in found if meant.problems is not None]
    return Selection(
        frozenset[int]().union(*meant_keys) if meant_keys else None,
        "; ".join(entry for entry in named if entry),
        sum(meant.total for meant in found),
    )


def selected_problems(reader: Reader, runs: Sequence[Run], selector: str) -> frozenset[int] | None:
    """Keys of the problems that a selector means; None when it leaves nothing out. Raises like `resolve_selector`."""
    return resolve_selector(reader, runs, selector).problems


def select(reader: Reader, run: Run, selector: str, against: Run | None = None) -> list[str]:
    """Labels of the problems of a run that a selector means, in the order of the benchmark.

    A word that is no id must be in quotes to be looked for in statements: a typo would cost samples.

    Args:
        run: whose problems, n and c are meant.
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


def _meant(scope: Scope, words: Sequence[Word]) -> Selection:
    conditions = [condition for word in words if (condition := _condition(word, scope))]
    problems = {run_key for run in scope.runs for run_key in scope.tallies(run)}
    if not conditions:
        return Selection(None, "", len(problems))
    keys = frozenset(
        problem.key
        for problem in scope.problems
        if problem.key in problems and all(condition.holds(problem) for condition in conditions)
    )
    return Selection(keys, ", ".join(condition.words for condition in conditions), len(problems))


def _condition(word: Word, scope: Scope) -> Condition | None:
    """What a word asks; whatever is wrong with it, the error begins with the word."""
    try:
        return word.kind.condition(word.match, scope)
    except UsageError as error:
        raise UsageError(f"{word.text}: {error.title}", error.detail, error.next_step or HELP) from error
