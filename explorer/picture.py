"""A picture of a screen for the README: python -m explorer.picture STORE TARGET.svg [SCREEN]."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from backend import open_store, store_for_reading
from backend.errors import PasskError
from explorer.actions import CURVES, HOME, PATH, PROBLEM, SETS
from explorer.app import Explorer
from explorer.screens.base import DataScreen

SIZE = (100, 30)
WALK = ((HOME, None), (CURVES, "enter"), (SETS, "enter"), (PROBLEM, "enter"), (PATH, "enter"))
"""Every screen, and the key that leads to it from the one before."""
PATIENCE = 30.0
"""Seconds that a screen may take."""


async def _settled(app: Explorer, where: str) -> None:
    """Until this screen is in front and shows what it asked for.

    Raises:
        PasskError: another screen came, or none in time.
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        await asyncio.sleep(0.05)
        screen = app.screen
        if isinstance(screen, DataScreen) and where == screen.WHERE and screen.idle:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise PasskError(f"The screen {where} cannot be reached in this store")


async def picture(app: Explorer, where: str = CURVES) -> str:
    """The screen as SVG, reached from Home by opening what the cursor is on."""
    async with app.run_test(size=SIZE) as pilot:
        for screen, key in WALK:
            if key is not None:
                await pilot.press(key)
            await _settled(app, screen)
            await pilot.pause()
            if screen == where:
                break
        return app.export_screenshot(title="passk")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m explorer.picture", description=__doc__)
    parser.add_argument("store", metavar="STORE")
    parser.add_argument("target", metavar="TARGET.svg", type=Path)
    parser.add_argument("screen", metavar="SCREEN", nargs="?", default=CURVES, choices=[where for where, _ in WALK])
    parsed = parser.parse_args(arguments)
    try:
        database = open_store(store_for_reading(parsed.store))
        try:
            svg = asyncio.run(picture(Explorer(database), parsed.screen))
        finally:
            database.close()
    except PasskError as error:
        print(f"picture: {error}", file=sys.stderr)
        return 1
    parsed.target.parent.mkdir(parents=True, exist_ok=True)
    parsed.target.write_text(svg, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
