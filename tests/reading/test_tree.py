"""The search tree: every sample is in it once, at every branch, and it is the tree of the texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import Reader, SearchTree, TreeView, open_store, sample_store, search_tree
from backend.errors import UsageError
from backend.reading.search_tree import Member
from backend.records import NOT_JUDGED, VERDICTS, Model, Run
from backend.records.reading import TREE_CUTS, TREE_ORDERS, Branch, BranchSample
from backend.store.layout import StoreLayout
from tests.support import imported, jsonl, with_reader


def run_named(name: str, key: int) -> Run:
    return Run(key, name, Model(name), "b", {}, 1, 0, 0, 0, None, None, 0, 0, 0, None)


RUNS = (run_named("base@b", 1), run_named("rl@b", 2))

steps = st.lists(st.sampled_from(["So a. ", "Then b.\n", "Try: ", "c c c. ", "d\n\n", "e"]), max_size=6).map("".join)
samples = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(VERDICTS), st.one_of(st.none(), steps)), min_size=1, max_size=24
)


def tree_of(drawn: list[tuple[int, str, str | None]], by: str = "step") -> SearchTree:
    members = [
        Member(run, BranchSample(RUNS[run], index, verdict, None, None, None), text)
        for index, (run, verdict, text) in enumerate(drawn)
    ]
    return SearchTree(RUNS, members, by)


def every(tree: SearchTree) -> Iterator[Branch]:
    waiting = [tree.root]
    while waiting:
        branch = waiting.pop()
        yield branch
        waiting.extend(tree.branches(branch))


@given(samples, st.sampled_from(TREE_CUTS))
def test_counts_add_up_at_every_branch(drawn: list[tuple[int, str, str | None]], by: str) -> None:
    tree = tree_of(drawn, by)
    for place in (0, 1):
        of_run = [verdict for run, verdict, _ in drawn if run == place]
        whole = tree.root.tallies[place]
        assert whole.taken == len(of_run)
        assert whole.n == sum(verdict not in NOT_JUDGED for verdict in of_run)
        assert whole.c == of_run.count("correct")
    for branch in every(tree):
        below = tree.branches(branch)
        assert (branch.kind == "branch") == bool(below)
        if below:
            for place, tally in enumerate(branch.tallies):
                parts = [child.tallies[place] for child in below]
                assert sum(part.taken for part in parts) == tally.taken
                assert sum(part.n for part in parts) == tally.n
                assert sum(part.c for part in parts) == tally.c
            apart = Counter(sample.index for child in below for sample in tree.samples(child))
            assert apart == Counter(sample.index for sample in tree.samples(branch)), "each sample is in one of them"


@given(samples, st.sampled_from(TREE_CUTS))
def test_the_way_to_a_leaf_is_the_text_of_its_samples(drawn: list[tuple[int, str, str | None]], by: str) -> None:
    tree = tree_of(drawn, by)

    def follow(branch: Branch, so_far: str) -> None:
        for child in tree.branches(branch):
            text = so_far + child.text
            if child.kind == "branch":
                follow(child, text)
            elif child.kind != "no_text":
                for sample in tree.samples(child):
                    assert (drawn[sample.index][2] or "").split() == text.split()

    follow(tree.root, "")


@given(samples, st.sampled_from(TREE_CUTS))
def test_samples_that_begin_alike_are_together_and_branches_differ(
    drawn: list[tuple[int, str, str | None]], by: str
) -> None:
    tree = tree_of(drawn, by)
    for branch in every(tree):
        below = tree.branches(branch)
        if branch is not tree.root:
            assert len(below) != 1, "a branch goes as far as its samples go together"
        first = [child.text.split()[0] for child in below if child.text.split()] if by == "word" else []
        assert len(first) == len(set(first))


@given(samples, st.sampled_from(TREE_CUTS), st.sampled_from(TREE_ORDERS), st.data())
@settings(max_examples=60)
def test_added_samples_keep_what_is_open_and_the_cursor(
    drawn: list[tuple[int, str, str | None]], by: str, order: str, data: st.DataObject
) -> None:
    before = TreeView(tree_of(drawn, by), order=order, most=2)
    for _ in range(data.draw(st.integers(0, 4))):
        rows = before.rows()
        before, _ = before.opening(data.draw(st.sampled_from(rows)).branch)
    cursor = data.draw(st.sampled_from(before.rows())).branch
    grown = tree_of([*drawn, *data.draw(samples)], by)
    after = before.of(grown, cursor.key)
    if cursor.kind != "more":
        assert cursor.key in {row.branch.key for row in after.rows()}
    # Where nothing is taken together, all that was seen is still seen, also where a branch parts earlier now.
    whole = replace(before, most=None)
    assert {row.branch.key for row in whole.rows()} <= {row.branch.key for row in whole.of(grown, None).rows()}


def test_an_open_branch_that_parts_earlier_now_is_open_in_both_of_its_parts() -> None:
    drawn: list[tuple[int, str, str | None]] = [(0, "wrong", f"So a. Then b. Do {word}.") for word in "cd"]
    tree = tree_of(drawn)
    before, _ = TreeView(tree).opening(tree.branches(tree.root)[0])
    assert [row.branch.text for row in before.rows()] == ["So a. Then b. ", "Do c.", "Do d."]
    after = before.of(tree_of([*drawn, (1, "wrong", "So a. Else.")]), None)
    assert [row.branch.text for row in after.rows()] == ["So a. ", "Then b. ", "Do c.", "Do d.", "Else."]


@given(samples, st.sampled_from(TREE_ORDERS), st.integers(1, 4))
def test_lines_of_one_place_stand_for_all_of_it(
    drawn: list[tuple[int, str, str | None]], order: str, most: int
) -> None:
    tree = tree_of(drawn)
    for branch in every(tree):
        if branch.kind == "branch":
            level = TreeView(tree, order=order, most=most).level(branch)
            assert sum(child.taken for child in level) == branch.taken
            assert sum(child.right for child in level) == branch.right
            assert len(level) <= most + 1
            assert len(tree.branches(branch)) == sum(child.ways or 1 for child in level)


def test_ways_through_it() -> None:
    tree = tree_of(
        [
            *[(0, "wrong", "So a. Then b. Then wrong.")] * 5,
            *[(1, "wrong", "So a. Then b. Then bad.")] * 7,
            (0, "correct", "So a. Then c. It is. D."),
            (0, "correct", "So a. Then c. It is. E."),
            (1, "unverified", "So f. End."),
        ]
    )
    first = tree.most_taken(tree.root)
    assert first is not None
    assert (first.text, first.taken) == ("So a. ", 14)
    common = tree.most_taken(first)
    assert common is not None
    assert (common.text, [tally.taken for tally in common.tallies]) == ("Then b. ", [5, 7])
    right = tree.towards_right(tree.root)
    assert right is not None
    assert right.text == "Then c. It is. ", "as far as the right ones go together"
    assert tree.towards_right(common) is None
    [only_rl] = tree.partings()
    assert only_rl.text == "So f. End."
    assert only_rl.tallies[1].n == 0, "what is unverified does not count"


def test_equal_texts_never_part() -> None:
    tree = tree_of([(0, "wrong", "So a. So b."), (1, "correct", "So a.  So b.\n")])
    [leaf] = tree.branches(tree.root)
    assert leaf.kind == "leaf"
    assert tree.partings() == ()
    assert TreeView(tree).at_first().rows()[0].open is False


def test_first_sentences_that_nobody_shares_are_taken_by_words(store: StoreLayout, tmp_path: Path) -> None:
    rows = [
        {"problem_id": problem, "question": problem, "completion": text.format(number), "is_correct": False,
         "model": "m", "benchmark": "b"}
        for problem, text in (("long", "To find the {} we add. Done."), ("short", "Try: {}."))
        for number in range(10)
    ]  # fmt: skip
    imported(store, jsonl(tmp_path / "rows.jsonl", rows))

    def trees(reader: Reader) -> list[SearchTree]:
        keys = [reader.problem_key("b", name) for name in ("long", "short")]
        return [search_tree(reader, key, reader.runs(), by) for key in keys for by in (None, "step")]

    by_words, by_steps, chosen, _ = with_reader(store, trees)
    assert (by_words.by, by_steps.by, chosen.by) == ("word", "step", "step")
    assert [branch.text for branch in by_words.branches(by_words.root)] == ["To find the "]
    assert len(by_steps.branches(by_steps.root)) == 10


def test_the_sample_store_shows_the_plans_that_rl_starved() -> None:
    """As its README says: RL hardly ever begins with quotients or pairs, nine times in ten with sums or products."""
    database = open_store(sample_store())
    try:
        with Reader(database) as reader:
            runs = [reader.run("countdown-base@countdown"), reader.run("countdown-rl-150@countdown")]
            first: Counter[tuple[str, int]] = Counter()
            for number in range(1, 21):
                key = reader.problem_key("countdown", f"c{number:03}")
                tree = search_tree(reader, key, runs)
                tallies = {tally.run.key: tally for tally in reader.problem(key).tallies}
                for run, whole in zip(runs, tree.root.tallies, strict=True):
                    assert (whole.n, whole.c) == (tallies[run.key].n, tallies[run.key].c)
                for branch in tree.branches(tree.root):
                    for place, tally in enumerate(branch.tallies):
                        first[branch.text.split(":")[0], place] += tally.taken
            shares = {(plan, place): times / (20 * 256) for (plan, place), times in first.items()}
            for plan in ("Try pairs", "Try quotients"):
                assert shares[plan, 0] > 0.05
                assert shares.get((plan, 1), 0) < 0.01
            assert shares["Try sums", 1] + shares["Try products", 1] > 0.9
            with pytest.raises(UsageError, match="nothing to make a tree of"):
                search_tree(reader, reader.problem_key("MATH500", "0"), [reader.run("Qwen2.5-7B@MATH500")])
            with pytest.raises(UsageError, match="one benchmark"):
                search_tree(reader, key, [runs[0], reader.run("Qwen2.5-7B@MATH500")])
    finally:
        database.close()
