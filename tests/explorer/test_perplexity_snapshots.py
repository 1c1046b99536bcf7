"""How perplexity looks: its screen, the samples' columns and the surprise of tokens, with scores of a known shape."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import Reader
from backend.records import Response as ReasoningPath
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter
from tests.explorer.conftest import sums_rows
from tests.explorer.driving import Driver, import_into
from tests.explorer.test_keys import go_to
from tests.explorer.test_snapshots import Compare, looks_as_before, shows_on_large_screens
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


WALKS = {
    "perplexity": ("perplexity", ("j",)),
    "not-scored": ("perplexity", ("j", "j", "j")),
    "problem": ("problem", ("right",)),
    "path": ("problem", ("right", "enter", "t")),
}
"""A screen, and further keys."""
LARGE_TEXTS = {
    "perplexity": ("base base 48 1.358 100.0 % ───", "12.5 % of them are no more perplexing", "not scored (s)"),
    "not-scored": ("base RL – – – not scored (s)",),
    "problem": ("ppl base ppl RL", "▶ 0/8"),
    "path": (
        "under base (float32): perplexity 7.912",
        "token 3 ‹ about›: log-probability -5.000 (0.7 %)",
    ),
}


async def walk_to(user: Driver, what: str) -> None:
    where, keys = WALKS[what]
    await go_to(user, where)
    await user.press(*keys)


@pytest.mark.parametrize("what", WALKS)
def test_screen(snap_compare: Compare, scored: StoreLayout, what: str) -> None:
    assert looks_as_before(snap_compare, scored, lambda user: walk_to(user, what))


@pytest.mark.parametrize("what", WALKS)
async def test_large_screen(scored: StoreLayout, what: str) -> None:
    await shows_on_large_screens(scored, lambda user: walk_to(user, what), LARGE_TEXTS[what])
