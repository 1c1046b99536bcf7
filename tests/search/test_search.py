"""Search finds what Python finds, says where, streams, and can be stopped; on real stores."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend import (
    Reader,
    open_store,
    pattern,
    pattern_in_progress,
    regex_pattern,
    search,
    selected_problems,
    text_in_any_case,
)
from backend.errors import Cancelled, UsageError
from backend.records.samples import Hit
from backend.store.layout import StoreLayout
from backend.text_search import AROUND, Pattern
from tests.explorer.driving import import_into
from tests.support import Passk, jsonl

TEXTS = {
    "base": [
        ["Wait, 3 + 4 = 7.\nSo x is 7.", "no idea", "concat cat", ""],
        ["É \U0001f600 wait", "a.b*c [x] (y) \\Q", "wait " * 40, "ends with wait"],
    ],
    "rl": [["Therefore 7", "7", "77", "777"], ["[/b] \x1b[31mwait\x1b[0m", "WAIT", "x", "y"]],
}
"""Texts of every run, by problem and sample."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StoreLayout:
    folder = tmp_path_factory.mktemp("search")
    layout = StoreLayout(folder / "texts.passk")
    for run, problems in TEXTS.items():
        rows = [
            {
                "problem_id": f"p{problem}",
                "question": f"Question {problem}",
                "completion": text,
                "is_correct": sample == 0 and run == "base",
                "model": run,
                "role": run,
                "benchmark": "texts",
            }
            for problem, texts in enumerate(problems)
            for sample, text in enumerate(texts)
        ]
        import_into(layout, [jsonl(folder / f"{run}.jsonl", rows)])
    return layout


@pytest.fixture
def reader(store: StoreLayout) -> Iterator[Reader]:
    database = open_store(store)
    with Reader(database) as reader:
        yield reader
    database.close()


def hits(reader: Reader, wanted: Pattern, **where: object) -> list[Hit]:
    return [hit for findings in search(reader, reader.runs(), wanted, **where) for hit in findings.hits]


def found_by_python(expression: str) -> set[tuple[str, str, int, int]]:
    """Run, problem, sample and place of the first match."""
    return {
        (f"{run}@texts", f"p{problem}", sample, match.start())
        for run, problems in TEXTS.items()
        for problem, texts in enumerate(problems)
        for sample, text in enumerate(texts)
        if (match := re.search(expression, text, re.ASCII))
    }


def as_found(found: list[Hit]) -> set[tuple[str, str, int, int]]:
    return {(hit.run, hit.label, hit.sample, hit.found) for hit in found}


PLAIN = ("wait", "7", "[x] (y)", "\\Q", "a.b*c", "\x1b[31m", "\U0001f600", "É", "\nSo", "nope")


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_is_found_as_it_stands(reader: Reader, text: str) -> None:
    found = hits(reader, pattern(text))
    assert as_found(found) == found_by_python(re.escape(text))
    for hit in found:
        assert hit.excerpt[hit.excerpt_found : hit.excerpt_found + hit.length] == text
        assert len(hit.excerpt) <= 2 * AROUND + len(text)


@pytest.mark.parametrize(
    "expression", [r"\bcat\b", r"^no", r"7$", r"(?s)7.*x", r"[wW]ait", r"(\d) \+ (\d)", r"\d+", r"x|y", r"(?i)w(ai)t"]
)
def test_regular_expressions_match_where_python_says(reader: Reader, expression: str) -> None:
    found = hits(reader, regex_pattern(expression))
    assert as_found(found) == found_by_python(expression)
    for hit in found:
        matched = hit.excerpt[hit.excerpt_found : hit.excerpt_found + hit.length]
        assert re.search(expression, matched, re.ASCII)


def test_case_is_ignored_on_request(reader: Reader) -> None:
    every = found_by_python("(?i)wait")
    assert as_found(hits(reader, pattern("/wait/i"))) == every
    assert as_found(hits(reader, text_in_any_case("wait"))) == every
    assert as_found(hits(reader, text_in_any_case("[X]"))) == found_by_python(r"(?i)\[x\]")


def test_an_unclosed_quotation_matches_literally(reader: Reader) -> None:
    assert as_found(hits(reader, regex_pattern(r"\Qa.b*c [x"))) == found_by_python(re.escape("a.b*c [x"))


def test_scopes(reader: Reader) -> None:
    key = reader.problem_key("texts", "p1")
    everywhere = found_by_python("wait")
    of_problem = {entry for entry in everywhere if entry[1] == "p1"}
    assert as_found(hits(reader, pattern("wait"), problem=key)) == of_problem
    of_sample = {entry for entry in of_problem if entry[2] == 0}
    assert as_found(hits(reader, pattern("wait"), problem=key, sample=0)) == of_sample
    assert as_found(hits(reader, pattern("wait"), problems={key})) == of_problem


@pytest.mark.parametrize("most", [1, 2, 3, 4, 100])
def test_hits_beyond_the_most_are_only_counted(reader: Reader, most: int) -> None:
    every = list(search(reader, reader.runs(), pattern("7")))
    some = list(search(reader, reader.runs(), pattern("7"), most=most))
    handed_on = [hit for findings in some for hit in findings.hits]
    assert handed_on == [hit for findings in every for hit in findings.hits][:most]
    assert some[-1].runs == every[-1].runs


def test_verdicts_and_counts(reader: Reader) -> None:
    last = list(search(reader, reader.runs(), pattern("7")))[-1]
    assert last.finished
    counts = {run.run: (run.samples, run.searched, len(run.problems), run.finished) for run in last.runs}
    assert counts == {"base@texts": (1, 8, 1, True), "rl@texts": (4, 8, 1, True)}
    assert [hit.verdict for hit in hits(reader, pattern("Wait"))] == ["correct"]


def test_kept_as_a_filter(reader: Reader) -> None:
    runs = reader.runs()
    labels = reader.labels("texts")

    def meant(selector: str) -> set[str]:
        keys = selected_problems(reader, runs, selector)
        assert keys is not None
        return {labels[key] for key in keys}

    assert meant("contains:cat") == {"p0"}
    assert meant('contains:"So x"') == {"p0"}
    assert meant('contains:"/W(AI)T$/"') == {"p1"}
    with pytest.raises(UsageError, match="contains:/\\(/"):
        selected_problems(reader, runs, "contains:/(/")


@pytest.mark.parametrize("bad", ["", "  ", "/(/", "/a{1001}/", "/(?<=a)b/", r"/\1/", "/[z-a]/", "x" * 501])
def test_a_bad_pattern_is_a_sentence(bad: str) -> None:
    with pytest.raises(UsageError):
        pattern(bad)


def test_what_is_said_while_one_types() -> None:
    assert pattern_in_progress("") == ""
    assert pattern_in_progress("abc") == ""
    assert "missing )" in pattern_in_progress("/(a")
    assert "Read as text" in pattern_in_progress("/a")
    assert "missing )" in pattern_in_progress("/(a/")
    assert pattern_in_progress("/(a)/i") == ""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30))
def test_any_text_is_a_pattern_or_an_error_with_words(text: str) -> None:
    try:
        wanted = pattern(text)
    except UsageError as error:
        assert error.title
        return
    assert all(start < end for start, end in wanted.spans(text * 3).places)
    if not wanted.regex and "\ud800" not in text:
        assert (0, len(text)) in wanted.spans(text).places


def test_spans_are_in_characters() -> None:
    assert pattern("wait").spans("É \U0001f600 wait wait").places == ((4, 8), (9, 13))
    assert regex_pattern("a*").spans("baab").places == ((1, 3),)
    many = pattern("a").spans("a" * 500_000)
    assert (len(many.places), many.whole) == (10_000, False)


def test_matches_that_take_quadratic_time_are_cut_off() -> None:
    """Each x is looked at to the end of the text for a y that does not come: 10,000 of them take half a minute."""
    started = time.monotonic()
    found = regex_pattern("(?s)x.*y|x").spans("x " * 200_000)
    assert time.monotonic() - started < 5
    assert not found.whole and found.places[:2] == ((0, 1), (2, 3))
    assert regex_pattern("x.*y|x").spans("x x\nx y").whole


def test_an_interrupted_search_stops_and_leaves_the_reader_usable(store: StoreLayout) -> None:
    database = open_store(store)
    with Reader(database) as reader:
        steps = search(reader, reader.runs(), pattern("7"))
        next(steps)
        assert len(reader._streams) == 1
        steps.close()
        assert not reader._streams
        assert hits(reader, pattern("cat"))
    database.close()


def test_an_interrupt_reaches_a_stream(store: StoreLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    database = open_store(store)
    with Reader(database) as reader:
        endless = "SELECT sum(a.range * b.range) FROM range(3000000) a, range(3000000) b"
        monkeypatch.setattr("queries.load", lambda _: endless)
        again = threading.Event()

        def interrupt() -> None:
            while not again.wait(0.05):
                reader.interrupt()

        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            with pytest.raises(Cancelled), reader.stream("an endless query", 1, 1) as batches:
                list(batches)
        finally:
            again.set()
            thread.join()
    database.close()


def test_the_command_prints_jsonl_and_counts(store: StoreLayout, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    passk = Passk(tmp_path, tmp_path / "home")
    done = passk("search", "wait", "--store", store.root, "--run", "base@texts")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    expected = {entry[1:] for entry in found_by_python("wait") if entry[0] == "base@texts"}
    assert {(row["problem"], row["index"], row["found"]) for row in rows} == expected
    assert "base@texts: 3 of 8 paths, in 1 problem\n" in done.stderr
    limited = passk("search", "wait", "--ignore-case", "--store", store.root, "--limit", "2")
    assert len(limited.stdout.splitlines()) == 2
    nothing = passk("search", "not there", "--store", store.root, status=1)
    assert nothing.stdout == ""
    wrong = passk("search", "/(/", "--store", store.root, status=1)
    assert "missing )" in wrong.stderr
    some = passk("search", "7", "--store", store.root, "--problems", "p0", "--benchmark", "texts")
    assert {json.loads(line)["problem"] for line in some.stdout.splitlines()} == {"p0"}
