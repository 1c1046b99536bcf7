"""The language of filters: what each word means, what is wrong with others, and that nothing else happens."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend import (
    Reader,
    curves,
    quoted,
    resolve_selector,
    select,
    select_unsampled,
    selected_problems,
    solve_sets,
)
from backend.errors import UsageError
from backend.records import Run
from backend.selection import parse, unquoted
from tests.statistics.conftest import CORRECT, LEVELS, SUBJECTS, WORDS, N

EVERY = range(8)
BASE, RL, GUESS = CORRECT["base"], CORRECT["rl"], CORRECT["guess"]


def pair(reader: Reader) -> list[Run]:
    return [reader.run("tiny-base@small"), reader.run("tiny-rl@small")]


def meant(reader: Reader, selector: str, runs: list[Run] | None = None) -> list[int]:
    """Numbers of the problems that are meant."""
    runs = runs or pair(reader)
    keys = selected_problems(reader, runs, selector)
    found = solve_sets(reader, pair(reader), problems=keys).problems
    return [int(problem.label[1:]) for problem in found]


@pytest.mark.parametrize(
    ("selector", "holds"),
    [
        ("", lambda p: True),
        ("all", lambda p: True),
        ("c=0", lambda p: BASE[p] == RL[p] == 0),
        ("c<3", lambda p: BASE[p] < 3 and RL[p] < 3),
        ("base.c=0 rl.c>0", lambda p: BASE[p] == 0 and RL[p] > 0),
        ("tiny-guess.c>0", lambda p: GUESS[p] > 0),
        ("n<21", lambda p: True),
        ("n<20", lambda p: False),
        ("base.c!=0", lambda p: BASE[p] != 0),
        ("base.rate>=0.1", lambda p: Fraction(BASE[p], 20) >= Fraction(1, 10)),
        ("base.c/n=50%", lambda p: BASE[p] == 10),
        ("RATE<5%", lambda p: BASE[p] < 1 and RL[p] < 1),
        ("base.tokens>400", lambda p: 100 * (p + 1) + 9.5 > 400),
        ("tokens>700", lambda p: 100 * (p + 1) + 9.5 > 700 and p != 7),
        ("set:base_only", lambda p: BASE[p] and not RL[p]),
        ("set:RL-only,neither", lambda p: not BASE[p]),
        ("level=1", lambda p: LEVELS[p] == "Level 1"),
        ("level=1,2 c>0", lambda p: LEVELS[p] in ("Level 1", "Level 2") and BASE[p] and RL[p]),
        ('level="Level 1"', lambda p: LEVELS[p] == "Level 1"),
        ("level>=4", lambda p: int(LEVELS[p][6:]) >= 4),
        ("level!=1", lambda p: LEVELS[p] != "Level 1"),
        ("subject=Algebra", lambda p: SUBJECTS[p] == "algebra"),
        ('subject="number ""theory""","counting, more"', lambda p: p in (4, 6)),
        ("tags=b", lambda p: p % 2 == 1),
        ("rank<3", lambda p: p < 3),
        ("q1,q4", lambda p: p in (1, 4)),
        ("id=q1", lambda p: p == 1),
        ("q1", lambda p: p == 1),
        ("PRIME", lambda p: "prime" in WORDS[p].lower()),
        ('"square root"', lambda p: p == 2),
        ('"x < y"', lambda p: p == 6),
        ('"say ""no"""', lambda p: p == 7),
        ("café", lambda p: p == 5),
        ("contains:/(base|rl).c?.?1/", lambda p: True),
        ("contains:nobody", lambda p: False),
        ("size 3", lambda p: True),
        ("guess:tiny-guess<0.05", lambda p: not 0 < Fraction(GUESS[p], 40) < Fraction(1, 20)),
        ("guess:tiny-guess<0.051", lambda p: not 0 < Fraction(GUESS[p], 40) < Fraction(51, 1000)),
    ],
)
def test_what_a_filter_means(reader: Reader, selector: str, holds: Callable[[int], bool]) -> None:
    assert meant(reader, selector) == [p for p in EVERY if holds(p)]


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ("", ""),
        ("all", ""),
        ("c<3", "c < 3 in both runs"),
        ("base.c=0 rl.c>3", "c = 0 in tiny-base, c > 3 in tiny-rl"),
        ("set:base_only level=5", "solved by tiny-base, not by tiny-rl, level 5"),
        ("rate<5%", "c/n < 5% in both runs"),
        ("tokens>200", "mean tokens > 200 in both runs"),
        (
            "guess:tiny-guess<0.05",
            "without 2 of 8 problems that can be guessed (0 < c/n < 0.05 in tiny-guess, named as sampled without "
            "reasoning)",
        ),
        ("prime", '"prime" in id, level or statement'),
    ],
)
def test_a_filter_in_words(reader: Reader, selector: str, words: str) -> None:
    assert resolve_selector(reader, pair(reader), selector).words == words


@pytest.mark.parametrize(
    ("selector", "word", "why"),
    [
        ("c<3 c<", "c<", "number is missing"),
        ("c<x", "c<x", "x is not a number"),
        ("rate<1e9", "rate<1e9", "not a number"),
        ("set:base", "set:base", "no such set"),
        ("level=", "level=", "value is missing"),
        ("lvl=5", "lvl=5", "nothing in small is called lvl"),
        ("nobody.c=0", "nobody.c=0", "no run nobody"),
        ("tiny.c=0", "tiny.c=0", "3 runs match tiny"),
        ("guess:nobody<0.1", "guess:nobody<0.1", "no run nobody"),
        ("id=q1,q9", "id=q1,q9", "no problem q9"),
        ("q1,q9", "q1,q9", "no problem q9"),
        ("tiny-guess.tokens>3", "tiny-guess.tokens>3", "no token counts are stored for tiny-guess"),
        ('c=0 "open', '"open', "quote does not end"),
    ],
)
def test_what_is_no_filter_says_why(reader: Reader, selector: str, word: str, why: str) -> None:
    with pytest.raises(UsageError) as error:
        resolve_selector(reader, pair(reader), selector)
    assert error.value.title.startswith(f"{word}: ")
    assert why in error.value.title


values = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(st.lists(values, max_size=5))
def test_quoted_values_come_back(texts: list[str]) -> None:
    """Whatever a text holds, in quotes it is one word, and it is that text."""
    in_quotes = ['"' + text.replace('"', '""') + '"' for text in texts]
    words = parse(" ".join(in_quotes))
    assert [unquoted(word.text) for word in words] == texts
    again = parse(" ".join(word.text for word in words))
    assert [(word.text, word.kind) for word in again] == [(word.text, word.kind) for word in words]


@given(values)
def test_a_quoted_field_value_comes_back(text: str) -> None:
    [word] = parse(f"level={quoted(text)}")
    assert unquoted(word.match["value"]) == text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    st.one_of(
        st.text(max_size=30),
        st.lists(
            st.sampled_from(
                ["c", "n", "rl.", "base.", "<", ">=", "=", "0", "3.5", "%", "set:", "both", "guess:", "tiny-guess",
                 "level", '"', " ", ",", "q1", "rate", "tokens", "all", ".", "subject"]
            ),
            max_size=8,
        ).map("".join),
    )
)  # fmt: skip
def test_any_text_is_a_filter_or_an_error_that_names_the_word(reader: Reader, text: str) -> None:
    try:
        found = resolve_selector(reader, pair(reader), text)
    except UsageError as error:
        assert error.title.split(": ")[0].strip()
        assert error.next_step
        assert any(error.title.startswith(f"{text[start:end]}: ") for start in range(len(text))
                   for end in range(start + 1, len(text) + 1))  # fmt: skip
    else:
        assert 0 <= found.count <= found.total == 8
        assert found.problems is None or bool(found.words)


def test_figures_of_some_problems_only(reader: Reader) -> None:
    """Curves, sets and the totals of the runs are those of the problems that are meant."""
    runs = pair(reader)
    keys = selected_problems(reader, runs, "level=1,2")
    base, rl = curves(reader, runs, lambda _: [1], problems=keys)
    chosen = [p for p in EVERY if LEVELS[p] in ("Level 1", "Level 2")]
    assert base.problems == rl.problems == len(chosen) == base.run.problems
    assert base.run.samples == N["base"] * len(chosen)
    assert base.run.solvable == sum(BASE[p] > 0 for p in chosen)
    assert base.points[0].pass_at_k == pytest.approx(sum(BASE[p] for p in chosen) / 20 / len(chosen), abs=1e-15)
    sets = solve_sets(reader, runs, problems=keys)
    assert sets.counts == {
        (a, b): sum((BASE[p] > 0, RL[p] > 0) == (a, b) for p in chosen) for a in (True, False) for b in (True, False)
    }


def test_no_problem_is_no_figure(reader: Reader) -> None:
    [curve] = curves(reader, pair(reader)[:1], problems=frozenset())
    assert (curve.points, curve.problems, curve.run.n_min, curve.run.samples) == ((), 0, None, 0)


def test_a_typo_costs_no_samples(reader: Reader) -> None:
    """Where samples are drawn, a bare word is an id; in quotes it is looked for."""
    base, rl = pair(reader)
    assert select(reader, base, "q3") == ["q3"]
    assert select(reader, base, "set:rl_only") == ["q4"]
    assert select(reader, rl, "c=0", base) == ["q2", "q5", "q6", "q7"]
    assert select(reader, base, '"prime"') == ["q3", "q4"]
    with pytest.raises(UsageError, match="prime: small has no problem prime"):
        select(reader, base, "prime")
    with pytest.raises(UsageError, match="empty selector"):
        select(reader, base, " ")
    with pytest.raises(UsageError, match="No problem of small is meant by q3 c>9"):
        select(reader, base, "q3 c>9")


def test_a_run_that_is_not_there_yet_takes_what_makes_sense_without_it(reader: Reader) -> None:
    base, _ = pair(reader)
    assert select_unsampled(reader, "small", "q3,q1") == ["q1", "q3"]
    assert select_unsampled(reader, "small", "all") == [f"q{p}" for p in EVERY]
    assert select_unsampled(reader, "small", '"prime"') == ["q3", "q4"]
    low = [f"q{p}" for p in EVERY if LEVELS[p] in ("Level 1", "Level 2")]
    assert select_unsampled(reader, "small", "level=1,2") == low
    assert select_unsampled(reader, "small", f"{base.name}.c=0") == select(reader, base, "c=0")
    for selector in ("c=0", "contains:the", "set:base_only"):
        with pytest.raises(UsageError, match=f"{selector}: .*no samples yet"):
            select_unsampled(reader, "small", selector)
    with pytest.raises(UsageError, match="prime: small has no problem prime"):
        select_unsampled(reader, "small", "prime")


def test_three_runs_have_no_pair(reader: Reader) -> None:
    runs = [*pair(reader), reader.run("tiny-guess@small")]
    assert resolve_selector(reader, runs, "c=0").words == "c = 0 in all 3 runs"
    with pytest.raises(UsageError, match=r"set:both: solve sets are of two runs, and 3 are compared"):
        resolve_selector(reader, runs, "set:both")
