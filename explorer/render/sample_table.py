"""The table of samples of one problem and run: which, in what order, columns for a width, cells of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from backend.records import Page, Run, Sample
from explorer.render.literal import cell
from explorer.render.names import VERDICT_MARKS, VERDICT_STYLES, run_label
from explorer.render.numbers import UNKNOWN, compact, of
from explorer.render.perplexity import short_perplexity
from explorer.widgets.paged_table import Column

CHOICES = ("all", "right", "not right")
"""Which samples are shown, in the order of the key."""


Scores = Mapping[str, Mapping[int, float]]
"""Heading of a column -> sample index -> perplexity; a column for each model under which something was scored."""


def chosen_samples(samples: Page[Sample], scores: Scores, choice: str, sort: str, *, descending: bool) -> list[Sample]:
    """The samples of a choice, sorted by a column; unknown values stand together at one end."""
    items = [
        sample for sample in samples.items if choice == "all" or (sample.verdict == "correct") == (choice == "right")
    ]
    return sorted(items, key=lambda sample: _sort_key(sample, scores, sort), reverse=descending)


def _sort_key(sample: Sample, scores: Scores, column: str) -> tuple[bool, str | float]:
    values: dict[str, str | float | None] = {
        "index": sample.index,
        "verdict": sample.verdict,
        "answer": sample.answer,
        "tokens": sample.tokens,
        "characters": sample.characters,
        "finish": sample.finish_reason,
        "seed": sample.seed,
        **{heading: of.get(sample.index) for heading, of in scores.items()},
    }
    value = values.get(column)
    return value is None, "" if value is None and column in ("answer", "finish") else value or 0


def sample_columns(width: int, scores: Scores) -> list[Column]:
    """Columns for this width; the answer takes what is left. Perplexities, where there are any, go before lengths."""
    scored = [Column(heading, heading, len(heading) + 1, True) for heading in scores]
    fixed = [
        Column("index", "#", 6, True),
        Column("verdict", "verdict", 11),
        Column("tokens", "tokens", 7, True),
        Column("characters", "chars", 7, True),
        Column("finish", "finish", 9),
    ]
    if width >= 110:
        fixed = [*fixed, Column("seed", "seed", 20, True)] if len(scored) < 2 else fixed
    elif scored:
        fixed = fixed[:3]
        # Some room for the answer, whatever the models are called.
        scored = scored[: max((width - 50) // (scored[0].width + 2), 1)]
    fixed += scored
    rest = width - 4 - sum(column.width + 2 for column in fixed)
    return [*fixed[:2], Column("answer", "answer", max(rest, 10)), *fixed[2:]]


def sample_cells(sample: Sample, scores: Scores, columns: Sequence[Column]) -> list[Text]:
    """The cells of one sample under these columns."""
    style = VERDICT_STYLES.get(sample.verdict, "")
    values = {
        "index": str(sample.index),
        "verdict": f"{VERDICT_MARKS[sample.verdict]} {sample.verdict.replace('_', ' ')}",
        "answer": sample.answer or sample.detail or UNKNOWN,
        "tokens": compact(sample.tokens),
        "characters": compact(sample.characters),
        "finish": sample.finish_reason or UNKNOWN,
        "seed": UNKNOWN if sample.seed is None else str(sample.seed),
        **{heading: short_perplexity(of.get(sample.index)) for heading, of in scores.items()},
    }
    return [
        cell(values[column.key], style if column.key == "verdict" else "", longest=column.width, right=column.right)
        for column in columns
    ]


def samples_in_words(run: Run, samples: Page[Sample], shown: int, choice: str) -> str:
    """How many samples are shown of how many, and of which run."""
    if not samples.total:
        return f"{run_label(run)}: published counts, no samples are stored"
    kind = "" if choice == "all" else f", only {choice}"
    return f"{run_label(run)}: {of(shown, samples.total, 'samples')}{kind}"
