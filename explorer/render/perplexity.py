"""Perplexities as rows of boxes on one logarithmic axis, as a histogram, and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import exp, isfinite, log

from textual.content import Content

from backend import LogprobRequest
from backend.records import Run
from backend.records.reading import Perplexities, PerplexityGroup
from backend.wording import UNKNOWN, compact, count, short_names, with_noun
from explorer.render.text import Column, join_lines, literal, room_beside

WHISKER, BOX, MEDIAN = "─", "▒", "┃"
LEGEND = f"{WHISKER} 5–95 %  {BOX} 25–75 %  {MEDIAN} median"
EIGHTHS = " ▁▂▃▄▅▆▇█"
CHOICE_WORDS = {"all": "all samples", "right": "only correct samples", "not right": "only incorrect samples"}


def short_perplexity(value: float | None) -> str:
    """A perplexity in at most six characters: 1.123, 12.3, 4.5k."""
    if value is None:
        return UNKNOWN
    if not isfinite(value):
        return "∞"
    return f"{value:.3f}" if value < 10 else f"{value:.1f}" if value < 1_000 else compact(value)


def model_words(record: Perplexities) -> Mapping[str, str]:
    """What each scorer is called: as its run where one run alone is of it, else by its name."""
    words = dict(zip((run.model.name for run in record.runs), short_names(record.runs), strict=True))
    names = [run.model.name for run in record.runs]
    return {scorer: words[scorer] if names.count(scorer) == 1 else scorer for scorer in record.scorers}


def responses_word(group: PerplexityGroup, record: Perplexities) -> str:
    """Whose responses: base, RL, reference."""
    if group.run is None:
        return "reference"
    return dict(zip((run.key for run in record.runs), short_names(record.runs), strict=True))[group.run.key]


class Axis:
    """A logarithmic axis of perplexities over some cells."""

    def __init__(self, edges: Sequence[float], width: int) -> None:
        self.low, self.high = log(edges[0]), log(edges[-1])
        self.width = width

    def cell(self, value: float) -> int:
        """The cell in which a perplexity stands; what lies beyond stands at the end."""
        if not isfinite(value):
            return self.width - 1
        share = (log(value) - self.low) / (self.high - self.low)
        return min(max(round(share * (self.width - 1)), 0), self.width - 1)

    def ticks(self) -> str:
        """Perplexities along the axis, each beginning at its cell."""
        line = ""
        steps = max(self.width // 9, 1)
        for place in range(steps + 1):
            at = place * (self.width - 1) / steps
            value = self.low + (self.high - self.low) * at / max(self.width - 1, 1)
            text = _tick(value)
            start = min(round(at), self.width - len(text))
            if start > len(line) or not line:
                line = line.ljust(start) + text
        return line

    def box(self, quantiles: Sequence[float]) -> str:
        """A box plot: whiskers, box and median of `QUANTILES`."""
        first, lower, middle, upper, last = (self.cell(value) for value in quantiles)
        cells = [" "] * self.width
        cells[first : last + 1] = WHISKER * (last + 1 - first)
        cells[lower : upper + 1] = BOX * (upper + 1 - lower)
        cells[middle] = MEDIAN
        return "".join(cells)


def _tick(logarithm: float) -> str:
    value = exp(logarithm)
    return f"{value:.2f}" if value < 10 else f"{value:.0f}" if value < 10_000 else compact(value)


def perplexity_columns(record: Perplexities, width: int) -> list[Column]:
    """Columns for this width; the boxes take what is left, and their heading is the axis."""
    words = model_words(record)
    under = min(max([5, *(len(word) for word in words.values())]), 24 if width >= 110 else 12)
    whose = min(max(len(responses_word(group, record)) for group in record.groups), 24 if width >= 110 else 12)
    fixed = [
        Column("responses", "responses", max(whose, 9), False, lambda group: responses_word(group, record), _style),
        Column("under", "under", under, False, lambda group: words[group.scorer], _style),
        Column("n", "n", 6, True, lambda group: compact(group.n) if group.n else UNKNOWN, _style),
        Column("median", "median", 6, True, lambda group: short_perplexity(group.median), _style),
    ]
    if width >= 110:
        fixed.append(Column("within", "≤ own 95 %", 10, True, _within_own, _style))
    axis = Axis(record.edges, max(room_beside(fixed, width) - 4, 16))
    return [*fixed, Column("box", axis.ticks(), axis.width, False, partial(_box, axis), _style)]


def _style(group: PerplexityGroup) -> str:
    return "" if group.n else "dim"


def _within_own(group: PerplexityGroup) -> str:
    return UNKNOWN if group.within_own is None else f"{100 * group.within_own:.1f} %"


def _box(axis: Axis, group: PerplexityGroup) -> str:
    if group.quantiles is not None:
        return axis.box(group.quantiles)
    return "too long for the context" if group.unfitting else "not scored (s)"


def histogram(group: PerplexityGroup, record: Perplexities, width: int, height: int) -> list[str]:
    """Bars of one group over the same axis, the highest of `height` lines; without an axis below."""
    axis = Axis(record.edges, width)
    heights = [0.0] * width
    for cell in range(width):
        # Each cell shows the bin that its middle lies in.
        place = min(int((cell + 0.5) * len(group.histogram) / axis.width), len(group.histogram) - 1)
        heights[cell] = group.histogram[place]
    most = max(heights) or 1.0
    rows = []
    for level in range(height - 1, -1, -1):
        eighths = (round(8 * (value / most * height - level)) for value in heights)
        rows.append("".join(EIGHTHS[min(max(eighth, 0), 8)] for eighth in eighths))
    return rows


def group_in_words(group: PerplexityGroup, record: Perplexities) -> Content:
    """One group: n of how many, quantiles, and whether its responses were likely to the model."""
    whose, under = responses_word(group, record), model_words(record)[group.scorer]
    name = f"{whose} responses under {under}"
    exact = "" if group.exact else "; not all scored in float32, so not exact"
    if group.quantiles is None:
        unfitting = f", {count(group.unfitting)} too long for the model's context" if group.unfitting else ""
        return join_lines([literal(f"{name}: not scored{unfitting}", "bold")])
    total = "" if group.responses is None else f" of {count(group.responses)} stored"
    first, _, middle, _, last = (short_perplexity(value) for value in group.quantiles)
    parts: list[str | Content] = [
        literal(
            f"{name}: median {middle}, 5–95 % {first} – {last}; n = {count(group.n)}{total}, "
            f"{with_noun(group.problems, 'problem')}{exact}",
            "bold",
        )
    ]
    if group.unfitting:
        parts.append(literal(f"{count(group.unfitting)} more are too long for the model's context."))
    own = any(run.model.name == group.scorer and run is group.run for run in record.runs)
    if group.within_own is not None and not own:
        parts.append(
            literal(
                f"{100 * group.within_own:.1f} % of them are no more perplexing to {under} than 95 % of its own samples"
                f"{_likely(group.within_own)}"
            )
        )
    return join_lines(parts)


def _likely(share: float) -> str:
    if share >= 0.9:
        return ": it could have written nearly all of them."
    return ": it would hardly have written most of them." if share < 0.5 else "."


def score_command(run: Run | None, scorer: str, benchmark: str, problems: str) -> str:
    """The command that scores a group."""
    from shlex import quote

    what = f"--run {quote(run.name)}" if run else f"--benchmark {quote(benchmark)} --references"
    chosen = f" --problems {quote(problems)}" if problems else ""
    return f"passk score {what} --under {quote(scorer)}{chosen}"


def heading(record: Perplexities) -> Content:
    """How the boxes are read, and of which samples they are."""
    return literal(f"Perplexity, {CHOICE_WORDS[record.choice]}; {LEGEND}")


def request_in_words(request: LogprobRequest) -> Content:
    plan = request.plan
    precision = plan.dtype or "the server's precision (unknown)"
    size = f"{with_noun(plan.samples, 'text')} of {with_noun(len(plan.problems), 'problem')} in {precision}"
    parts: list[str | Content] = [literal(size if plan.samples else "nothing left to score", "bold")]
    if request.scored_already:
        parts.append(literal(f"{count(request.scored_already)} already scored, or in a running job"))
    parts.append(literal(f"model: {request.engine.model}"))
    return join_lines([*parts, *(literal(remark) for remark in request.remarks)])
