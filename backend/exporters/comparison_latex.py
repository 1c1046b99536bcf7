"""A solve-set comparison as LaTeX tables (booktabs) that go into a paper as they are."""

from __future__ import annotations

from collections.abc import Sequence

from backend.comparison import curves
from backend.exporters.comparison import Comparison, comparison_of, run_label
from backend.exporters.comparison_markdown import (
    interval_in_words,
    range_in_words,
    share_in_words,
    valid_in_words,
)
from backend.exporters.escaping import for_latex, json_text
from backend.exporters.protocol import Job
from backend.records import Curve, SetProblem

HEADER = r"""% Solve sets, made by passk. In the preamble: \usepackage{booktabs,longtable,textcomp}
"""


def export_latex(job: Job) -> int:
    """Three tables: runs, sets, and the problems that some runs solve and some do not."""
    comparison = comparison_of(job)
    found = curves(job.reader, comparison.sets.runs, problems=job.problems)
    # A comment ends with its line; every line of it is ASCII, for any input encoding.
    origin = json_text(job.provenance.full).encode("ascii", "backslashreplace").decode()
    parts = [HEADER + f"% {origin}\n", _runs(comparison, found), _sets(comparison)]
    if problems := comparison.in_question():
        parts.append(_problems(comparison, problems))
    job.path.write_text("\n".join(parts), encoding="utf-8")
    job.tell(len(comparison.sets.problems), len(comparison.sets.problems))
    return len(comparison.sets.problems)


def _line(cells: Sequence[str]) -> str:
    return "    " + " & ".join(cells) + r" \\"


def _table(caption: str, label: str, columns: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [
        r"\begin{table}[t]", r"  \centering", r"  \setlength{\belowcaptionskip}{6pt}",
        rf"  \caption{{{caption}}}", rf"  \label{{{label}}}",
        rf"  \begin{{tabular}}{{{columns}}}", r"    \toprule", _line(headings), r"    \midrule",
        *map(_line, rows),
        r"    \bottomrule", r"  \end{tabular}", r"\end{table}", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _dashes(text: str) -> str:
    """Ranges and unknown values, which hold nothing but digits, points and en dashes."""
    return text.replace("–", "--")


def _runs(comparison: Comparison, found: Sequence[Curve]) -> str:
    sets = comparison.sets
    rows = []
    for place, (run, curve) in enumerate(zip(sets.runs, found, strict=True)):
        solved = sum(problem.solved[place] for problem in sets.problems)
        values = [curve.at(1), curve.points[-1].pass_at_k if curve.points else None]
        shown = ["--" if value is None else f"{100 * value:.1f}" for value in values]
        last = f"{curve.points[-1].k}" if curve.points else "--"
        rows.append([for_latex(run_label(run)), _dashes(comparison.sizes(place).replace("-", "–")), shown[0], last,
                     shown[1], str(solved)])  # fmt: skip
    caption = (
        rf"Runs on {for_latex(sets.benchmark)}: pass@1 and pass@$k$ at the largest $k$ that each run defines, in \%, "
        f"and solved problems of the {len(sets.problems)} that every run has (at least {sets.min_correct} correct)."
    )
    return _table(caption, "tab:passk-runs", "lrrrrr", ("run", "$n$", "pass@1", "$k$", "pass@$k$", "solved"), rows)


def _sets(comparison: Comparison) -> str:
    by_valid = comparison.by_valid()
    headings, rows = ["set", "problems"], []
    if has_ranges := bool(comparison.certainty.ranges):
        headings.append(r"95\,\% range")
    if by_valid:
        headings.append("by valid paths")
    for name, (count, interval) in comparison.counted().items():
        ranges = [_dashes(range_in_words(interval))] if has_ranges else []
        rows.append([for_latex(name), str(count), *ranges, *([valid_in_words(by_valid[name])] if by_valid else [])])
    caption = (
        f"Solve sets on {for_latex(comparison.sets.benchmark)}, {len(comparison.sets.problems)} problems. "
        + " ".join(map(for_latex, [*comparison.facts(), comparison.certainty.of_sets]))
    )
    return _table(caption, "tab:passk-sets", "l" + "r" * (len(headings) - 1), headings, rows)


def _problems(comparison: Comparison, problems: Sequence[SetProblem]) -> str:
    certainty = comparison.certainty
    words = comparison.run_words
    headings = ["problem", "level", "set"]
    for word in words:
        headings += [rf"{for_latex(word)} $c/n$", r"95\,\%"]
    headings.append(r"doubt (\%)")
    rows = []
    for problem in problems:
        cells = [for_latex(problem.label), for_latex(problem.level or "") or "--"]
        cells.append(for_latex(comparison.set_words(problem.solved)))
        for place, tally in enumerate(problem.tallies):
            interval = certainty.intervals[place].get(problem.key)
            cells += [f"{tally.c}/{tally.n}", _dashes(interval_in_words(interval))]
        rows.append([*cells, _dashes(share_in_words(certainty.doubt.get(problem.key)))])
    if not certainty.doubt:
        headings, rows = headings[:-1], [row[:-1] for row in rows]
    caption = f"Problems of {for_latex(comparison.sets.benchmark)} that some of the runs solve and some do not."
    caption += f" {for_latex(certainty.of_problems)}"
    columns = "lll" + "r" * (len(headings) - 3)
    head = _line(headings)
    lines = [
        r"{\small\setlength{\tabcolsep}{4pt}\setlength{\LTcapwidth}{\linewidth}",
        rf"\begin{{longtable}}{{{columns}}}", rf"  \caption{{{caption}}}\label{{tab:passk-problems}}\\",
        r"    \toprule", head, r"    \midrule", r"  \endfirsthead",
        r"    \toprule", head, r"    \midrule", r"  \endhead", r"    \bottomrule", r"  \endfoot",
        *map(_line, rows),
        r"\end{longtable}}", "",
    ]  # fmt: skip
    return "\n".join(lines)
