"""A search and a filter in words, and the rows of the hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from backend import FILTERS
from backend.errors import UsageError
from backend.records.samples import Findings, Hit, RunHits, Selection
from backend.wording import shown_of, with_noun
from explorer.location import Location
from explorer.render.names import VERDICT_MARKS, VERDICT_STYLES, shorten_middle
from explorer.render.text import Column, cell, room_beside

# A filter in words: above the figures it holds for, and while it is written.

FORMS = "  ".join(kind.form for kind in FILTERS if kind.form != "all")
"""What can be written; shown until something is."""


def filter_line(selector: str, meant: Selection | UsageError) -> str:
    """What every figure beside it leaves out: "only 47 of 200 problems: level 5, c < 3 in both runs  [level=5 c<3]".

    A filter that means nothing here is ignored, and the line says so and why.
    """
    if isinstance(meant, UsageError):
        return f"filter ignored, all problems shown: {feedback(meant)}"
    words = meant.words or "every problem"
    return f"only {meant.count:,} of {with_noun(meant.total, 'problem')}: {words}  [{selector}]"


def feedback(answer: Selection | UsageError) -> str:
    """What the text typed so far means, or what is wrong with it."""
    if isinstance(answer, UsageError):
        return "  ".join(part for part in (answer.title, answer.detail, answer.next_step) if part)
    return f"{answer.count:,} of {with_noun(answer.total, 'problem')}: {answer.words or FORMS}"


# A search in words: where it looks, what it has found, and the rows of its hits.

HINT = "exact text, or /regular expression/ or /ignoring case/i"
SET_WORDS = {"both": "both", "base_only": "base-only", "rl_only": "RL-only", "neither": "neither"}


@dataclass(frozen=True, slots=True)
class SearchScope:
    """Where a search looks."""

    name: str
    """this path, this problem, these runs, the whole store"""
    location: Location
    """Narrowed: only what is set in it limits the search."""


def scopes_of(location: Location) -> list[SearchScope]:
    """The scopes that make sense at a place, the narrowest first."""
    scopes: list[SearchScope] = []
    if location.sample is not None and location.run is not None:
        scopes.append(SearchScope("this path", location.to(runs=(location.run,), filter="")))
    if location.problem is not None:
        scopes.append(SearchScope("this problem", location.to(sample=None, filter="")))
    if location.benchmark:
        scopes.append(SearchScope("these runs", location.to(sample=None, problem=None)))
    scopes.append(SearchScope("the whole store", Location()))
    return scopes


def scope_line(scopes: Sequence[SearchScope], chosen: int) -> str:
    """The scopes, the chosen one in brackets."""
    named = [f"[{scope.name}]" if index == chosen else f" {scope.name} " for index, scope in enumerate(scopes)]
    return f"in {' '.join(named)}   ctrl+o changes"


def _run_line(run: RunHits, benchmark: str) -> str:
    name = run.run.removesuffix(f"@{benchmark}")
    paths = shown_of(run.samples, run.searched, "path") if run.searched else with_noun(run.samples, "path")
    problems = with_noun(len(run.problems), "problem")
    return f"{name}: {paths}, in {problems}{'' if run.finished else ' so far'}"


def findings_in_words(findings: Findings, sets: Mapping[int, str], benchmark: str, most: int) -> str:
    """What was found in every run, and for a pair in every solve set.

    Args:
        sets: name of the set of every problem of the pair; empty where there is no pair.
        most: runs that are named; the others are counted.
    """
    lines = [_run_line(run, benchmark) for run in findings.runs[:most]]
    if len(findings.runs) > most:
        rest = findings.runs[most:]
        lines.append(f"and {with_noun(sum(run.samples for run in rest), 'path')} in {with_noun(len(rest), 'more run')}")
    if sets:
        found = {key for run in findings.runs for key in run.problems}
        parts = [
            f"{words} {sum(sets.get(key) == name for key in found)} of {list(sets.values()).count(name)}"
            for name, words in SET_WORDS.items()
        ]
        lines.append(f"{' · '.join(parts)} problems")
    return "\n".join(lines)


def hit_columns(width: int, *, narrow: bool) -> list[Column]:
    """Columns for this width; the excerpt takes what is left."""
    name = 14 if narrow else 26
    fixed = [
        Column("run", "run", name, value=lambda hit: shorten_middle(hit.run.removesuffix(f"@{hit.benchmark}"), name)),
        Column("problem", "problem", 8 if narrow else 12, value=lambda hit: hit.label),
        Column("sample", "#", 5, True, lambda hit: str(hit.sample)),
        Column("verdict", "", 1, False, lambda hit: VERDICT_MARKS[hit.verdict],
               lambda hit: VERDICT_STYLES.get(hit.verdict, "")),
    ]  # fmt: skip
    # Two more for the table's scroll bar, which would otherwise bring another one along.
    rest = max(room_beside(fixed, width) - 4, 20)
    return [*fixed, Column("excerpt", "text around the first match", rest, value=lambda hit: _excerpt(hit, rest))]


def _excerpt(hit: Hit, width: int) -> Text:
    """The match stands out, as near to the left as shows what leads to it."""
    # It begins in the first third, or where it begins in the text.
    start = max(hit.excerpt_found - width // 3, 0)
    cut = "…" if start or hit.found > hit.excerpt_found else ""
    text = cell(cut + hit.excerpt[start : start + width - len(cut)])
    at = len(cut) + hit.excerpt_found - start
    text.stylize("bold reverse", at, min(at + hit.length, len(text)))
    return text
