"""Jobs in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.content import Content

from explorer.render.literal import literal
from explorer.render.names import VERDICT_MARKS
from explorer.render.numbers import UNKNOWN, compact, count
from explorer.render.summaries import lines

STATE_MARKS = {
    "prepared": "·",
    "running": "▶",
    "finished": "✓",
    "failed": "✗",
    "cancelled": "■",
    "gone": "?",
}


def duration(seconds: float | None) -> str:
    """Seconds as people say them: 45 s, 12 min, 3.5 h."""
    if seconds is None:
        return UNKNOWN
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"


def progress_bar(samples: int, wanted: int, width: int) -> str:
    """A bar of that many cells."""
    filled = round(width * samples / wanted) if wanted else 0
    return "█" * filled + "░" * (width - filled)


def job_in_words(row: Mapping[str, Any], moved: list[str]) -> Content:
    """One job: how far, how fast, what came of it, what moved."""
    verdicts = ", ".join(
        f"{VERDICT_MARKS.get(verdict, '')} {times:,} {verdict.replace('_', ' ')}"
        for verdict, times in sorted(row["verdicts"].items())
    )
    rate = f"{compact(row['tokens_per_second'])} tokens/s" if row["tokens_per_second"] else "speed unknown"
    parts: list[str | Content] = [
        literal(f"{row['run']}: {row['problems']:,} problems, engine {row['engine']}", "bold"),
        f"{row['state']}: {count(row['samples'])} of {count(row['wanted'])} samples, {count(row['tokens'])} tokens, "
        f"{rate}, {duration(row['seconds_left'])} left" if row["state"] == "running"
        else f"{row['state']}: {count(row['samples'])} of {count(row['wanted'])} samples, {rate}",
    ]  # fmt: skip
    if verdicts:
        parts.append(f"verdicts so far: {verdicts}")
    if row["error"]:
        parts.append(literal(f"error: {row['error']}", "bold"))
    if row["state"] == "gone":
        parts.append(f"Its worker on {row['host']} fell silent; l shows its last words, R starts it again.")
    parts += moved[:6]
    if len(moved) > 6:
        parts.append(f"and {len(moved) - 6} more moved")
    if row["last"]:
        parts.append(literal(f"last: {row['last']}", "dim"))
    return lines(parts)


def estimate_in_words(samples: int, tokens: float | None, tokens_per_second: float | None) -> str:
    """What drawing will take; unknown where nothing was measured yet."""
    size = "tokens unknown" if tokens is None else f"about {compact(tokens)} tokens"
    if tokens is None or not tokens_per_second:
        return f"{count(samples)} samples, {size}, time unknown"
    return f"{count(samples)} samples, {size}, about {duration(tokens / tokens_per_second)}"
