from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from backend import PAIR_SETS, set_uncertainty, solve_sets, valid_sets
from backend.errors import AlreadyThere, UsageError
from backend.records.exports import FORMS
from backend.store.layout import StoreLayout
from tests.explorer.conftest import CORRECT
from tests.exporters.conftest import BASE, RL, SFT, reading, write
from tests.exporters.hostile import RUNS, TEXTS

SETS = ["both", "both", "base_only", "base_only", "rl_only", "neither"]


def rows_of(path: Path) -> list[dict[str, object]]:
    """The rows of any of the three tabular forms, answers decoded."""
    if path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
    elif path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    else:
        rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    for row in rows:
        for key in ("base_answers", "rl_answers"):
            if isinstance(row.get(key), str):
                row[key] = json.loads(str(row[key]))
    return rows


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_tables_hold_every_problem_with_both_runs(sums: StoreLayout, tmp_path: Path, form: str) -> None:
    made = write(sums, "sets", tmp_path / f"sets.{form}", BASE, RL)
    rows = rows_of(tmp_path / f"sets.{form}")
    assert (made.rows, made.what, made.bytes) == (6, "problems", (tmp_path / f"sets.{form}").stat().st_size)
    assert [row["set"] for row in rows] == SETS
    assert [int(str(row["base_c"])) for row in rows] == CORRECT["base"][0]
    assert [int(str(row["rl_c"])) for row in rows] == CORRECT["rl"][0]
    assert rows[0]["statement"] == "What is 10 + 1?"
    assert rows[0]["reference"] == "11"
    answers = rows[3]["base_answers"]
    assert isinstance(answers, list)
    assert {"answer": "44", "verdict": "correct", "count": 2} in answers
    assert sum(entry["count"] for entry in answers) == 8


def test_intervals_and_doubt_are_those_of_the_explorer(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "sets", tmp_path / "sets.parquet", BASE, RL)
    rows = rows_of(tmp_path / "sets.parquet")
    with reading(sums) as reader:
        sets = solve_sets(reader, [reader.run(BASE), reader.run(RL)])
        doubt = set_uncertainty(reader, sets)
    for row, problem in zip(rows, sets.problems, strict=True):
        found = doubt.problems[problem.key]
        assert row["doubt"] == found.set
        assert (row["base_low"], row["base_high"]) == (found.rates[0].low, found.rates[0].high)
        assert row["rl_doubt"] == found.runs[1]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "md", "tex", "html"])
def test_every_form_says_where_it_comes_from(sums: StoreLayout, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"sets.{form}"
    write(sums, "sets", path, BASE, RL, problems="level=1", min_correct=2)
    text = str(pq.read_schema(path).metadata) if form == "parquet" else path.read_text(encoding="utf-8")
    text = text.replace("&quot;", '"').replace('""', '"')
    for said in ('"store":"', '"passk":"', '"problems":"level=1"', '"min_correct":2', '"temperature":0.6', BASE, RL):
        assert said in text.replace("&amp;", "&"), said


def test_the_first_row_says_it_and_the_others_are_empty(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "sets", tmp_path / "sets.csv", BASE, RL)
    first, *others = csv.DictReader((tmp_path / "sets.csv").open(encoding="utf-8", newline=""))
    assert json.loads(first["export"])["what"] == "sets"
    assert {row["export"] for row in others} == {""}


@pytest.mark.parametrize("form", ["csv", "md", "html", "tex"])
def test_three_runs(sums: StoreLayout, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"sets.{form}"
    assert write(sums, "sets", path, BASE, RL, SFT).rows == 6
    text = path.read_text(encoding="utf-8")
    assert "tiny-sft" in text.replace("{-}", "-")
    if form == "csv":
        rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
        assert rows[2]["set"] == f"{BASE} + {SFT}"
        assert [row["run3_c"] for row in rows] == [str(c) for c in CORRECT["sft"][0]]


def test_a_filter_and_a_threshold_hold(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "sets", tmp_path / "sets.jsonl", BASE, RL, problems="level=1", min_correct=3)
    rows = rows_of(tmp_path / "sets.jsonl")
    assert [(row["problem"], row["set"]) for row in rows] == [("s1", "both"), ("s4", "neither")]


def test_nothing_is_overwritten_unless_asked(sums: StoreLayout, tmp_path: Path) -> None:
    path = tmp_path / "sets.csv"
    path.write_text("mine")
    with pytest.raises(AlreadyThere):
        write(sums, "sets", path, BASE, RL)
    assert path.read_text() == "mine"
    write(sums, "sets", path, BASE, RL, force=True)
    assert path.read_text().startswith("benchmark,")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("what", "name", "runs", "problems", "said"),
    [
        ("sets", "x.docx", (BASE, RL), "", "The ending chooses the form"),
        ("sets", "x.csv", (BASE,), "", "two"),
        ("sets", "x.csv", (BASE, RL), "level=9", "No problem fits"),
        ("sets", "x.csv", (BASE, "nobody"), "", "no run nobody"),
        ("sets", "nowhere/x.csv", (BASE, RL), "", "no folder"),
        ("difference", "x.csv", (BASE,), "", "two runs"),
        ("steps", "x.csv", (BASE,), "", "no training steps"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_leaves_nothing(
    sums: StoreLayout, tmp_path: Path, what: str, name: str, runs: tuple[str, ...], problems: str, said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        write(sums, what, tmp_path / name, *runs, problems=problems)
    assert said in str(refused.value)
    assert list(tmp_path.iterdir()) == []


# The page


class Page(HTMLParser):
    """What a browser sees: elements, and text by element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.preformatted: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        self.inside.append(tag)
        if tag == "pre":
            self.preformatted.append("")

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, text: str) -> None:
        if "pre" in self.inside[-1:]:
            self.preformatted[-1] += text


def test_the_page_shows_paths_of_the_problems_in_question(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "sets", tmp_path / "page.html", BASE, RL)
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    anchors = {attributes.get("id") for tag, attributes in page.elements if tag == "h3"}
    links = {str(attributes["href"])[1:] for tag, attributes in page.elements if tag == "a"}
    assert len(anchors) == 3 and anchors == links
    shown = [text.strip("\n") for text in page.preformatted]
    assert shown[0] == "What is 30 + 3?"
    # The first right and the first wrong sample of base; RL has no right one.
    assert "base thinks about s3, attempt 7.\nSo the answer is 33." in shown
    assert "base thinks about s3, attempt 0.\nSo the answer is 0." in shown
    assert "rl thinks about s3, attempt 0.\nSo the answer is 0." in shown
    assert "RL: none of 8 samples is correct." in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_page_asks_for_nothing(hostile: StoreLayout, tmp_path: Path) -> None:
    write(hostile, "sets", tmp_path / "page.html", *RUNS)
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & {
        tag for tag, _ in page.elements
    }
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("src", "srcset", "action") for name in attributes), tag
        assert str(attributes.get("href", "#")).startswith("#")


def test_the_page_shows_hostile_texts_as_they_are(hostile: StoreLayout, tmp_path: Path) -> None:
    write(hostile, "sets", tmp_path / "page.html", *RUNS)
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert any(TEXTS[0] in text for text in page.preformatted)
    assert any(TEXTS[2] in text for text in page.preformatted)
    assert not any(char in text for text in page.preformatted for char in "\x1b\x07\u202e\u2028")


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium")
@pytest.mark.parametrize("store", ["sums", "hostile"])
def test_a_browser_opens_the_page(request: pytest.FixtureRequest, tmp_path: Path, store: str) -> None:
    runs = RUNS if store == "hostile" else (BASE, RL)
    path = tmp_path / "page.html"
    write(request.getfixturevalue(store), "sets", path, *runs)
    result = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--virtual-time-budget=2000", "--dump-dom", path.as_uri()],
        capture_output=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    page = Page(result.stdout)
    title = re.search("<title>(.*?)</title>", result.stdout, re.DOTALL)
    assert title is not None and "owned" not in title[1]
    assert "script" not in {tag for tag, _ in page.elements}
    assert len([tag for tag, _ in page.elements if tag == "polyline"]) == 2
    assert "</html>" in result.stdout


# LaTeX

TEX = next(filter(None, map(shutil.which, ("pdflatex", "lualatex", "xelatex", "tectonic"))), None)
DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs,longtable,textcomp}
\begin{document}
\input{sets.tex}
\end{document}
"""


@pytest.mark.skipif(TEX is None, reason="no TeX is installed: apt-get install texlive-latex-recommended")
@pytest.mark.parametrize("store", ["sums", "hostile"])
def test_the_tables_compile(request: pytest.FixtureRequest, tmp_path: Path, store: str) -> None:
    runs = RUNS if store == "hostile" else (BASE, RL)
    write(request.getfixturevalue(store), "sets", tmp_path / "sets.tex", *runs)
    (tmp_path / "document.tex").write_text(DOCUMENT)
    result = subprocess.run(
        [str(TEX), "-interaction=nonstopmode", "-halt-on-error", "document.tex"],
        cwd=tmp_path, capture_output=True, encoding="utf-8", errors="replace", timeout=120,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-2000:]
    assert (tmp_path / "document.pdf").stat().st_size > 10_000


def test_the_tables_say_what_the_sets_are(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "sets", tmp_path / "sets.tex", BASE, RL)
    text = (tmp_path / "sets.tex").read_text(encoding="utf-8")
    assert re.search(r"both & 2 & \d+--\d+ ", text)
    assert re.search(r"base\{-\}only & 2 & \d+--\d+ ", text)
    assert re.search(r"s3 & Level 3 & base\{-\}only & 1/8 & [\d.]+--[\d.]+ & 0/8 ", text)
    assert text.count("\\toprule") == 4 and "\\hline" not in text


def test_the_markdown_table_has_a_row_a_problem_in_question(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "sets", tmp_path / "sets.md", BASE, RL)
    lines = (tmp_path / "sets.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if re.match(r"\| s\d \|", line)]
    assert [row.split(" | ")[2] for row in rows] == ["base-only", "base-only", "RL-only"]
    assert {line.count(" | ") for line in rows} == {10}


def test_hostile_markdown_keeps_its_table(hostile: StoreLayout, tmp_path: Path) -> None:
    write(hostile, "sets", tmp_path / "sets.md", *RUNS)
    lines = (tmp_path / "sets.md").read_text(encoding="utf-8").split("\n")
    header = next(place for place, line in enumerate(lines) if line.startswith("| problem"))
    rows = lines[header : header + 2 + len(TEXTS)]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {12}


def test_sets_by_valid_paths_stand_beside_the_plain_ones(judged: StoreLayout, tmp_path: Path) -> None:
    with reading(judged) as reader:
        found = valid_sets(reader, [reader.run(BASE), reader.run(RL)])
    for form in ("csv", "jsonl", "parquet"):
        write(judged, "sets", tmp_path / f"sets.{form}", BASE, RL, judged=True)
        rows = rows_of(tmp_path / f"sets.{form}")
        assert [row["set"] for row in rows] == SETS
        assert [row["set_by_valid"] for row in rows] == [PAIR_SETS[problem.solved] for problem in found.sets.problems]
        of_s4 = rows[3]
        assert [int(str(of_s4[f"base_{said}"])) for said in ("valid", "invalid", "unsure")] == [1, 1, 0]
    for form in ("md", "tex", "html"):
        write(judged, "sets", tmp_path / f"sets.{form}", BASE, RL, judged=True)
        text = (tmp_path / f"sets.{form}").read_text(encoding="utf-8")
        assert "by valid paths" in text
        right = found.judged[0].right
        assert (
            f"base 3 of {right} correct paths (2 valid), RL 0 of {found.judged[1].right} correct paths (0 valid)"
            in text
        )
        for count, at_most in (
            (found.sets.counts[solved], found.counts_if_open_valid[solved]) for solved in found.sets.counts
        ):
            assert (f"{count}–{at_most}" if count != at_most else f"{count}") in text.replace("--", "–")


@pytest.mark.parametrize("what", ["sets", "problems"])
def test_a_judgement_changes_no_exported_table_that_did_not_ask_for_it(
    sums: StoreLayout, judged: StoreLayout, tmp_path: Path, what: str
) -> None:
    for form in FORMS[what]:
        ending = "verl.parquet" if form == "verl" else form
        files = [tmp_path / f"{name}.{ending}" for name in ("before", "after", "asked")]
        write(sums, what, files[0], BASE, RL)
        write(judged, what, files[1], BASE, RL)
        write(judged, what, files[2], BASE, RL, judged=True)
        before, after, asked = (file.read_bytes() for file in files)
        assert after == before, form
        assert asked != before, form


def test_where_nothing_is_judged_no_set_is_by_valid_paths(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "sets", tmp_path / "sets.jsonl", BASE, RL)
    assert {row["set_by_valid"] for row in rows_of(tmp_path / "sets.jsonl")} == {None}
    write(sums, "sets", tmp_path / "sets.md", BASE, RL)
    assert "valid" not in (tmp_path / "sets.md").read_text(encoding="utf-8")
