"""A monkey at the explorer: random keys, several at once, on every screen it finds.

python -m tests.explorer.monkey --keys 10000 --seed 1 [STORE] prints what it found; the same seed presses the same keys.
They write as a person's would (renamed runs, overridden verdicts), so the monkey plays in a copy of the store.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import traceback
from collections import Counter
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from textual import events

from backend import copy_store, open_store, store_for_reading
from backend.store.layout import StoreLayout
from explorer import actions
from explorer.app import Explorer

MOVES = (
    *(
        "enter",
        "escape",
        "down",
        "up",
        "left",
        "right",
        "pagedown",
        "pageup",
        "home",
        "end",
        "tab",
        "shift+tab",
        "space",
    ),
    *("backspace", "ctrl+p", "question_mark", "slash", "f1", "ctrl+home", "é", "\ufffd"),
)
LEAVING = {"q", "ctrl+q", "ctrl+c", "ctrl+z"}


def every_key() -> list[str]:
    """The keys of all actions, and those that move."""
    found = {key for action in actions.ACTIONS for key in action.keys.split(",")}
    return sorted((found | set(MOVES) | set("xyz019~")) - LEAVING)


def key_event(key: str) -> events.Key:
    return events.Key(key, {"space": " ", "slash": "/", "question_mark": "?"}.get(key, key if len(key) == 1 else None))


class Fall(Exception):
    """The explorer ended; the keys before it."""


async def play(layout: StoreLayout, chance: random.Random, keys: int, screens: Counter[str]) -> int:
    """Press keys until there were so many; raises Fall where the explorer ends. Returns how many were pressed."""
    choices, pressed, last = every_key(), 0, []  # type: ignore[var-annotated]
    with closing(open_store(layout, merging=False)) as database:
        app = Explorer(database)
        try:
            async with app.run_test(size=(80, 24)) as pilot:
                await pilot.pause()
                while pressed < keys and app.is_running and app._exception is None:
                    burst = chance.choice((1, 1, 2, 2, 3, 5))
                    for _ in range(burst):
                        # Enter leads on and escape back: often enough to see every screen.
                        key = (
                            chance.choice(("enter", "escape", "down"))
                            if chance.random() < 0.3
                            else chance.choice(choices)
                        )
                        last = [*last[-11:], f"{type(app.screen_stack[-1]).__name__}:{key}"]
                        app.post_message(key_event(key))
                        pressed += 1
                    screens[type(app.screen_stack[-1]).__name__] += burst
                    if chance.random() < 0.03:
                        app.post_message(events.Resize(size := _size(chance), size))
                    await asyncio.sleep(chance.choice((0, 0, 0.001, 0.01, 0.05)))
        except Exception as error:
            raise Fall(f"after {' '.join(last)}\n{''.join(traceback.format_exception(error)[-14:])}") from error
    return pressed


def _size(chance: random.Random) -> object:
    from textual.geometry import Size

    return Size(*chance.choice(((80, 24), (120, 40), (40, 10), (200, 60), (1, 1))))


def run(layout: StoreLayout, keys: int, seed: int) -> tuple[list[str], Counter[str]]:
    """What the monkey broke, and how many keys each screen got."""
    falls: list[str] = []
    screens: Counter[str] = Counter()
    chance = random.Random(seed)
    while sum(screens.values()) < keys:
        try:
            asyncio.run(play(layout, chance, min(keys - sum(screens.values()), 500), screens))
        except Fall as fall:
            falls.append(str(fall))
    return falls, screens


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.explorer.monkey", description=__doc__)
    parser.add_argument("store", nargs="?", help="a store, of which a copy is played in (default: the sample store)")
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parsed = parser.parse_args()
    with TemporaryDirectory(prefix="passk-monkey-") as folder:
        played = Path(folder) / "played.passk"
        copy_store(store_for_reading(parsed.store), played)
        falls, screens = run(StoreLayout(played), parsed.keys, parsed.seed)
    for fall in falls:
        print(fall)
    print(f"{len(falls)} falls in {sum(screens.values()):,} keys, seed {parsed.seed}: {dict(screens.most_common())}")
    return 1 if falls else 0


if __name__ == "__main__":
    sys.exit(main())
