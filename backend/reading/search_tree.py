"""The search tree of one problem: all samples merged while they take the same steps, and what is shown of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from backend.errors import UsageError
from backend.records import NOT_JUDGED, Run
from backend.records.reading import Branch, BranchSample, BranchTally, RowKind, TreeRow
from backend.store.reads import Reader

# Where one step of a reasoning path ends and the next begins. A step is a line, or a sentence of it; what announces
# something and ends in a colon ("Try sums:", "Step 1:") is a step too. A sentence longer than `LONGEST` characters
# goes by words: `WORDS` of them make a step. White space belongs to the step before it, so that all steps together
# are the text.
#
#     Try sums: 3 + 8 = 11, 11 + 3 = 14. 14 is 14.\nAnswer: 14
#     ^         ^                        ^          ^       ^

LONGEST = 240
"""Characters of a sentence that is still one step."""

WORDS = 12
"""Words that make a step of a longer sentence."""

Cut = Callable[[str, int], int]
"""From a text and where a step begins in it: where that step ends. At the end of the text it is the text's length."""

_SPACE = re.compile(r"\s*")
# The number of a list's item is no sentence.
_BEGINNING = re.compile(r"\s*(?:\d{1,3}[.)](?=\s)\s*)?")
_END = re.compile(r"\n|[.!?:…][\"')\]*]*(?=\s)|[。！？：]")
_WORDS = re.compile(rf"(?:\s*\S+(?=\s)){{1,{WORDS}}}")
_WORD = re.compile(r"\s*\S+")


def step_end(text: str, start: int) -> int:
    """End of the step that begins at `start`, behind the white space that follows it."""
    beginning = _end(_BEGINNING, text, start)
    limit = beginning + LONGEST
    found = _END.search(text, beginning, limit + 2)
    if found is not None:
        return _end(_SPACE, text, found.end())
    if len(text) <= limit:
        return len(text)
    # Nobody's word is that long; one who writes a hundred thousand characters without a space is cut.
    words = _WORDS.match(text, beginning, limit)
    return _end(_SPACE, text, limit if words is None else words.end())


def word_end(text: str, start: int) -> int:
    """End of the word that begins at `start`, behind the white space that follows it."""
    word = _WORD.match(text, start)
    return len(text) if word is None else _end(_SPACE, text, word.end())


CUTS: dict[str, Cut] = {"step": step_end, "word": word_end}
"""Ways to cut a path, by name."""


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return start if found is None else found.end()


# The search tree of one problem: all samples of some runs, merged while they take the same steps. It is a radix tree:
# a branch is a stretch that all its samples share, and it ends where they part. Steps count as the same when they
# differ only in the white space around them. The branches of one place are made when they are first asked for, so
# that opening costs one look at the beginning of every text, however long the texts are.

SHOWN_TEXT = 5_000
"""Characters of its stretch that a branch carries."""

ROOT = 0
"""Key of the root: all samples, no text."""


@dataclass(frozen=True, slots=True)
class Member:
    """A sample that the tree is made of."""

    run: int
    """Place of its run among the tree's runs."""
    sample: BranchSample
    text: str | None


@dataclass(frozen=True, slots=True)
class _Node:
    """A branch, and what making its own branches needs."""

    branch: Branch
    parent: int
    members: tuple[int, ...]
    ends: tuple[int, ...]
    """For every member, where in its text the branch ends."""
    keys: tuple[int, ...]
    """Of every step in it: each may begin a branch of its own once samples are added."""


class SearchTree:
    """Made by `search_tree`; never changed, but that what was made once is kept."""

    def __init__(self, runs: Sequence[Run], members: Sequence[Member], by: str = "step") -> None:
        self.runs = tuple(runs)
        self.by = by
        self._cut = CUTS[by]
        self._members = tuple(members)
        everyone = tuple(range(len(members)))
        root = Branch(ROOT, "branch", "", 0, 0, 0, self._tallies(everyone))
        self._nodes = {ROOT: _Node(root, ROOT, everyone, (0,) * len(members), (ROOT,))}
        self._below: dict[int, tuple[Branch, ...]] = {}

    @property
    def root(self) -> Branch:
        return self._nodes[ROOT].branch

    def branches(self, branch: Branch) -> tuple[Branch, ...]:
        """How the samples of a branch go on: together they are all its samples. Only a `branch` has any."""
        if branch.kind != "branch":
            return ()
        found = self._below.get(branch.key)
        if found is None:
            nodes = self._split(self._nodes[branch.key])
            self._nodes.update((node.branch.key, node) for node in nodes)
            found = self._below[branch.key] = tuple(node.branch for node in nodes)
        return found

    def samples(self, branch: Branch) -> tuple[BranchSample, ...]:
        """The samples of a branch, by run and index."""
        return tuple(self._members[member].sample for member in self._nodes[branch.key].members)

    # Making branches

    def _split(self, node: _Node) -> list[_Node]:
        """The branches of a node in which samples part."""
        apart: dict[str, list[tuple[int, int]]] = {}
        ended: list[tuple[int, int]] = []
        without: list[tuple[int, int]] = []
        for member, start in zip(node.members, node.ends, strict=True):
            text = self._members[member].text
            if text is None:
                without.append((member, 0))
                continue
            end = self._cut(text, start)
            step = text[start:end].strip()
            (apart.setdefault(step, []) if step else ended).append((member, end))
        nodes = [self._grow(node, step, group) for step, group in apart.items()]
        for kind, group in (("end", ended), ("no_text", without)):
            if group:
                nodes.append(self._stop(node, "end" if kind == "end" else "no_text", group))
        return nodes

    def _stop(self, parent: _Node, kind: RowKind, group: list[tuple[int, int]]) -> _Node:
        """Samples that end here, or of which there is no text."""
        members, ends = zip(*group, strict=True)
        key = hash((parent.keys[-1], kind))
        branch = Branch(key, kind, "", 0, 0, 0, self._tallies(members))
        return _Node(branch, parent.branch.key, members, ends, (key,))

    def _grow(self, parent: _Node, step: str, group: list[tuple[int, int]]) -> _Node:
        """A branch from its first step as far as all its samples go together."""
        members, ends = [member for member, _ in group], [end for _, end in group]
        texts = [self._members[member].text or "" for member in members]
        keys = [hash((parent.keys[-1], step))]
        kind: RowKind = "branch"
        while kind == "branch":
            if _same_rest(texts, ends):
                kind, ends = "leaf", [len(text) for text in texts]
            elif (found := self._common_step(texts, ends)) is None:
                break
            else:
                step, ends = found
                keys.append(hash((keys[-1], step)))
        start = parent.ends[parent.members.index(members[0])]
        stretch = texts[0][start : ends[0]]
        branch = Branch(
            key=keys[0],
            kind=kind,
            text=stretch[:SHOWN_TEXT],
            characters=len(stretch),
            steps=len(keys) if kind == "branch" else 0,
            ways=0,
            tallies=self._tallies(members),
        )
        return _Node(branch, parent.branch.key, tuple(members), tuple(ends), tuple(keys))

    def _common_step(self, texts: list[str], starts: list[int]) -> tuple[str, list[int]] | None:
        """The next step and where it ends in every text; None where they part, or one of them ends."""
        first = ""
        ends: list[int] = []
        for text, start in zip(texts, starts, strict=True):
            end = self._cut(text, start)
            step = text[start:end].strip()
            if not step or (ends and step != first):
                return None
            first = step
            ends.append(end)
        return first, ends

    def _tallies(self, members: Iterable[int]) -> tuple[BranchTally, ...]:
        taken, unverified, right = ([0] * len(self.runs) for _ in range(3))
        for member in members:
            run, verdict = self._members[member].run, self._members[member].sample.verdict
            taken[run] += 1
            unverified[run] += verdict in NOT_JUDGED
            right[run] += verdict == "correct"
        return tuple(BranchTally(t, t - u, c) for t, u, c in zip(taken, unverified, right, strict=True))

    # Ways through it

    def most_taken(self, branch: Branch) -> Branch | None:
        """The branch of a branch that most samples take."""
        return max(self.branches(branch), key=lambda below: below.taken, default=None)

    def towards_right(self, branch: Branch) -> Branch | None:
        """Down to where right samples part, or the only one ends; None when nothing below is right.

        Where several branches hold right samples from the beginning, it is one step to that with the most.
        """
        way: Branch | None = None
        while below := [child for child in self.branches(way or branch) if child.right]:
            if len(below) > 1 and way is not None:
                break
            way = max(below, key=lambda child: child.right)
            if len(below) > 1:
                break
        return way

    def partings(self) -> tuple[Branch, ...]:
        """The first branches that some run never takes: those of the shallowest level with any, most taken first."""
        present = [place for place, tally in enumerate(self.root.tallies) if tally.taken]
        level: Sequence[Branch] = [self.root]
        while level:
            level = [child for branch in level for child in self.branches(branch)]
            found = [b for b in level if b.kind != "no_text" and not all(b.tallies[place].taken for place in present)]
            if found:
                return tuple(sorted(found, key=lambda branch: -branch.taken))
        return ()

    # What a view of it needs

    def find(self, key: int) -> Branch | None:
        """The branch with that key, if it has been made."""
        node = self._nodes.get(key)
        return None if node is None else node.branch

    def above(self, branch: Branch) -> Branch:
        """The branch that a branch belongs to; the root for those of the first level."""
        return self._nodes[self._nodes[branch.key].parent].branch

    def keys_of(self, branch: Branch) -> tuple[int, ...]:
        """Of every step in a branch, the first one being its own: each may begin a branch once samples are added."""
        return self._nodes[branch.key].keys

    def together(self, above: Branch, branches: Sequence[Branch]) -> Branch:
        """Some branches of one place as a single line."""
        key = more_key(above)
        members = tuple(member for branch in branches for member in self._nodes[branch.key].members)
        whole = Branch(key, "more", "", 0, 0, len(branches), self._tallies(members))
        self._nodes[key] = _Node(whole, above.key, members, (), (key,))
        return whole


_OF_SAMPLE = ("index", "verdict", "answer", "tokens", "characters", "overridden")


def more_key(branch: Branch) -> int:
    """Key of the line that stands for the rarer branches of a branch."""
    return hash((branch.key, "more"))


def _same_rest(texts: list[str], starts: list[int]) -> bool:
    """Whether there is one way to the end only."""
    length = len(texts[0]) - starts[0]
    if any(len(text) - start != length for text, start in zip(texts, starts, strict=True)):
        return False
    rest = texts[0][starts[0] :]
    return all(text.endswith(rest) for text in texts)


def search_tree(reader: Reader, problem_key: int, runs: Sequence[Run], by: str | None = None) -> SearchTree:
    """The tree of one problem's samples.

    Long first sentences are seldom written twice: a tree of them would be a list. So it goes by words, unless told
    otherwise, where most samples share their first step with no other.

    Args:
        runs: one or more; for a pair, base first.
        by: one of `TREE_CUTS`; None to choose.

    Raises:
        UsageError: runs of several benchmarks, or none of them has a sample of this problem.
    """
    if len({run.benchmark for run in runs}) > 1:
        raise UsageError(
            "The runs of a tree are of one benchmark",
            ", ".join(f"{run.name} is of {run.benchmark}" for run in runs),
            "passk runs lists the runs of each benchmark.",
        )
    members = [
        Member(place, BranchSample(run, *(getattr(path.sample, name) for name in _OF_SAMPLE)), path.text)
        for place, run in enumerate(runs)
        for path in reader.paths(run, problem_key)
    ]
    if not members:
        names = ", ".join(run.name for run in runs)
        raise UsageError("There is nothing to make a tree of", f"No sample of this problem is stored: {names}")
    tree = SearchTree(runs, members, by or "step")
    alone = sum(branch.taken == 1 for branch in tree.branches(tree.root))
    return SearchTree(runs, members, "word") if by is None and 2 * alone > len(members) > 2 else tree


# What is shown of a search tree: which branches are open, in what order, and the lines that follow from it.

MOST_BRANCHES = 12
"""Branches of one place that are shown before the rarer ones are taken together."""


@dataclass(frozen=True)
class TreeView:
    """A tree with some branches open. Opening, closing and sorting make other views of the same tree."""

    tree: SearchTree
    opened: frozenset[int] = frozenset()
    """Keys of the steps of open branches (each may be a branch of its own once samples are added), and of the `more`
    lines that show what they stand for."""
    order: str = "taken"
    """One of `TREE_ORDERS`."""
    most: int | None = MOST_BRANCHES
    """Branches of one place before the rarer ones are taken together; None for all."""

    def rows(self) -> tuple[TreeRow, ...]:
        """The lines, without the root."""
        rows: list[TreeRow] = []
        # A stack instead of recursion: by words a tree may be as deep as a text is long.
        waiting = [(branch, 0) for branch in reversed(self.level(self.tree.root))]
        while waiting:
            branch, depth = waiting.pop()
            is_open = branch.kind == "branch" and branch.key in self.opened
            rows.append(TreeRow(branch, depth, is_open))
            if is_open:
                waiting.extend((child, depth + 1) for child in reversed(self.level(branch)))
        return tuple(rows)

    def level(self, branch: Branch) -> list[Branch]:
        """The branches of a branch as they are shown below it."""
        below = sorted(self.tree.branches(branch), key=self._rank)
        if self.most is None or len(below) <= self.most + 1 or more_key(branch) in self.opened:
            return below
        return [*below[: self.most], self.tree.together(branch, below[self.most :])]

    def _rank(self, branch: Branch) -> tuple[float, ...]:
        if self.order == "right":
            return -branch.right, -branch.taken
        if self.order == "difference":
            pairs = zip(branch.tallies, self.tree.root.tallies, strict=True)
            shares = [tally.taken / whole.taken for tally, whole in pairs if whole.taken]
            return min(shares) - max(shares), -branch.taken
        return -branch.taken, -branch.right

    def sorted_by(self, order: str) -> TreeView:
        return replace(self, order=order)

    def opening(self, branch: Branch) -> tuple[TreeView, Branch]:
        """The branch opened, and where the cursor belongs: a `more` makes way for the first that it stood for."""
        below = self.level(self.tree.above(branch)) if branch.kind == "more" else []
        view = replace(self, opened=self.opened.union(self.tree.keys_of(branch)))
        if branch.kind != "more":
            return view, branch
        return view, view.level(self.tree.above(branch))[len(below) - 1]

    def closing(self, branch: Branch) -> TreeView:
        """The branch closed; what was open below it will be so again."""
        return replace(self, opened=self.opened.difference(self.tree.keys_of(branch)))

    def revealing(self, branch: Branch) -> TreeView:
        """Whatever must be open besides, so that a branch is among the lines."""
        view, child = self, branch
        while child.key != self.tree.root.key:
            above = self.tree.above(child)
            if above.key != self.tree.root.key:
                view = replace(view, opened=view.opened.union(self.tree.keys_of(above)))
            if all(shown.key != child.key for shown in view.level(above)):
                view = replace(view, opened=view.opened | {more_key(above)})
            child = above
        return view

    def opened_to(self, depth: int) -> TreeView:
        """So many levels open, where there are as many."""
        opened: set[int] = set()
        level: Collection[Branch] = self.level(self.tree.root)
        for _ in range(depth - 1):
            opened.update(key for branch in level if branch.kind == "branch" for key in self.tree.keys_of(branch))
            level = [child for branch in level for child in self.level(branch)]
        return replace(self, opened=self.opened | opened)

    def at_first(self) -> TreeView:
        """Open as far as the first parting, also when all samples begin alike."""
        level = self.tree.branches(self.tree.root)
        return self.opened_to(2) if len(level) == 1 else self

    def of(self, tree: SearchTree, cursor: int | None) -> TreeView:
        """The same branches of a tree with other samples; the cursor's, if it is still there, among the lines."""
        view = replace(self, tree=tree)
        if cursor is None or cursor in {row.branch.key for row in view.rows()}:
            return view
        # It may stand below an open branch that is among the rarer ones now; looking below makes its branches.
        replace(view, most=None).rows()
        kept = tree.find(cursor)
        return view if kept is None else view.revealing(kept)
