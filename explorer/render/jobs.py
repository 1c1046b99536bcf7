"""Jobs in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from backend import Resampling, ResamplingOutcome
from backend.records.comparison import SamplePlan
from backend.wording import UNKNOWN, compact, count, with_noun
from explorer.render.names import VERDICT_MARKS
from explorer.render.plans import plan_in_words
from explorer.render.text import join_lines, literal

STATE_MARKS = {
    "prepared": "·",
    "running": "▶",
    "finished": "✓",
    "failed": "✗",
    "cancelled": "■",
    "gone": "?",
    "damaged": "!",
}


def duration(seconds: float | None) -> str:
    """Seconds as people say them: 45 s, 12 min, 3.5 h."""
    if seconds is None:
        return UNKNOWN
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"


def _items(row: Mapping[str, Any]) -> str:
    """What a job makes one by one: it draws samples, scores texts or judges paths."""
    return {"scores": "texts", "judgements": "paths"}.get(row["kind"], "samples")


def job_in_words(row: Mapping[str, Any], moved: list[str]) -> Content:
    """One job: progress, speed, verdicts, problems that changed set."""
    if row["state"] == "damaged":
        return literal(row["error"])
    verdicts = "  ".join(
        f"{VERDICT_MARKS.get(verdict, '')} {times:,} {verdict.replace('_', ' ')}"
        for verdict, times in sorted(row["verdicts"].items())
    )
    speed = ""
    if row["samples_per_second"]:
        tokens = f", {compact(row['tokens_per_second'])} tokens/s" if row["tokens_per_second"] else ""
        speed = f", {rate(row['samples_per_second'])} {_items(row)}/s{tokens}"
    left = ""
    if row["state"] == "running":
        left = f", {duration(row['seconds_left'])} left" if row["samples_per_second"] else ", none finished yet"
    parts: list[str | Content] = [
        literal(f"{row['run']}: {with_noun(row['problems'], 'problem')}, engine {row['engine']}", "bold"),
        f"{row['state']}: {count(row['samples'])} of {count(row['wanted'])} {_items(row)}, "
        f"{count(row['tokens'])} tokens{speed}{left}",
    ]
    if verdicts:
        parts.append(f"{'verdicts' if _items(row) == 'samples' else 'outcomes'} so far: {verdicts}")
    if row["error"]:
        parts.append(literal(f"error: {row['error']}", "bold"))
    if row["state"] == "gone":
        parts.append(f"Its worker on {row['host']} stopped responding; l shows its log, R resumes it.")
    if row["state"] == "prepared":
        parts.append("Not started: R starts a worker here, passk work does it on another machine.")
    parts += moved[:6]
    if len(moved) > 6:
        parts.append(f"and {len(moved) - 6} more")
    if row["last"]:
        parts += ["", literal("last finished path:", "dim"), literal(row["last"])]
    return join_lines(parts)


def found_in_words(found: ResamplingOutcome) -> list[str]:
    """What a job was expected to find, and what it has found by now; empty where no plan made it."""
    if found.expected_changes is None or found.found_changes is None:
        return []
    return [f"changes of set: {found.expected_changes:.1f} expected, {found.found_changes:,} so far"]


def rate(number: float | None) -> str:
    """Samples a second: one digit after the point where they are few."""
    return UNKNOWN if number is None else f"{number:.1f}" if number < 10 else compact(number)


def without_benchmark(run: str) -> str:
    """A run's name where room is short: MODEL+temperature=0.7 of MODEL@BENCHMARK+temperature=0.7."""
    head, _, rest = run.partition("@")
    _, plus, changes = rest.partition("+")
    return f"{head}{plus}{changes}"


def problems_in_words(labels: Sequence[str]) -> str:
    """How many problems, and the first of them."""
    named = ", ".join(labels[:6]) + (" …" if len(labels) > 6 else "")
    return f"{with_noun(len(labels), 'problem')}: {named}"


def stored_value_in_words(stored: Sequence[Any], *, changed: bool) -> str:
    """What runs have of one parameter, beside the field that changes it."""
    if changed:
        return "instead of " + " and ".join(dict.fromkeys(UNKNOWN if value is None else str(value) for value in stored))
    if all(value is None for value in stored):
        return "unknown for the stored samples; default"
    return " and ".join(dict.fromkeys(UNKNOWN if value is None else str(value) for value in stored)) + " as stored"


def resampling_in_words(planned: Resampling) -> Content:
    """What a resampling takes, which runs the samples go to and why, and what cannot be drawn."""
    parts: list[str | Content] = []
    if planned.samples:
        words = estimate_in_words(planned.samples, planned.tokens, planned.tokens_per_second)
        parts.append(literal(words, "bold"))
    for addition in planned.additions:
        name = addition.plan.target.run
        if addition.because:
            parts.append(literal(f"into the new run {name}: {addition.because}"))
        else:
            parts.append(literal(f"into {name}, with its template and parameters"))
    parts += [literal(refusal) for refusal in planned.refusals]
    return join_lines(parts)


def planned_in_words(plan: SamplePlan | None, planned: Sequence[Resampling]) -> Content:
    """What is to be drawn, after the plan that distributes a budget, if there is one."""
    shared_out = [literal(line) for line in (plan_in_words(plan) if plan else [])]
    return join_lines([*shared_out, *map(resampling_in_words, planned)])


def estimate_in_words(samples: int, tokens: float | None, tokens_per_second: float | None) -> str:
    """What drawing will take; unknown where nothing was measured yet."""
    size = "tokens unknown" if tokens is None else f"about {compact(tokens)} tokens"
    if tokens is None or not tokens_per_second:
        return f"{with_noun(samples, 'sample')}, {size}, no estimate yet"
    return f"{with_noun(samples, 'sample')}, {size}, about {duration(tokens / tokens_per_second)}"
