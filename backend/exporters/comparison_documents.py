"""A solve-set comparison as a document: Markdown, LaTeX tables (booktabs), and one page of HTML that stands alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import log2
from typing import Any, TextIO

from backend.analysis.comparison import curves
from backend.analysis.set_tables import (
    SetsShown,
    compared_runs_table,
    count_notes,
    evidence_notes,
    false_positive_notes,
    problem_notes,
    set_counts_table,
    sets_notes,
    sets_table,
)
from backend.exporters.comparison import comparison_of, in_question
from backend.exporters.escaping import for_html, for_latex, for_markdown, json_text, one_line
from backend.exporters.figures import colour_of, dash_of, figure_of, legend_of
from backend.exporters.protocol import ExportTask, parameters_in_words
from backend.records import Response, Run, SetProblem, Tally
from backend.records.exports import Figure
from backend.records.table import DOCUMENT, Column, Table
from backend.wording import shown

# A table in each form: the same cells, escaped and laid out as the form wants it.

STATEMENT = 160
"""Characters of a statement."""


def cells(table: Table, item: Any, escape: Callable[[str], str]) -> list[str]:
    """The cells of one row; what people write, and what a model wrote, becomes no markup."""
    return [escape(one_line(shown(column.of(item), column.kind), STATEMENT)) for column in table.columns]


def headings(table: Table, escape: Callable[[str], str]) -> list[str]:
    return [escape(column.title) for column in table.columns]


def markdown_table(table: Table) -> list[str]:
    rows = [headings(table, for_markdown), ["---:" if column.right else "---" for column in table.columns]]
    rows += [cells(table, item, for_markdown) for item in table.items]
    return ["| " + " | ".join(row) + " |" for row in rows]


def latex_rows(table: Table) -> tuple[str, str, list[str]]:
    """The columns' letters, the line of headings, and the other lines."""
    head, *rows = [headings(table, for_latex), *(cells(table, item, for_latex) for item in table.items)]
    letters = "".join("r" if column.right else "l" for column in table.columns)
    return letters, _line(head), [_line(row) for row in rows]


def html_table(table: Table, links: Mapping[str, str]) -> Iterator[str]:
    """A table of HTML, piece by piece; texts of the first column that are in `links` lead there."""
    kinds = [f' class="{kind}"' if (kind := _class(column)) else "" for column in table.columns]

    def line(tag: str, texts: Sequence[str]) -> str:
        return "".join(f"<{tag}{kind}>{text}" for kind, text in zip(kinds, texts, strict=True))

    yield f'<div class="wide"><table>\n<thead><tr>{line("th", headings(table, for_html))}</tr></thead>\n<tbody>\n'
    for item in table.items:
        first, *rest = cells(table, item, for_html)
        if (to := links.get(str(table.columns[0].of(item)))) is not None:
            first = f'<a href="#{to}">{first}</a>'
        yield f"<tr>{line('td', [first, *rest])}</tr>\n"
    yield "</tbody>\n</table></div>\n"


def _class(column: Column) -> str:
    return "number" if column.right else "statement" if column.kind == "prose" else ""


# A solve-set comparison as Markdown: the counts, and the problems that some runs solve and some do not.


def problems_in_question(comparison: SetsShown) -> Table:
    """The problems that some runs solve and some do not, for people."""
    return replace(sets_table(comparison).on(DOCUMENT), items=in_question(comparison))


def export_markdown(job: ExportTask) -> int:
    """Counts, then the problems in question, then where it all comes from."""
    comparison = comparison_of(job)
    sets = comparison.sets
    title = " against ".join(for_markdown(run.model.name) for run in sets.runs)
    lines = [f"# {for_markdown(sets.benchmark)}: {title}", "", f"{len(sets.problems):,} problems compared.", ""]
    lines += markdown_table(set_counts_table(comparison))
    lines += ["", *(f"- {for_markdown(note)}" for note in _notes(comparison)), ""]
    table = problems_in_question(comparison)
    lines += markdown_table(table) if table.items else ["Every problem is solved by all of these runs or by none."]
    # As an HTML comment, which must not hold two hyphens.
    origin = for_html(json_text(job.provenance.full)).replace("--", "-&#45;")
    lines += ["", for_markdown(job.provenance.words), "", f"<!-- passk-export {origin} -->", ""]
    job.path.write_text("\n".join(lines), encoding="utf-8")
    job.tell(len(table.items), len(table.items))
    return len(sets.problems)


def _notes(comparison: SetsShown) -> list[str]:
    return [
        *sets_notes(comparison),
        *problem_notes(comparison),
        *evidence_notes(comparison),
        *false_positive_notes(comparison),
        *count_notes(comparison),
    ]


# A solve-set comparison as LaTeX tables (booktabs) that go into a paper as they are.

HEADER = r"""% Solve sets, made by passk. In the preamble: \usepackage{booktabs,longtable,textcomp}
"""


def export_latex(job: ExportTask) -> int:
    """Three tables: runs, sets, and the problems that some runs solve and some do not."""
    comparison = comparison_of(job)
    sets, benchmark = comparison.sets, for_latex(comparison.sets.benchmark)
    ends = [curve.points[-1].k for curve in curves(job.reader, sets.runs, problems=job.problems) if curve.points]
    found = curves(job.reader, sets.runs, lambda _: sorted({1, min(ends)}), problems=job.problems)
    # A comment ends with its line; every line of it is ASCII, for any input encoding.
    origin = json_text(job.provenance.full).encode("ascii", "backslashreplace").decode()
    of_sets = " ".join(
        map(
            for_latex,
            [
                *sets_notes(comparison),
                *evidence_notes(comparison),
                *false_positive_notes(comparison),
                *count_notes(comparison),
            ],
        )
    )
    expected = f" (expected at n = {sets.common_n})" if sets.expected_at_common_n is not None else ""
    parts = [
        HEADER + f"% {origin}\n",
        _table(
            rf"Runs on {benchmark}: pass@1 and pass@k at the largest common k, in \%, and solved "
            f"problems{expected} of the {len(sets.problems)} that every run has (at least {sets.min_correct} correct).",
            "tab:passk-runs",
            compared_runs_table(sets, found),
        ),
        _table(
            f"Solve sets on {benchmark}, {len(sets.problems)} problems. {of_sets}",
            "tab:passk-sets",
            set_counts_table(comparison),
        ),
    ]
    table = problems_in_question(comparison)
    if table.items:
        parts.append(_long_table(comparison, table))
    job.path.write_text("\n".join(parts), encoding="utf-8")
    job.tell(len(sets.problems), len(sets.problems))
    return len(sets.problems)


def _line(row: Sequence[str]) -> str:
    return "    " + " & ".join(row) + r" \\"


def _table(caption: str, label: str, table: Table) -> str:
    letters, head, rows = latex_rows(table)
    lines = [
        r"\begin{table}[t]", r"  \centering", r"  \setlength{\belowcaptionskip}{6pt}",
        rf"  \caption{{{caption}}}", rf"  \label{{{label}}}",
        rf"  \begin{{tabular}}{{{letters}}}", r"    \toprule", head, r"    \midrule", *rows,
        r"    \bottomrule", r"  \end{tabular}", r"\end{table}", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _long_table(comparison: SetsShown, table: Table) -> str:
    # A statement does not fit beside the numbers.
    table = replace(table, columns=tuple(column for column in table.columns if column.kind != "prose"))
    letters, head, rows = latex_rows(table)
    caption = f"Problems of {comparison.sets.benchmark} that some of the runs solve and some do not."
    caption = for_latex(" ".join([caption, *problem_notes(comparison)]))
    lines = [
        r"{\small\setlength{\tabcolsep}{4pt}\setlength{\LTcapwidth}{\linewidth}",
        rf"\begin{{longtable}}{{{letters}}}", rf"  \caption{{{caption}}}\label{{tab:passk-problems}}\\",
        r"    \toprule", head, r"    \midrule", r"  \endfirsthead",
        r"    \toprule", head, r"    \midrule", r"  \endhead", r"    \bottomrule", r"  \endfoot", *rows,
        r"\end{longtable}}", "",
    ]  # fmt: skip
    return "\n".join(lines)


# pass@k curves as a small inline SVG, for the page that must stand alone. Figures for papers: `drawing.py`.

WIDTH, HEIGHT = 680, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 12, 44


def curve_svg(figure: Figure) -> str:
    """The figure's lines with their bands over a log2 axis, and below it a legend whose names may be long.

    Its title is for those who cannot see it.
    """
    largest = max((max(series.x) for series in figure.series if series.x), default=1)
    span = max(log2(largest), 1.0)

    def x(k: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * log2(k) / span

    def y(share: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="curve">',
        f"<title>{for_html(figure.y_label)} against {for_html(figure.x_label)}</title>",
    ]
    for tenth in range(0, 11, 2):
        at = y(tenth / 10)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10 * tenth}</text>')
    for power in range(int(span) + 1):
        at = x(1 << power)
        parts.append(f'<line class="tick" x1="{at:.1f}" x2="{at:.1f}" y1="{y(0):.1f}" y2="{y(0) + 5:.1f}"/>')
        parts.append(f'<text x="{at:.1f}" y="{y(0) + 18:.1f}" text-anchor="middle">{1 << power}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">k</text>')
    parts.append(
        f'<text transform="translate(14 {HEIGHT / 2 - 16:.0f}) rotate(-90)" text-anchor="middle">pass@k, %</text>'
    )
    for place, series in enumerate(figure.series):
        colour, dash = colour_of(series, place), dash_of(series, place)
        if series.low is not None and series.high is not None:
            edge = _points(series.x, series.high, x, y) + _points(series.x, series.low, x, y)[::-1]
            parts.append(f'<polygon fill="{colour}" opacity="0.15" points="{" ".join(edge)}"/>')
        points = " ".join(_points(series.x, series.y, x, y))
        style = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2"{style} points="{points}"/>')
    return "\n".join([*parts, "</svg>", *_legend(figure)])


def _points(xs: Sequence[float], ys: Sequence[float], x: object, y: object) -> list[str]:
    assert callable(x) and callable(y)
    return [f"{x(k):.1f},{y(share):.1f}" for k, share in zip(xs, ys, strict=True)]


def _legend(figure: Figure) -> list[str]:
    parts = ['<ul class="legend">']
    for place, series in enumerate(figure.series):
        dash = dash_of(series, place)
        style = f' stroke-dasharray="{dash}"' if dash else ""
        line = f'<line x1="0" x2="32" y1="5" y2="5" stroke="{colour_of(series, place)}" stroke-width="2"{style}/>'
        parts.append(f'<li><svg width="32" height="10">{line}</svg> {for_html(legend_of(series))}</li>')
    if figure.band:
        parts.append(f'<li><svg width="32" height="10"><rect class="band" width="32" height="10"/></svg> '
                     f"{for_html(figure.band)}</li>")  # fmt: skip
    return [*parts, "</ul>"]


# A solve-set comparison as one page that stands alone: no script, no font, no request to anywhere.

LONGEST_PATH = 20_000
"""Characters of a path that the page shows; the rest is left out and said so."""

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .875rem; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { border-bottom-width: 2px; } .number { text-align: right; white-space: nowrap; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.45 ui-monospace, monospace; background: var(--soft);
  padding: .6rem .8rem; margin: .3rem 0 1rem; border-left: 3px solid var(--line); unicode-bidi: isolate; }
pre.correct { border-left-color: #2a9d4a; } pre.incorrect { border-left-color: #c8443a; }
.paths { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 1.5rem; }
.curve { width: 100%; max-width: 46rem; } .curve text { font-size: 12px; fill: currentColor; }
.curve .grid { stroke: var(--line); } .curve .tick { stroke: currentColor; }
.legend { list-style: none; padding: 0; font-size: .875rem; } .legend .band { fill: currentColor; opacity: .15; }
.wide { overflow-x: auto; }
.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1rem; margin: 1rem 0; }
.counts div { border: 1px solid var(--line); padding: .5rem 1rem; }
.counts b { display: block; font-size: 1.6rem; font-weight: 600; }
footer, .note { color: #777; font-size: .875rem; } details summary { cursor: pointer; }
h4 { font-size: .875rem; margin: .5rem 0 .2rem; } td.statement { min-width: 14rem; max-width: 28rem; }
td:nth-child(2) { white-space: nowrap; }
@media (max-width: 40rem) { .curve text { font-size: 18px; } .paths { grid-template-columns: 100%; } }
@media print { details > * { display: block; } }
"""


def export_html(job: ExportTask) -> int:
    comparison = comparison_of(job)
    with open(job.path, "w", encoding="utf-8") as page:
        _head(page, job, comparison)
        _summary(page, job, comparison)
        _problem_list(page, comparison)
        _problems_in_question(page, job, comparison)
        page.write(f"<footer><p>{for_html(job.provenance.words)}</p>\n")
        for run in comparison.sets.runs:
            known = parameters_in_words(run) or "sampling parameters unknown"
            page.write(f"<p>{for_html(run.name)}: {for_html(known)}</p>\n")
        page.write("</footer>\n</body>\n</html>\n")
    return len(comparison.sets.problems)


def _head(page: TextIO, job: ExportTask, comparison: SetsShown) -> None:
    sets = comparison.sets
    title = f"{sets.benchmark}: " + " against ".join(run.model.name for run in sets.runs)
    # Whatever a text may hold: a browser that knows this rule runs no script and fetches nothing.
    page.write(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="passk-export" content="{for_html(json_text(job.provenance.full))}">\n'
        f"<title>{for_html(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{for_html(title)}</h1>\n"
    )


def _summary(page: TextIO, job: ExportTask, comparison: SetsShown) -> None:
    sets = comparison.sets
    page.write(f"<p>{len(sets.problems):,} problems compared.</p>\n")
    page.write('<div class="counts">\n')
    counts = set_counts_table(comparison)
    titles = headings(counts, for_html)
    for entry in counts.items:
        name, count, *beside = cells(counts, entry, for_html)
        notes = "<br>".join(f"{title}: {text}" for title, text in zip(titles[2:], beside, strict=True))
        page.write(f"<div>{name} <b>{count}</b><span class=note>{notes}</span></div>\n")
    page.write("</div>\n<ul>\n")
    for note in _notes(comparison):
        page.write(f"<li>{for_html(note)}</li>\n")
    page.write("</ul>\n<h2>pass@k</h2>\n")
    figure = figure_of(job, "curves")
    page.write(curve_svg(figure) + "\n")
    said = "; ".join([*([figure.method] if figure.method else ()), *figure.notes])
    page.write(f'<p class="note">{for_html(said)}</p>\n')


def _problem_list(page: TextIO, comparison: SetsShown) -> None:
    linked = {problem.label: f"p{problem.key:016x}" for problem in in_question(comparison)}
    page.write("<h2>Problems</h2>\n")
    page.writelines(html_table(sets_table(comparison).on(DOCUMENT), linked))


def _problems_in_question(page: TextIO, job: ExportTask, comparison: SetsShown) -> None:
    problems, words = in_question(comparison), comparison.words
    heading = "Problems that some runs solve and some do not"
    if len(words) == 2:
        heading = f"Problems that are {comparison.name((True, False))} or {comparison.name((False, True))}"
    page.write(f"<h2>{for_html(heading)}</h2>\n")
    if not problems:
        page.write("<p>There is none.</p>\n")
    for done, problem in enumerate(problems, 1):
        _problem(page, comparison, problem)
        page.write('<div class="paths">\n')
        for run, word, tally in zip(comparison.sets.runs, words, problem.tallies, strict=True):
            page.write(f"<div>\n{''.join(_paths(job, run, for_html(word), problem.key, tally))}</div>\n")
        page.write("</div>\n")
        job.tell(done, len(problems))


def _problem(page: TextIO, comparison: SetsShown, problem: SetProblem) -> None:
    counted = ", ".join(
        f"{word} {tally.c} of {tally.n}" for word, tally in zip(comparison.words, problem.tallies, strict=True)
    )
    said = for_html(f"{problem.label}: {comparison.name(problem.solved)}, correct: {counted}")
    page.write(f'<h3 id="p{problem.key:016x}">{said}</h3>\n')
    stored = comparison.stored[problem.key]
    page.write(
        f"<pre>\n{for_html(stored.statement)}</pre>\n" if stored.statement else "<p>No statement is stored.</p>\n"
    )
    if stored.reference:
        page.write(f"<p>Reference answer: <code>{for_html(stored.reference)}</code></p>\n")


def _paths(job: ExportTask, run: Run, word: str, problem: int, tally: Tally) -> Iterator[str]:
    """The first correct and the first incorrect path of a run; `word` is escaped."""
    rows = job.reader.rows("exports/examples", run_key=run.key, problem_key=problem)
    first = {bool(correct): sample for correct, sample in rows}
    if not run.texts:
        yield f'<p class="note">{word}: no path is stored.</p>\n'
        return
    for correct in (True, False):
        kind = "correct" if correct else "incorrect"
        if correct in first:
            yield _path(job.reader.path(run, problem, first[correct]), word, kind)
        elif tally.c == (0 if correct else tally.n):
            yield f'<p class="note">{word}: none of {tally.n:,} samples is {kind}.</p>\n'
        else:
            yield f'<p class="note">{word}: no {kind} path is stored.</p>\n'


def _path(path: Response, word: str, kind: str) -> str:
    text = path.text or ""
    left_out = len(text) - LONGEST_PATH
    more = f'<p class="note">{left_out:,} more characters are left out here.</p>\n' if left_out > 0 else ""
    verdict = "" if path.sample.verdict in ("correct", "wrong") else f" ({for_html(path.sample.verdict)})"
    summary = f"{word}, {kind}{verdict}, sample {path.sample.index}"
    if path.sample.answer is not None:
        summary += f", answer {for_html(path.sample.answer[:200])}"
    body = f'<pre class="{kind}">\n{for_html(text[:LONGEST_PATH])}</pre>'
    return f"<details open><summary>{summary}</summary>\n{body}\n{more}</details>\n"
