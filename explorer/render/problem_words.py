"""One problem in words: heading, tallies, answers."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.content import Content

from backend.records import Problem, Run, RunTally
from explorer.render.literal import cell, literal
from explorer.render.names import VERDICT_MARKS, VERDICT_STYLES, contrast, run_label, squeezed
from explorer.render.numbers import UNKNOWN, compact, percent
from explorer.widgets.paged_table import Column


def problem_heading(problem: Problem) -> Content:
    """Id, reference answer and level; what is needed least stands where a narrow terminal cuts."""
    parts = [literal(f"problem {_one_line(problem.label, 24)}", "bold")]
    reference = UNKNOWN if problem.reference is None else _one_line(problem.reference, 60)
    parts.append(Content("reference answer: ").append(literal(reference, "bold")))
    if problem.level:
        parts.append(literal(f"level: {problem.level}"))
    return Content("   ").join(parts)


def _one_line(text: str, longest: int) -> str:
    flat = text.replace("\n", " ")
    return flat if len(flat) <= longest else f"{flat[: longest - 1]}…"


def tallies_in_words(problem: Problem, chosen: str | None) -> Content:
    """A line for each run: c/n, and what became of the others; the run looked at is pointed out."""
    return Content("\n").join(_tally(tally, tally.run.name == chosen) for tally in problem.tallies)


def _tally(tally: RunTally, chosen: bool) -> Content:
    share = UNKNOWN if not tally.n else f"{percent(tally.c / tally.n)} %"
    rest = ", ".join(
        f"{times} {verdict.replace('_', ' ')}"
        for verdict, times in tally.verdicts.items()
        if times and verdict != "correct"
    )
    tokens = "" if tally.mean_tokens is None else f", mean {compact(tally.mean_tokens)} tokens"
    text = f"{'▶' if chosen else ' '} {tally.c}/{tally.n} right ({share}) {run_label(tally.run)}"
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


def answer_rows(problem: Problem, runs: Sequence[str], width: int) -> tuple[list[Column], dict[str, Sequence[Text]]]:
    """The answers given with how often each run gave them, the most frequent first.

    Returns:
        Columns, and the cells of each row by key.
    """
    named = _ranking_runs(problem, runs)
    words = contrast(named)
    ranked = ranked_answers(problem, runs)
    tallies = [Column(run.name, squeezed(word, 12), 12, True) for run, word in zip(named[:4], words, strict=False)]
    rest = width - 4 - 13 - sum(column.width + 2 for column in tallies)
    columns = [Column("verdict", "verdict", 11), Column("answer", "answer", max(rest, 12)), *tallies]
    rows: dict[str, Sequence[Text]] = {}
    for number, ((answer, verdict), given) in enumerate(ranked):
        mark = f"{VERDICT_MARKS[verdict]} {verdict.replace('_', ' ')}"
        rows[str(number)] = [
            cell(mark, VERDICT_STYLES.get(verdict, "")),
            cell("no answer" if answer is None else answer, "dim" if answer is None else "", longest=columns[1].width),
            *(cell(str(given.get(run.name, 0)), right=True) for run in named[:4]),
        ]
    return columns, rows
