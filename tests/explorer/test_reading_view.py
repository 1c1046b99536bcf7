"""The reading view: formulas lose nothing, nothing changes without a sign, and every character has its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.records import Model, Run, Sample
from backend.records import Response as ReasoningPath
from backend.store.layout import StoreLayout
from backend.visible_text import visible
from explorer.render.latex import SYMBOLS, SYNONYMS, unicode_formula
from explorer.render.path import CUT_OFF, raw_view, reading_view
from explorer.render.reading_view import readable
from explorer.widgets.text_view import TextView
from tests.explorer.driving import Driver, explorer, import_into
from tests.explorer.hostile import NASTY
from tests.support import jsonl

# Formulas


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (r"x^2 + \frac{1}{2}x \le \alpha", "x² + ¹⁄₂x ≤ α"),
        (r"\frac{a+b}{c}", "((a+b)⁄c)"),
        (r"\frac{a}{bc}", "(a⁄(bc))"),
        (r"\frac12", "¹⁄₂"),
        (r"\sqrt{2}x + \sqrt{x+1} - \sqrt2", "√(2)x + √(x+1) - √2"),
        (r"x_{n+1}^{2k}", "xₙ₊₁^(2k)"),
        (r"90^\circ", "90°"),
        (r"2\sin x \cdot \cos^2 y", "2 sin x · cos² y"),
        (r"\left( a \right)\,b", "( a ) b"),
        (r"A = 5\text{ cm}", "A = 5‘ cm’"),
        (r"\boxed{\frac{3}{4}}", r"\boxed{³⁄₄}"),
        (r"x \in \mathbb{R}, x \neq 0", "x ∈ ℝ, x ≠ 0"),
        (r"1{,}000", "1,000"),
    ],
)
def test_formulas_as_one_reads_them(source: str, expected: str) -> None:
    formula = unicode_formula(source)
    assert formula is not None
    assert formula.text == expected


@pytest.mark.parametrize(
    "source",
    [
        r"\begin{pmatrix} 1 & 2 \end{pmatrix}", r"\overline{AB}", r"{ab}^2", r"\sqrt[3]{x}", r"\sqrt{2}^2", r"a \\ b",
        r"\mathbf{v}", r"\unknown", r"\frac{1}", "x^", "}", "{", r"\text{a $x$}", r"\left. x \right|", r"\hat{x}",
        "a_{}", "{" * 2_000, "\\",
    ],
)  # fmt: skip
def test_what_would_be_lost_is_kept(source: str) -> None:
    assert unicode_formula(source) is None


def test_one_command_is_one_character_and_no_other() -> None:
    assert len(set(SYMBOLS.values())) == len(SYMBOLS)
    assert all(len(shown) == 1 for shown in SYMBOLS.values())
    assert not set(SYNONYMS) & set(SYMBOLS)


def small_formulas() -> Iterator[str]:
    """Every formula of a few letters: scripts, roots, fractions, boxes in each other, and their neighbours."""
    letters = ["a", "1", "2", "+", r"\pi "]
    groups = [*letters, *(first + last for first in letters for last in letters)]
    inner = [*groups, r"\frac{1}{2}", r"\frac{a}{1}", r"\sqrt{2}", "a^2", "a^{12}", "a_1", r"\boxed{1}"]
    made = [rf"\frac{{{above}}}{{{below}}}" for above in inner for below in inner]
    made += [form % one for form in ("a^{%s}", "a_{%s}", r"\sqrt{%s}", r"\boxed{%s}", r"\text{%s}") for one in inner]
    made += [f"a{sign}{letter}" for sign in "^_" for letter in letters]
    for before in ("", "a", "1", "a^2", "a^{12}", "a_1", "("):
        for after in ("", "a", "1", "^2", "^{12}", "_1", r"\frac{1}{2}", ")"):
            yield from (f"{before}{formula}{after}" for formula in made)


def meant(source: str) -> str:
    """Braces around the one character of a script say nothing, nor does white space."""
    return re.sub(r"([_^])\{(\w|\+|\\pi )\}", r"\1\2", source).replace(" ", "")


def test_two_formulas_look_the_same_only_if_they_are() -> None:
    seen: dict[str, str] = {}
    converted = 0
    for source in small_formulas():
        formula = unicode_formula(source)
        if formula is not None:
            converted += 1
            other = seen.setdefault(formula.text.replace(" ", ""), source)
            assert meant(other) == meant(source), formula.text
    assert converted > 10_000


# Pages

TEXT = r"""# Solution
We have **bold** and $x^2+\frac{1}{2}$; it costs $5 and $10.
- an item with `code`
```python
def f(x):  # $x^2$ \(y_1\)
    return "x"
```
So \[ \boxed{\frac{3}{4}} \] and \(\overline{A}\) <|im_end|>"""


def test_a_page() -> None:
    start = TEXT.index("boxed{") + len("boxed{")
    answer = (start, TEXT.index("}} \\]") + 1)
    shown = readable(TEXT, answer)
    assert shown.text == (
        "# Solution\nWe have **bold** and ⟪x²+¹⁄₂⟫; it costs $5 and $10.\n- an item with `code`\n"
        '```python\ndef f(x):  # $x^2$ \\(y_1\\)\n    return "x"\n```\n'
        "So ⟪ \\boxed{³⁄₄} ⟫ and \\(\\overline{A}\\) <|im_end|>"
    )
    looks = {shown.text[a:b]: look for a, b, look in shown.spans}
    assert "bold" in looks["# Solution"]
    assert looks["**bold**"] == "bold"
    assert looks["def"] == "bold magenta"
    assert looks["# $x^2$ \\(y_1\\)"] == "italic dim"
    assert looks["<|im_end|>"] == "bold magenta"
    assert shown.text[shown.shown_position(answer[0]) : shown.shown_position(answer[1])] == "³⁄₄"


def test_a_formula_whose_answer_would_lose_its_place_is_kept() -> None:
    text = "It is $x_1 = 3$."
    assert readable(text).text == "It is ⟪x₁ = 3⟫."
    place = text.index("3")
    assert readable(text, (place, place + 1)).text == text


pieces = st.sampled_from(
    ["word ", "$", "$$", "\\(", "\\)", "\\[", "\\]", "x^2", r"\frac{1}{2}", "\n", "```\n", "```python\n", "~~~", "**",
     "`", "# ", "- ", "> ", "---", "<|eot|>", "\x1b[31m", "\u202e", "推", r"\boxed{", "}", r"\alpha", "5 "]
)  # fmt: skip


@given(st.lists(pieces, max_size=30).map("".join))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_changes_without_a_sign(text: str) -> None:
    shown = readable(text)
    assert visible(shown.text) == shown.text
    at = 0
    for start, end, _ in shown.spans:
        assert at <= start < end <= len(shown.text)
        at = end
    # Outside of the signs every character is the stored one, and both know each other's place.
    inside = [found.span() for found in re.finditer("⟪[^⟪⟫]*⟫", shown.text)]
    for place, letter in enumerate(shown.text):
        if not any(start <= place < end for start, end in inside):
            assert visible(text[shown.stored_position(place)]) == letter
            assert shown.shown_position(shown.stored_position(place)) == place
    kept = re.sub("⟪[^⟪⟫]*⟫", "", shown.text)
    assert len(kept) <= len(text)


@pytest.mark.parametrize("what", NASTY)
def test_hostile_texts(what: str) -> None:
    started = process_time()
    shown = readable(NASTY[what])
    assert process_time() - started < 2
    assert visible(shown.text) == shown.text


@pytest.mark.parametrize(
    "piece",
    ["\\(", "\\[ x^2 ", "$", "$x", "$$a", "**", "`", "```\n", "# ", "[/INST", "<|", "{", "$x^2$ ", "> ", "\\begin{"],
)
def test_half_a_million_characters_of_anything(piece: str) -> None:
    started = process_time()
    readable(piece * (500_000 // len(piece)))
    assert process_time() - started < 5


# The screen

RUN = Run(1, "r@b", Model("r"), "b", {}, 1, 1, 0, 0, 1, 1, 0, 0, 1, None)


def a_path(text: str, verdict: str = "wrong", finish: str | None = None) -> ReasoningPath:
    sample = Sample(0, verdict, None, None, None, None, finish, None, None, None, None, None)
    return ReasoningPath(RUN, 1, "p", sample, text, None)


@pytest.mark.parametrize("view", [raw_view, reading_view])
def test_special_tokens_and_a_cut_end_are_seen_in_both_views(view: object) -> None:
    assert callable(view)
    shown = view(a_path("<think>So</think> done<|im_end|>", "truncated", "length"))
    assert shown.text == f"<think>So</think> done<|im_end|>\n{CUT_OFF} (finish: length)"
    looks = {shown.text[a:b]: look for a, b, look in shown.spans}
    assert set(looks) == {"<think>", "</think>", "<|im_end|>", f"{CUT_OFF} (finish: length)"}
    assert CUT_OFF not in view(a_path("So.", finish="stop")).text


async def to_path(user: Driver) -> None:
    await user.press("enter", "enter", "enter", "enter")
    assert user.name == "PathScreen"


async def test_m_turns_to_the_reading_view_and_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("reading")
    layout = StoreLayout(folder / "reading.passk")
    text = "Line.\n" * 60 + "So $x^2 \\le 4$.\n" + "More.\n" * 60 + TEXT
    row = {"problem_id": "p", "question": "q", "completion": text, "is_correct": True, "benchmark": "b"}
    for role in ("base", "rl"):
        line = row | {"role": role, "model": role, "extracted_answer": "\\frac{3}{4}"}
        import_into(layout, [jsonl(folder / f"{role}.jsonl", [line])])
    async with explorer(layout) as user:
        await to_path(user)
        view = user.find(TextView)
        view.scroll_to(y=58, animate=False, immediate=True)
        await user.press("m")
        assert "So ⟪x² ≤ 4⟫." in user.shown
        assert "reading view" in user.crumbs[-1]
        assert view.scroll_offset.y == 58, "the text stays where it was"
        assert view.text == text
        await user.press("a")
        assert "\\boxed{³⁄₄}" in user.shown
        await user.press("y")
        assert user.app.clipboard == text, "what is copied is what is stored"
        await user.press("m")
        assert "\\boxed{\\frac{3}{4}}" in user.shown
        assert "reading view" not in user.crumbs[-1]
