"""A solve-set comparison as Markdown: the counts, and the problems that some runs solve and some do not."""

from __future__ import annotations

from collections.abc import Sequence

from backend.exporters.comparison import Comparison, comparison_of
from backend.exporters.escaping import for_html, for_markdown, json_text
from backend.exporters.protocol import Job
from backend.records import SetProblem

STATEMENT = 120
"""Characters of a statement."""


def interval_in_words(interval: tuple[float, float] | None) -> str:
    """In per cent; a dash where it is unknown."""
    return "–" if interval is None else f"{100 * interval[0]:.1f}–{100 * interval[1]:.1f}"


def range_in_words(interval: tuple[float, float] | None) -> str:
    """Of a count; a dash where it is unknown."""
    return "–" if interval is None else f"{interval[0]:.0f}–{interval[1]:.0f}"


def share_in_words(share: float | None) -> str:
    """In per cent; a dash where it is unknown."""
    return "–" if share is None else f"{100 * share:.1f}"


def valid_in_words(counts: tuple[int, int]) -> str:
    """A count by valid paths, and what it would be if the open ones were valid."""
    surely, at_most = counts
    return f"{surely:,}" if surely == at_most else f"{surely:,} (if open: {at_most:,})"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool]) -> list[str]:
    """A table of cells that are escaped already."""
    lines = ["| " + " | ".join(headings) + " |"]
    lines.append("| " + " | ".join("---:" if number else "---" for number in numbers) + " |")
    return lines + ["| " + " | ".join(cells) + " |" for cells in rows]


def export_markdown(job: Job) -> int:
    """Counts, then the problems in question, then where it all comes from."""
    comparison = comparison_of(job)
    sets = comparison.sets
    title = " against ".join(for_markdown(run.model.name) for run in sets.runs)
    lines = [f"# {for_markdown(sets.benchmark)}: {title}", ""]
    lines += [f"{len(sets.problems):,} problems compared.", ""]
    by_valid = comparison.by_valid()
    lines += table(
        ("set", "problems", "95 % range of fresh runs", *(["by valid paths"] if by_valid else [])),
        [
            (for_markdown(name), f"{count:,}", range_in_words(interval),
             *([valid_in_words(by_valid[name])] if by_valid else []))
            for name, (count, interval) in comparison.counted().items()
        ],
        (False, True, True, *([True] if by_valid else [])),
    )  # fmt: skip
    lines += ["", *(f"- {for_markdown(remark)}" for remark in comparison.remarks()), ""]
    problems = comparison.in_question()
    if problems:
        headings = ["problem", "level", "set"]
        for word in comparison.run_words:
            headings += [f"{for_markdown(word)} c/n", "95 %"]
        headings += ["doubt %", "statement"]
        numbers = [False, False, False, *[True] * (2 * len(sets.runs) + 1), False]
        lines += table(headings, [_row(comparison, problem) for problem in problems], numbers)
    else:
        lines.append("Every problem is solved by all of these runs or by none.")
    # As an HTML comment, which must not hold two hyphens.
    origin = for_html(json_text(job.provenance.full)).replace("--", "-&#45;")
    lines += ["", for_markdown(job.provenance.words), "", f"<!-- passk-export {origin} -->", ""]
    job.path.write_text("\n".join(lines), encoding="utf-8")
    job.tell(len(problems), len(problems))
    return len(sets.problems)


def _row(comparison: Comparison, problem: SetProblem) -> list[str]:
    certainty = comparison.certainty
    cells = [for_markdown(problem.label), for_markdown(problem.level or "–"), comparison.set_words(problem.solved)]
    cells[2] = for_markdown(cells[2])
    for place, tally in enumerate(problem.tallies):
        cells += [f"{tally.c}/{tally.n}", interval_in_words(certainty.intervals[place].get(problem.key))]
    excerpt = for_markdown(problem.excerpt, STATEMENT) if problem.excerpt else "–"
    return [*cells, share_in_words(certainty.doubt.get(problem.key)), excerpt]
