from __future__ import annotations

import csv
import io
import json
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.exporters.escaping import (
    fenced,
    for_csv,
    for_html,
    for_latex,
    for_markdown,
    json_line,
    one_line,
)
from backend.visible_text import visible

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT)
def test_visible_keeps_the_length_and_leaves_no_control(text: str) -> None:
    shown = visible(text, keep_tabs=True)
    assert len(shown) == len(text)
    assert not any(char not in "\n\t" and category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs") for char in shown)
    assert shown.replace("\t", "\u21e5") == visible(text)


def test_newer_emoji_and_private_characters_are_no_boxes() -> None:
    """U+1FAE9 came with Unicode 16, U+E0B0 draws a powerline; an older Python calls both unprintable."""
    assert for_html("\U0001fae9 \ue0b0") == "\U0001fae9 \ue0b0"
    assert for_markdown("\U0001fae9") == "\U0001fae9"


@given(TEXT)
def test_html_has_no_markup_of_its_own(text: str) -> None:
    assert not set(for_html(text)) & set("<>\"'")


@given(TEXT)
def test_json_lines_are_exact_and_on_one_line(text: str) -> None:
    line = json_line({"text": text})
    assert json.loads(line) == {"text": text}
    assert b"\n" not in line and b"\x1b" not in line and b"\x7f" not in line


def test_json_of_what_orjson_refuses() -> None:
    value = {"large": 2**80, "lone": "\ud800"}
    assert json.loads(json_line(value)) == value


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", " =1", "\uff1d1"])
def test_a_formula_is_no_formula(text: str) -> None:
    assert for_csv(text).startswith("'")


@pytest.mark.parametrize("text", ["-1", "+3.5", "-1,000", "-1/2", "-5 %", "-1e-3", "plain", "a=b", ""])
def test_numbers_and_words_stay_as_they_are(text: str) -> None:
    assert for_csv(text) == text


@given(TEXT)
def test_csv_cells_come_back(text: str) -> None:
    cell = for_csv(text)
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerow([cell, "end"])
    assert next(csv.reader(io.StringIO(file.getvalue(), newline=""))) == [cell, "end"]
    assert cell.removeprefix("'") == visible(text, keep_tabs=True).removeprefix("'")


@given(TEXT)
def test_a_fence_is_longer_than_any_inside(text: str) -> None:
    first, *_, last = fenced(text).split("\n")
    assert first == last + "text"
    assert last not in text


@given(TEXT)
def test_markdown_cells_stay_in_their_cell(text: str) -> None:
    cell = for_markdown(text)
    assert "\n" not in cell
    plain = cell.replace("\\\\", "")
    assert all(plain[at - 1] == "\\" for at, char in enumerate(plain) if char in "|`<[]*_")


@given(TEXT)
def test_latex_has_balanced_braces_and_no_line(text: str) -> None:
    shown = for_latex(text)
    bare = shown.replace("\\{", "").replace("\\}", "")
    depth = 0
    for char in bare:
        depth += (char == "{") - (char == "}")
        assert depth >= 0
    assert depth == 0
    assert "\n" not in shown


def test_lines_are_cut_with_an_ellipsis() -> None:
    assert one_line("a\nb\tc", 10) == "a b c"
    assert one_line("abcdef", 4) == "abc…"
