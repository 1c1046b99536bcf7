"""The table of samples of one problem and run: which, in what order, columns for a width, cells of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from backend.records import Page, Run, Sample
from explorer.render.judgement_words import JUDGEMENT_MARKS
from explorer.render.literal import cell
from explorer.render.names import VERDICT_MARKS, VERDICT_STYLES, run_label
from explorer.render.numbers import UNKNOWN, compact, of
from explorer.render.perplexity import short_perplexity
from explorer.widgets.paged_table import Column

CHOICES = ("all", "right", "right with invalid reasoning", "not right")
"""Which samples are shown, in the order of the key; what nothing is judged to be is passed over."""

SEEN = "r"
"""Of a sample that this user has read."""

Scores = Mapping[str, Mapping[int, float]]
"""Heading of a column -> sample index -> perplexity; a column for each model under which something was scored."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of samples beside what they are."""

    scores: Scores
    """Perplexities."""
    judgements: Mapping[int, str]
    """Sample index -> what is settled of its reasoning."""
    seen: frozenset[int] = frozenset()
    """Samples that this user has read."""


def chosen_samples(samples: Page[Sample], beside: Beside, choice: str, sort: str, *, descending: bool) -> list[Sample]:
    """The samples of a choice, sorted by a column; unknown values stand together at one end."""
    items = [sample for sample in samples.items if _is_chosen(sample, beside, choice)]
    return sorted(items, key=lambda sample: _sort_key(sample, beside, sort), reverse=descending)


def _is_chosen(sample: Sample, beside: Beside, choice: str) -> bool:
    right = sample.verdict == "correct"
    if choice == "right with invalid reasoning":
        return right and beside.judgements.get(sample.index) == "invalid"
    return choice == "all" or right == (choice == "right")


def choice_after(samples: Page[Sample], beside: Beside, choice: str) -> str:
    """The next of `CHOICES` that has something to show where judging made it, in a circle."""
    after = CHOICES[(CHOICES.index(choice) + 1) % len(CHOICES)]
    if after != "right with invalid reasoning" or any(_is_chosen(sample, beside, after) for sample in samples.items):
        return after
    return choice_after(samples, beside, after)


def _sort_key(sample: Sample, beside: Beside, column: str) -> tuple[bool, str | float]:
    values: dict[str, str | float | None] = {
        "index": sample.index,
        "verdict": sample.verdict,
        "answer": sample.answer,
        "tokens": sample.tokens,
        "characters": sample.characters,
        "finish": sample.finish_reason,
        "seed": sample.seed,
        "read": _read(sample, beside).strip() or None,
        **{heading: of.get(sample.index) for heading, of in beside.scores.items()},
    }
    value = values.get(column)
    return value is None, "" if value is None and column in ("answer", "finish", "read") else value or 0


def _read(sample: Sample, beside: Beside) -> str:
    """What is settled of its reasoning, and whether this user has read it."""
    judgement = JUDGEMENT_MARKS.get(beside.judgements.get(sample.index, ""), " ")
    return f"{judgement} {SEEN if sample.index in beside.seen else ' '}"


def sample_columns(width: int, beside: Beside) -> list[Column]:
    """Columns for this width; the answer takes what is left. Perplexities, where there are any, go before lengths."""
    scored = [Column(heading, heading, len(heading) + 1, True) for heading in beside.scores]
    fixed = [
        Column("index", "#", 5, True),
        Column("read", "read", 5),
        Column("verdict", "verdict", 11),
        Column("tokens", "tokens", 7, True),
        Column("characters", "chars", 7, True),
        Column("finish", "finish", 9),
    ]
    if width >= 110:
        fixed = [*fixed, Column("seed", "seed", 20, True)] if len(scored) < 2 else fixed
    elif scored:
        fixed = fixed[:4]
        # Some room for the answer, whatever the models are called.
        scored = scored[: max((width - 55) // (scored[0].width + 2), 1)]
    fixed += scored
    rest = width - 4 - sum(column.width + 2 for column in fixed)
    return [*fixed[:3], Column("answer", "answer", max(rest, 10)), *fixed[3:]]


def sample_cells(sample: Sample, beside: Beside, columns: Sequence[Column]) -> list[Text]:
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
        "read": _read(sample, beside),
        **{heading: short_perplexity(of.get(sample.index)) for heading, of in beside.scores.items()},
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
