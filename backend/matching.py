"""Which problems of two runs are one: shown, decided, taken back.

Most problems are one by what was asked: they have one key from the beginning (`importers.known_problems`). Where that
cannot be seen, as with templates that nobody can take off, somebody says by what they are one. That is a decision; its
part has the pairs of keys in `matches`, and `store.database` reads a problem under the key of the one that it is
matched with, whatever table it stands in. Nothing is rewritten: who writes rows asks for the run's own key first
(`Database.own_key`), so that a match can be taken back however much came after it.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backend.deciding import id_of, write_decisions
from backend.errors import UsageError
from backend.records import Run
from backend.records.decisions import DecisionMade
from backend.records.matching import (
    EXPRESSION,
    IDENTIFIER,
    LIST,
    REFERENCE,
    STATEMENT,
    Matching,
    MatchPlan,
    MatchRow,
)
from backend.store.decisions import Decided, Decision
from backend.store.identity import canonical_text
from backend.store.reads import Reader
from backend.text_search import compile_regex
from backend.wording import listed, with_noun


@dataclass(frozen=True, slots=True)
class _Asked:
    """A problem of one of two runs, or of both."""

    key: int
    label: str
    id: str
    reference: str | None
    statement: str | None
    of_first: bool
    of_second: bool
    first_prompt: str | None
    second_prompt: str | None

    @property
    def matched(self) -> bool:
        return self.of_first and self.of_second

    @property
    def words(self) -> str:
        """What it was asked with; empty where nobody knows."""
        return self.statement or self.first_prompt or self.second_prompt or ""


def _problems(reader: Reader, first: Run, second: Run) -> list[_Asked]:
    """The problems of two runs, in the order of their benchmark.

    Raises:
        UsageError: it is one run, or they are of two benchmarks.
    """
    if first.key == second.key:
        raise UsageError(
            f"{first.name} is one run",
            "Two problems of one run are never made one.",
            "Name two runs: passk match RUN RUN.",
        )
    if first.benchmark != second.benchmark:
        raise UsageError(
            f"{first.name} is of {first.benchmark}, {second.name} of {second.benchmark}",
            "Problems are matched within a benchmark.",
            f"If both are one, import the files again with --benchmark {first.benchmark}.",
        )
    rows = reader.rows("matching/problems", first=first.key, second=second.key)
    return [_Asked(*row) for row in rows]


# What there is


def matching_of(reader: Reader, first: Run, second: Run, *, likeness: bool = True) -> Matching:
    """Which problems of two runs are one, by what, and what the others look most like.

    Args:
        likeness: whether to look for what is most alike, which takes longer than all the rest.

    Raises:
        UsageError: it is one run, or they are of two benchmarks.
    """
    problems = _problems(reader, first, second)
    ways, own = _ways(reader), [reader.database.own_keys(run.key) for run in (first, second)]
    names = _own_ids(reader, own)
    left = [problem for problem in problems if not problem.matched]
    one, other = [p for p in left if p.of_first], [p for p in left if p.of_second]
    near = {**_nearest(one, other), **_nearest(other, one)} if likeness else {}
    rows, counts = [], Counter[str]()
    for problem in problems:
        if not problem.matched:
            like = near.get(problem.key)
            rows.append(
                MatchRow(
                    problem.key,
                    problem.label if problem.of_first else None,
                    problem.label if problem.of_second else None,
                    like=None if like is None else like[0].label,
                    like_key=None if like is None else like[0].key,
                    similarity=None if like is None else like[1],
                )
            )
            continue
        keys = [keys.get(problem.key, (problem.key,))[0] for keys in own]
        way = ways.get(problem.key) if keys[0] != keys[1] else None
        by = way[0] if way else STATEMENT if problem.statement is not None else IDENTIFIER
        counts[by] += 1
        first_name, second_name = (names.get(key, problem.label) for key in keys)
        rows.append(MatchRow(problem.key, first_name, second_name, by, way[1] if way else None))
    rows.sort(key=lambda row: row.by is not None)
    return Matching(
        first,
        second,
        tuple(rows),
        dict(counts),
        len(one),
        len(other),
        sum(not _contradict(*pair) for pair in _pairs(one, other, lambda problem: problem.id)[0]),
        len(_pairs(one, other, lambda problem: problem.reference)[0]),
    )


def _contradict(one: _Asked, other: _Asked) -> bool:
    """Whether two problems have different reference answers."""
    return None not in (one.reference, other.reference) and one.reference != other.reference


def _ways(reader: Reader) -> dict[int, tuple[str, str]]:
    """By what each matched problem came to be one with others, and the decision's id, by the key it is read under."""
    said = {row.part: row.field or "" for row in reader.database.decided.counting if row.kind == "match"}
    if not said:
        return {}
    rows = reader.rows("matching/ways")
    return {to_key: (said.get(part, ""), id_of(part)) for _, to_key, part in sorted(rows, key=lambda row: str(row[2]))}


def _own_ids(reader: Reader, own: Sequence[Mapping[int, tuple[int, ...]]]) -> dict[int, str]:
    """What files called problems that are read under another key, by their own."""
    keys = sorted({keys[0] for of_run in own for keys in of_run.values()})
    return {row[0]: row[1] for row in reader.rows("matching/own_problems", keys=keys)} if keys else {}


MOST_COMMON = 20
"""Words that more problems have say nothing of one."""
RAREST = 12
"""So many of the rarest words of a problem are looked up."""
CANDIDATES = 3
"""So many of those that share most of them are compared."""
LONGEST = 4_000
"""Characters of a statement that are compared."""
ALIKE = 0.3
"""Less than this is no likeness."""


def _nearest(of: Sequence[_Asked], among: Sequence[_Asked]) -> dict[int, tuple[_Asked, float]]:
    """For each problem the one that it looks most like, by the words of their statements, and how much (0 to 1)."""
    from rapidfuzz.fuzz import token_set_ratio

    words = [set(problem.words[:LONGEST].lower().split()) for problem in among]
    having: dict[str, list[int]] = {}
    for place, those in enumerate(words):
        for word in those:
            having.setdefault(word, []).append(place)
    few = len(among) <= MOST_COMMON
    found: dict[int, tuple[_Asked, float]] = {}
    for problem in of:
        text = problem.words[:LONGEST].lower()
        mine = {word for word in text.split() if word in having}
        rare = sorted((word for word in mine if few or len(having[word]) <= MOST_COMMON), key=lambda w: len(having[w]))
        shared = Counter(place for word in (rare if few else rare[:RAREST]) for place in having[word])
        best: tuple[float, int] | None = None
        for place, _ in shared.most_common(CANDIDATES):
            ratio = token_set_ratio(text, among[place].words[:LONGEST].lower()) / 100
            if ratio >= ALIKE and (best is None or ratio > best[0]):
                best = ratio, place
        if best is not None:
            found[problem.key] = among[best[1]], best[0]
    return found


# What somebody says


def plan_match(reader: Reader, first: Run, second: Run, by: str) -> MatchPlan:
    """What of two runs would be one by something; nothing is written.

    Args:
        by: statement, id, reference, a pattern whose first group is what two problems have in common, or a csv file.

    Raises:
        UsageError: it is none of these, or a line of the file is wrong.
    """
    problems = _problems(reader, first, second)
    left = [problem for problem in problems if not problem.matched]
    one, other = [p for p in left if p.of_first], [p for p in left if p.of_second]
    why: dict[int, str] = {}
    way = by
    if by.lower().endswith(".csv"):
        way = LIST
        pairs = _listed_pairs(Path(by).expanduser(), problems, first, second)
    elif by in (STATEMENT, IDENTIFIER, REFERENCE):
        pairs, why = _pairs(one, other, _VALUES[by], (first, second), by)
    else:
        way = EXPRESSION
        pairs, why = _pairs(one, other, _group_of(by), (first, second), "expression's group")
    pairs, both = _without_runs_of_both(reader, pairs)
    why |= both
    partner = {a.key: b for a, b in pairs}
    rows = [
        *(MatchRow(a.key, a.label, b.label, by=way) for a, b in pairs),
        *(
            MatchRow(p.key, p.label if p.of_first else None, p.label if p.of_second else None, why=why[p.key])
            for p in left
            if p.key in why and p.key not in partner
        ),
    ]
    different = sum(_contradict(*pair) for pair in pairs)
    total = f"{len(one):,} of {first.name} and {len(other):,} of {second.name} that are not matched"
    words = f"{with_noun(len(pairs), 'problem')} matched by {_in_words(way, by)}, of {total}"
    return MatchPlan(first, second, way, by, tuple(rows), tuple((a.key, b.key) for a, b in pairs), different, words)


def _in_words(way: str, said: str) -> str:
    return {EXPRESSION: f"the expression {said}", LIST: f"the list {said}"}.get(way, way)


_VALUES: Mapping[str, Callable[[_Asked], str | None]] = {
    STATEMENT: lambda problem: problem.statement,
    IDENTIFIER: lambda problem: problem.id,
    REFERENCE: lambda problem: problem.reference,
}


def _group_of(pattern: str) -> Callable[[_Asked], str | None]:
    """Finds the first group of a pattern in a problem's statement, else in its prompt, else in its id.

    Raises:
        UsageError: no pattern, or one without a group.
    """
    ways = "Say --by statement, id, reference, a pattern with a group such as 'Question: (.*)', or a file NAME.csv."
    try:
        compiled = compile_regex(pattern)
    except UsageError as error:
        why = " ".join(filter(None, [error.detail, error.next_step]))
        raise UsageError(f"--by {pattern}: no regular expression", why, ways) from None
    if not compiled.groups:
        raise UsageError(f"--by {pattern}: a pattern needs a group, which two problems have in common", next_step=ways)

    def value(problem: _Asked) -> str | None:
        for text in (problem.statement, problem.first_prompt, problem.second_prompt, problem.id):
            found = compiled.search(text) if text else None
            if found is not None and found[1]:
                return str(found[1])
        return None

    return value


def _pairs(
    one: Sequence[_Asked],
    other: Sequence[_Asked],
    value: Callable[[_Asked], str | None],
    runs: tuple[Run, Run] | None = None,
    what: str = "",
) -> tuple[list[tuple[_Asked, _Asked]], dict[int, str]]:
    """Problems that alone in their run have a value, which one of the other run alone has too; and why others do not.

    One that fits several is never guessed: the reason names them.
    """
    by_value: dict[str, tuple[list[_Asked], list[_Asked]]] = {}
    for side, group in enumerate((one, other)):
        for problem in group:
            said = value(problem)
            if said is not None and (text := canonical_text(said)):
                by_value.setdefault(text, ([], []))[side].append(problem)
    pairs, why = [], {}
    for text, sides in by_value.items():
        if len(sides[0]) == len(sides[1]) == 1:
            pairs.append((sides[0][0], sides[1][0]))
        elif sides[0] and sides[1] and runs is not None:
            short = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
            counts = [f"{len(side)} of {run.name} ({_some(side)})" for side, run in zip(sides, runs, strict=True)]
            reason = f"{listed(counts)} have the {what} {short}"
            why.update({problem.key: reason for side in sides for problem in side})
    return pairs, why


SHOWN = 40
"""Characters of a value in a reason."""


def _some(problems: Sequence[_Asked]) -> str:
    labels = [problem.label for problem in problems]
    return ", ".join(labels[:3]) + (", …" if len(labels) > 3 else "")


def _without_runs_of_both(
    reader: Reader, pairs: Sequence[tuple[_Asked, _Asked]]
) -> tuple[list[tuple[_Asked, _Asked]], dict[int, str]]:
    """The pairs without those that some run has both of: for it they are two problems."""
    if not pairs:
        return [], {}
    keys = {"firsts": [a.key for a, _ in pairs], "seconds": [b.key for _, b in pairs]}
    both = {(a, b): run for a, b, run in reader.rows("matching/runs_with_both", **keys)}
    why = {key: f"{run} has both" for pair, run in both.items() for key in pair}
    return [(a, b) for a, b in pairs if (a.key, b.key) not in both], why


def _listed_pairs(path: Path, problems: Sequence[_Asked], first: Run, second: Run) -> list[tuple[_Asked, _Asked]]:
    """The pairs of a csv file: a heading, then a problem of each run a line, by label or id.

    Raises:
        UsageError: it cannot be read, or a line is wrong; names file and line.
    """
    nothing = "Nothing was changed."
    runs = (first, second)
    known = [_by_name([p for p in problems if (p.of_first, p.of_second)[side]]) for side in range(2)]
    pairs: list[tuple[_Asked, _Asked]] = []
    lines: dict[tuple[int, int], int] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            heading = next(reader, [])
            if len(heading) != 2 or not all(cell.strip() for cell in heading):
                raise UsageError(
                    f"{path}, line 1: expected the heading of two columns, found {len(heading)}",
                    f"The first column is of {first.name}, the second of {second.name}; "
                    "a problem of each a line, by label or id.",
                    f"For example {first.model.name},{second.model.name}. {nothing}",
                )
            # Whoever heads the columns with the runs' names may have them the other way round.
            turned = _names(second, heading[0]) and _names(first, heading[1])
            for row in reader:
                if not any(cell.strip() for cell in row):
                    continue
                where = f"{path}, line {reader.line_num}"
                if len(row) != 2:
                    raise UsageError(f"{where}: expected two problems, found {with_noun(len(row), 'column')}", nothing)
                named = [cell.strip() for cell in (reversed(row) if turned else row)]
                found = [_one(where, name, those, run) for name, those, run in zip(named, known, runs, strict=True)]
                for side, problem in enumerate(found):
                    before = lines.setdefault((side, problem.key), reader.line_num)
                    if before != reader.line_num:
                        raise UsageError(
                            f"{where}: problem {named[side]} of {runs[side].name} is on line {before} already",
                            "Two problems of one run are never made one.",
                            nothing,
                        )
                a, b = found
                if a.key == b.key:
                    continue
                for problem, name in zip(found, named, strict=True):
                    if problem.matched:
                        raise UsageError(
                            f"{where}: problem {name} is matched with another one already",
                            next_step=f"passk match lists by which decision; passk undo takes it back. {nothing}",
                        )
                pairs.append((a, b))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", next_step=nothing) from error
    except csv.Error as error:
        raise UsageError(f"{path}, line {reader.line_num}: not csv: {error}", next_step=nothing) from error
    return pairs


def _names(run: Run, word: str) -> bool:
    return word.strip() in (run.name, run.stored_name, run.model.name, run.model.role)


def _by_name(problems: Iterable[_Asked]) -> dict[str, list[_Asked]]:
    found: dict[str, list[_Asked]] = {}
    for problem in problems:
        for name in {problem.label, problem.id}:
            found.setdefault(name, []).append(problem)
    return found


def _one(where: str, name: str, known: Mapping[str, list[_Asked]], run: Run) -> _Asked:
    found = known.get(name, [])
    exact = [problem for problem in found if problem.label == name] or found
    if len(exact) == 1:
        return exact[0]
    if not exact:
        raise UsageError(f"{where}: {run.name} has no problem {name}", next_step="Nothing was changed.")
    raise UsageError(
        f"{where}: {len(exact)} problems of {run.name} have the id {name}",
        next_step=f"Name one by its label: {_some(exact)}. Nothing was changed.",
    )


def match(reader: Reader, first: Run, second: Run, by: str, reason: str | None = None) -> DecisionMade:
    """Let problems of two runs be one, by what `plan_match` finds.

    Raises:
        UsageError: as there, or nothing would be matched.
        StoreError: the store cannot be written.
    """
    planned: list[MatchPlan] = []

    def rows(_: Decided) -> list[Decision]:
        # Looked for under the lock: somebody else may have matched some of them meanwhile.
        plan = plan_match(reader, first, second, by)
        if not plan.pairs:
            raise _nothing_matches(plan)
        planned.append(plan)
        return [Decision("match", target=f"{first.name} and {second.name}", field=plan.by, value=str(len(plan.pairs)))]

    def matches() -> list[tuple[int, int]]:
        return _older_last(reader, planned[-1].pairs)

    written = write_decisions(reader.database, rows, reason, matches)
    plan = planned[-1]
    notes = [f"left: {row.why}" for row in unique_reasons(plan.rows)]
    if plan.different_references:
        notes.append(
            f"{with_noun(plan.different_references, 'pair')} with two reference answers: the one that came first "
            f"counts. passk reference list --benchmark {first.benchmark} shows them, passk reference choose another"
        )
    return DecisionMade(id_of(written.part), plan.words, tuple(notes))


def unique_reasons(rows: Iterable[MatchRow]) -> list[MatchRow]:
    """One row of each reason why problems were left."""
    return list({row.why: row for row in rows if row.why}.values())


def _nothing_matches(plan: MatchPlan) -> UsageError:
    reasons = unique_reasons(plan.rows)
    some = "\n".join(row.why for row in reasons[:5])
    more = f"\nand {len(reasons) - 5:,} more" if len(reasons) > 5 else ""
    return UsageError(
        f"Nothing more of {plan.first.name} and {plan.second.name} is matched by {_in_words(plan.by, plan.said)}",
        some + more or "No problem that is not matched has it in common with one of the other run.",
        "passk match lists what there is; pairs can be said one by one in a file: --by pairs.csv",
    )


def _older_last(reader: Reader, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Each pair so that the second is the one that was described first, whose key both have then.

    So matches lead from younger to older and never in a circle, in whatever order they are taken back and brought back.
    """
    keys = [key for pair in pairs for key in pair]
    part: dict[int, str] = dict(reader.rows("matching/described_first", keys=keys))
    return [(b, a) if (part.get(a, ""), a) < (part.get(b, ""), b) else (a, b) for a, b in pairs]


def refuse_two_of_a_run(reader: Reader, part: str) -> None:
    """Refuse to bring a match back that by others made since would make one of two problems of a run.

    Raises:
        UsageError: it would.
    """
    for run, pairs in reader.rows("matching/two_of_a_run", part=part):
        raise UsageError(
            f"{id_of(part)} cannot be brought back now",
            f"With what was matched since, {with_noun(pairs, 'pair')} of problems that {run} has both of would be one.",
            "Take the later match back first: passk imports --decisions lists them.",
        )


def way_out(found: Matching) -> str:
    """What differs and which command matches the problems of two runs that are not; empty where nothing does."""
    count, by = max((found.ids, IDENTIFIER), (found.references, REFERENCE), key=lambda way: way[0])
    if not count:
        return ""
    what = "id" if by == IDENTIFIER else "reference answer"
    return f"{with_noun(count, 'problem')} {'has' if count == 1 else 'have'} one {what} in both: {command(found, by)}"


def command(found: Matching | MatchPlan, by: str = "") -> str:
    """The command that lists two runs' problems, or matches them by something."""
    from shlex import join

    return join(["passk", "match", found.first.name, found.second.name, *(["--by", by] if by else [])])


def as_planned(plan: MatchPlan) -> Matching:
    """A plan as it is listed."""
    counts = Counter(row.by for row in plan.rows if row.by is not None)
    left = [replace(row) for row in plan.rows if row.by is None]
    return Matching(
        plan.first,
        plan.second,
        plan.rows,
        dict(counts),
        sum(row.first is not None for row in left),
        sum(row.second is not None for row in left),
        0,
        0,
    )
