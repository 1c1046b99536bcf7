"""What turns data into lines and names, on whatever text there is."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from backend import SetsShown, sets_table
from backend.records import Model, NotCompared, Run, SetProblem, SolveSets, Tally
from backend.records.table import Table
from backend.visible_text import escape_in_json, visible, visible_line
from backend.wording import compact, percent, set_name, short_names, span
from explorer.render.data_table import data_columns, in_order, natural_key
from explorer.render.names import fitting_names, pair_label, shorten_middle
from explorer.render.sets import in_set
from explorer.render.text import cell, literal, wrap
from tests.explorer.hostile import NASTY

any_text = st.text(alphabet=st.characters(), max_size=200) | st.sampled_from([t[:500] for t in NASTY.values()])
words = st.text(alphabet="ab \n推é\u0301\t", max_size=200) | any_text
OBEYED = ("Cc", "Cf", "Cs", "Zl", "Zp")


@given(any_text)
def test_visible(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert visible(shown) == shown
    for before, after in zip(text, shown, strict=True):
        assert after == "\n" or unicodedata.category(after) not in OBEYED, hex(ord(before))
        if before == "\n" or unicodedata.category(before) not in (*OBEYED, "Cn"):
            assert after == before


def test_visible_knows_every_character_there_is() -> None:
    for code in range(0x110000):
        letter = chr(code)
        shown = visible(letter)
        if letter != "\n" and unicodedata.category(letter) in OBEYED:
            assert shown != letter, hex(code)
        else:
            assert shown == letter or unicodedata.category(letter) == "Cn", hex(code)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_json_is_the_same_value_and_hides_nothing(text: str) -> None:
    line = escape_in_json(json.dumps(text, ensure_ascii=False))
    assert json.loads(line) == text
    assert visible(line) == line


@given(any_text, st.integers(1, 50))
def test_a_line_is_one_line(text: str, longest: int) -> None:
    line = visible_line(text, longest)
    assert "\n" not in line
    assert len(line) <= longest
    assert cell(text, longest=longest).plain == line
    assert literal(text).plain == visible(text)


@given(words, st.integers(1, 40))
def test_wrap(text: str, width: int) -> None:
    text = visible(text)
    lines = wrap(text, width)
    room = max(width, 2)
    position = 0
    for start, end in lines:
        assert start <= end
        # Between two lines there is a line feed, or the space at a break, or nothing.
        assert text[position:start] in ("", " ", "\n")
        assert "\n" not in text[start:end]
        assert cell_len(text[start:end]) <= room or end - start == 1
        position = end
    assert position == len(text)
    assert lines[0][0] == 0
    assert len(lines) >= text.count("\n") + 1


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=8), max_size=30), st.integers(8, 30))
def test_words_stay_whole_where_they_fit(parts: list[str], width: int) -> None:
    text = " ".join(parts)
    assert " ".join(text[start:end] for start, end in wrap(text, width)).split() == parts


def test_wide_and_narrow_text_break_alike() -> None:
    text = "some words that go on and on, as models do, "
    ascii_lines = wrap(text * 20, 33)
    wide_lines = wrap(text * 20 + "é", 33)
    assert ascii_lines[:-1] == wide_lines[: len(ascii_lines) - 1]


@given(any_text, st.integers(2, 40))
def test_shorten_middle(name: str, width: int) -> None:
    short = shorten_middle(name, width)
    if cell_len(name) <= width:
        assert short == name
    else:
        assert cell_len(short) <= width
        assert "…" in short


def parts_of(name: str) -> set[str]:
    """Numbers and words of a name, each whole."""
    return set(re.findall(r"\d+(?:\.\d+)*[A-Za-z]*|[A-Za-z]+(?:\d+(?:\.\d+)*)?|[一-龥]+", name))


word = st.sampled_from(
    ["Qwen2.5", "Qwen3", "7B", "72B", "math", "SimpleRL", "Zoo", "step", "1300", "1400", "t0.6", "中文"]
)
model_name = st.builds(
    lambda words, between: words[0] + "".join(b + w for w, b in zip(words[1:], between, strict=False)),
    st.lists(word, min_size=1, max_size=7),
    st.lists(st.sampled_from("-_/@"), min_size=7, max_size=7),
)


@given(st.lists(model_name, min_size=1, max_size=20, unique=True), st.integers(10, 50))
def test_names_that_are_cut_stay_apart_and_whole_in_their_parts(names: list[str], width: int) -> None:
    short = fitting_names(names, width)
    assert len(set(short)) == len(names), "no two become one"
    for name, cut in zip(names, short, strict=True):
        assert cell_len(cut) <= width
        if cut == name:
            continue
        assert "…" in cut
        assert cut not in names, "nor another's whole name"
        if "#" not in cut:
            assert parts_of(cut) <= parts_of(name), "no part is half of another"


@pytest.mark.parametrize(
    ("names", "width", "expected"),
    [
        (["grpo-step-1300", "grpo-step-1400"], 10, ["grpo-…1300", "grpo-…1400"]),
        (["Qwen2.5-72B-Instruct", "Qwen2.5-7B-Instruct"], 14, ["Qwen2.5-72B-…", "Qwen2.5-7B-…"]),
        (
            ["hkust-nlp/Qwen-2.5-7B-SimpleRL-Zoo", "Qwen/Qwen2.5-7B"],
            20,
            ["hkust-nlp/Qwen-…Zoo", "Qwen/Qwen2.5-7B"],
        ),
        (["模型" * 10 + "-a", "模型" * 10 + "-b"], 12, ["…a", "…b"]),
        (
            ["count-base", "count-base@count-t0.6", "count-rl-150", "count-rl-150@count-t0.6", "count-distilled"],
            10,
            ["count-base", "…base@…", "…rl-150", "…150@…t0.6", "…distilled"],
        ),
        (["a" * 30, "a" * 31], 10, ["aaaaaaaaa…", "aaaaaaa…#2"]),
    ],
)
def test_how_names_are_cut(names: list[str], width: int, expected: list[str]) -> None:
    assert fitting_names(names, width) == expected


def run(name: str, role: str | None = None, step: int | None = None, benchmark: str = "b") -> Run:
    return Run(1, name, Model(name, role, None, step), benchmark, {}, 1, 1, 0, 0, 1, 1, 0, 0, 1, None)


@given(any_text, any_text, st.integers(12, 80))
def test_pair_label_fits(first: str, second: str, width: int) -> None:
    label = pair_label(run(first), run(second), width)
    assert " → " in label
    assert cell_len(label) <= width


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([run("a@b", "base"), run("c@b", "rl")], ("base", "RL")),
        ([run("a@b", "rl", 400), run("c@b", "rl", 800)], ("step 400", "step 800")),
        ([run("a@b", "base"), run("c@b", "rl", 400), run("d@b", "rl", 800)], ("base", "step 400", "step 800")),
        ([run("a@b"), run("c@b")], ("a", "c")),
        ([run("a@b", "rl"), run("c@b", "rl")], ("a", "c")),
    ],
)
def test_contrast(runs: list[Run], expected: tuple[str, ...]) -> None:
    assert short_names(runs) == expected


@given(st.lists(st.booleans(), min_size=2, max_size=5))
def test_set_names_are_all_different(solved: list[bool]) -> None:
    from itertools import product

    words = tuple(f"run {i}" for i in range(len(solved)))
    names = [set_name(pattern, words) for pattern in product((True, False), repeat=len(solved))]
    assert len(set(names)) == len(names)
    assert "all" not in names, "that is what the total is called"


def problem(key: int, label: str, c: int = 0, n: int = 4, tokens: float | None = None, level: str = "") -> SetProblem:
    return SetProblem(
        key, label, key, f"statement of {label}", level or None, (Tally(n, c), Tally(n, n - c)), (tokens, None),
        (c > 0, c < n),
    )  # fmt: skip


problems = st.builds(
    lambda rows: [problem(key, *row) for key, row in enumerate(rows)],
    st.lists(
        st.tuples(
            any_text, st.integers(0, 4), st.just(4), st.none() | st.floats(0, 1e4), st.sampled_from(["", "1", "x"])
        ),
        max_size=20,
    ),
)


def table_of(rows: list[SetProblem]) -> Table:
    """The table of a base and an RL run with these problems."""
    runs = (run("a@b", "base"), run("c@b", "rl"))
    sets = SolveSets("b", runs, 1, tuple(rows), {}, (None, None), NotCompared(((), ()), ()), None, None)
    return sets_table(SetsShown(sets))


KEYS = ["problem", "statement", "level", "base_tally", "rl_tally", "base_tokens", "rl_tokens", "p_change"]


@given(problems, st.sampled_from(KEYS), st.booleans())
def test_in_order(rows: list[SetProblem], column: str, descending: bool) -> None:
    table = table_of(rows)
    result = in_order(table, rows, column, reverse=descending)
    assert sorted(p.key for p in result) == sorted(p.key for p in rows)
    if column == "base_tally":
        shares = [p.tallies[0].c for p in result]
        assert shares == sorted(shares, reverse=descending)
    if column == "base_tokens":
        tokens = [p.mean_tokens[0] for p in result]
        known = [t for t in tokens if t is not None]
        assert tokens == [*sorted(known, reverse=descending), *[None] * (len(tokens) - len(known))]


@given(problems, st.integers(40, 200))
def test_columns_of_problems_fit(rows: list[SetProblem], width: int) -> None:
    table = table_of(rows)
    columns = data_columns(table, width)
    assert [column.key for column in columns][:2] == ["problem", "statement"]
    assert {column.key for column in columns} >= {"base_tally", "rl_tally", "p_change"}, "only tokens give way"
    taken = sum(column.width + 2 for column in columns)
    assert taken <= width or "rl_tokens" not in {column.key for column in columns}
    for problem in rows:
        cells = [column.cell(problem) for column in columns]
        assert [cell.plain for cell in cells][2:] and len(cells) == len(columns)
        assert cells[[column.key for column in columns].index("p_change")].plain == "–", "unknown is not 0"


@given(problems)
def test_sets_are_a_partition(rows: list[SetProblem]) -> None:
    patterns = [(True, True), (True, False), (False, True), (False, False)]
    assert sum(len(in_set(rows, pattern)) for pattern in patterns) == len(rows)
    assert in_set(rows, None) == rows


@given(st.lists(any_text, max_size=20))
def test_natural_order_never_fails(names: list[str]) -> None:
    sorted(names, key=natural_key)


def test_natural_order() -> None:
    assert sorted(["p10", "p2", "q1", "p2b", "p", "p002c"], key=natural_key) == ["p", "p2", "p2b", "p002c", "p10", "q1"]
    assert sorted(["1" * 5000, "2", "²", "٣"], key=natural_key)[:2] == ["2", "1" * 5000]
    assert sorted(["Level 12", "Level 3"], key=natural_key) == ["Level 3", "Level 12"]


@given(st.floats(0, 1e14))
def test_compact(number: float) -> None:
    assert len(compact(number)) <= 7
    assert "e" not in compact(number)


def test_unknown_is_never_zero() -> None:
    assert percent(None) == compact(None) == span(None, None) == "–"
    assert (percent(0.0), percent(0.614), span(8, 8), span(4, 8)) == ("0.0", "61.4", "8", "4–8")


@given(st.characters())
def test_no_character_is_wider_than_two_cells(letter: str) -> None:
    assert get_character_cell_size(visible(letter)) <= 2
