"""A place is one line that a shell leaves alone, and opens where it was copied, by keys and from the command line."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import Reader, open_store
from backend.errors import UsageError
from backend.store.layout import StoreLayout
from explorer.location import SCREENS, Location, parse_permalink, permalink, resolve_permalink
from tests.explorer.driving import explorer
from tests.explorer.test_sets import open_sets

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
places = st.builds(
    Location,
    benchmark=names,
    runs=st.lists(names, max_size=3).map(tuple),
    k=st.integers(1, 1024),
    min_correct=st.integers(1, 9),
    solved=st.none() | st.lists(st.booleans(), min_size=1, max_size=4).map(tuple),
    problem=st.none() | st.integers(0, 2**64 - 1),
    run=st.none() | names,
    sample=st.none() | st.integers(0, 2**31 - 1),
    filter=st.just("") | names,
    find=st.just("") | names,
)


@given(st.sampled_from(SCREENS), places)
def test_a_line_is_the_place_and_one_word_of_a_shell(screen: str, place: Location) -> None:
    line = permalink(screen, place)
    if screen == "sets" and place.solved is None:
        place = place.to(solved=())  # all problems, as a choice
    assert parse_permalink(line) == (screen, place)
    assert shlex.split(line, comments=True) == [line]
    assert not set(line) & set("&;|<>()$`\\\"' \t\n*?[]#{}!")


@given(st.text(max_size=60))
def test_any_other_text_is_an_error_in_words(text: str) -> None:
    try:
        screen, _ = parse_permalink(f"@{text}")
    except UsageError as error:
        assert error.next_step
    else:
        assert screen in SCREENS


def test_a_screen_beside_the_way_is_written_as_the_nearest_on_it() -> None:
    assert permalink("tree", Location("b", ("r",), problem=1)).startswith("@problem,")
    assert permalink("search", Location("b", ("r",))).startswith("@curves,")
    assert permalink("jobs", Location()) == "@home"


@pytest.mark.parametrize(
    "keys", [[], ["enter"], ["enter", "enter"], ["enter", "enter", "right"], ["right"], ["right"] * 3]
)
async def test_a_copied_place_opens_where_it_was_copied(sums_store: StoreLayout, keys: list[str]) -> None:
    async with explorer(sums_store) as user:
        await open_sets(user)
        await user.press(*keys, "Y")
        copied, crumbs, screen = user.app.clipboard, user.crumbs, user.name
    assert copied.startswith("passk @")
    async with explorer(sums_store, place=copied.removeprefix("passk ")) as user:
        await user.idle()
        assert (user.crumbs, user.name) == (crumbs, screen)
        await user.press("escape")
        assert user.name != screen


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("@sets,benchmark=sums,runs=nobody+tiny-rl%40sums", "no run nobody"),
        ("@curves,benchmark=nothing", "no benchmark nothing"),
        ("@problem,benchmark=sums,problem=00000000000000ff", "no such problem of sums"),
        ("@nowhere", "@nowhere is no place"),
        ("@curves,benchmark=sums,k=many", "k=many"),
        ("@sets,benchmark=sums,runs=tiny-base%40sums+tiny-rl%40sums,solved=010", "set of 3 runs, and names 2"),
    ],
)
def test_a_place_that_is_not_in_this_store_says_so(sums_store: StoreLayout, line: str, said: str) -> None:
    database = open_store(sums_store)
    with Reader(database) as reader, pytest.raises(UsageError, match=said):
        resolve_permalink(reader, line)
    database.close()
