"""A solve-set comparison as one page that stands alone: no script, no font, no request to anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from backend.exporters.comparison import Comparison, comparison_of
from backend.exporters.comparison_markdown import (
    interval_in_words,
    range_in_words,
    share_in_words,
    valid_in_words,
)
from backend.exporters.curve_svg import curve_svg
from backend.exporters.escaping import for_html, json_text
from backend.exporters.figures import figure_of
from backend.exporters.protocol import Job
from backend.exporters.provenance import parameters_in_words
from backend.exporters.samples import StoredProblem, stored_problems
from backend.records import Path, Run, SetProblem, Tally

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


def export_html(job: Job) -> int:
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


def _head(page: TextIO, job: Job, comparison: Comparison) -> None:
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


def _summary(page: TextIO, job: Job, comparison: Comparison) -> None:
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
        cells.append(f'<td class="number">{share_in_words(certainty.doubt.get(problem.key))}')
        excerpt = problem.excerpt or "–"
        shown = excerpt if len(excerpt) <= 160 else excerpt[:159] + "…"
        page.write("<tr>" + "".join([*cells, f'<td class="statement">{for_html(shown)}']) + "</tr>\n")
    page.write("</tbody>\n</table></div>\n")


def _problems_in_question(page: TextIO, job: Job, comparison: Comparison) -> None:
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


def _paths(job: Job, run: Run, word: str, problem: int, tally: Tally) -> Iterator[str]:
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


def _path(path: Path, word: str, kind: str) -> str:
    text = path.text or ""
    left_out = len(text) - LONGEST_PATH
    more = f'<p class="note">{left_out:,} more characters are left out here.</p>\n' if left_out > 0 else ""
    verdict = "" if path.sample.verdict in ("correct", "wrong") else f" ({for_html(path.sample.verdict)})"
    summary = f"{for_html(word)}, {kind}{verdict}, sample {path.sample.index}"
    if path.sample.answer is not None:
        summary += f", answer {for_html(path.sample.answer[:200])}"
    body = f'<pre class="{kind}">\n{for_html(text[:LONGEST_PATH])}</pre>'
    return f"<details open><summary>{summary}</summary>\n{body}\n{more}</details>\n"
