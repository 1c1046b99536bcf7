"""How search, the judging queue, its paths, bookmarks and what counts valid paths only look; see `test_snapshots`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from backend import Reader
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter
from tests.explorer.driving import Driver, import_into
from tests.explorer.test_snapshots import Compare, looks_as_before, shows_on_large_screens
from tests.support import jsonl, with_reader

N = 64
RIGHT = {"base": [2, 40, 3, 1, 0, 12], "rl": [0, 60, 1, 2, 1, 3]}
PART = "20990101-judgements"
SAID = datetime(2026, 11, 24, 9, 30)


def judged_rows(run: str) -> Iterator[dict[str, object]]:
    for problem, c in enumerate(RIGHT[run]):
        for sample in range(N):
            steps = [
                f"First, {problem + 2} + {sample % 7} = {problem + 2 + sample % 7}.",
                "Wait, is that what was asked?",
            ]
            steps += ["Then both sides are doubled, and the smaller one is taken away."] * (1 + sample % 3)
            yield {
                "problem_id": f"p{problem}",
                "question": f"Two numbers differ by {problem + 2}, and their sum is {7 * problem + 12}. Which is the "
                "larger one, if both are whole and neither is prime?",
                "reference_answer": str(11 * problem),
                "completion": "\n".join([*steps, f"So the answer is \\boxed{{{11 * problem}}}."]),
                "is_correct": sample < c,
                "extracted_answer": str(11 * problem),
                "tokens": 40 + sample,
                "model": f"tiny-{run}",
                "role": run,
                "benchmark": "sums",
            }


@pytest.fixture(scope="module")
def judged(made: Path) -> StoreLayout:
    """Hard problems, of whose right paths a step checker has judged most and ann some, on one day."""
    layout = StoreLayout(made / "judged.passk")
    for run in RIGHT:
        import_into(layout, [jsonl(made / f"judged-{run}.jsonl", judged_rows(run))])

    def read(reader: Reader) -> list[tuple[int, int, int]]:
        keys = {label: key for key, label in reader.labels("sums").items()}
        return [
            (run.key, keys[f"p{problem}"], sample)
            for run in reader.runs()
            for problem, c in enumerate(RIGHT[run.model.role or ""])
            for sample in range(c)
        ]

    rows: list[tuple[object, ...]] = []
    for place in with_reader(layout, read):
        kind = ("valid", "valid", "invalid", "unsure")[place[2] % 4]
        if place[2] % 5 != 4:
            rows.append((*place, "arithmetic", "1", SAID, kind, "1 equation checked."))
        if place[2] == 0:
            rows.append((*place, "ann", None, SAID, "valid", None))
            rows.append((*place, "ann", None, SAID, None, "The doubling is not needed, and [/b] does no harm."))
    with PartWriter(layout, "judgements", name=PART) as part:
        part.write("judgements", rows)
        part.publish()
    return layout


@pytest.fixture(autouse=True)
def ann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests, and however long a search takes."""
    state = tmp_path / ".local" / "state"
    monkeypatch.setenv("PASSK_AUTHOR", "ann")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    monkeypatch.setattr("backend.text_search.time", SimpleNamespace(monotonic=lambda: 0.0))
    marks = [
        {
            "bookmark": f"@path,sample={at}",
            "title": f"sums · p{at} · tiny-rl · sample {at}",
            "created": SAID.isoformat(),
        }
        for at in range(3)
    ]
    (state / "passk").mkdir(parents=True)
    (state / "passk" / "judged.passk.jsonl").write_text("".join(f"{json.dumps(mark)}\n" for mark in marks))


WALKS: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "search": (("enter", "slash"), "/wait, is.*asked/i", ("enter",)),
    "bad-pattern": (("enter", "slash"), "/(is that", ()),
    "found": (("enter", "slash"), "both sides", ("enter", "j", "j", "enter")),
    "queue": (("enter", "Q"), "", ()),
    "queue-open": (("enter", "Q", "b"), "", ()),
    "queued-path": (("enter", "Q", "enter"), "", ()),
    "bookmarks": (("enter", "B"), "", ()),
    "curves-valid": (("enter", "V", "right", "right"), "", ()),
    "sets-valid": (("enter", "enter", "V", "home"), "", ()),
    "problem-invalid": (("enter", "enter", "left", "j", "enter", "v", "v"), "", ()),
}
"""Keys, what is typed then, and further keys."""


LARGE_TEXTS = {
    "search": ("tiny-rl: 384 paths", "text around the first match", "asked?␊Then both sid"),
    "bad-pattern": ("missing ): (is that",),
    "found": ("42 tokens, 268 characters", r"So the answer is \boxed{44}."),
    "queue": ("p2 hidden – – V valid V valid",),
    "queue-open": ("p5 tiny-rl 2 3/64 – X invalid",),
    "queued-path": (
        "✓ correct model hidden answer: 0",
        "if both are whole and neither is prime?",
        "and [/b] does no harm.",
    ),
    "bookmarks": ("2026-11-24 09:30 sums · p2 · tiny-rl · sample 2",),
    "curves-valid": ("o tiny-base 32.0 20.5–28.6", "x tiny-rl 23.8 20.4–22.8"),
    "sets-valid": ("[base-only 1]", "base c/n RL c/n", "base tok RL tok", "2/64 0/64"),
    "problem-invalid": ("finish seed", "2 X ✓ correct 22 42 268"),
}


async def walk_to(user: Driver, what: str) -> None:
    keys, typed, more = WALKS[what]
    await user.press(*keys)
    await user.type(typed)
    await user.press(*more)


@pytest.mark.parametrize("what", WALKS)
def test_screen(snap_compare: Compare, judged: StoreLayout, what: str) -> None:
    assert looks_as_before(snap_compare, judged, lambda user: walk_to(user, what))


@pytest.mark.parametrize("what", WALKS)
async def test_large_screen(judged: StoreLayout, what: str) -> None:
    await shows_on_large_screens(judged, lambda user: walk_to(user, what), LARGE_TEXTS[what])
