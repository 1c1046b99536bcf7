"""A solve-set comparison as a document: Markdown, LaTeX tables (booktabs), and one page of HTML that stands alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log2
from typing import TextIO

from backend.analysis.comparison import curves
from backend.exporters.comparison import Comparison, comparison_of, run_label
from backend.exporters.escaping import for_html, for_latex, for_markdown, json_text
from backend.exporters.figures import colour_of, dash_of, figure_of, legend_of
from backend.exporters.protocol import ExportTask, parameters_in_words
from backend.exporters.samples import StoredProblem, stored_problems
from backend.records import Curve, Response, Run, SetProblem, Tally
from backend.records.exports import Figure

# A solve-set comparison as Markdown: the counts, and the problems that some runs solve and some do not.

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


def export_markdown(job: ExportTask) -> int:
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
    return [*cells, share_in_words(certainty.p_change.get(problem.key)), excerpt]


# A solve-set comparison as LaTeX tables (booktabs) that go into a paper as they are.

HEADER = r"""% Solve sets, made by passk. In the preamble: \usepackage{booktabs,longtable,textcomp}
"""


def export_latex(job: ExportTask) -> int:
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
        rows.append([*cells, _dashes(share_in_words(certainty.p_change.get(problem.key)))])
    if not certainty.p_change:
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
pre.right { border-left-color: #2a9d4a; } pre.wrong { border-left-color: #c8443a; }
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
    """The page."""
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


def _head(page: TextIO, job: ExportTask, comparison: Comparison) -> None:
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


def _summary(page: TextIO, job: ExportTask, comparison: Comparison) -> None:
    sets = comparison.sets
    page.write(f"<p>{len(sets.problems):,} problems compared.</p>\n")
    page.write('<div class="counts">\n')
    by_valid = comparison.by_valid()
    for name, (count, interval) in comparison.counted().items():
        more = f"<span class=note>95 %: {range_in_words(interval)}</span>" if interval is not None else ""
        if name in by_valid:
            more += f"<br><span class=note>by valid paths: {valid_in_words(by_valid[name])}</span>"
        page.write(f"<div>{for_html(name)} <b>{count:,}</b>{more}</div>\n")
    page.write("</div>\n<ul>\n")
    for remark in comparison.remarks():
        page.write(f"<li>{for_html(remark)}</li>\n")
    page.write("</ul>\n<h2>pass@k</h2>\n")
    figure = figure_of(job, "curves")
    page.write(curve_svg(figure) + "\n")
    said = "; ".join([*([figure.method] if figure.method else ()), *figure.notes])
    page.write(f'<p class="note">{for_html(said)}</p>\n')


def _headings(comparison: Comparison) -> str:
    cells = ["<th>problem", "<th>set", "<th>level"]
    for word in comparison.run_words:
        cells += [f'<th class="number">{for_html(word)} c/n', '<th class="number">95 %']
    return "".join([*cells, '<th class="number">doubt %', "<th>statement"])


def _problem_list(page: TextIO, comparison: Comparison) -> None:
    certainty = comparison.certainty
    linked = {problem.key for problem in comparison.in_question()}
    page.write('<h2>Problems</h2>\n<div class="wide"><table>\n')
    page.write(f"<thead><tr>{_headings(comparison)}</tr></thead>\n<tbody>\n")
    for problem in comparison.sets.problems:
        label = for_html(problem.label)
        cells = [f'<td><a href="#p{problem.key:016x}">{label}</a>' if problem.key in linked else f"<td>{label}"]
        cells += [f"<td>{for_html(comparison.set_words(problem.solved))}", f"<td>{for_html(problem.level or '–')}"]
        for place, tally in enumerate(problem.tallies):
            interval = certainty.intervals[place].get(problem.key)
            cells += [f'<td class="number">{tally.c}/{tally.n}', f'<td class="number">{interval_in_words(interval)}']
        cells.append(f'<td class="number">{share_in_words(certainty.p_change.get(problem.key))}')
        excerpt = problem.excerpt or "–"
        shown = excerpt if len(excerpt) <= 160 else excerpt[:159] + "…"
        page.write("<tr>" + "".join([*cells, f'<td class="statement">{for_html(shown)}']) + "</tr>\n")
    page.write("</tbody>\n</table></div>\n")


def _problems_in_question(page: TextIO, job: ExportTask, comparison: Comparison) -> None:
    problems = comparison.in_question()
    heading = (
        "Base-only and RL-only problems" if comparison.is_pair else "Problems that some runs solve and some do not"
    )
    page.write(f"<h2>{heading}</h2>\n")
    if not problems:
        page.write("<p>There is none.</p>\n")
    stored = {problem.key: problem for problem in stored_problems(job.reader, comparison.sets.runs)}
    for done, problem in enumerate(problems, 1):
        _problem(page, comparison, problem, stored[problem.key])
        page.write('<div class="paths">\n')
        for run, word, tally in zip(comparison.sets.runs, comparison.run_words, problem.tallies, strict=True):
            page.write(f"<div>\n{''.join(_paths(job, run, word, problem.key, tally))}</div>\n")
        page.write("</div>\n")
        job.tell(done, len(problems))


def _problem(page: TextIO, comparison: Comparison, problem: SetProblem, stored: StoredProblem) -> None:
    counted = ", ".join(
        f"{for_html(word)} {tally.c} of {tally.n}"
        for word, tally in zip(comparison.run_words, problem.tallies, strict=True)
    )
    name = for_html(comparison.set_words(problem.solved))
    page.write(f'<h3 id="p{problem.key:016x}">{for_html(problem.label)}: {name}, right: {counted}</h3>\n')
    statement = stored.statement
    page.write(f"<pre>\n{for_html(statement)}</pre>\n" if statement else "<p>No statement is stored.</p>\n")
    if stored.reference:
        page.write(f"<p>Reference answer: <code>{for_html(stored.reference)}</code></p>\n")


def _paths(job: ExportTask, run: Run, word: str, problem: int, tally: Tally) -> Iterator[str]:
    """One right and one wrong path of a run: the first of each."""
    rows = job.reader.rows("exports/examples", run_key=run.key, problem_key=problem)
    first = {bool(is_right): sample for is_right, sample in rows}
    if not run.texts:
        yield f'<p class="note">{for_html(word)}: no path is stored.</p>\n'
        return
    for is_right in (True, False):
        kind = "right" if is_right else "wrong"
        if is_right in first:
            yield _path(job.reader.path(run, problem, first[is_right]), word, kind)
        elif tally.c == (0 if is_right else tally.n):
            yield f'<p class="note">{for_html(word)}: none of {tally.n:,} samples is {kind}.</p>\n'
        else:
            yield f'<p class="note">{for_html(word)}: no {kind} path is stored.</p>\n'


def _path(path: Response, word: str, kind: str) -> str:
    text = path.text or ""
    left_out = len(text) - LONGEST_PATH
    more = f'<p class="note">{left_out:,} more characters are left out here.</p>\n' if left_out > 0 else ""
    verdict = "" if path.sample.verdict in ("correct", "wrong") else f" ({for_html(path.sample.verdict)})"
    summary = f"{for_html(word)}, {kind}{verdict}, sample {path.sample.index}"
    if path.sample.answer is not None:
        summary += f", answer {for_html(path.sample.answer[:200])}"
    body = f'<pre class="{kind}">\n{for_html(text[:LONGEST_PATH])}</pre>'
    return f"<details open><summary>{summary}</summary>\n{body}\n{more}</details>\n"
