"""How perplexity looks: its screen, the samples' columns and the surprise of tokens, with scores of a known shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backend import Reader
from backend.records import Response as ReasoningPath
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter
from tests.explorer.conftest import sums_rows
from tests.explorer.driving import Driver, import_into
from tests.explorer.test_keys import go_to
from tests.explorer.test_snapshots import looks_as_before
from tests.support import jsonl, with_reader

PART = "20990101-scores"


@pytest.fixture(scope="module")
def scored(made: Path) -> StoreLayout:
    """`sums` of base and RL run; a word a token, and log-probabilities that fall with the sample's number."""
    layout = StoreLayout(made / "shape.passk")
    for run in ("base", "rl"):
        import_into(layout, [jsonl(made / f"shape-{run}.jsonl", sums_rows(run))])

    def read(reader: Reader) -> list[tuple[str, ReasoningPath]]:
        found = []
        for run in reader.runs():
            for key, *_ in reader.rows("reads/problems_to_sample", benchmark="sums"):
                found += [(run.model.role or "", path) for path in reader.paths(run, key)]
        return found

    sums, tokens = [], []
    for role, path in with_reader(layout, read):
        text = path.text or ""
        place = (path.run.key, path.problem_key, path.sample.index)
        ends = [at for at, letter in enumerate(text) if letter in " \n"] + [len(text)] * 2
        for scorer in ("tiny-base", "tiny-rl"):
            own = scorer == f"tiny-{role}"
            logprobs = [-0.02 - (0.1 if own else 0.4) * path.sample.index / (1 + at % 3) for at in range(len(ends))]
            logprobs[2] = -5.0 if not own else -1.0
            kept = [[["‹", -0.25], [" it", -2.5]] if value < -0.1 else [] for value in logprobs]
            row = (*place, scorer, "float32", ends, logprobs, str(kept).replace("'", '"'))
            if (role, scorer) != ("base", "tiny-rl"):
                sums.append((*place, scorer, "server", "float32", len(ends), sum(logprobs)))
                tokens.append(row)
    with PartWriter(layout, "scores", name=PART) as part:
        part.write("scores", sums)
        part.write("token_scores", tokens)
        part.publish()
    return layout


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: "x".join(map(str, size)))
def test_perplexity(snap_compare: Callable[..., bool], scored: StoreLayout, size: tuple[int, int]) -> None:
    async def walk(user: Driver) -> None:
        await go_to(user, "perplexity")
        await user.press("j")

    assert looks_as_before(snap_compare, scored, size, walk)


def test_what_is_not_scored(snap_compare: Callable[..., bool], scored: StoreLayout) -> None:
    async def walk(user: Driver) -> None:
        await go_to(user, "perplexity")
        await user.press("j", "j", "j")

    assert looks_as_before(snap_compare, scored, (80, 24), walk)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("where", ["problem", "path"])
def test_samples_and_tokens(
    snap_compare: Callable[..., bool], scored: StoreLayout, where: str, size: tuple[int, int]
) -> None:
    async def walk(user: Driver) -> None:
        await go_to(user, "problem")
        await user.press("right")
        if where == "path":
            await user.press("enter", "t")

    assert looks_as_before(snap_compare, scored, size, walk)
