"""One problem: heading, tallies, answers, and its samples as the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from textual.content import Content

from backend.records import Page, Problem, Run, RunTally, Sample
from backend.wording import UNKNOWN, compact, percent, run_label, short_names, shown_of
from explorer.render.judgements import JUDGEMENT_MARKS
from explorer.render.names import VERDICT_STYLES, is_correct, marked_verdict, sample_verdict, shorten_middle
from explorer.render.perplexity import short_perplexity
from explorer.render.text import Column, join_lines, join_words, literal, room_beside

# One problem in words: heading, tallies, answers.


def problem_heading(problem: Problem) -> Content:
    """Id, reference answer and level; a narrow terminal cuts the level."""
    parts = [literal(f"problem {_one_line(problem.label, 24)}", "bold")]
    reference = UNKNOWN if problem.reference is None else _one_line(problem.reference, 60)
    parts.append(join_words(["reference answer:", literal(reference, "bold")], " "))
    if problem.level:
        parts.append(literal(f"level: {problem.level}"))
    return join_words(parts, "   ")


def _one_line(text: str, longest: int) -> str:
    flat = text.replace("\n", " ")
    return flat if len(flat) <= longest else f"{flat[: longest - 1]}…"


def tallies_in_words(problem: Problem, chosen: str | None) -> Content:
    """A line for each run: c/n and the other verdicts; the run shown below is marked."""
    return join_lines(_tally(tally, tally.run.name == chosen) for tally in problem.tallies)


def _tally(tally: RunTally, chosen: bool) -> Content:
    share = UNKNOWN if not tally.n else f"{percent(tally.c / tally.n)} %"
    rest = ", ".join(
        f"{times} {verdict.replace('_', ' ')}"
        for verdict, times in tally.verdicts.items()
        if times and verdict != "correct"
    )
    tokens = "" if tally.mean_tokens is None else f", mean {compact(tally.mean_tokens)} tokens"
    text = f"{'▶' if chosen else ' '} {tally.c}/{tally.n} correct ({share}) {run_label(tally.run)}"
    return literal(f"{text}: {rest}{tokens}" if rest or tokens else text, "bold" if chosen else "")


Given = tuple[tuple[str | None, str], dict[str, int]]
"""An answer with its verdict, and how often each run gave it."""


def _ranking_runs(problem: Problem, runs: Sequence[str]) -> list[Run]:
    return [t.run for t in problem.tallies if t.run.name in runs] or [t.run for t in problem.tallies]


def ranked_answers(problem: Problem, runs: Sequence[str]) -> list[Given]:
    """The answers given, those that these runs gave most often first."""
    times: dict[tuple[str | None, str], dict[str, int]] = {}
    for entry in problem.answers:
        given = times.setdefault((entry.answer, entry.verdict), {})
        given[entry.run] = given.get(entry.run, 0) + entry.count
    named = _ranking_runs(problem, runs)
    return sorted(times.items(), key=lambda item: -sum(item[1].get(run.name, 0) for run in named))


def same_answer(answer: str | None, listed: str | None) -> bool:
    """Whether a sample's answer is the listed one, which is cut when it is very long."""
    return answer == listed or (
        answer is not None and listed is not None and len(listed) > 1_000 and answer.startswith(listed)
    )


def answer_columns(problem: Problem, runs: Sequence[str], width: int) -> list[Column]:
    """An answer of `ranked_answers`, its verdict, and how often each run gave it."""
    named = _ranking_runs(problem, runs)[:4]
    verdict = Column("verdict", "verdict", 11, False, lambda given: marked_verdict(given[0][1]),
                     lambda given: VERDICT_STYLES.get(given[0][1], ""))  # fmt: skip
    tallies = [
        Column(run.name, shorten_middle(word, 12), 12, True, partial(_times, run.name))
        for run, word in zip(named, short_names(_ranking_runs(problem, runs)), strict=False)
    ]
    answer = Column("answer", "answer", max(room_beside([verdict, *tallies], width) - 2, 12), False,
                    lambda given: "no answer" if given[0][0] is None else given[0][0],
                    lambda given: "dim" if given[0][0] is None else "")  # fmt: skip
    return [verdict, answer, *tallies]


def _times(run: str, given: Given) -> str:
    return str(given[1].get(run, 0))


# The table of samples of one problem and run: which, in what order, columns for a width, cells of a row.

CHOICES = ("all", "correct", "correct with invalid reasoning", "incorrect", "disputed")
"""Which samples are shown, in the order of the key; what nothing is judged to be is passed over."""

SEEN = "r"
"""Of a sample that this user has read."""

Scores = Mapping[str, Mapping[int, float]]
"""Heading of a column -> sample index -> perplexity; a column for each model under which something was scored."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What others have added to the samples: perplexities, judgements, what was read."""

    scores: Scores
    """Perplexities."""
    judgements: Mapping[int, str]
    """Sample index -> the judgement of its reasoning."""
    disputed: frozenset[int] = frozenset()
    """Samples on which verdicts disagree."""
    seen: frozenset[int] = frozenset()
    """Samples that this user has read."""


def chosen_samples(samples: Page[Sample], beside: Beside, choice: str, sort: str, *, descending: bool) -> list[Sample]:
    """The samples of a choice, sorted by a column; unknown values stand together at one end."""
    items = [sample for sample in samples.items if _is_chosen(sample, beside, choice)]
    return sorted(items, key=lambda sample: _sort_key(sample, beside, sort), reverse=descending)


def _is_chosen(sample: Sample, beside: Beside, choice: str) -> bool:
    correct = is_correct(sample.verdict)
    if choice == "disputed":
        return sample.index in beside.disputed
    if choice == "correct with invalid reasoning":
        return correct is True and beside.judgements.get(sample.index) == "invalid"
    return choice == "all" or correct is (choice == "correct")


def choice_after(samples: Page[Sample], beside: Beside, choice: str) -> str:
    """The next of `CHOICES` that has something to show where judging or a second verifier made it, in a circle."""
    after = CHOICES[(CHOICES.index(choice) + 1) % len(CHOICES)]
    rare = after in ("correct with invalid reasoning", "disputed")
    if not rare or any(_is_chosen(sample, beside, after) for sample in samples.items):
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
    """The judgement of its reasoning, and whether this user has read it."""
    judgement = JUDGEMENT_MARKS.get(beside.judgements.get(sample.index, ""), " ")
    return f"{judgement} {SEEN if sample.index in beside.seen else ' '}"


def sample_columns(width: int, beside: Beside) -> list[Column]:
    """Columns for this width; the answer takes what is left. Perplexities, where there are any, go before lengths."""
    scored = [
        Column(heading, heading, len(heading) + 1, True, partial(_perplexity, of))
        for heading, of in beside.scores.items()
    ]
    fixed = [
        Column("index", "#", 5, True, lambda sample: str(sample.index)),
        Column("read", "read", 5, value=lambda sample: _read(sample, beside)),
        Column("verdict", "verdict", 11, False, sample_verdict,
               lambda sample: VERDICT_STYLES.get(sample.verdict, "")),
        Column("tokens", "tokens", 7, True, lambda sample: compact(sample.tokens)),
        Column("characters", "chars", 7, True, lambda sample: compact(sample.characters)),
        Column("finish", "finish", 9, value=lambda sample: sample.finish_reason or UNKNOWN),
    ]  # fmt: skip
    seed = Column("seed", "seed", 20, True, lambda sample: UNKNOWN if sample.seed is None else str(sample.seed))
    if width >= 110:
        fixed += [seed] if len(scored) < 2 else []
    elif scored:
        fixed = fixed[:4]
        # Some room for the answer, whatever the models are called.
        scored = scored[: max((width - 55) // (scored[0].width + 2), 1)]
    fixed += scored
    answer = Column("answer", "answer", max(room_beside(fixed, width) - 2, 10),
                    value=lambda sample: sample.answer or sample.detail or UNKNOWN)  # fmt: skip
    return [*fixed[:3], answer, *fixed[3:]]


def _perplexity(of: Mapping[int, float], sample: Sample) -> str:
    return short_perplexity(of.get(sample.index))


def samples_in_words(run: Run, samples: Page[Sample], shown: int, choice: str) -> str:
    """How many samples are shown of how many, and of which run."""
    if not samples.total:
        return f"{run_label(run)}: published counts, no samples are stored"
    kind = "" if choice == "all" else f", only {choice}"
    return f"{run_label(run)}: {shown_of(shown, samples.total, 'sample')}{kind}"
