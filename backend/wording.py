"""How numbers, runs and solve sets are written for people, on screens, in commands and in documents alike.

What is unknown is a dash, never a zero.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from shlex import join
from typing import Any

from backend.records import Run
from backend.records.comparison import SharedNames
from backend.records.samples import NOT_SAMPLING
from backend.records.table import Kind

UNKNOWN = "–"


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal and without its sign: 0.614 is 61.4."""
    return UNKNOWN if share is None else f"{100 * share:.1f}"


def count(number: float | None) -> str:
    """A whole number with thousands separators."""
    return UNKNOWN if number is None else f"{number:,.0f}"


def compact(number: float | None) -> str:
    """A count in at most five characters: 999, 12.3k, 1.2M."""
    if number is None:
        return UNKNOWN
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= limit:
            scaled = number / (1e3 if unit == "k" else limit)
            return f"{scaled:.1f}{unit}" if scaled < 100 else f"{scaled:.0f}{unit}"
    return f"{number:.0f}"


def sampled_otherwise(runs: Sequence[Run]) -> str:
    """In which sampling parameters runs that are compared differ; empty where they do not, or nobody knows."""
    words = [run_label(run) for run in runs]
    words = words if len(set(words)) == len(words) else [run.name for run in runs]
    differ = []
    for name in dict.fromkeys(name for run in runs for name in run.parameters):
        said = [(word, run.parameters[name]) for word, run in zip(words, runs, strict=True) if name in run.parameters]
        if name not in NOT_SAMPLING and any(value != said[0][1] for _, value in said):
            shown = (f"{value:g}" if isinstance(value, float) else str(value)[:40] for _, value in said)
            differ.append(f"{name} {listed([f'{each} ({word})' for (word, _), each in zip(said, shown, strict=True)])}")
    return f"Sampled with other parameters: {'; '.join(differ)}." if differ else ""


def copies_in_words(run: Run) -> str:
    """How many of a run's samples are copies; empty where none is known."""
    if not run.copies:
        return ""
    return f"{count(run.copies)} of {count(run.samples)} are copies: same seed on several workers?"


def span(low: int | None, high: int | None) -> str:
    """A range of n: 128, or 50–128."""
    if low is None or high is None:
        return UNKNOWN
    return str(low) if low == high else f"{low}–{high}"


def with_noun(number: int, noun: str) -> str:
    """1 problem, 2 problems."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def chance_in_words(chance: float | None) -> str:
    """A chance in percent that is never rounded to certainty."""
    if chance is not None and 0 < chance < 0.0005:
        return "<0.1"
    if chance is not None and 0.9995 < chance < 1:
        return ">99.9"
    return percent(chance)


def points(value: float | None) -> str:
    """A difference of shares in percentage points."""
    return UNKNOWN if value is None else f"{100 * value:+.1f}".replace("-", "−")


def shown(value: Any, kind: Kind) -> str:
    """A value of a table as people read it, without its unit, which stands in the heading.

    Args:
        value: None where it is unknown. Of the kind tally a `Tally`; of interval two shares, of span two whole numbers.
        kind: of the column.
    """
    if value is None:
        return UNKNOWN
    match kind:
        case "percent":
            return percent(value)
        case "chance":
            return chance_in_words(value)
        case "points":
            return points(value)
        case "count":
            return count(value)
        case "compact":
            return compact(value)
        case "number":
            return f"{value:.4g}"
        case "decimal":
            return f"{value:,.1f}"
        case "tally":
            return f"{value.c}/{value.n}"
        case "interval":
            return f"{percent(value[0])}–{percent(value[1])}"
        case "span":
            return span(*value)
        case "json":
            return json.dumps(value, ensure_ascii=False)
    return str(value)


def shown_of(shown: int, total: int, noun: str) -> str:
    """Says when a list is cut: "500 problems", or "200 of 1,024 problems"."""
    return with_noun(total, noun) if shown == total else f"{shown:,} of {with_noun(total, noun)}"


# Runs and solve sets.

PAIR_SETS: Mapping[tuple[bool, ...], str] = {
    (True, True): "both",
    (True, False): "base_only",
    (False, True): "rl_only",
    (False, False): "neither",
}
"""Names of the four combinations of a pair, base first."""
ROLE_WORDS = {"base": "base", "rl": "RL", "sft": "SFT", "instruct": "instruct", "distill": "distilled"}


def run_label(run: Run) -> str:
    """A run's name without its benchmark, which the breadcrumbs show."""
    return run.name.removesuffix(f"@{run.benchmark}")


def short_names(runs: Sequence[Run]) -> tuple[str, ...]:
    """The shortest words that tell these runs apart: roles, else training steps, else names."""
    roles = [run.model.role for run in runs]
    if None not in roles and len(set(roles)) == len(roles):
        return tuple(ROLE_WORDS[role] for role in roles if role)
    steps = [run.model.step for run in runs]
    if len(set(steps)) == len(steps) and all(s is not None or r == "base" for s, r in zip(steps, roles, strict=True)):
        return tuple("base" if step is None else f"step {step}" for step in steps)
    return tuple(run_label(run) for run in runs)


def set_name(solved: Sequence[bool], words: Sequence[str]) -> str:
    """The name of a combination: base-only, only step 800, both, neither; for more runs who solves it."""
    who = [word for word, is_solved in zip(words, solved, strict=True) if is_solved]
    pair = len(words) == 2
    if not who:
        return "neither" if pair else "no run"
    if len(who) == len(words):
        return "both" if pair else "all runs"
    if len(who) == 1:
        return f"{who[0]}-only" if who[0] in ROLE_WORDS.values() else f"only {who[0]}"
    return " + ".join(who)


def nothing_in_common(first: Run, second: Run, names: SharedNames | None = None) -> str:
    """Why nothing of two runs is compared, and what to do."""
    if not first.problems or not second.problems:
        return "Nothing is compared: no problem is left."
    if first.n_min is None or second.n_min is None:
        without = first if first.n_min is None else second
        return f"Nothing is compared: no sample of {without.name} has a verdict. passk verify gives it verdicts."
    runs = f"{first.name} ({with_noun(first.problems, 'problem')}) and {second.name} ({second.problems:,})"
    same = (
        [
            f"{count:,} have one {what}"
            for count, what in ((names.ids, "id"), (names.references, "reference answer"))
            if count
        ]
        if names
        else []
    )
    differs = f"but {listed(same)} in both" if same else "nor an id or a reference answer that would tell which are one"
    by = "id" if names and names.ids >= names.references else "reference"
    lists = join(["passk", "match", first.name, second.name])
    advice = f"If they are the same: {lists} --by {by}" if same else f"{lists} lists what looks alike"
    return f"Nothing is compared: {runs} have no problem in common, {differs}. {advice}"
